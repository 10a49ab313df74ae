"""``rehearse take``: folders made by generate, shown, paused, resumed and forked."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Rehearse
from PIL import Image
from test_process import start
from toy_models import save_toy_model, save_toy_motion_model

from rehearse.media import read_frames, read_shot
from rehearse.shot import Shot
from rehearse.shot.methods import BlendSettings
from rehearse.takes.folder import TakeFolder

BALL = "a red ball over the meadow"


@pytest.fixture
def ball(rehearse: Rehearse, toy: Path, tmp_path: Path) -> Path:
    """A finished take of three steps."""
    said = rehearse("generate", BALL, "-m", toy, "--take", "ball.take", "-o", "ball.apng", "-q")
    assert (said.code, said.err) == (0, "")
    return tmp_path / "ball.take"


def test_generate_in_a_folder_makes_the_same_clip(rehearse: Rehearse, toy: Path, ball: Path) -> None:
    assert rehearse("generate", BALL, "-m", toy, "-o", "plain.apng", "-q").code == 0
    assert np.array_equal(read_frames("plain.apng"), read_frames("ball.apng"))
    folder = TakeFolder.open(ball)
    assert folder.finished and folder.steps() == (0, 1, 2, 3) and folder.clip_path.exists()


def test_show_says_what_it_is(rehearse: Rehearse, ball: Path) -> None:
    said = rehearse("take", "show", "ball.take", "--sheet", "sheet.png")
    assert said.code == 0
    lines = said.out.splitlines()
    assert f'"{BALL}"' in lines[1] and "4 frames of 64x64, seed 0" in lines[2]
    assert "it stands at step 3 of 3, finished" in lines[3] and "can be forked at 0-3" in lines[4]
    assert lines[-1] == "sheet.png"
    with Image.open("sheet.png") as sheet:
        assert sheet.height > 4 * 96, "three steps and the clip"
    assert rehearse("take", "show", "ball.take", "--sheet", "sheet.png").code == 2


def test_resume_to_a_step_and_to_the_end(rehearse: Rehearse, toy: Path, ball: Path) -> None:
    said = rehearse("take", "fork", "ball.take", "--at", 1, "--take", "same.take", "-q")
    assert (said.code, said.out, said.err) == (0, "", "")
    for step in (2, 3):
        (Path("same.take") / "checkpoints" / f"step-000{step}.safetensors").unlink()
    (Path("same.take") / "clip.mp4").unlink()
    no_clip = rehearse("take", "resume", "same.take", "--until", 2, "-o", "part.mp4")
    assert no_clip.code == 2 and "does not come to its end, and only then there is a clip" in no_clip.err
    part = rehearse("take", "resume", "same.take", "--until", 2)
    assert part.code == 0 and "step 2 of 3; go on with: rehearse take resume same.take" in part.err
    whole = rehearse("take", "resume", "same.take", "-o", "same.apng")
    assert (whole.code, whole.out.split()) == (0, ["same.take/clip.mp4", "same.apng"])
    assert "1 of 3 steps" in whole.err
    assert np.array_equal(read_frames("same.apng"), read_frames("ball.apng"))
    again = rehearse("take", "resume", "same.take")
    assert again.code == 0 and "is finished" in again.err
    assert rehearse("take", "pause", "same.take").out == (
        "same.take is finished; there is nothing to pause\n"
    )


def test_a_fork_pays_for_the_rest_and_leaves_its_parent(rehearse: Rehearse, ball: Path) -> None:
    before = {path: path.read_bytes() for path in ball.rglob("*") if path.is_file()}
    said = rehearse(
        "take", "fork", "ball.take", "--at", 1, "--prompt", "a red ball over the snow",
        "--box", "red ball @ 0: .1,.1,.4,.4; 1: .6,.6,.9,.9", "--take", "snow.take", "-o", "snow.apng",
    )  # fmt: skip
    assert (said.code, said.out.split()) == (0, ["snow.take/clip.mp4", "snow.apng"])
    assert "2 of 3 steps" in said.err
    shot = read_shot("snow.apng")
    assert shot.prompt == "a red ball over the snow" and len(shot.instructions) == 1
    assert not np.array_equal(read_frames("snow.apng"), read_frames("ball.apng"))
    for path, content in before.items():
        assert path.read_bytes() == content
    shown = rehearse("take", "show", "snow.take").out
    assert f"branched off {TakeFolder.open(ball).card.id[:8]} after step 1" in shown


def test_a_fork_under_a_shot_file_with_a_blend(rehearse: Rehearse, ball: Path) -> None:
    TakeFolder.open(ball).shot.with_prompt("a red ball over the snow").save("changed.json")
    arguments = ("take", "fork", "ball.take", "--at", 1, "--shot", "changed.json")
    for name, blend in {
        "new": (), "old": ("--blend", "1"), "half": ("--blend", ".5"),
        "kept": ("--blend", "0: 1; 1: 0", "--blend-from", "kept"),
        "left": ("--blend-box", "0,0,.5,1", "--feather", ".1"),
    }.items():  # fmt: skip
        said = rehearse(*arguments, *blend, "--take", f"{name}.take", "-o", f"{name}.apng", "-q")
        assert said.code == 0, said.err
    frames = {
        name: read_frames(f"{name}.apng").astype(int) for name in ("new", "old", "half", "kept", "left")
    }
    assert np.array_equal(frames["old"], read_frames("ball.apng"))
    apart = {name: np.abs(frames[name] - frames["old"]).mean() for name in frames}
    assert apart["new"] > apart["half"] > 0 and apart["new"] > apart["left"] > 0
    first, last = (np.abs(frames["kept"] - frames["old"])[index].mean() for index in (0, -1))
    assert last > first
    settings = read_shot("kept.apng").control.blend
    assert settings is not None and settings.original == "kept" and settings.weights(3) == [1, 0.5, 0]
    shown = rehearse("take", "show", "kept.take").out
    assert "blended with it (kept)" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("take", "show", "none"), "there is no folder none"),
        (("take", "resume", "."), "holds no take: there is no take.json"),
        (("take", "resume", "ball.take", "--until", 9), "--until is 9: the take has 3 steps; give a step"),
        (("take", "resume", "ball.take", "--until", 1), "stands at step 3 already; fork it to go back"),
        (("take", "fork", "ball.take", "--at", 9, "--take", "n"), "--at is 9: .* has 3 steps and keeps 0-3"),
        (("take", "fork", "ball.take", "--at", -1, "--take", "n"), "--at is -1: .* has 3 steps and keeps"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "ball.take"), "holds a take already; choose"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "a/b"), "there is no folder a; make it first"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "n", "--feather", ".1"), "give --blend-box"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "n", "--blend", "x"), '"x", which is no number'),
        (
            ("take", "fork", "ball.take", "--at", 1, "--take", "n", "--blend", ".5", "--feather", ".1"),
            "--feather is .* soft edge; give --blend-box too",
        ),
        (
            (
                "take",
                "fork",
                "ball.take",
                "--at",
                1,
                "--take",
                "n",
                "--blend",
                "none",
                "--blend-from",
                "kept",
            ),
            "--blend-from is for a blend, and --blend is none",
        ),
        (
            ("take", "fork", "ball.take", "--at", 3, "--take", "n", "--prompt", "a blue ball"),
            "cannot fork at step 3 with a changed shot: the take has 3 steps.*fork at 2 or earlier",
        ),
        (
            ("take", "fork", "ball.take", "--at", 1, "--take", "n", "--blend", ": 1"),
            'is ": 1" and .*; give a',
        ),
        (("take", "fork", "ball.take", "--at", 1, "--take", "ball.take/n"), "lies in the folder of another"),
        (
            ("take", "fork", "ball.take", "--at", 1, "--take", "n", "-o", "ball.take/clip.mp4", "-f"),
            "is inside",
        ),
        (("take", "resume", "ball.take", "-o", "ball.take/again.mp4"), "is inside the take's folder; choose"),
        (("take", "show", "ball.take", "--sheet", "ball.take/s.png"), "is inside the take's folder; choose"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "n", "--blend", "2"), "blend.weight"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "n", "--blend-box", ".1,.2"), "left,top,right"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "n", "--prompt", "a zebra"), "zebra"),
        (("take", "fork", "ball.take", "--at", 1, "--take", "n", "-o", "a.avi"), "no clip format"),
        (("generate", BALL, "--take", "ball.take", "-o", "n.mp4"), "holds a take already; choose another"),
        (("generate", BALL, "--keep", 3, "-o", "n.mp4"), "--keep is 3: without --take nothing is kept"),
    ],
)
def test_bad_input_is_one_sentence_and_harms_nothing(
    rehearse: Rehearse, ball: Path, arguments: tuple[object, ...], sentence: str
) -> None:
    import re

    before = {path: path.read_bytes() for path in ball.parent.rglob("*") if path.is_file()}
    said = rehearse(*arguments)
    told = [line for line in said.err.splitlines() if not line.startswith("loading")]
    assert said.code == 2 and len(told) == 1 and told[0].startswith("rehearse: ")
    assert re.search(sentence, told[0]), told[0]
    after = {path: path.read_bytes() for path in ball.parent.rglob("*") if path.is_file()}
    assert after == before and not Path("n").exists()


def test_a_damaged_clip_is_written_again(rehearse: Rehearse, ball: Path) -> None:
    whole = (ball / "clip.mp4").read_bytes()
    (ball / "clip.mp4").write_bytes(whole[:100])
    said = rehearse("take", "show", "ball.take", "--sheet", "sheet.png")
    assert said.code == 1 and "remove ball.take/clip.mp4 and resume the take" in said.err
    (ball / "clip.mp4").unlink()
    assert rehearse("take", "resume", "ball.take", "-q").code == 0
    assert np.array_equal(read_frames(ball / "clip.mp4"), read_frames_of(whole, ball.parent))


def read_frames_of(content: bytes, place: Path) -> np.ndarray:
    (place / "whole.mp4").write_bytes(content)
    return read_frames(place / "whole.mp4")


def test_ctrl_c_pauses_and_says_how_to_go_on(tmp_path: Path, slow_toy: Path, rehearse: Rehearse) -> None:
    process = start(tmp_path, "generate", "a red ball", "-m", slow_toy, "--take", "slow take", "--keep", 0)
    assert process.stderr is not None
    told = ""
    folder = TakeFolder(tmp_path / "slow take")
    while folder.step < 2:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    told += err
    assert (process.returncode, out) == (130, "")
    step = folder.step
    assert told.splitlines()[-1] == (
        f"rehearse: paused at step {step} of 900; go on with: rehearse take resume 'slow take'."
    )
    assert not list(tmp_path.glob("*.mp4")) and not folder.runs()
    nothing = rehearse("take", "pause", "slow take")
    assert nothing.code == 0 and nothing.out.startswith("nothing runs in slow take; it stands at step")

    process = start(tmp_path, "take", "resume", "slow take")
    while folder.step < step + 2:
        assert process.poll() is None
    busy = rehearse("take", "resume", "slow take")
    assert busy.code == 2 and f"is being run by process {process.pid}; pause it first" in busy.err
    asked = rehearse("take", "pause", "slow take")
    assert asked.code == 0 and asked.out.startswith("paused at step ")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "") and "paused at step" in err


def test_a_fork_of_a_blended_fork_is_blended_where_it_is_asked_for(rehearse: Rehearse, ball: Path) -> None:
    def forked(name: str, parent: str, *arguments: object) -> str:
        said = rehearse("take", "fork", parent, "--at", 1, "--take", name, *arguments)
        assert said.code == 0, said.err
        return said.err

    words = ("--prompt", "a red ball over the snow")
    forked("half.take", "ball.take", *words, "--blend", ".5", "-q")
    half = TakeFolder.open("half.take")
    assert half.card.blend == "computed"
    told = forked("plain.take", "half.take", "--prompt", "a blue ball over the snow")
    assert "note: half.take is blended with its own parent, and this fork is not" in told
    assert "--blend" in told
    plain = TakeFolder.open("plain.take")
    assert plain.card.blend is None and plain.shot.control.blend is None
    assert "note" not in forked("mixed.take", "half.take", *words, "--blend", ".3")
    mixed = TakeFolder.open("mixed.take")
    assert mixed.card.blend == "computed" and mixed.shot.control.blend is not None
    assert mixed.shot.control.blend.weight == 0.3
    # Without a change it goes on as its parent did.
    assert "note" not in forked("same.take", "half.take")
    same = TakeFolder.open("same.take")
    assert same.card.blend == "computed" and same.shot == half.shot
    assert torch.equal(same.state(3).latents, half.state(3).latents)
    # A shot file says what it wants; a word takes it out of there.
    half.shot.with_prompt("a blue ball over the snow").save("changed.json")
    forked("file.take", "half.take", "--shot", "changed.json", "-q")
    assert TakeFolder.open("file.take").card.blend == "computed"
    forked("none.take", "half.take", "--shot", "changed.json", "--blend", "none", "-q")
    assert TakeFolder.open("none.take").card.blend is None


def test_a_blended_fork_s_clip_is_a_shot_of_its_own(rehearse: Rehearse, ball: Path) -> None:
    words = ("--prompt", "a red ball over the snow", "--blend", ".5")
    rehearse("take", "fork", "ball.take", "--at", 1, *words, "--take", "half.take", "-o", "half.apng", "-q")
    said = rehearse("generate", "half.apng", "--seed", 8, "-o", "other.apng")
    assert said.code == 0, said.err
    assert "note: the blend in half.apng is with the take it branched off, and is left out" in said.err
    assert read_shot("other.apng") == read_shot("half.apng").with_seed(8).with_control(blend=None)


def test_the_word_of_a_blend_is_refused_where_the_shot_drags(
    rehearse: Rehearse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = save_toy_model(tmp_path / "image", kind="image", settings={"defaults": {"frames": 1}})
    name = str(save_toy_motion_model(tmp_path / "animate", base))
    shot = Shot("a red ball over snow", model=name, frames=3, width=64, height=48, steps=2)
    shot = shot.image(np.full((48, 64, 3), 60, np.uint8)).follow(None, [(0, (0.25, 0.5)), (1, (0.5, 0.5))])
    shot.save("dragged.json")
    assert rehearse("generate", "dragged.json", "--take", "a.take", "-o", "a.mp4", "-q").code == 0
    for words in (("--blend", "1"), ("--blend-box", "0,0,.5,1")):
        said = rehearse("take", "fork", "a.take", "--at", 1, "--prompt", "a blue star", *words, "--take", "b")
        assert said.code == 2 and not Path("b").exists()
        (told,) = said.err.splitlines()
        assert f"{words[0]} mixes a fork with its parent, and this shot drags something" in told
        assert "--shot" in told
    # The blend of a drag is its shot's own, and stays.
    shot.with_control(blend={"weight": 0.5}).save("dragged.json")
    assert rehearse("generate", "dragged.json", "--take", "c.take", "-o", "c.mp4", "-q").code == 0
    said = rehearse("take", "fork", "c.take", "--at", 1, "--prompt", "a blue star", "--take", "d.take")
    assert said.code == 0 and "note" not in said.err
    assert TakeFolder.open("d.take").shot.control.blend == BlendSettings(weight=0.5)
    assert TakeFolder.open("d.take").card.blend is None
