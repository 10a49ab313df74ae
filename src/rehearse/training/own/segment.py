"""A mask of one thing in a picture, by SAM 2: points on it, and points that are not on it.

The picture is prepared here (scaled to the model's square, ImageNet's mean and deviation), because the
processor of transformers needs torchvision and this does not. Only safetensors are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from rehearse.home import at_home
from rehearse.training.own.errors import TrainingError

DEFAULT = "facebook/sam2.1-hiera-small"
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FILES = ("config.json", "*.safetensors", "*.safetensors.index.json")
_REMEDY = (
    "give --model a folder with config.json and model.safetensors of SAM 2, or draw the mask by hand, "
    "white on black"
)
Point = tuple[float, float]


def load_segmenter(name: str) -> Any:
    """SAM 2's image model (transformers' Sam2Model). name: a folder, or a hub id, fetched where it is not in
    the cache. Raises TrainingError where no weights can be had."""
    place = at_home(name)
    if not place.is_dir():
        place = _fetched(name)
    if not list(place.glob("*.safetensors")):
        raise TrainingError(f"--model is {name!r}: it has no .safetensors weights; {_REMEDY}")
    from transformers import AutoConfig, Sam2Model
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity(50)
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        kind = AutoConfig.from_pretrained(place, local_files_only=True).model_type
        # The published checkpoints are of the video model, which has the image model inside.
        if kind not in ("sam2", "sam2_video"):
            raise TrainingError(f"--model is {name!r}: it is no SAM 2 but {kind!r}; {_REMEDY}")
        model = Sam2Model.from_pretrained(place, use_safetensors=True, local_files_only=True)
    except (OSError, KeyError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TrainingError(f"--model is {name!r}: it cannot be loaded ({reason}); {_REMEDY}") from error
    except ValueError as error:
        if isinstance(error, TrainingError):
            raise
        raise TrainingError(f"--model is {name!r}: it is no SAM 2; {_REMEDY}") from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
    return model.eval().requires_grad_(False)


@torch.no_grad()
def segment(
    model: Any, picture: NDArray[np.uint8], on: Sequence[Point], off: Sequence[Point] = ()
) -> tuple[NDArray[np.uint8], float]:
    """The mask (uint8 ``[H, W]``, 0 or 255) of the thing at the points, and how sure the model is, in [0, 1].

    picture: RGB uint8 ``[H, W, 3]``. on, off: points in fractions of width and height, on the thing and not.
    Raises TrainingError where it finds nothing or the whole frame.
    """
    side = model.config.prompt_encoder_config.image_size
    side = int(side if isinstance(side, int) else side[0])
    scaled = Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR)
    values = torch.tensor(np.asarray(scaled, np.float32) / 255)
    pixels = ((values - torch.tensor(_MEAN)) / torch.tensor(_DEVIATION)).permute(2, 0, 1)[None]
    points = torch.tensor([[[(x * side, y * side) for x, y in (*on, *off)]]], dtype=torch.float32)
    labels = torch.tensor([[[1] * len(on) + [0] * len(off)]])
    found = model(pixels.to(model.dtype), input_points=points, input_labels=labels, multimask_output=True)
    scores = found.iou_scores[0, 0]
    best = int(scores.argmax())
    whole = torch.nn.functional.interpolate(
        found.pred_masks[:, 0, best : best + 1].float(),
        picture.shape[:2],
        mode="bilinear",
        align_corners=False,
    )
    mask = (whole[0, 0] > 0).numpy()
    if not mask.any() or mask.all():
        what = "nothing" if not mask.any() else "the whole frame"
        raise TrainingError(
            f"SAM 2 finds {what} at {_told(on)}; move the --point, or say with --not what is not meant"
        )
    return np.where(mask, 255, 0).astype(np.uint8), float(scores[best])


def _fetched(name: str) -> Path:
    parts = name.partition("@")[0].split("/")
    if len(parts) != 2 or not all(parts) or name.startswith((".", "~")):
        raise TrainingError(f"--model is {name!r}: there is no such folder; {_REMEDY}")
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=list(_FILES)))
    except Exception as error:  # the hub's client raises errors of many libraries
        raise TrainingError(
            f"--model is {name!r}: it is not here and cannot be downloaded; {_REMEDY}"
        ) from error


def _told(points: Sequence[Point]) -> str:
    return " and ".join(f"{x:g},{y:g}" for x, y in points)
