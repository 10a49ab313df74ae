"""How much of a text a model reads, said where it is not all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel

_LOG = logging.getLogger(__name__)
_MOST_SHOWN = 240


def say_what_is_cut(what: str, text: str, model: VideoModel) -> None:
    """Warn where a text has more tokens than a model reads. what: it is called in the sentence."""
    lost = words_lost(text, model)
    if not lost:
        return
    shown = lost if len(lost) <= _MOST_SHOWN else f"{lost[:_MOST_SHOWN]}... ({len(lost.split())} words)"
    _LOG.warning(
        "%s is longer than the %d tokens %r reads; it does not see: %r",
        *(what, model.limits.max_tokens, model.identity, shown),
    )


def words_lost(text: str, model: VideoModel) -> str:
    """The end of a text that a model does not read, from the first word that it does not read whole; empty
    where it reads all."""
    cut = model.tokenize(text).cut
    if cut is None:
        return ""
    while cut and text[cut - 1].isalnum() and text[cut : cut + 1].isalnum():
        cut -= 1
    return text[cut:].strip()
