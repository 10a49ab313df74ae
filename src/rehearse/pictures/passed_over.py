"""What a shot says for its picture that the model which draws it cannot heed."""

from __future__ import annotations

import logging

from rehearse.models.model import VideoModel
from rehearse.models.reading import say_what_is_cut
from rehearse.resolve.instructions.pictures import Picture
from rehearse.resolve.vocabulary import foreign_syntax

_LOG = logging.getLogger(__name__)


def say_what_pictures_pass_over(ask: Picture, painter: VideoModel, *, words: bool) -> None:
    """Warn of what a shot says for its picture and the model that draws it cannot heed: words beyond what it
    reads, a soft edge where there is no edge.

    words: whether the shot's own prompts are looked at too, where the picture is drawn from them.
    """
    drawn = ask.start is None or ask.start.strength != 1
    if words and (drawn or any(edit.asked.prompt is None for edit in ask.edits)):
        say_what_is_cut("the prompt", ask.prompt, painter)
        say_what_is_cut("the negative prompt", ask.negative_prompt, painter)
        _say_foreign("the prompt", ask.prompt)
    for edit in ask.edits:
        asked, field, in_region = edit.asked, edit.field, edit.region is not None
        reads = (painter.inpainting_model() or painter) if in_region else painter
        for name, text in (("prompt", asked.prompt), ("negative_prompt", asked.negative_prompt)):
            say_what_is_cut(f"{field}.{name}", text or "", reads)
        for name, text in (("prompt", asked.prompt), ("negative_prompt", asked.negative_prompt)):
            _say_foreign(f"{field}.{name}", text or "")
        if asked.feather and not in_region:
            _LOG.warning(
                "%s.feather is %g: it softens the edge of a mask, and the edit has none; give one, or leave "
                "it out",
                *(field, asked.feather),
            )


def _say_foreign(what: str, text: str) -> None:
    for sentence in foreign_syntax(what, text):
        _LOG.warning("%s", sentence)
