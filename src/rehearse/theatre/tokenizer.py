"""The theatre's tokenizer: a closed vocabulary in the layout of CLIP's tokenizer.

A byte-pair model with enough merges to make every word of the world one token, so that a phrase of the
prompt is exactly its words' tokens.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from rehearse.theatre.world.vocabulary import words

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_TOKENS = 32  # the longest caption (three subjects) takes 23, both marks included


def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Ids and merges under which every word of the world (and the comma) is one token.

    Words are taken in order; each adds, behind all earlier merges, what still keeps it in pieces. So a word
    that came out whole stays whole, and the tables are the same wherever they are made.
    """
    merges: dict[tuple[str, str], int] = {}
    pieces: set[str] = set()
    known = sorted({*words(), ","})
    for word in known:
        letters = [*word[:-1], word[-1] + "</w>"]
        pieces.update(letters)
        parts = _merged(letters, merges)
        while len(parts) > 1:
            merges[parts[0], parts[1]] = len(merges)
            parts = _merged(letters, merges)
    singles = sorted(pieces)
    made = [first + second for first, second in merges]
    return {piece: index for index, piece in enumerate([START, END, *singles, *made])}, list(merges)


def _merged(letters: list[str], merges: dict[tuple[str, str], int]) -> list[str]:
    """Byte-pair encoding: of the pairs that stand side by side, the earliest merge goes first."""
    parts = list(letters)
    while True:
        ranks = [merges.get(pair, -1) for pair in pairwise(parts)]
        ranked = [rank for rank in ranks if rank >= 0]
        if not ranked:
            return parts
        at = ranks.index(min(ranked))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def write_tokenizer(folder: Path) -> None:
    """Write ``tokenizer/`` in the layout that diffusers pipelines load with CLIPTokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    vocab, merges = vocabulary()
    (folder / "vocab.json").write_text(
        json.dumps(vocab, ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )
    lines = ["#version: 0.2", *[" ".join(merge) for merge in merges]]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": MAX_TOKENS,
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
        "do_lower_case": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    marks = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(marks, indent=2) + "\n", encoding="utf-8")
