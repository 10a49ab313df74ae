"""A helper task of the text encoder: say which puppet does what.

A denoiser trained on stills looks at the words of kind and colour, and at the end of the caption. In a causal
text encoder only the end has heard the motion. With this task the end says it, so that a denoiser which looks
where it always looked finds motions there. Like the other helper heads it does not ship.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.theatre.tokenizer import MAX_TOKENS
from rehearse.theatre.world.vocabulary import MOTIONS, PUPPETS

NOT_SAID = -100
"""Label of a puppet that a caption gives no motion."""
CAPTIONS = 64
"""Captions a step: a text encoder costs next to nothing beside a video denoiser."""


class MotionWords(nn.Module):
    """Reads the motion of each kind of puppet from the text encoder's output at the end of captions.

    width: of the text encoder's output.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, len(PUPPETS) * len(MOTIONS))

    def loss(self, text: Any, tokenizer: Any, captions: list[str], rng: np.random.Generator) -> Tensor:
        """Cross-entropy over what the captions say, at a random place from their end token on."""
        ids = tokenizer(
            captions, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).input_ids.to(self.head.weight.device)
        hidden = text(ids).last_hidden_state
        ends = (ids == tokenizer.eos_token_id).int().argmax(1).cpu().numpy()
        places = torch.from_numpy(rng.integers(ends, MAX_TOKENS)).to(hidden.device)
        said = self.head(hidden[torch.arange(len(ids)), places]).float()
        labels = torch.tensor([motions_said(caption) for caption in captions], device=said.device)
        return F.cross_entropy(said.view(-1, len(MOTIONS)), labels.view(-1), ignore_index=NOT_SAID)


def motions_said(caption: str) -> list[int]:
    """For each kind of puppet, the index in MOTIONS of what the caption lets it do, or NOT_SAID.

    A kind that does two different things is left out: its name alone does not tell which of them is meant.
    """
    said = [NOT_SAID] * len(PUPPETS)
    twice = set()
    words = f" {caption.replace(',', '')} "
    for kind, puppet in enumerate(PUPPETS):
        for rest in words.split(f" {puppet} ")[1:]:
            for index, motion in enumerate(MOTIONS):
                if f"{rest} ".startswith(f"{motion} "):
                    if said[kind] not in (NOT_SAID, index):
                        twice.add(kind)
                    said[kind] = index
    return [NOT_SAID if kind in twice else motion for kind, motion in enumerate(said)]
