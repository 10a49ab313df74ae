"""Clips as files and pictures: video with the shot inside, contact sheets, paths drawn on frames.

Imports no torch; frames are uint8 arrays ``[frames, height, width, 3]``, RGB.
"""

from rehearse.media.clip_reader import Clip, read_clip
from rehearse.media.errors import MediaError, NoSuchFile
from rehearse.media.files import check_writable, replacing
from rehearse.media.notebook import clip_html
from rehearse.media.overlay import Trace, draw_overlay, draw_paths, traces_of
from rehearse.media.sheet import Row, contact_sheet, write_picture, write_sheet
from rehearse.media.video import FORMATS, clip_format, read_frames, read_shot, write_clip, write_still

__all__ = [
    "FORMATS",
    "Clip",
    "MediaError",
    "NoSuchFile",
    "Row",
    "Trace",
    "check_writable",
    "clip_format",
    "clip_html",
    "contact_sheet",
    "draw_overlay",
    "draw_paths",
    "read_clip",
    "read_frames",
    "read_shot",
    "replacing",
    "traces_of",
    "write_clip",
    "write_picture",
    "write_sheet",
    "write_still",
]
