"""Which blocks' attention the loss reads.

The candidates are chosen once for a run; of these some are drawn at every step, by seed and step alone, so
that a resumed run reads the same blocks as one that never stopped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rehearse.training.own.errors import TrainingError

# The paper reads 7 of blocks 5 to 23 of 42; other depths keep these shares.
CANDIDATES, DRAWN = 19 / 42, 7 / 42
_STREAM = 0xB10C
_WAYS = "measured, every-third, all, random, or a list such as 5-11,20"


@dataclass(frozen=True, slots=True)
class BlockChoice:
    """How blocks are chosen.

    way: "measured": those whose maps match the masks best on the base; "random": blind, any of all blocks
    or, with a number, so many of them by the seed; "every-third": 0, 3, 6, ...; "all"; "given". count: how
    many candidates (of measured and random ones). given: the candidates of "given". draw: how many of them
    at each step; 0: all.
    """

    way: Literal["measured", "random", "every-third", "all", "given"]
    count: int = 0
    given: tuple[int, ...] = ()
    draw: int = 0

    @classmethod
    def read(cls, text: str, blocks: int, draw: int | None = None) -> BlockChoice:
        """From words such as "measured", "measured:19", "random:7", "every-third", "5-11,20".

        blocks: how many the model has. draw: None for the paper's share of measured and random ones (7 of 42
        blocks), all of the others. Raises TrainingError.
        """
        word, _, number = text.strip().lower().partition(":")
        few = max(1, round(blocks * DRAWN))
        if word in ("measured", "random"):
            if number and not number.isdecimal():
                raise TrainingError(f"--blocks is {text!r}: write {word}:N with a number of blocks")
            # Both read as many at a step: what differs is which blocks it may be.
            own = max(few, round(blocks * CANDIDATES)) if word == "measured" else blocks
            count = int(number) if number else own
            if not 1 <= count <= blocks:
                raise TrainingError(
                    f"--blocks is {text!r}: the model has {blocks} blocks; give 1 to {blocks}"
                )
            choice = cls(word, count=count, draw=min(few, count) if draw is None else draw)  # type: ignore[arg-type]
        elif word in ("every-third", "all") and not number:
            choice = cls(word, count=len(range(0, blocks, 3 if word == "every-third" else 1)), draw=draw or 0)  # type: ignore[arg-type]
        else:
            given = _listed(text, blocks)
            choice = cls("given", count=len(given), given=given, draw=draw or 0)
        if not 0 <= choice.draw <= choice.count:
            raise TrainingError(
                f"--draw is {choice.draw}: there are {choice.count} candidates; give 0 (all) to that"
            )
        return choice

    def candidates(self, blocks: int, seed: int, scores: Sequence[float] | None = None) -> tuple[int, ...]:
        """The candidates in ascending order. scores: of each block, needed by "measured" (higher is
        better)."""
        if self.way == "given":
            return self.given
        if self.way == "all":
            return tuple(range(blocks))
        if self.way == "every-third":
            return tuple(range(0, blocks, 3))
        if self.way == "random":
            picked = np.random.default_rng([seed, _STREAM]).choice(blocks, self.count, replace=False)
        else:
            if scores is None:
                raise ValueError("measured blocks need scores")
            picked = np.argsort(-np.asarray(scores), kind="stable")[: self.count]
        return tuple(sorted(int(block) for block in picked))

    def at(self, step: int, seed: int, candidates: Sequence[int]) -> frozenset[int]:
        """The blocks read at a step: the same for every process, and whenever the step is run."""
        if self.draw in (0, len(candidates)):
            return frozenset(candidates)
        rng = np.random.default_rng([seed, _STREAM, step])
        return frozenset(int(block) for block in rng.choice(list(candidates), self.draw, replace=False))


def _listed(text: str, blocks: int) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if match is None:
            raise TrainingError(f"--blocks is {text!r}: write {_WAYS}")
        start, end = int(match[1]), int(match[2] or match[1])
        if not start <= end < blocks:
            raise TrainingError(
                f"--blocks is {text!r}: the model's blocks are 0 to {blocks - 1}, ranges ascending"
            )
        found.update(range(start, end + 1))
    return tuple(sorted(found))
