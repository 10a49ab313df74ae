"""What a media file says about itself: one line of JSON in the metadata of every format.

``{"rehearse": {"frames": 16, "fps": 8.0, "shot": {...}}}``; the shot is left out where there is none. Only
ASCII is written (other characters as JSON escapes), so a format's own idea of text encoding cannot harm a
prompt.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_KEY = "rehearse"


@dataclass(frozen=True, slots=True)
class Envelope:
    """frames: how many frames were written, and fps: how many a second (None: not a clip of ours).
    shot: the shot as plain JSON values, or None."""

    frames: int | None = None
    fps: float | None = None
    shot: dict[str, Any] | None = None

    def text(self) -> str:
        """The line to embed."""
        inside = {"frames": self.frames, "fps": self.fps, "shot": self.shot}
        said = {key: value for key, value in inside.items() if value is not None}
        return json.dumps({_KEY: said}, ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str | None) -> Envelope:
        """Read an embedded line; a comment that someone else wrote gives an empty envelope."""
        try:
            inside = json.loads(text or "")[_KEY]
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls()
        if not isinstance(inside, dict):
            return cls()
        frames, fps, shot = inside.get("frames"), inside.get("fps"), inside.get("shot")
        return cls(
            frames=frames if isinstance(frames, int) and 0 < frames < 1_000_000 else None,
            fps=float(fps) if isinstance(fps, int | float) and 0 < fps < 1_000_000 else None,
            shot=shot if isinstance(shot, dict) else None,
        )
