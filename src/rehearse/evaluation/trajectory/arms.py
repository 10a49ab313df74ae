"""Arms: combinations of control methods under comparison, written in one line.

    base                                    nothing acts: the uncontrolled model
    peekaboo                                attention masks alone, by the rule of Peekaboo's paper
    peekaboo-released                       ... as Peekaboo's released code applies it
    mask                                    attention masks alone, as planning sets them
    mask+mn-b                               ... with mask normalization (mn-a global, mn-b regional)
    mask+tid-a:strength=.6:steps=.5         ... with temporal intrinsic denoising (tid-a noise, tid-b x0)
    mask:sites=cross/spatial+freetraj       masks at some sites only, FreeTraj's starting noise
    mask:parts=mid/up:inset=.5              ... in parts of the UNet, in cells that lie in a box whole

Every setting an arm leaves out is planning's default of today, written into the shot: a stored clip never
changes its meaning when a default changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.shot import SITE_KINDS, UNET_PARTS, ControlSettings
from rehearse.shot.methods import AttentionMasking, Normalizing, TemporalPrior

STANDARD = (
    "base",
    "peekaboo",
    "peekaboo-released",
    "mask",
    "mask+mn-a",
    "mask+mn-b",
    "mask+freetraj",
    "mask+tid-a",
    "mask+tid-b",
)
"""The arms of the choosing ablation (docs/methods.md, section 3.6)."""

_PEEKABOO: dict[str, Any] = {"mask_sites": SITE_KINDS, "mask_parts": ("mid", "up"), "mask_inset": 0.0}
_PUBLISHED: dict[str, dict[str, Any]] = {
    "peekaboo": _PEEKABOO,
    "peekaboo-released": _PEEKABOO | {"mask_variant": "released"},
}

_OPTIONS: dict[str, tuple[str, ...]] = {
    "peekaboo": (),
    "peekaboo-released": (),
    "mask": ("sites", "parts", "inset"),
    "mn-a": ("strength", "sites"),
    "mn-b": ("strength", "sites"),
    "freetraj": (),
    "tid-a": ("strength", "steps"),
    "tid-b": ("strength", "steps"),
}
_GROUP = {
    "peekaboo": "mask",
    "peekaboo-released": "mask",
    "mask": "mask",
    "mn-a": "mn",
    "mn-b": "mn",
    "freetraj": "noise",
    "tid-a": "tid",
    "tid-b": "tid",
}
_ORDER = ("mask", "mn", "noise", "tid")


@dataclass(frozen=True)
class Part:
    """One method of an arm: its name and the options written behind it."""

    method: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """As it is written."""
        return ":".join([self.method, *(f"{key}={value}" for key, value in self.options)])


@dataclass(frozen=True)
class Arm:
    """A combination of methods; no parts is the base."""

    parts: tuple[Part, ...] = ()

    @property
    def name(self) -> str:
        """As it is written, parts in a fixed order."""
        return "+".join(part.text for part in self.parts) or "base"

    def part(self, group: str) -> Part | None:
        """The part of a group: "mask", "mn", "noise" or "tid"."""
        return next((part for part in self.parts if _GROUP[part.method] == group), None)

    @property
    def groups(self) -> frozenset[str]:
        """Groups that act in this arm."""
        return frozenset(_GROUP[part.method] for part in self.parts)

    def settings(self, frozen: float | int | None) -> ControlSettings:
        """The control settings; frozen: masked steps, a count or a fraction, None where nothing is masked."""
        if ("mask" in self.groups) != (frozen is not None):
            need = "needs frozen steps" if frozen is None else "masks nothing, so it takes no frozen steps"
            raise EvaluationError(f"arm {self.name!r} {need}")
        masked = self.part("mask")
        said: dict[str, Any] = {
            "frozen_steps": 0 if frozen is None else frozen,
            "normalization": "none",
            "temporal_prior": "none",
            "initial_noise": "freetraj" if "noise" in self.groups else "random",
        }
        if (part := self.part("mn")) is not None:
            said["normalization"] = "global" if part.method == "mn-a" else "regional"
            said["normalization_strength"] = _number(part, "strength", Normalizing().normalization_strength)
            said["normalization_sites"] = _chosen(
                part, "sites", Normalizing().normalization_sites, SITE_KINDS
            )
        if (part := self.part("tid")) is not None:
            said["temporal_prior"] = "noise" if part.method == "tid-a" else "x0"
            said["temporal_prior_strength"] = _number(
                part, "strength", TemporalPrior().temporal_prior_strength
            )
            said["temporal_prior_steps"] = _number(part, "steps", TemporalPrior().temporal_prior_steps)
        if masked is not None and masked.method in _PUBLISHED:
            said |= _PUBLISHED[masked.method]
        elif masked is not None:
            said["mask_sites"] = _chosen(masked, "sites", AttentionMasking().mask_sites, SITE_KINDS)
            said["mask_parts"] = _chosen(masked, "parts", AttentionMasking().mask_parts, UNET_PARTS)
            said["mask_inset"] = _number(masked, "inset", AttentionMasking().mask_inset)
        return ControlSettings(**said)


def parse_arm(text: str) -> Arm:
    """The arm of a line of text. EvaluationError names what is not understood and what is."""
    if text.strip() == "base":
        return Arm()
    parts = [_parse_part(part.strip(), text) for part in text.split("+")]
    groups = [_GROUP[part.method] for part in parts]
    for group in groups:
        if groups.count(group) > 1:
            both = " and ".join(part.method for part in parts if _GROUP[part.method] == group)
            raise EvaluationError(f"arm {text!r}: {both} exclude each other; keep one")
    if "mn" in groups and "mask" not in groups:
        raise EvaluationError(f"arm {text!r}: mask normalization needs masks; write mask+{text}")
    arm = Arm(tuple(sorted(parts, key=lambda part: _ORDER.index(_GROUP[part.method]))))
    arm.settings(0.5 if "mask" in arm.groups else None)  # refuse values out of range now, not hours later
    return arm


def combine(normalization: Arm, prior: Arm) -> Arm:
    """The masks and normalization of one arm with the temporal prior of another."""
    kept = tuple(part for part in normalization.parts if _GROUP[part.method] in ("mask", "mn"))
    tid = prior.part("tid")
    return Arm(kept + (() if tid is None else (tid,)))


def _parse_part(text: str, whole: str) -> Part:
    method, *said = text.split(":")
    if method not in _OPTIONS:
        raise EvaluationError(
            f"arm {whole!r}: {method!r} is no method; known: base alone, {', '.join(_OPTIONS)}"
        )
    options = []
    for option in said:
        key, equals, value = option.partition("=")
        if key not in _OPTIONS[method] or not equals or not value:
            known = " and ".join(f"{name}=..." for name in _OPTIONS[method]) or "none"
            raise EvaluationError(f"arm {whole!r}: {option!r} is no option of {method}; it takes: {known}")
        options.append((key, value))
    return Part(method, tuple(sorted(options)))


def _number(part: Part | None, key: str, default: float | int) -> float | int:
    text = dict(part.options).get(key) if part is not None else None
    if part is None or text is None:
        return default
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError as error:
        raise EvaluationError(f"arm part {part.text!r}: {key} must be a number, not {text!r}") from error


def _chosen(part: Part | None, key: str, default: tuple[Any, ...], known: tuple[Any, ...]) -> tuple[Any, ...]:
    """The names of an option, ``cross/spatial``, in the order of those known."""
    text = dict(part.options).get(key) if part is not None else None
    chosen = frozenset(default if text is None else text.split("/"))
    if unknown := chosen - frozenset(known):
        raise EvaluationError(f"{key}: {', '.join(sorted(unknown))} unknown; known: {'/'.join(known)}")
    return tuple(name for name in known if name in chosen)


@dataclass(frozen=True)
class Point:
    """An arm at a number of frozen steps: what one clip per case is made for. frozen: None where it masks
    nothing."""

    arm: Arm
    frozen: float | int | None

    @property
    def label(self) -> str:
        """Its name in tables: ``mask+mn-a @ 33%``, ``mask @ 4 steps``, ``base``."""
        if self.frozen is None:
            return self.arm.name
        if isinstance(self.frozen, int):
            return f"{self.arm.name} @ {self.frozen} steps"
        return f"{self.arm.name} @ {100 * self.frozen:g}%"


def point(arm: Arm, frozen: float | int) -> Point:
    """The arm at these frozen steps; the same point for all of them where it masks nothing."""
    return Point(arm, frozen if "mask" in arm.groups else None)
