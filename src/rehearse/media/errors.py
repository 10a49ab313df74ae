"""The one error of this room."""

from __future__ import annotations


class MediaError(ValueError):
    """A media file that cannot be written or read; its message is one sentence for the user."""


class NoSuchFile(MediaError):
    """There is no file of that name."""
