"""A mask that was drawn on the shot's own picture, over the frame that covers only a part of that picture."""

from __future__ import annotations

import numpy as np

from rehearse.shot import ImageRef, Mask, Shot, ShotError


def over_frame(mask: Mask, shot: Shot, width: int, height: int) -> Mask:
    """The mask as it lies over a ``width`` x ``height`` frame.

    A mask picture lies over the whole frame. One that is as large as the shot's first picture, pixel for
    pixel, was drawn on it: what :func:`rehearse.pictures.frame.cover_frame` cuts off of the picture is cut
    off of the mask, or the two would part. Raises ShotError for a mask picture that cannot be read.
    """
    from rehearse.pictures.stages import first_picture, load_picture

    first = first_picture(shot)
    if first is None or mask.image is None or not mask.is_ready:
        return mask
    values = mask.image.load_mask()
    rows, columns = values.shape
    try:
        size = load_picture(first[1], "").size
    except ShotError:  # whoever makes a frame of it says so
        return mask
    if size != (columns, rows):
        return mask
    scale = max(width / columns, height / rows)
    kept = round(height / scale), round(width / scale)
    if kept == (rows, columns):
        return mask
    top, left = (rows - kept[0]) // 2, (columns - kept[1]) // 2
    cut = values[top : top + kept[0], left : left + kept[1]]
    picture = ImageRef.embed((cut * 255).round().astype(np.uint8))
    return Mask(**{**mask.given(), "image": picture})
