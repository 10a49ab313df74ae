"""The tokenizer of the target model: a closed vocabulary in the layout of T5's tokenizer.

A unigram model whose pieces are the words themselves, so that a phrase of the prompt, and the trigger word
before it, is exactly its words' tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearse.theatre.world.target_scene import target_words

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
TARGET_TOKENS = 16
"""Tokens of a prompt. The longest caption with its end mark takes 12, one more with each trigger word."""
_SPACE = "\u2581"
_LETTER = -20.0
"""Log-probability of a letter, low enough that no word is ever spelt."""


def pieces() -> list[tuple[str, float]]:
    """Pieces and log-probabilities of the target model's words."""
    return word_pieces(target_words())


def word_pieces(words: Iterable[str]) -> list[tuple[str, float]]:
    """Pieces and log-probabilities: the marks, each of these words, and single letters for any other."""
    marks = [(PAD, 0.0), (END, 0.0), (UNKNOWN, 0.0)]
    known = [(_SPACE + word, -1.0) for word in words]
    letters = [(letter, _LETTER) for letter in (_SPACE, ",", *"abcdefghijklmnopqrstuvwxyz")]
    return [*marks, *known, *letters]


def target_tokenizer() -> Any:
    """A transformers T5Tokenizer of these pieces."""
    from transformers import T5Tokenizer

    return T5Tokenizer(
        vocab=pieces(),
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        extra_ids=0,
        model_max_length=TARGET_TOKENS,
    )
