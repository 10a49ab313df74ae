"""The closed vocabulary: every word of the world is one token, and phrases are exactly their words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers import CLIPTokenizer

from rehearse.theatre.tokenizer import MAX_TOKENS, write_tokenizer
from rehearse.theatre.world import sample_scene
from rehearse.theatre.world.vocabulary import caption, words


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return CLIPTokenizer.from_pretrained(str(folder))


def test_every_word_is_one_token_of_its_own(tokenizer: CLIPTokenizer) -> None:
    ids = [tuple(tokenizer(word).input_ids[1:-1]) for word in (*words(), ",")]
    assert all(len(found) == 1 for found in ids)
    assert len(set(ids)) == len(ids)


def test_captions_fit_and_case_does_not_matter(tokenizer: CLIPTokenizer) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        text = caption(sample_scene(rng, subjects=3))
        ids = tokenizer(text).input_ids
        assert len(ids) == len(text.replace(",", " ,").split()) + 2 <= MAX_TOKENS
        assert ids == tokenizer(text.upper()).input_ids


def test_the_tokenizer_is_the_same_every_time(tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "a")
    write_tokenizer(tmp_path / "b")
    for name in ("vocab.json", "merges.txt"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
