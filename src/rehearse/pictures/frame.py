"""A picture of any size becomes a frame: it covers the frame, and what reaches beyond is cut off.

Covering, not fitting: bars beside a picture would be part of the clip, and a video model would move them.
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_LOG = logging.getLogger(__name__)

# A loss that nobody would see is not worth a note.
_UNSEEN = 0.02


def cover_frame(picture: Image.Image, width: int, height: int) -> NDArray[np.uint8]:
    """The picture scaled to cover a frame and cropped about its centre, uint8 ``[height, width, 3]``.

    A picture that has the frame's size comes back pixel for pixel. What is cut off is said as a note.
    """
    scale = max(width / picture.width, height / picture.height)
    lost_x = 1 - width / (picture.width * scale)
    lost_y = 1 - height / (picture.height * scale)
    if max(lost_x, lost_y) > _UNSEEN:
        edges = "left and right" if lost_x > lost_y else "top and bottom"
        _LOG.warning(
            "the picture (%d x %d) has another shape than the frame (%d x %d); %.0f %% of it is cut off, at "
            "the %s",
            *(picture.width, picture.height, width, height),
            100 * max(lost_x, lost_y),
            edges,
        )
    rgb = picture.convert("RGB")
    if rgb.size != (width, height):
        rgb = ImageOps.fit(rgb, (width, height), Image.Resampling.LANCZOS)
    return np.array(rgb)
