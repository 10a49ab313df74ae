"""What captions say of motion, and that a text encoder can be taught to hear it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from rehearse.theatre.recipes import TEXT_ENCODER, TEXT_WIDTH
from rehearse.theatre.tokenizer import write_tokenizer
from rehearse.theatre.world.vocabulary import MOTIONS, PUPPETS
from rehearse.training.motion_words import NOT_SAID, MotionWords, motions_said


def said(caption: str) -> dict[str, str]:
    """The motions a caption says, by puppet."""
    found = motions_said(caption)
    return {PUPPETS[k]: MOTIONS[m] for k, m in enumerate(found) if m != NOT_SAID}


def test_each_puppet_has_the_motion_that_follows_its_name() -> None:
    assert said("an orange car moves right and a yellow train moves up over the sea") == {
        "car": "moves right", "train": "moves up",
    }  # fmt: skip
    assert said("a white fish stands still, a red ball arcs left and a blue cat turns at night") == {
        "fish": "stands still", "ball": "arcs left", "cat": "turns",
    }  # fmt: skip
    assert said("a red ball over the meadow") == said("") == {}
    assert said("a red ball grows and a blue ball shrinks in the city") == {}


def test_a_text_encoder_learns_to_say_motions_at_the_end(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    tokenizer = CLIPTokenizer.from_pretrained(str(tmp_path))
    torch.manual_seed(0)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), **TEXT_ENCODER))
    words = MotionWords(TEXT_WIDTH)
    optimizer = torch.optim.AdamW([*text.parameters(), *words.parameters()], lr=2e-3)
    captions = [f"a red ball {motion} over the meadow" for motion in ("moves left", "moves right")]
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(40):
        error = words.loss(text, tokenizer, captions, rng)
        error.backward()
        optimizer.step()
        optimizer.zero_grad()
        errors.append(error.item())
    assert errors[0] > 0.7
    assert np.mean(errors[-5:]) < 0.2
