"""``rehearse generate``: edits, drags and motion said on the command line become the shot they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rehearse.cli import run
from rehearse.cli.failures import BadWord
from rehearse.cli.request import Request, laid_over, shot_of
from rehearse.shot import Box, Mask, Shot, ShotError


@pytest.fixture
def shot() -> Shot:
    return Shot("a red ball over the meadow", model="theatre-animate").image(Image.new("RGB", (32, 32)))


def test_edits_are_made_in_their_order(shot: Shot, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.new("L", (32, 32), 255).save(mask)
    edits = ["a blue ball @ .1,.4,.3,.6", "the meadow at night", f"a star @ {mask}"]
    box = Box(0.1, 0.4, 0.3, 0.6)
    expected = shot.edit("a blue ball", box).edit("the meadow at night").edit("a star", mask)
    assert laid_over(shot, Request(edits=edits)) == expected


def test_drags_take_points_on_the_way_and_a_region(shot: Shot) -> None:
    drags = [".2,.5 > .7,.4", " .8 , .1>.6,.1 > .5,.3>.4,.1 @ .7,0,.9,.2"]
    expected = shot.drag((0.2, 0.5), (0.7, 0.4)).drag(
        (0.8, 0.1), (0.4, 0.1), via=((0.6, 0.1), (0.5, 0.3)), region=Box(0.7, 0, 0.9, 0.2)
    )
    assert laid_over(shot, Request(drags=drags)) == expected


def test_what_is_not_said_of_motion_stays(shot: Shot) -> None:
    moved = laid_over(shot, Request(motion={"text": "it rolls", "magnitude": "large", "loop": None}))
    assert moved == shot.motion("it rolls", magnitude="large")
    looped = laid_over(moved, Request(motion={"text": None, "magnitude": ".3", "loop": True}))
    assert looped == shot.motion("it rolls", magnitude=0.3, loop=True)
    assert laid_over(looped, Request(motion={"text": None, "magnitude": None, "loop": None})) == looped


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(edits=["@ .1,.4,.3,.6"]), '--edit is "@ .1,.4,.3,.6"'),
        (Request(edits=["a blue ball @"]), '--edit is "a blue ball @"'),
        (Request(drags=[".2,.5"]), '--drag is ".2,.5"'),
        (Request(drags=[".2,.5 > .7"]), '--drag is ".2,.5 > .7"'),
        (Request(drags=[".2,.5 > here"]), "from where to where"),
        (Request(drags=[".2,.5 > .7,.4 @"]), "what moves along"),
    ],
)
def test_what_cannot_be_read_is_shown_how_to_write(shot: Shot, request_: Request, says: str) -> None:
    with pytest.raises(BadWord) as told:
        laid_over(shot, request_)
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(edits=["a star @ gone.png"]), "gone.png"),
        (Request(drags=[".2,.5 > 1.7,.4"]), "target"),
        (Request(motion={"magnitude": "huge"}), "small, moderate, large"),
        (Request(motion={"magnitude": "1.5"}), "small, moderate, large"),
    ],
)
def test_what_a_shot_refuses_is_said(shot: Shot, request_: Request, says: str) -> None:
    with pytest.raises(ShotError, match=says):
        laid_over(shot, request_)


@pytest.mark.parametrize(
    "name", ["me@home.png", "@.png", "a, b.png", "x=1.png", "12:30 h.png", "a @ b.png", "1,2", "prés#2.png"]
)
def test_any_name_of_a_file_is_usable(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((48, 64), np.uint8)
    mask[12:24, 32:48] = 255
    Image.fromarray(mask).save(tmp_path / name, "PNG")
    place = Mask.of(tmp_path / name)
    request = Request(
        image=Path(name), edits=[f"a star @ {name}"], drags=[f".2,.5 > .7,.4 @ {name}"],
        target=f"red ball @ {name}", source=f"bird@ {name}",
    )  # fmt: skip
    shot = shot_of("a bird and the red ball @ home", request)
    image, edit, drag, target, source = shot.instructions
    assert image.image.load().size == (64, 48)
    assert (edit.prompt, edit.mask, drag.region) == ("a star", place, place)
    assert (target.phrase, target.mask) == ("red ball", place)
    assert (source.phrase, source.mask) == ("bird", place)


def test_a_box_of_too_few_numbers_is_no_file() -> None:
    with pytest.raises(BadWord, match=r'the box ".1,.2,.3" has 3 numbers: write left,top,right,bottom'):
        shot_of("a ball", Request(edits=["a star @ .1,.2,.3"]))


def test_what_is_guessed_of_a_picture_is_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("CMYK", (64, 64), (0, 200, 200, 0)).save("printed.jpg")
    words = ["generate", "a ball", "--image", "printed.jpg", "--keep", "2"]  # refused behind the picture
    assert run(words) == 2
    assert "note: printed.jpg: it is CMYK without a colour profile" in capsys.readouterr().err
    assert run([*words, "--quiet"]) == 2
    assert "note:" not in capsys.readouterr().err
