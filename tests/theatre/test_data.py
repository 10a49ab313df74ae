"""Data sets depend on seed and index alone, and continue where they stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rehearse.theatre import data
from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Stills, coverage, make_clips, make_stills
from rehearse.training.clip_batches import mirror_matrix, mirrored_caption


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CHUNK", 4)


def test_a_set_continues_where_it_stopped(tmp_path: Path, small_chunks: None) -> None:
    whole = make_stills(tmp_path / "whole", 12, seed=3, workers=1)
    make_stills(tmp_path / "cut", 12, seed=3, workers=1)
    rows = tmp_path / "cut" / "rows.jsonl"
    # As a kill leaves it: a chunk and a half of rows, and pictures that were never written.
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:6]))
    frames = np.load(tmp_path / "cut" / "frames.npy", mmap_mode="r+")
    frames[4:] = 0
    again = make_stills(tmp_path / "cut", 12, seed=3, workers=1)
    assert again.rows == whole.rows
    assert (again.frames == whole.frames).all()


def test_an_unfinished_set_shows_its_finished_part(tmp_path: Path, small_chunks: None) -> None:
    make_stills(tmp_path, 8, seed=3, workers=1)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:3]) + '{"caption": "a r')
    assert len(Stills.open(tmp_path)) == 3


def test_clips_are_encoded_and_labelled(tmp_path: Path, small_chunks: None) -> None:
    def encode(pictures: np.ndarray) -> np.ndarray:
        return pictures[:, ::8, ::8].transpose(0, 3, 1, 2).astype(np.float16)

    clips = make_clips(tmp_path, 5, seed=2, encode=encode, workers=1)
    assert clips.latents.shape == (5, data.FRAMES, 3, 16, 16)
    assert clips.subjects.shape == (5, data.FRAMES, 16, 16)
    assert clips.subjects.max() > 200
    assert {"caption", "kinds", "colours", "backdrop"} <= set(
        json.loads((tmp_path / "rows.jsonl").open().readline())
    )


def test_coverage_is_the_share_of_each_block() -> None:
    mask = np.zeros((16, 16), np.uint8)
    mask[:8, :4] = 2
    assert coverage(mask).tolist() == [[128, 0], [0, 0]]


def test_components_rebuild_what_they_were_fitted_on_and_mirror(tmp_path: Path) -> None:
    stills = make_stills(tmp_path, 24, seed=5, workers=1)
    pictures = torch.from_numpy(np.array(stills.frames))
    full = PatchBasis.fit(stills.frames, stills.masks, 192)
    rebuilt = full.decode(full.encode(pictures))
    truth = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    assert (rebuilt - truth).abs().max() < 0.02
    basis = PatchBasis.fit(stills.frames, stills.masks, 8)
    basis.save(tmp_path / "basis.safetensors")
    again = PatchBasis.load(tmp_path / "basis.safetensors")
    latents = again.encode(pictures)
    mirrored = torch.einsum("nchw,cd->ndhw", latents.flip(3), mirror_matrix(again))
    error = (mirrored - again.encode(pictures.flip(2))).square().mean() / latents.square().mean()
    assert error < 0.1


def test_a_mirrored_caption_swaps_left_and_right() -> None:
    assert (
        mirrored_caption("a red car moves left and a blue fish arcs right at night")
        == "a red car moves right and a blue fish arcs left at night"
    )
