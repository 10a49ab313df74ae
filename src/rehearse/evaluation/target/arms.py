"""Arms of the target evaluation, in one line each.

base                    the model as it is; no mask
modulation[:strength]   no training: attention to the phrase is raised inside the mask
data                    a LoRA trained on the clips, without masks
target[:weight]         mask and trigger word, trained with the attention loss of that weight (lambda, .1)
...+t2v                 its loss reads text-to-video attention; else video-to-text
...+blocks:WAY          its loss reads other blocks than those that match the masks best: random,
                        every-third, all, or a list such as 0-2/5
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.target.cases import TargetCase
from rehearse.shot import Shot
from rehearse.theatre.world.target_scene import FRAMES

Kind = Literal["base", "modulation", "data", "target"]

STRENGTH, WEIGHT, SELECTED = 4.0, 0.1, "measured"
STANDARD = (
    "base",
    "modulation",
    "data",
    "target:0",
    "target:0.01",
    "target",
    "target:1",
    "target+t2v",
    "target+blocks:random",
)


@dataclass(frozen=True)
class TargetArm:
    """One arm. strength: of modulation, in logits. weight, direction, blocks: of the attention loss."""

    kind: Kind = "base"
    strength: float = 0.0
    weight: float = 0.0
    direction: Literal["v2t", "t2v"] = "v2t"
    blocks: str = SELECTED

    @property
    def name(self) -> str:
        """As it is written, every number said."""
        if self.kind == "modulation":
            return f"modulation:{self.strength:g}"
        if self.kind != "target":
            return self.kind
        name = f"target:{self.weight:g}"
        if self.direction == "t2v":
            name += "+t2v"
        return name if self.blocks == SELECTED else f"{name}+blocks:{self.blocks}"

    @property
    def slug(self) -> str:
        """The name as part of a file's name."""
        return re.sub(r"[^a-z0-9.]+", "-", self.name)

    @property
    def trained(self) -> bool:
        """Whether there is one of it for every training seed."""
        return self.kind in ("data", "target")

    @property
    def marked(self) -> bool:
        """Whether it is told which prop is meant."""
        return self.kind in ("modulation", "target")

    def shot(self, case: TargetCase, model: str, prop: int | None = None, steps: int | None = None) -> Shot:
        """What is asked for in a case. prop: which one is marked (None: the case's own choice)."""
        height, width = case.frame.shape[:2]
        shot = Shot(
            case.caption,
            model=model,
            seed=case.seed,
            steps=steps,
            frames=FRAMES,
            width=width,
            height=height,
        ).image(case.frame)
        if not self.marked:
            return shot
        mask = case.props[case.chosen if prop is None else prop]
        shot = shot.target(case.phrase, mask.astype(np.uint8) * 255)
        return shot if self.kind == "target" else shot.with_control(target_attention=self.strength)


BASE, DATA = TargetArm(), TargetArm("data")
FULL = TargetArm("target", weight=WEIGHT)


def parse_arm(text: str) -> TargetArm:
    """The arm of a line of text. EvaluationError names what is not understood and what is."""
    first, *rest = (word.strip() for word in text.split("+"))
    kind, colon, option = first.partition(":")
    if kind not in ("base", "modulation", "data", "target"):
        raise EvaluationError(f"arm {text!r}: {kind!r} is unknown; known: base, modulation, data, target")
    if kind in ("base", "data"):
        if colon or rest:
            raise EvaluationError(f"arm {text!r}: {kind} takes no options; write {kind}")
        return TargetArm(kind)  # type: ignore[arg-type]
    number = _number(text, kind, option) if colon else STRENGTH if kind == "modulation" else WEIGHT
    if kind == "modulation":
        if rest:
            raise EvaluationError(f"arm {text!r}: modulation trains nothing; leave out +{rest[0]}")
        return TargetArm("modulation", strength=number)
    direction: Literal["v2t", "t2v"] = "v2t"
    blocks = SELECTED
    for word in rest:
        part, _, way = word.partition(":")
        if word in ("v2t", "t2v"):
            direction = "t2v" if word == "t2v" else "v2t"
        elif part == "blocks" and way:
            blocks = way
        else:
            raise EvaluationError(f"arm {text!r}: {word!r} is unknown; known: t2v, blocks:WAY")
    return TargetArm("target", weight=number, direction=direction, blocks=blocks)


def _number(text: str, kind: str, option: str) -> float:
    try:
        number = float(option)
    except ValueError:
        number = -1.0
    least = 0.0 if kind == "target" else 1e-9
    if not least <= number < float("inf"):
        wanted = "a weight of 0 or more" if kind == "target" else "a strength above 0"
        raise EvaluationError(f"arm {text!r}: {kind} takes {wanted}, not {option!r}")
    return number
