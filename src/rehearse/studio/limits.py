"""How much the server takes from outside."""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.models import list_models
from rehearse.shot import Shot, ShotError
from rehearse.shot.image_ref import LARGEST_BYTES


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """In bytes: json_bytes of a command, image_bytes, clip_bytes and project_bytes of an upload. frames of a
    clip, frame_pixels of one frame, clip_pixels of all together. further_models: what may be run besides the
    models that are installed; a folder or hub id that a stranger names is neither read nor fetched."""

    json_bytes: int = 16 << 20
    image_bytes: int = LARGEST_BYTES
    clip_bytes: int = 256 << 20
    project_bytes: int = 4 << 30
    frames: int = 1024
    frame_pixels: int = 4 << 20
    clip_pixels: int = 256 << 20
    further_models: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """The models that may be run."""
        return (*(entry.name for entry in list_models()), *self.further_models)

    def check(self, shot: Shot) -> None:
        """Raise ShotError for a model or a size that this server does not run."""
        models = self.models
        if shot.model not in models:
            raise ShotError(
                f"this studio has {', '.join(models) or 'no models'}; choose one of them",
                field="model",
                value=shot.model,
            )
        frames, pixels = shot.frames or 1, (shot.width or 8) * (shot.height or 8)
        if frames > self.frames:
            raise ShotError(
                f"this server makes clips of at most {self.frames} frames", field="frames", value=frames
            )
        if pixels > self.frame_pixels:
            raise ShotError(
                f"with height it makes {pixels / 2**20:.1f} megapixels a frame; this server makes at most "
                f"{self.frame_pixels / 2**20:g}",
                field="width",
                value=shot.width,
            )
        if frames * pixels > self.clip_pixels:
            raise ShotError(
                f"of this size are {frames * pixels / 2**20:.0f} megapixels; this server makes at most "
                f"{self.clip_pixels / 2**20:g} a clip",
                field="frames",
                value=frames,
            )
