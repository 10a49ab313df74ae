"""The tokenizer of theatre-wan: the theatre's closed vocabulary in the layout of T5's tokenizer."""

from __future__ import annotations

from typing import Any

from rehearse.theatre.target_tokenizer import END, PAD, UNKNOWN, word_pieces
from rehearse.theatre.tokenizer import MAX_TOKENS
from rehearse.theatre.world.vocabulary import words


def wan_tokenizer() -> Any:
    """A transformers T5Tokenizer under which every word of the world, and the comma, is one token."""
    from transformers import T5Tokenizer

    return T5Tokenizer(
        vocab=word_pieces(words()),
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        extra_ids=0,
        model_max_length=MAX_TOKENS,
    )
