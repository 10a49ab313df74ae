"""A clip that shows itself in a notebook: HTML with the video inside, no file and no server."""

from __future__ import annotations

import base64
import tempfile
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rehearse.media.video import check_frames, write_clip

_SHOWN = 256


def clip_html(
    frames: NDArray[np.uint8],
    fps: float,
    caption: str = "",
    kind: Literal["webm", "mp4", "gif"] = "webm",
) -> str:
    """A figure that plays RGB uint8 frames ``[F, H, W, 3]`` in a loop; for ``_repr_html_``.

    Clips under 256 pixels are shown enlarged. caption: plain text below the clip; escaped here.
    kind: gif where the notebook's viewer strips videos (some mail and preview pages do).
    """
    check_frames(frames)
    width = frames.shape[2] * max(1, round(_SHOWN / frames.shape[2]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{kind}"
        write_clip(path, frames, fps)
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    words = escape(caption, quote=True)
    if kind == "gif":
        player = f'<img width="{width}" alt="{words}" src="data:image/gif;base64,{data}">'
    else:
        player = (
            f'<video width="{width}" autoplay loop muted playsinline controls aria-label="{words}" '
            f'src="data:video/{kind};base64,{data}"></video>'
        )
    below = f"<figcaption>{words}</figcaption>" if caption else ""
    return f'<figure style="margin:0;display:inline-block">{player}{below}</figure>'
