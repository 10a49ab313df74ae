"""A picture and a target on the command line, on a toy CogVideoX: clip, shot, pause, resume, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Rehearse
from PIL import Image
from toy_models import save_toy_cogvideox

from rehearse.media import read_frames, read_shot
from rehearse.shot import Box, ImageInstruction, TargetInstruction

PROMPT = "a bird and the red ball in snow"


@pytest.fixture(scope="module")
def target_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy_cogvideox(
        tmp_path_factory.mktemp("models") / "target", vae="tiny", masks=1, scheduler="dpm"
    )


@pytest.fixture
def pictures(tmp_path: Path) -> None:
    """desk.png, a picture of the frame's aspect, and mask.png, one thing marked in it."""
    shades = (np.indices((48, 64)).sum(0)[..., None] * np.array([1, 2, 0])).astype(np.uint8)
    Image.fromarray(shades).save(tmp_path / "desk.png")
    mask = np.zeros((48, 64), np.uint8)
    mask[12:24, 32:48] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(mask * 0).save(tmp_path / "black.png")


def words(toy: Path, *more: object) -> list[object]:
    return ["generate", PROMPT, "-m", toy, "--size", "64x48", "--frames", 5, "--image", "desk.png", *more]


@pytest.mark.usefixtures("pictures")
def test_a_mask_or_a_box_marks_the_target(rehearse: Rehearse, target_toy: Path) -> None:
    for name, place in (("mask", "mask.png"), ("box", ".5,.25,.75,.5"), ("other", "0,0,.25,.25")):
        said = rehearse(*words(target_toy, "--target", f"red ball @ {place}", "-o", f"{name}.apng"))
        assert said.code == 0, said.err
    assert read_frames("mask.apng").shape == (5, 48, 64, 3)
    assert np.array_equal(read_frames("mask.apng"), read_frames("box.apng"))  # they mark the same pixels
    assert not np.array_equal(read_frames("other.apng"), read_frames("box.apng"))
    image, target = read_shot("box.apng").instructions
    assert isinstance(image, ImageInstruction) and isinstance(target, TargetInstruction)
    assert (target.phrase, target.mask.box, target.role) == ("red ball", Box(0.5, 0.25, 0.75, 0.5), "target")
    again = rehearse("generate", "mask.apng", "-o", "again.apng")
    assert again.code == 0 and np.array_equal(read_frames("again.apng"), read_frames("mask.apng"))


@pytest.mark.usefixtures("pictures")
def test_a_paused_take_resumes_to_the_same_clip(rehearse: Rehearse, target_toy: Path) -> None:
    mark = ("--target", "red ball @ mask.png", "--target-attention", 1)
    assert rehearse(*words(target_toy, *mark, "-o", "whole.apng")).code == 0
    assert rehearse(*words(target_toy, *mark, "--take", "reach.take", "-o", "taken.apng")).code == 0
    assert np.array_equal(read_frames("taken.apng"), read_frames("whole.apng"))
    for step in (2, 3, 4):  # as it stood after step 1
        (Path("reach.take") / "checkpoints" / f"step-000{step}.safetensors").unlink()
    (Path("reach.take") / "clip.mp4").unlink()
    part = rehearse("take", "resume", "reach.take", "--until", 3)
    assert part.code == 0 and "step 3 of 4" in part.err
    assert rehearse("take", "resume", "reach.take", "-o", "resumed.apng").code == 0
    assert np.array_equal(read_frames("resumed.apng"), read_frames("whole.apng"))


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--target", "red ball"], '--target is "red ball": write it like "red ball @ mask.png"'),
        (["--target", "blue cup @ mask.png"], "blue cup"),
        (["--target", "red ball @ gone.png"], "gone.png"),
        (["--target", "red ball @ desk.txt"], "desk.txt"),
        (["--target", "red ball @ 0,0,1,1"], "marks the whole frame"),
        (["--target", "red ball @ .5,.5,.2,.6"], "beyond"),
        (["--target", "red ball @ black.png"], "the mask is empty"),
        (["--target", "bird @ mask.png", "--target", "red ball @ mask.png"], "--target is given 2 times"),
        (["--target", "red ball #2 @ mask.png"], 'mentions "red ball" only once'),
        (["--source", "bird @ mask.png"], "cannot act on source target instructions"),
        (["--target-attention", "2"], "control.target_attention"),
        (["--target", "red ball @ mask.png", "--target-attention", "-1"], "target_attention"),
        (["--image", "gone.png"], "gone.png"),
    ],
)
def test_bad_marks_are_refused_in_one_sentence(
    rehearse: Rehearse, target_toy: Path, more: list[str], expected: str
) -> None:
    said = rehearse(*words(target_toy, *more, "-o", "a.gif"))
    assert said.code != 0 and expected in " ".join(said.err.split()), said.err
    assert "Traceback" not in said.err and not Path("a.gif").exists()
