"""Kinds of attention, as settings name them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator

SiteKind = Literal["cross", "spatial", "temporal"]
"""A kind of attention: pixel to word, pixel to pixel in one frame, frame to frame at one pixel."""

SITE_KINDS: tuple[SiteKind, ...] = get_args(SiteKind)


def _in_order(sites: tuple[SiteKind, ...]) -> tuple[SiteKind, ...]:
    # One order and no doubles: equal choices are equal shots.
    return tuple(kind for kind in SITE_KINDS if kind in sites)


Sites = Annotated[tuple[SiteKind, ...], AfterValidator(_in_order)]
"""Any of cross, spatial, temporal; none = nowhere."""


def one_name_alone(value: Any) -> Any:
    """A name that stands for the list of it alone; anything else as it is."""
    # A text is a sequence of letters to pydantic's errors; "cross" clearly means ["cross"].
    return [value] if isinstance(value, str) else value
