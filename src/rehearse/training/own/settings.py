"""What a run is told: how it trains (and so what comes out), and how it behaves on this machine."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rehearse.training.own.attention_column import Direction
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.losses import Normalisation

Precision = Literal["no", "bf16", "fp16"]

LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it trains; a run belongs to its recipe and cannot be continued under another.

    batch: clips a step, over all processes and accumulated parts. rate: of AdamW, reached after ``warmup``
    steps and constant from there, so that a run can be made longer. weight_decay: of LoRA and motion
    modules; the projection has none, for it would shrink the base's part of it. text_dropout: share of clips
    that are shown no text, for guidance. ema: decay of the averaged weights, which are what is exported then;
    0: none. clip: largest norm of the gradient.
    """

    batch: int = 4
    rate: float = 1e-4
    warmup: int = 50
    weight_decay: float = 1e-2
    text_dropout: float = 0.1
    ema: float = 0.0
    clip: float = 1.0
    seed: int = 0
    precision: Precision = "no"

    def __post_init__(self) -> None:
        for name, good, remedy in (
            ("batch", self.batch >= 1, "give 1 or more"),
            ("rate", 0 < self.rate < 1, "give a learning rate such as 1e-4"),
            ("warmup", self.warmup >= 0, "give 0 or more steps"),
            ("text_dropout", 0 <= self.text_dropout < 1, "give a share from 0 to below 1"),
            ("ema", 0 <= self.ema < 1, "give 0 for none, or a decay such as 0.999"),
            ("seed", 0 <= self.seed <= LARGEST_SEED, f"give 0 to {LARGEST_SEED}"),
        ):
            if not good:
                option = name.replace("_", "-")
                raise TrainingError(f"--{option} is {getattr(self, name)}: {remedy}")


@dataclass(frozen=True, slots=True)
class LoraRecipe:
    """The LoRA: rank, alpha (its output counts alpha / rank) and the layers of the transformer it is added
    to."""

    rank: int = 128
    alpha: float = 64.0
    modules: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0")

    @classmethod
    def of(cls, rank: int, alpha: float | None, modules: tuple[str, ...]) -> LoraRecipe:
        """One whose alpha, where None, is half the rank."""
        return cls(rank, rank / 2 if alpha is None else alpha, modules)

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise TrainingError(f"--rank is {self.rank}: give 1 or more")
        if not 0 < self.alpha < math.inf:
            raise TrainingError(f"--alpha is {self.alpha}: give a number above 0; half the rank is usual")


@dataclass(frozen=True, slots=True)
class ColumnRecipe:
    """The attention loss: its weight (the paper's lambda), direction, scale, and blocks as
    :meth:`rehearse.training.own.blocks.BlockChoice.read` takes them."""

    weight: float = 0.1
    direction: Direction = "v2t"
    normalisation: Normalisation = "joint"
    blocks: str = "measured"
    draw: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:
            raise TrainingError(f"--attention-weight is {self.weight}: give 0 (no attention loss) or more")
        if self.direction == "t2v" and self.normalisation == "text":
            raise TrainingError(
                "--normalise is text: a softmax over text keys, and t2v looks at video keys; use joint or max"
            )


@dataclass(frozen=True, slots=True)
class Running:
    """How a run behaves; none of it changes what comes out but ``steps``.

    steps: optimiser steps in all; a run that is there is continued to them. accumulate: parts a process cuts
    its share of a batch into. checkpointing: recompute blocks in the backward pass. save_every, log_every,
    sheet_every: in steps; sheet_every 0: no sheets. keep: checkpoints that stay. sheet_rows: clips on a
    sheet, made in sheet_steps under guidance (None: the base's own).
    """

    out: Path
    steps: int = 2000
    accumulate: int = 1
    checkpointing: bool = False
    save_every: int = 250
    keep: int = 2
    log_every: int = 10
    sheet_every: int = 500
    sheet_rows: int = 2
    sheet_steps: int = 25
    guidance: float | None = None
    tensorboard: bool = False
    cpu: bool = False


def facts(*recipes: Any) -> dict[str, Any]:
    """Recipes as JSON values."""
    return {key: value for recipe in recipes for key, value in asdict(recipe).items()}
