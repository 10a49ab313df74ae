"""One gate: what is asked of a model, what it reaches, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rehearse.evaluation.kit.intervals import Interval, wilson

One = TypeVar("One")


@dataclass(frozen=True)
class Gate:
    """One gate: what, the least it must be, what it is, of how many; ``extra`` says more about it."""

    name: str
    least: float
    value: Interval
    count: int
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Whether the measured value reaches the least (the interval says how sure that is)."""
        return self.value.value >= self.least


def share_gate(name: str, least: float, hits: Sequence[bool], **extra: Any) -> Gate:
    """A gate on a share, with Wilson's interval."""
    return Gate(name, least, wilson(sum(hits), len(hits)), len(hits), extra)


def by(found: Sequence[One], key: Callable[[One], str], hit: Callable[[One], bool]) -> dict[str, float]:
    """Share of hits for each value of a key."""
    groups: dict[str, list[bool]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(hit(one))
    return {name: sum(hits) / len(hits) for name, hits in sorted(groups.items())}
