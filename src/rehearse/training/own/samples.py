"""What a training step reads: encoded clips, text and masks of the rows, and their order.

The order is a permutation of the rows for each pass, and everything random of a clip (timestep, noise,
whether its text is left out) comes from the seed, the step and the clip's place in the step's whole batch:
not from how many processes share the batch, nor from where a run was stopped and continued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rehearse.media import MediaError, read_clip
from rehearse.models.target_conditioning import TRIGGERS
from rehearse.training.own.base import Base, file_key
from rehearse.training.own.cache import Cache
from rehearse.training.own.clips import Shape, fitted_frames, fitted_mask, read_mask
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.prompts import marked_prompt
from rehearse.training.own.rows import Kind, Row

_CACHE_FORMAT = 3  # raised where the same file is read as other frames


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """A row, encoded.

    latents: ``[F, C, h, w]``; picture: ``[C, h, w]``; text: ``[tokens, width]``; masks: ``[roles, H, W]`` in
    [0, 1] (roles 0 where none is used); words: ``[roles, tokens]``, 1 at the tokens of each role's trigger;
    phrases: likewise at those of the phrase behind it.
    """

    latents: Tensor
    picture: Tensor
    text: Tensor
    masks: Tensor
    words: Tensor
    phrases: Tensor


@dataclass(frozen=True, slots=True)
class Draw:
    """A place in a step's batch: which row, and the seed of all that is random about it."""

    row: int
    seed: tuple[int, int, int]

    def generator(self) -> torch.Generator:
        """For noise, timestep and dropout; on the CPU, so that one seed is one noise everywhere."""
        bits = int(np.random.default_rng(self.seed).integers(2**62))
        return torch.Generator().manual_seed(bits)


def draws(rows: int, batch: int, seed: int, step: int) -> list[Draw]:
    """The batch of a step (counted from 0): every row comes once before any comes again."""
    found = []
    for place in range(step * batch, (step + 1) * batch):
        order = np.random.default_rng([seed, place // rows]).permutation(rows)
        found.append(Draw(int(order[place % rows]), (seed, step, place - step * batch)))
    return found


class Samples:
    """The rows of a run, encoded when first asked for and read from the cache from then on.

    masks: how many mask channels there are: 0, 1 or 2; None: as many as the rows have. A row that has no
    actor mask where others have one gets an empty one.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        base: Base,
        shape: Shape,
        cache: Cache,
        kind: Kind,
        masks: int | None = None,
    ) -> None:
        self.rows, self.shape, self.kind = list(rows), shape, kind
        self.cache, self._base = cache, base
        own = 0 if kind != "target" else max(len(row.masks) for row in rows)
        self.masks = own if masks is None else masks
        codec, text = base.encoder_key("vae"), base.text_key
        size = [shape.frames, shape.width, shape.height, shape.every]
        self._clips = [
            cache.key(what="clip", format=_CACHE_FORMAT, file=file_key(row.video), vae=codec, size=size)
            for row in rows
        ]
        self._marked = [marked_prompt(row, self.masks) if kind == "target" else None for row in rows]
        self._prompts = [
            row.said.caption if m is None else m.prompt for row, m in zip(rows, self._marked, strict=True)
        ]
        self._texts = {
            prompt: cache.key(what="text", format=_CACHE_FORMAT, prompt=prompt, encoder=text)
            for prompt in {"", *self._prompts}
        }

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def made_like(self) -> dict[str, Any]:
        """Length, size and frames a second of what is learned, which is what clips are made at unless more is
        said: defaults of ``rehearse.json``."""
        shape = self.shape
        made: dict[str, Any] = {"frames": shape.frames, "width": shape.width, "height": shape.height}
        rate = self._rate()
        return made if rate is None else {**made, "fps": round(rate / shape.every, 3)}

    def _rate(self) -> float | None:
        """Frames a second of the clips, which is one rate: of the first that says it."""
        for row in self.rows:
            try:
                rate = read_clip(row.video, 1).rate
            except MediaError:  # gone since it was encoded, which is no reason to lose a run
                continue
            if rate is not None:
                return rate
        return None

    @property
    def key(self) -> str:
        """Of all that is trained on, in its order: a run belongs to it."""
        masks = [[file_key(path) for _, path in row.masks] if self.masks else [] for row in self.rows]
        texts = [self._texts[prompt] for prompt in self._prompts]
        return self.cache.key(clips=self._clips, texts=texts, masks=masks)

    def encode(self, share: int = 0, of: int = 1, told: Callable[[int, int], None] | None = None) -> None:
        """Encode what the cache lacks: every ``of``-th row from ``share`` on, then its prompts."""
        indices = range(share, len(self.rows), of)
        lacking = [index for index in indices if not self.cache.path(self._clips[index]).is_file()]
        for done, index in enumerate(lacking, 1):
            self._clip(index)
            if told is not None:
                told(done, len(lacking))
        for prompt in sorted(self._texts)[share::of]:
            self._text(prompt)

    def sample(self, index: int) -> Sample:
        """Row ``index``, encoded."""
        clip, row, marked = self._clip(index), self.rows[index], self._marked[index]
        text = self._text(self._prompts[index])
        masks = torch.zeros(self.masks, self.shape.height, self.shape.width)
        for channel, (_, path) in enumerate(row.masks[: self.masks]):
            with _of_row(row, path):
                masks[channel] = torch.from_numpy(fitted_mask(read_mask(path).values, self.shape))
        words, phrases = torch.zeros(2, self.masks, text.shape[0])
        for role in range(self.masks if marked is not None else 0):
            assert marked is not None
            for tokens, span in ((words, marked.words[role]), (phrases, marked.phrases[role])):
                if span is not None:
                    tokens[role, list(self._tokens(index, span))] = 1
        return Sample(clip["latents"].float(), clip["picture"].float(), text, masks, words, phrases)

    @property
    def empty_text(self) -> Tensor:
        """``[tokens, width]`` of no prompt."""
        return self._text("")

    def prompt(self, index: int) -> str:
        """The row's caption as the model reads it, trigger words and all."""
        return self._prompts[index]

    def frames(self, index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """The row's clip at the size that is trained at, uint8 ``[F, H, W, 3]``."""
        row = self.rows[index]
        with _of_row(row, row.video):
            return fitted_frames(read_clip(row.video, self.shape.needed).frames, self.shape)

    def _clip(self, index: int) -> dict[str, Tensor]:
        return self.cache.get(self._clips[index], lambda: self._base.encode_clip(self.frames(index)))

    def _text(self, prompt: str) -> Tensor:
        return self.cache.get(self._texts[prompt], lambda: {"text": self._base.text.encode([prompt])[0]})[
            "text"
        ]

    def _tokens(self, index: int, span: tuple[int, int]) -> tuple[int, ...]:
        # Kept beside the text: a run whose text is all there needs no tokenizer, and no text encoder.
        key = self.cache.key(what="tokens", text=self._texts[self._prompts[index]], span=span)
        found = self.cache.get(
            key, lambda: {"tokens": torch.tensor(self._base.tokenize(self._prompts[index]).within(*span))}
        )
        return tuple(int(token) for token in found["tokens"])


@contextmanager
def _of_row(row: Row, path: Path) -> Iterator[None]:
    """Around the reading of a row's file, which was there when the rows were checked."""
    try:
        yield
    except (MediaError, TrainingError) as error:
        raise TrainingError(f"row {row.number}: {path} has changed since it was checked: {error}") from error


ROLES = tuple(TRIGGERS)
"""Names of the mask channels, in their order."""
