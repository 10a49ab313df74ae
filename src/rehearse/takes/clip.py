"""What a take made: frames, their rate, and the shot they came from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearse.shot import Shot


@dataclass(frozen=True, eq=False, slots=True)
class Clip:
    """A finished video. frames: uint8 ``[F, H, W, 3]``. fps: frames a second. shot: travels in the file."""

    frames: NDArray[np.uint8]
    fps: float
    shot: Shot

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.frames) / self.fps

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a video (the name's ending decides the format) with the shot in its metadata; the path.

        Raises MediaError where the format is unknown or the file cannot be written.
        """
        from rehearse.media.video import write_clip

        write_clip(Path(path), self.frames, self.fps, self.shot)
        return Path(path)

    def _repr_html_(self) -> str:
        """The clip itself, for notebooks: a looping video inside the page."""
        from rehearse.media.notebook import clip_html

        return clip_html(self.frames, self.fps, caption=self.shot.prompt)

    def __repr__(self) -> str:
        frames, height, width = self.frames.shape[:3]
        return f"Clip({frames} frames, {width}x{height}, {self.fps:g} fps, {self.shot.prompt!r})"
