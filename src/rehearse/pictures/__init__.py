"""The intermediate picture: what image, content and drag instructions make before any video is denoised.

Names load on first use: the drag warp alone needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearse.pictures.cache import PictureCache as PictureCache
    from rehearse.pictures.intermediate import Intermediate as Intermediate
    from rehearse.pictures.intermediate import given_picture as given_picture
    from rehearse.pictures.intermediate import make_intermediate as make_intermediate
    from rehearse.pictures.redraw import PictureStep as PictureStep

_HOMES: dict[str, str] = {
    "Intermediate": "rehearse.pictures.intermediate",
    "PictureCache": "rehearse.pictures.cache",
    "PictureStep": "rehearse.pictures.redraw",
    "given_picture": "rehearse.pictures.intermediate",
    "make_intermediate": "rehearse.pictures.intermediate",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'rehearse.pictures' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
