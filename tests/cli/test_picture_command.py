"""``rehearse picture``: the picture a clip would start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Rehearse
from PIL import Image
from toy_models import WORDS, save_toy_model

from rehearse.media import read_shot
from rehearse.shot import Box, Shot, Stroke

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image model with a closed vocabulary."""
    folder = tmp_path_factory.mktemp("models") / "painter"
    return save_toy_model(folder, kind="image", vae="tiny", vocabulary=WORDS)


def test_a_shot_becomes_a_picture_that_carries_it(rehearse: Rehearse, painter: Path) -> None:
    shot = Shot("a red ball", model=str(painter), seed=3).image(PICTURE)
    shot = shot.paint(Stroke([(0.2, 0.2), (0.4, 0.3)]), mask=Box(0.1, 0.1, 0.5, 0.5), prompt="a star")
    shot = shot.drag((0.7, 0.7), (0.6, 0.8), region=Box(0.6, 0.6, 0.8, 0.8))
    shot.save("shot.json")
    said = rehearse("picture", "shot.json", "-o", "p.png", "--overlay")
    assert (said.code, said.out) == (0, "p.png\np.marks.png\n")
    assert "64x64, seed 3, in" in said.err
    assert read_shot("p.png") == shot
    with Image.open("p.png") as made, Image.open("p.marks.png") as marked:
        assert made.size == (64, 64)
        assert marked.size == (384, 384)
        pixels = np.asarray(made.convert("RGB"))
        plain = np.asarray(made.convert("RGB").resize((384, 384), Image.Resampling.LANCZOS))
        drawn = (np.asarray(marked.convert("RGB")) != plain).any(axis=2)
    assert (pixels[:6] == PICTURE[:6]).all()
    assert (pixels[10:30, 10:30] != PICTURE[10:30, 10:30]).any()
    assert drawn[38, 100] and drawn[190, 100]  # the region's outline
    assert not drawn[350:, :20].any()


def test_a_prompt_becomes_a_picture_of_its_name_and_size(rehearse: Rehearse, painter: Path) -> None:
    said = rehearse("picture", "a red ball", "-m", painter, "--size", "32x64", "-s", 4, "-q")
    assert (said.code, said.out, said.err) == (0, "", "")
    with Image.open("a-red-ball.png") as made:
        assert made.size == (32, 64)
    assert read_shot("a-red-ball.png").seed == 4


def test_bad_words_are_told_before_any_work(rehearse: Rehearse, painter: Path) -> None:
    said = rehearse("picture", "a red ball", "-o", "ball.mp4")
    assert said.code == 2
    assert "end its name in .png" in said.err
    said = rehearse("picture", "a dragon", "-m", painter, "-q")
    assert (said.code, said.out) == (2, "")
    assert '"dragon" is a word that' in said.err
    Path("taken.png").write_bytes(b"")
    said = rehearse("picture", "a red ball", "-m", painter, "-o", "taken.png")
    assert said.code == 2
    assert "exists already" in said.err
    assert not list(Path().glob("*.part"))


def test_odd_exif_data_is_no_matter_for_the_terminal(
    rehearse: Rehearse, painter: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Pillow warns of it by lines of its own code, before the house's notes are on."""
    entries_that_are_not_there = b"Exif\0\0II*\0\x08\0\0\0\x05\0"
    Image.new("L", (64, 64), 255).save("mask.jpg", exif=entries_that_are_not_there)
    shot = Shot("a red ball", model=str(painter)).image(PICTURE).edit("a star", "mask.jpg")
    recwarn.clear()
    shot.save("shot.json")
    said = rehearse("picture", "shot.json", "-o", "p.png", "-q")
    assert (said.code, said.err) == (0, "")
    assert not recwarn.list
