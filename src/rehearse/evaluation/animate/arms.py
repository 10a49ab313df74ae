"""Arms of the image-to-video evaluation: what a person says beside the picture and the prompt, in one line.

    base                            image-to-video alone: the picture and the prompt
    words[:second]                  the prompt alone says the wish (another colour; a second puppet)
    content[:second|:paint]         a regional edit brings the wish about: by a prompt, or by paint and prompt
    magnitude:small|moderate|large  how much it moves
    loop                            the clip leads back to its start
    drag[:warp|:optimise]           the puppet is dragged to a place
    path                            its box follows a path to that place
    blend:0.25                      the edit mixed with the unedited run (equation 4), from the first step on;
                                    beside a drag, the dragged picture with the picture before it
    fork:0.25                       the edit begins in the middle of the unedited run, at a part of its steps
    align:on|off                    frame alignment (equation 5)

Parts are joined by a plus sign: content+magnitude:large+drag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from rehearse.evaluation.animate.cases import Animation, Wish, grown
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.shot import Box, Shot, Stroke
from rehearse.shot.methods import BlendSettings
from rehearse.theatre.world.paper import tones

STANDARD = (
    "base",
    "words",
    "content",
    "content:paint",
    "words:second",
    "content:second",
    "magnitude:small",
    "magnitude:large",
    "loop",
    "drag",
    "drag+blend:0.5",
    "path",
    "content+blend:0.25",
    "content+blend:0.5",
    "content+blend:0.75",
    "align:on",
    "content+magnitude:large",
    "content+magnitude:moderate+drag",
)
"""What gives the same clips by its definition is not made twice: magnitude:moderate and align:off are base,
content+blend:0 is content, content+blend:1 is base."""
MOVED_BY_WORDS = "content+magnitude:large"
"""Picture, content and motion instruct, no trajectory: the words say where to."""
ALL = "content+magnitude:moderate+drag"
"""The arm that all four instructions meet in."""
FEATHER = 0.04
"""Soft edge of the regional edits, as a fraction of the frame."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "words": ("recolour", "second"),
    "content": ("recolour", "second", "paint"),
    "magnitude": ("small", "moderate", "large"),
    "loop": (),
    "drag": ("warp", "optimise"),
    "path": (),
    "blend": (),
    "fork": (),
    "align": ("on", "off"),
}
_NEEDS_ONE = ("magnitude", "align", "blend", "fork")
_NUMBERS = {"blend": "a number from 0 to 1", "fork": "a part of the steps below 1, such as 0.25"}


@dataclass(frozen=True)
class Request:
    """A clip to make. shot: of the clip. parent, at: where it is a fork, the shot of the run it branches off
    and the part of that run's steps it takes over, in [0, 1)."""

    shot: Shot
    parent: Shot | None = None
    at: float = 0.0


@dataclass(frozen=True)
class AnimateArm:
    """Parts by name, each with what is written behind its colon ("" for nothing); none is the base."""

    parts: tuple[tuple[str, str], ...] = ()

    def __contains__(self, part: str) -> bool:
        return part in dict(self.parts)

    def option(self, part: str) -> str:
        """What is written behind a part's colon; "" where the part is not there."""
        return dict(self.parts).get(part, "")

    @property
    def name(self) -> str:
        """As it is written."""
        return "+".join(f"{part}:{option}" if option else part for part, option in self.parts) or "base"

    @property
    def wish(self) -> Wish:
        """What the person wants to see: it decides the prompt and what the clip is held against."""
        if "words" not in self and "content" not in self:
            return "original"
        return "second" if "second" in (self.option("words"), self.option("content")) else "recolour"

    @property
    def edited(self) -> bool:
        """Whether the picture is edited."""
        return "content" in self

    @property
    def guided(self) -> bool:
        """Whether a trajectory says where the puppet goes."""
        return "drag" in self or "path" in self

    @property
    def arrives(self) -> bool:
        """Whether the puppet shall be at the trajectory's end when the clip ends; in a loop it is back."""
        return self.guided and "loop" not in self

    def region(self, case: Animation) -> Box | None:
        """What a regional edit may change, its soft edge included; None where nothing is edited."""
        return grown(_mask(self, case), FEATHER) if self.edited else None

    def request(self, case: Animation, model: str, steps: int | None = None) -> Request:
        """What the arm asks for in a case."""
        start = Image.fromarray(case.picture())
        shot = _shot(case, self.wish, model, steps).image(start)
        for part, option in self.parts:
            shot = _PARTS[part](self, shot, case, option)
        if ("blend" not in self or "drag" in self) and "fork" not in self:
            return Request(shot)
        return Request(
            shot, _shot(case, "original", model, steps).image(start), float(self.option("fork") or 0)
        )


