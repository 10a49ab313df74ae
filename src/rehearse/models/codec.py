"""The image autoencoder at a model's end: latents to frames."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.finite import flaw_of, refuse_flaws
from rehearse.models.first_line import first_line
from rehearse.models.folder import ModelFolder
from rehearse.models.latent_rgb import LatentRGB, fit_by_decoding, read_latent_rgb
from rehearse.models.precision import Precision

_LOG = logging.getLogger(__name__)

# Pixels decoded at once: bounds the memory of full-resolution features without changing any result's meaning.
_PIXELS_AT_ONCE = 16 * 256 * 256


class Codec:
    """An AutoencoderKL or AutoencoderTiny, frame by frame."""

    def __init__(self, vae: Any, rgb: LatentRGB | None, precision: Precision) -> None:
        self.vae = vae
        self.precision = precision
        self.factor, self.channels = self._cells(vae.config)
        """Pixels per latent cell along width and height, and channels of a cell."""
        self.frame_ratio = 1
        """Frames per latent frame, after the first."""
        self._rgb = rgb

    @staticmethod
    def _cells(config: Any) -> tuple[int, int]:
        return 2 ** (len(config.block_out_channels) - 1), int(config.latent_channels)

    @classmethod
    def load(cls, folder: ModelFolder, precision: Precision) -> Codec:
        """Read ``vae/`` and, where there is one, ``latent_rgb.json``. Raises ModelError."""
        kind = folder.component_class("vae")
        folder.weights("vae")
        if kind == "AutoencoderKL":
            from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL as Vae
        elif kind == "AutoencoderTiny":
            from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny as Vae
        else:
            raise ModelError(
                f"model {folder.identity!r}: its vae is a {kind}; "
                "only AutoencoderKL and AutoencoderTiny are read"
            )
        vae = load_component(Vae, folder, "vae")
        # On the CPU in float32: a decode is a small part of a take, and bf16's 8 bits show in flat colours.
        decoding = Precision(precision.device, torch.float32) if precision.device.type == "cpu" else precision
        decoding.prepare(vae)
        return cls(vae, read_latent_rgb(folder), decoding)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """``[clips, channels, frames, h, w]`` to uint8 ``[clips, frames, H, W, 3]``."""
        clips, _, frames = latents.shape[:3]
        pictures = self._pictures(latents.transpose(1, 2).flatten(0, 1))
        bytes_ = (pictures * 255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        shaped: NDArray[np.uint8] = bytes_.reshape(clips, frames, *bytes_.shape[1:])
        return shaped

    @torch.no_grad()
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """uint8 ``[n, H, W, 3]`` to latents ``[n, channels, h, w]``, float32 on the CPU, at `decode`'s scale.

        Deterministic: the mode where the encoder gives a distribution. H and W are multiples of `factor`.
        """
        config = self.vae.config
        area = pictures.shape[1] * pictures.shape[2]
        pieces = []
        for piece in torch.tensor(pictures).split(max(1, _PIXELS_AT_ONCE // area)):
            values = piece.permute(0, 3, 1, 2).float() / 127.5 - 1
            with self.precision.scope():
                encoded = self.vae.encode(values.to(self.precision.device))
            found = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
            pieces.append(found.float().cpu())
        shift = getattr(config, "shift_factor", None) or 0.0
        return (torch.cat(pieces) - shift) * config.scaling_factor

    def encode_clip(self, frames: NDArray[np.uint8]) -> Tensor:
        """A clip, uint8 ``[n, H, W, 3]``, to latents ``[channels, n, h, w]``, at `decode`'s scale."""
        return self.encode(frames).transpose(0, 1)

    def encode_condition(self, pictures: NDArray[np.uint8]) -> Tensor:
        """As `encode`, at the scale at which a denoiser takes a picture beside its latents."""
        return self.encode(pictures)

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        """``[clips, channels, frames, h, w]`` to uint8 ``[clips, frames, h, w, 3]``, by a linear map."""
        if self._rgb is None:
            self._rgb = fit_by_decoding(self._pictures, self.channels, self.factor)
            _LOG.info("previews: a linear map fitted to decoded random latents (there is no latent_rgb.json)")
        return self._rgb(latents)

    def _pictures(self, latents: Tensor) -> Tensor:
        """``[pictures, channels, h, w]`` to RGB in [0, 1] ``[pictures, 3, H, W]``, float32 on the CPU."""
        config = self.vae.config
        scaled = latents.float() / config.scaling_factor + (getattr(config, "shift_factor", None) or 0.0)
        area = scaled.shape[-1] * scaled.shape[-2] * self.factor**2
        pieces = []
        for piece in scaled.split(max(1, _PIXELS_AT_ONCE // area)):
            with self.precision.scope():
                decoded = self.vae.decode(piece.to(self.precision.device)).sample
            pieces.append(self._to_rgb(decoded))
        return torch.cat(pieces)

    def _to_rgb(self, decoded: Tensor) -> Tensor:
        """What the autoencoder gives, in [0, 1], float32 on the CPU. ModelError where it is not finite."""
        values = decoded.float().cpu()
        if flaw := flaw_of(values):
            dtype = self.precision.dtype
            half = "" if dtype is torch.float32 else f" in {str(dtype).removeprefix('torch.')}"
            remedy = "set REHEARSE_PRECISION=float32" if half else "use another vae, or a lower guidance"
            raise ModelError(f"the frames hold {flaw}: the autoencoder overflows{half}; {remedy}")
        return (values / 2 + 0.5).clamp_(0, 1)


def load_component(kind: Any, folder: ModelFolder, component: str) -> Any:
    """A diffusers model of the given class from a component's folder, float32, frozen. Raises ModelError."""
    from diffusers.utils import logging

    folder.check_json(component)
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # it warns of settings that it wrote itself
    logging.disable_progress_bar()
    try:
        model = kind.from_pretrained(
            folder.place(component),
            torch_dtype=torch.float32,
            use_safetensors=True,
            variant=folder.variant(component),
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"model {folder.identity!r}: {component}/ does not fit its config.json or is corrupt: "
            f"{first_line(error)}"
        ) from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
    refuse_flaws(model, folder, component)
    return model.eval().requires_grad_(False)
