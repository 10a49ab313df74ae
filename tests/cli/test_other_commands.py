"""``rehearse shot``, ``models`` and ``theatre``; help and version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Rehearse
from PIL import Image

from rehearse.cli.caption import scene_of
from rehearse.cli.failures import BadWord
from rehearse.media import read_frames, write_clip
from rehearse.models import registry
from rehearse.shot import Box, Shot
from rehearse.theatre.world import caption, sample_scene

BLACK = np.zeros((3, 32, 32, 3), dtype=np.uint8)


def ball() -> Shot:
    return Shot("a red ball 日本").follow(
        "red ball", [(0, Box(0.1, 0.4, 0.3, 0.6)), (1, Box(0.7, 0.4, 0.9, 0.6))]
    )


def test_the_shot_comes_back_as_json(rehearse: Rehearse) -> None:
    write_clip("ball.webm", BLACK, 8, ball())
    said = rehearse("shot", "ball.webm")
    assert (said.code, said.err) == (0, "")
    assert Shot.model_validate_json(said.out) == ball()
    assert rehearse("shot", "ball.webm", "-o", "ball.json").code == 0
    assert Shot.load("ball.json") == ball()
    assert rehearse("shot", "ball.json").out == said.out


def test_pictures_of_a_shot_are_written_beside_it(rehearse: Rehearse) -> None:
    shot = Shot("a ball").image(np.full((16, 16, 3), 9, dtype=np.uint8))
    write_clip("a.gif", BLACK, 8, shot)
    assert rehearse("shot", "a.gif", "-o", "a.json").code == 0
    assert len(list(Path().glob("a-*.png"))) == 1
    assert Shot.load("a.json") == shot


def test_the_paths_of_a_shot_are_drawn(rehearse: Rehearse) -> None:
    ball().save("ball.json")
    assert rehearse("shot", "ball.json", "--sheet", "paths.png").out == "paths.png\n"
    with Image.open("paths.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}
    assert (230, 159, 0) in colours


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.mp4"], "no such file"),
        (["none.json"], "no file"),
        (["bad.json"], "not valid JSON"),
        (["box.json"], "instructions[0].path.keyframes[0].box"),
        (["plain.gif"], "carries no shot"),
        (["ball.json", "-o", "ball.json", "--force"], "is the input"),
        (["ball.json", "-o", "out.txt"], ".json"),
        (["ball.json", "-o", "plain.json"], "--force"),
        (["plain.json", "--sheet", "p.png"], "no path"),
        (["ball.json", "--sheet", "no/p.png"], "no folder"),
        ([], "missing argument"),
    ],
)
def test_bad_shots_are_refused_in_one_sentence(rehearse: Rehearse, arguments: list[str], words: str) -> None:
    ball().save("ball.json")
    Shot("a ball").save("plain.json")
    Path("bad.json").write_text("{")
    document = json.loads(ball().to_json())
    document["instructions"][0]["path"]["keyframes"][0]["box"] = [0.5, 0.5, 0.2, 0.7]
    Path("box.json").write_text(json.dumps(document))
    Image.new("RGB", (8, 8)).save("plain.gif")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    said = rehearse("shot", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("rehearse: ")
    assert said.err.count("\n") == 1
    assert words.lower() in said.err.lower()
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_models_lists_what_is_installed(
    rehearse: Rehearse, toy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = tmp_path_factory.mktemp("weights")
    (house / "theatre-toy").symlink_to(toy)
    settings = {"defaults": {"frames": 4, "width": 64, "height": 64}}
    assert (
        json.loads((toy / "rehearse.json").read_text())["defaults"]["frames"]
        == settings["defaults"]["frames"]
    )
    monkeypatch.setattr(registry, "EMBEDDED", house)
    said = rehearse("models")
    assert said.code == 0, said.err
    row = next(line for line in said.out.splitlines() if line.startswith("theatre-toy"))
    assert "unet3d" in row
    assert "4 of ?x?" in row
    assert "box trajectory" in row
    assert "MiB" in row
    assert "cerspense/zeroscope_v2_576w" in said.out


def test_the_world_is_drawn(rehearse: Rehearse) -> None:
    assert rehearse("theatre", "sheet", "-o", "sheet.png", "--rows", 2).code == 0
    with Image.open("sheet.png") as image:
        assert image.width > 800
    said = rehearse(
        "theatre", "clip", "a red ball moves right over the meadow", "-o", "a.apng", "--frames", 4
    )
    assert said.code == 0, said.err
    again = rehearse(
        "theatre", "clip", "a red ball moves right over the meadow", "-o", "b.apng", "--frames", 4
    )
    assert said.err == again.err == "a red ball moves right over the meadow\n"
    assert np.array_equal(read_frames("a.apng"), read_frames("b.apng"))
    assert read_frames("a.apng").shape == (4, 128, 128, 3)
    marked = rehearse("theatre", "clip", "--seed", 3, "--overlay", "-o", "c.gif", "--frames", 2, "--size", 64)
    assert marked.code == 0, marked.err
    assert read_frames("c.gif").shape == (2, 384, 384, 3)


def test_a_target_scene_has_a_mask_of_each_prop(rehearse: Rehearse) -> None:
    said = rehearse("theatre", "target", "scene", "--seed", 5)
    assert said.code == 0 and "--model theatre-reach --image scene/frame.png" in said.err
    masks = [np.asarray(Image.open(path)) for path in sorted(Path("scene").glob("mask-*.png"))]
    assert len(masks) == 3 and Image.open("scene/frame.png").size == masks[0].shape[::-1]
    assert all((mask == 255).any() for mask in masks) and (sum(mask / 255 for mask in masks) <= 1).all()
    again = rehearse("theatre", "target", "scene")
    assert again.code == 2 and "frame.png exists already" in again.err


@pytest.mark.parametrize("seed", range(40))
def test_a_caption_gives_a_scene_with_that_caption(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = caption(sample_scene(rng))
    assert caption(scene_of(words, rng)) == words


@pytest.mark.parametrize("words", ["a red zebra", "", "a red ball " * 4])
def test_a_caption_beyond_the_world_is_refused(words: str) -> None:
    with pytest.raises(BadWord, match="subjects of the theatre"):
        scene_of(words, np.random.default_rng(0))


def test_help_teaches(rehearse: Rehearse) -> None:
    top = rehearse("--help")
    assert top.code == 0
    for word in ("generate", "shot", "models", "theatre", "--version"):
        assert word in top.out
    told = " ".join(rehearse("generate", "--help").out.split())
    assert "left,top,right,bottom" in told
    assert 'rehearse generate "a red ball moves right over the meadow" -o ball.gif' in told


@pytest.mark.parametrize("arguments", [["generat"], ["theatre", "sheets"], ["--nonsense"]])
def test_misspelt_commands_are_refused(rehearse: Rehearse, arguments: list[str]) -> None:
    said = rehearse(*arguments)
    assert said.code == 2
    assert said.err.startswith("rehearse: no such")
    assert said.err.count("\n") == 1


def test_the_version_is_the_packages(rehearse: Rehearse) -> None:
    import rehearse as package

    said = rehearse("--version")
    assert (said.code, said.out) == (0, f"rehearse {package.__version__}\n")


def test_help_examples_are_accepted() -> None:
    """Every --box in the help is a box path."""
    import re

    from rehearse.cli.generate import EPILOG
    from rehearse.shot import parse_box_path

    boxes = re.findall(r'--box "([^"]+)"', EPILOG)
    assert len(boxes) >= 4
    for box in boxes:
        parse_box_path(box)


def test_a_missing_extra_is_named_with_the_command_that_brings_it(capsys: pytest.CaptureFixture[str]) -> None:
    from rehearse.cli.failures import tell

    assert tell(ModuleNotFoundError("No module named 'scipy.ndimage'", name="scipy.ndimage")) == 1
    said = capsys.readouterr().err
    assert "scipy" in said
    assert "pip install 'rehearse[evaluate]'" in said


def test_the_theatre_lists_its_words_by_kind_and_says_what_is_near(rehearse: Rehearse) -> None:
    listed = rehearse("theatre", "words").out
    for kind in ("things", "colours", "motions", "places"):
        assert kind in listed
    assert "moves right" in listed
    near = rehearse("theatre", "words", "a", "dog", "runs").out.splitlines()
    assert near == ["a: known", "dog: cat, bird, fish", "runs: moves right, moves left, bounces"]