def _shot(case: Animation, wish: Wish, model: str, steps: int | None) -> Shot:
    """The prompt says what the picture shows, the motion instruction what happens."""
    shot = Shot(case.still_caption(wish), model=model, seed=case.seed, steps=steps)
    return shot.motion(case.caption(wish))


def parse_arm(text: str) -> AnimateArm:
    """The arm of a line of text. EvaluationError names what is not understood and what is."""
    if text.strip() == "base":
        return AnimateArm()
    parts: dict[str, str] = {}
    for word in text.split("+"):
        part, _, option = word.strip().partition(":")
        if part not in _CHOICES:
            raise EvaluationError(
                f"arm {text!r}: {part!r} is unknown; known: base alone, {', '.join(_CHOICES)}"
            )
        if part in parts:
            raise EvaluationError(f"arm {text!r}: {part} stands twice; keep one")
        parts[part] = _option(text, part, option)
    arm = AnimateArm(tuple((part, parts[part]) for part in _CHOICES if part in parts))
    if "words" in arm and "content" in arm:
        raise EvaluationError(f"arm {text!r}: words is for the unedited picture; leave it or content out")
    if "blend" in arm and "drag" in arm and "fork" in arm:
        raise EvaluationError(
            f"arm {text!r}: a drag blends the picture before and after it, not two runs; leave fork out"
        )
    for part in ("blend", "fork"):
        if part in arm and not (arm.edited or arm.guided or "words" in arm):
            raise EvaluationError(f"arm {text!r}: {part} needs something that changes; write content+{text}")
    return arm


def _option(text: str, part: str, option: str) -> str:
    if part in _NUMBERS:
        try:
            number = float(option)
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1 or (part == "fork" and number == 1):
            raise EvaluationError(f"arm {text!r}: {part} needs {_NUMBERS[part]}, not {option!r}")
        return f"{number:g}"
    choices = _CHOICES[part]
    if (option or part in _NEEDS_ONE) and option not in choices:
        known = " or ".join(choices) or "nothing"
        raise EvaluationError(f"arm {text!r}: {part} takes {known}, not {option!r}")
    return "" if choices and part not in _NEEDS_ONE and option == choices[0] and part != "drag" else option


def _mask(arm: AnimateArm, case: Animation) -> Box:
    return grown(case.second_box if arm.option("content") == "second" else case.box)


def _content(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    changed = case.actors(arm.wish)[-1]
    there = case.edit_prompt(arm.wish)
    mask = _mask(arm, case)
    if option != "paint":
        return shot.edit(there, mask, feather=FEATHER)
    box = case.box
    middle, side = (box.y0 + box.y1) / 2, box.y1 - box.y0
    inset = min(side, box.x1 - box.x0) / 2
    stroke = Stroke(
        [(box.x0 + inset, middle), (box.x1 - inset, middle)],
        width=min(0.8 * side, 1.0),
        colour="#{:02x}{:02x}{:02x}".format(*tones(changed.colour)["base"]),
        opacity=0.85,
    )
    return shot.paint(stroke, prompt=there, mask=mask, feather=FEATHER)


def _motion(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    magnitude: Any = arm.option("magnitude") or None
    return shot.motion(case.caption(arm.wish), magnitude=magnitude, loop="loop" in arm)


def _drag(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    method: Any = option or None
    return shot.drag(case.centre, case.target, region=grown(case.box, 0.01), method=method)


def _path(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    kind, colour = case.subjects(arm.wish)[0]
    box, (x, y), (u, v) = case.box, case.centre, case.target
    there = Box(
        *(max(0.0, min(1.0, s)) for s in (box.x0 + u - x, box.y0 + v - y, box.x1 + u - x, box.y1 + v - y))
    )
    return shot.follow(f"{colour} {kind}", [(0, box), (1, there)])


def _blend(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    return shot.with_control(blend=BlendSettings(weight=float(option)))


def _align(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    return shot.with_control(frame_alignment=option == "on")


def _as_it_is(arm: AnimateArm, shot: Shot, case: Animation, option: str) -> Shot:
    return shot


_PARTS: dict[str, Callable[[AnimateArm, Shot, Animation, str], Shot]] = {
    "words": _as_it_is,
    "content": _content,
    "magnitude": _motion,
    "loop": _motion,
    "drag": _drag,
    "path": _path,
    "blend": _blend,
    "fork": _as_it_is,
    "align": _align,
}
