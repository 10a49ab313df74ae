"""``rehearse generate``: what it writes, what it says, and what it refuses before any work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Rehearse
from PIL import Image

import rehearse.api
from rehearse.cli.outputs import name_for
from rehearse.media import read_frames, read_shot, write_clip
from rehearse.shot import Box, PointTrajectory, Shot

BALL = "a red ball moves right over the meadow"
BOX = "red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6"


@pytest.mark.parametrize("kind", ["mp4", "webm", "gif", "apng"])
def test_a_prompt_becomes_a_clip_that_carries_its_shot(rehearse: Rehearse, toy: Path, kind: str) -> None:
    said = rehearse("generate", BALL, "--box", BOX, "-m", toy, "-o", f"ball.{kind}", "--seed", 7)
    assert (said.code, said.out) == (0, f"ball.{kind}\n")
    assert read_frames(f"ball.{kind}").shape == (4, 64, 64, 3)
    path = [(0, Box(0.1, 0.4, 0.3, 0.6)), (1, Box(0.7, 0.4, 0.9, 0.6))]
    assert read_shot(f"ball.{kind}") == Shot(BALL, model=str(toy), seed=7).follow("red ball", path)


def test_every_option_reaches_the_shot(rehearse: Rehearse, toy: Path) -> None:
    said = rehearse(
        "generate", "a red ball and a blue car over the meadow", "-m", toy, "-o", "a.gif", "-s", 3,
        "--steps", 2, "--guidance", 2.5, "--scheduler", "euler", "--frames", 2, "--fps", 4,
        "--size", "64x32", "--negative", "snow",
        "--box", BOX, "--box", "blue car @ hold 0: 0,0,.5,.5", "--easing", "ease-in",
        "--frozen-steps", "50%", "--normalization", "regional", "--normalization-strength", ".5",
        "--temporal-prior", "x0", "--temporal-prior-strength", ".25", "--temporal-prior-steps", "1",
        "--initial-noise", "freetraj", "--threads", 1,
    )  # fmt: skip
    assert said.code == 0, said.err
    shot = read_shot("a.gif")
    assert (shot.seed, shot.steps, shot.guidance, shot.scheduler) == (3, 2, 2.5, "euler")
    assert (shot.frames, shot.fps, shot.width, shot.height, shot.negative_prompt) == (2, 4.0, 64, 32, "snow")
    assert [i.path.easing for i in shot.instructions] == ["ease-in", "hold"]  # type: ignore[union-attr]
    assert shot.control.model_dump(exclude_none=True) == {
        "frozen_steps": 0.5,
        "normalization": "regional",
        "normalization_strength": 0.5,
        "temporal_prior": "x0",
        "temporal_prior_strength": 0.25,
        "temporal_prior_steps": 1,
        "initial_noise": "freetraj",
    }
    assert read_frames("a.gif").shape == (2, 32, 64, 3)


def test_the_same_words_give_the_same_clip(rehearse: Rehearse, toy: Path) -> None:
    for name in ("a.apng", "b.apng"):
        assert rehearse("generate", BALL, "-m", toy, "-o", name, "--seed", 5).code == 0
    assert rehearse("generate", BALL, "-m", toy, "-o", "c.apng", "--seed", 6).code == 0
    assert np.array_equal(read_frames("a.apng"), read_frames("b.apng"))
    assert not np.array_equal(read_frames("a.apng"), read_frames("c.apng"))


def test_a_shot_file_and_a_clip_are_shots_too(rehearse: Rehearse, toy: Path) -> None:
    shot = Shot(BALL, model=str(toy), seed=4, steps=2).follow("red ball", [(0, Box(0.1, 0.1, 0.4, 0.4))])
    shot.save("shot.json")
    assert rehearse("generate", "shot.json", "-o", "a.apng").code == 0
    assert read_shot("a.apng") == shot
    assert rehearse("generate", "a.apng", "-o", "b.apng").code == 0
    assert np.array_equal(read_frames("a.apng"), read_frames("b.apng"))
    assert rehearse("generate", "a.apng", "-o", "c.gif", "--seed", 9, "--box", BOX).code == 0
    changed = read_shot("c.gif")
    assert changed.seed == 9
    assert len(changed.instructions) == 1, "a path for the same subject replaces the one it had"
    assert changed.steps == 2


def test_sheet_and_overlay_are_written_beside_the_clip(rehearse: Rehearse, toy: Path) -> None:
    said = rehearse(
        "generate", BALL, "--box", BOX, "-m", toy, "-o", "ball.gif", "--overlay", "--sheet", "sheet.png"
    )
    assert (said.code, said.out.split()) == (0, ["ball.gif", "ball.paths.gif", "sheet.png"])
    assert read_frames("ball.paths.gif").shape == (4, 384, 384, 3)
    assert read_shot("ball.paths.gif") == read_shot("ball.gif")
    with Image.open("sheet.png") as image:
        assert image.width > 4 * 384


def test_the_name_comes_from_the_prompt_and_takes_no_ones_place(rehearse: Rehearse, toy: Path) -> None:
    first, second = (rehearse("generate", BALL, "-m", toy, "--steps", 1) for _ in range(2))
    assert first.out == "a-red-ball-moves-right-over-the-meadow.mp4\n"
    assert second.out == "a-red-ball-moves-right-over-the-meadow-2.mp4\n"


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("../../etc/passwd", "etc-passwd.mp4"),
        ("Ein Schäfchen, bitte!", "ein-schafchen-bitte.mp4"),
        ("赤い風船", "赤い風船.mp4"),
        ("!!!", "clip.mp4"),
        ("-o force.mp4", "o-force-mp4.mp4"),
        ("word " * 40, "word-word-word-word-word-word-word-word-word-word-word-word.mp4"),
        ("赤" * 100, "赤" * 20 + ".mp4"),
    ],
)
def test_names_are_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prompt: str, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(name_for(prompt)) == name


def test_an_existing_file_is_only_replaced_when_told(rehearse: Rehearse, toy: Path) -> None:
    Path("ball.gif").write_bytes(b"mine")
    said = rehearse("generate", BALL, "-m", toy, "-o", "ball.gif")
    assert said.code == 2
    assert "--force" in said.err
    assert Path("ball.gif").read_bytes() == b"mine"
    assert rehearse("generate", BALL, "-m", toy, "-o", "ball.gif", "--force").code == 0
    assert read_shot("ball.gif").prompt == BALL


def test_lines_in_a_log_and_nothing_when_quiet(rehearse: Rehearse, toy: Path) -> None:
    said = rehearse("generate", BALL, "-m", toy, "-o", "a.gif")
    assert said.err.startswith("loading ")
    assert "step 3 of 3" in said.err
    assert "4 frames of 64x64 at 8 a second, seed 0" in said.err
    assert "\x1b" not in said.err
    quiet = rehearse("generate", BALL, "-m", toy, "-o", "b.gif", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def refused(rehearse: Rehearse, said_words: str, *arguments: object) -> None:
    """The command is refused as bad input, in one sentence with these words, and nothing is written."""
    before = sorted(Path().iterdir())
    said = rehearse(*arguments)
    assert said.code == 2, said
    # Where the model had to be asked, a line before says that it is being loaded.
    *before_it, sentence = said.err.splitlines()
    assert sentence.startswith("rehearse: "), said.err
    assert all(line.startswith("loading ") for line in before_it), said.err
    assert said_words.lower() in said.err.lower()
    assert said.out == ""
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--box", "red ball @ 0: .1,.4,.3,1.6"], "outside the frame"),
        (["--box", "red ball @ 0: .3,.4,.1,.6"], "beyond"),
        (["--box", "red ball @ 0: .1,.4,.3,.6; 0: .7,.4,.9,.6"], "keyframes[1].time"),
        (["--box", "blue ball @ 0: .1,.4,.3,.6"], "blue ball"),
        (["--box", "red ball 0: .1,.4,.3,.6"], "has no @"),
        (["--box", "red ball @ 0: .1,.4,.3"], "takes 4"),
        (["--box", "red ball @ 0: 10,40,30,60"], "not pixels"),
        (["--point", "blue ball @ 0: .1,.4"], "blue ball"),
        (["--point", 'red ball @ [{"x":20,"y":60},{"x":100,"y":60}]'], "the track is in pixels (20, 60"),
        (["--point", "red ball @ 0: 20,60"], "divide pixels by the clip's width"),
        (["--point", "red ball @ 0: .2,.6; 15: .8,.6"], "times are fractions of the clip"),
        (["--point", "red ball @ tracks.npy"], "names a .npy file"),
        (["--point", "red ball @ tracks.json"], "names tracks.json, which cannot be read"),
        (["--easing", "ease-in"], "--easing"),
        (["--box", BOX, "--easing", "easy"], "easing"),
        (["--frames", "9"], "at most 8 frames"),
        (["--frames", "0"], "frames"),
        (["--size", "60x64"], "multiple of 8"),
        (["--size", "big"], "--size"),
        (["--steps", "0"], "steps"),
        (["--steps", "many"], "--steps"),
        (["--seed", "-1"], "seed"),
        (["--guidance", "nan"], "guidance"),
        (["--scheduler", "ddmi"], "scheduler"),
        (["--negative", "zebra"], "zebra"),
        (["--frozen-steps", "some"], "--frozen-steps"),
        (["--frozen-steps", "1.5"], "frozen_steps"),
        (["--normalization", "globl"], "normalization"),
        (["--temporal-prior", "nois"], "temporal_prior"),
        (["--threads", "0"], "--threads"),
        (["--unknown"], "--unknown"),
        (["-o", "clip.avi"], ".avi"),
        (["-o", "clip"], "ending"),
        (["-o", "nowhere/clip.mp4"], "no folder"),
        (["-o", "x" * 300 + ".mp4"], "too long"),
        (["-o", "/dev/null/clip.mp4"], "cannot write"),
        (["--sheet", "sheet.jpg"], ".png"),
        (["-o", "a.png", "--sheet", "a.png"], "two outputs"),
    ],
)
def test_bad_words_are_refused_in_one_sentence(
    rehearse: Rehearse, toy: Path, arguments: list[str], words: str
) -> None:
    # The outputs come first: what is wrong with the shot must be found although they are fine.
    refused(rehearse, words, "generate", BALL, "-m", toy, *arguments)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a red zebra", "zebra"),
        ("", "prompt"),
        ("nothing.json", "no file"),
        ("nothing.mp4", "no such file"),
        ("broken.json", "not valid JSON"),
        ("field.json", 'did you mean "prompt"'),
        ("other.gif", "carries no shot"),
        ("broken.mp4", "not a video"),
    ],
)
def test_bad_sources_are_refused_in_one_sentence(
    rehearse: Rehearse, toy: Path, source: str, words: str
) -> None:
    Path("broken.json").write_text("{")
    Path("field.json").write_text(json.dumps({"version": 1, "promt": BALL}))
    Path("broken.mp4").write_bytes(b"no video")
    Image.new("RGB", (8, 8)).save("other.gif")
    refused(rehearse, words, "generate", source, "-m", toy)


def test_bad_models_are_refused_in_one_sentence(rehearse: Rehearse, toy: Path, tmp_path: Path) -> None:
    shutil.copytree(toy, "cut")
    weights = next(Path("cut/unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    shutil.copytree(toy, "noise")
    next(Path("noise/vae").glob("*.safetensors")).write_bytes(b"\x80\x04 not tensors at all")
    shutil.copytree(toy, "pickled")
    whole = next(Path("pickled/unet").glob("*.safetensors"))
    whole.rename(whole.with_suffix(".bin"))
    Path("empty").mkdir()
    for model, words in (
        ("cut", "cut off"),
        ("noise", "safetensors"),
        ("pickled", "safetensors"),
        ("empty", "model_index.json"),
        ("no-such-model", "no model"),
    ):
        refused(rehearse, words, "generate", BALL, "-m", model, "-o", "clip.gif")


def test_the_output_is_checked_before_the_model_is_touched(rehearse: Rehearse) -> None:
    refused(rehearse, "no folder", "generate", BALL, "-m", "no-such-model", "-o", "nowhere/clip.gif")


def test_a_clip_is_never_written_over_its_own_source(rehearse: Rehearse, toy: Path) -> None:
    write_clip("a.gif", np.zeros((2, 16, 16, 3), dtype=np.uint8), 8, Shot(BALL, model=str(toy)))
    refused(rehearse, "is the input", "generate", "a.gif", "-o", "a.gif", "--force")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (MemoryError(), 1, "memory"),
        (OSError(28, "No space left on device"), 1, "no space"),
        (RuntimeError("size mismatch\nin two lines"), 1, "size mismatch"),
        (ValueError("not one of ours"), 1, "REHEARSE_DEBUG"),
    ],
)
def test_failures_on_the_way_leave_nothing(
    rehearse: Rehearse,
    toy: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(rehearse_api(), "generate", fail)
    said = rehearse("generate", BALL, "-m", toy, "-o", "clip.mp4", "--quiet")
    assert said.code == code
    assert said.err.startswith("rehearse: ")
    assert said.err.count("\n") == 1
    assert words in said.err
    assert list(Path().iterdir()) == []


def rehearse_api() -> object:
    return rehearse.api


def test_the_traceback_is_there_for_who_asks(
    rehearse: Rehearse, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHEARSE_DEBUG", "1")
    said = rehearse("generate", "a red zebra", "-m", toy)
    assert said.code == 2
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("rehearse: ")


def test_a_prompt_with_a_picture_goes_to_the_model_that_animates_one(rehearse: Rehearse) -> None:
    Image.fromarray(np.full((128, 128, 3), 120, np.uint8)).save("grey.png")
    prompt = "a red ball moves right over the meadow"
    said = rehearse("generate", prompt, "--image", "grey.png", "--steps", 1, "--frames", 4, "-o", "clip.mp4")
    assert said.code == 0, said.err
    shot = read_shot("clip.mp4")
    assert shot.model == "theatre-animate"
    refused = rehearse("generate", prompt, "--image", "grey.png", "-m", "theatre-video", "-o", "other.mp4")
    assert refused.code != 0
    assert "cannot act on image instructions" in refused.err
    assert "choose another model, such as theatre-animate" in refused.err.replace("\n", " ")


@pytest.mark.parametrize("name", ["track.json", "my track.json", "at@home.json"])
@pytest.mark.parametrize("words", ["", "size=64x64 ", "ease-in size=64x64 "])
def test_a_track_in_a_file(rehearse: Rehearse, toy: Path, name: str, words: str) -> None:
    Path(name).write_bytes(b"\xef\xbb\xbf" + b'[{"x": 16, "y": 32}, {"x": 48, "y": 32}]')
    said = rehearse(
        "generate", BALL, "-m", toy, "--size", "64x64", "--point", f"red ball @ {words}{name}", "-o", "a.gif"
    )
    assert said.code == 0, said.err
    noted = 'note: the track of "red ball" is in pixels; they are taken to be of the clip, 64 x 64'
    assert (noted in said.err) == (not words)
    (instruction,) = read_shot(Path("a.gif")).instructions
    assert isinstance(instruction, PointTrajectory)
    assert [k.point for k in instruction.path.keyframes] == [(0.25, 0.5), (0.75, 0.5)]
    assert instruction.path.easing == ("ease-in" if "ease-in" in words else "linear")


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "ends before it is complete"), ("x,y", "holds no JSON list"), ("", "no JSON list")],
)
def test_a_track_in_a_file_that_is_none(rehearse: Rehearse, toy: Path, content: str, words: str) -> None:
    Path("track.json").write_text(content)
    refused(rehearse, words, "generate", BALL, "-m", toy, "--point", "red ball @ track.json", "-o", "a.gif")
