"""The shot as a document: what it takes, how it changes, what it refuses."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter, ValidationError
from shot_strategies import shots

from rehearse.shot import (
    BlendSettings,
    Box,
    BoxPath,
    BoxTrajectory,
    ControlSettings,
    DragMove,
    DragTrajectory,
    Mask,
    PointPath,
    Shot,
    ShotError,
    Stroke,
    WeightKeyframe,
    explain,
    steps_of,
)
from rehearse.shot.migrations import upgrade
from rehearse.shot.schema import main as write_schema
from rehearse.shot.schema import schema_text

PROMPT = "a red ball moves right over the meadow"
LEFT, RIGHT = Box(0.1, 0.4, 0.3, 0.6), Box(0.7, 0.4, 0.9, 0.6)
SCHEMA = Path(__file__).parents[2] / "docs" / "shot.schema.json"


def shot(**fields: Any) -> Shot:
    return Shot(PROMPT, **fields)


def sentence(call: Any) -> str:
    with pytest.raises(ShotError) as caught:
        call()
    return str(caught.value)


def test_defaults() -> None:
    plain = shot()
    assert (plain.prompt, plain.model, plain.seed, plain.version) == (PROMPT, "theatre-video", 0, 1)
    assert plain.frames is plain.width is plain.steps is plain.guidance is plain.scheduler is None
    assert plain.instructions == ()
    assert plain.control == ControlSettings()


def test_the_package_needs_no_torch() -> None:
    code = "import sys, rehearse.shot; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_shot_cannot_be_changed_in_place() -> None:
    first = shot(seed=7)
    assert "with_(seed=" in sentence(lambda: setattr(first, "seed", 8))
    assert first.with_seed(8).seed == 8
    assert first.seed == 7
    assert "cannot be changed" in sentence(lambda: setattr(LEFT, "x0", 0.2))


def test_equal_shots_are_equal_and_hash_alike_after_travel() -> None:
    made = shot().follow("red ball", [(0, LEFT), (1, RIGHT)])
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert hash(other) == hash(made)


def test_repr_is_what_one_would_write() -> None:
    assert repr(shot(seed=7)) == f"Shot({PROMPT!r}, seed=7)"
    assert repr(LEFT) == "Box(0.1, 0.4, 0.3, 0.6)"


def test_follow_takes_boxes_points_and_paths() -> None:
    by_box = shot().follow("red ball", [(0, LEFT), (1, RIGHT)], easing="ease-in")
    assert by_box.instructions[0].path == BoxPath([(0, LEFT), (1, RIGHT)], easing="ease-in")
    assert (
        shot().follow("red ball", BoxPath([(0, LEFT)]), easing="hold").instructions[0].path.easing == "hold"
    )
    by_point = shot().follow("red ball", [(0, (0.1, 0.2)), (1, (0.5, 0.5))], radius=0.1)
    assert by_point.instructions[0].path == PointPath([(0, 0.1, 0.2), (1, 0.5, 0.5)], radius=0.1)
    assert shot().follow(None, [(0, (0.1, 0.2))]).instructions[0].phrase is None
    lists = shot().follow("red ball", [[0, [0.1, 0.4, 0.3, 0.6]], [1, [0.7, 0.4, 0.9, 0.6]]])  # type: ignore[list-item]
    assert lists == shot().follow("red ball", [(0, LEFT), (1, RIGHT)])


def test_following_again_replaces_in_place() -> None:
    both = shot().follow("red ball", [(0, LEFT)]).follow("meadow", [(0, RIGHT)])
    changed = both.follow("the  Red ball", [(0, (0.5, 0.5))])
    assert [i.phrase for i in changed.instructions] == ["the Red ball", "meadow"]
    assert [i.phrase for i in both.follow("ball", [(0, RIGHT)]).instructions] == ["ball", "meadow"]


def test_mentions_are_told_apart() -> None:
    two = Shot("a ball and a ball")
    assert "2 times" in sentence(lambda: two.follow("ball", [(0, LEFT)]))
    both = two.follow("ball", [(0, LEFT)], occurrence=1).follow("ball", [(0, RIGHT)], occurrence=2)
    assert len(both.instructions) == 2
    assert len(both.follow("ball", [(0, RIGHT)], occurrence=1).instructions) == 2


def test_one_image_for_each_time_one_motion_one_target_for_each_role() -> None:
    white = np.full((9, 9), 255, dtype=np.uint8)
    full = shot().image(white).image(white[:, :8].copy()).image(white, time=1.0)
    full = full.motion("it flies").motion("it rolls", magnitude="large")
    full = full.target("red ball", LEFT).target("meadow", RIGHT).target("red ball", LEFT, role="source")
    assert [i.kind for i in full.instructions] == ["image", "image", "motion", "target", "target"]
    assert full.instructions[2].text == "it rolls"
    assert full.instructions[2].amount == 0.75


def test_edits_add_up() -> None:
    edited = shot().paint(Stroke([(0.5, 0.5)], colour="blue")).edit("a tree", LEFT, strength=0.6)
    edited = edited.paint([Stroke([(0.1, 0.1)])], prompt="a stone", mask=Box(0, 0, 0.5, 0.5))
    assert [i.prompt for i in edited.instructions] == [None, "a tree", "a stone"]


def test_drags() -> None:
    dragged = shot().drag((0.2, 0.2), (0.6, 0.2), via=[(0.4, 0.6)], region=Box(0.1, 0.1, 0.3, 0.3), end=0.5)
    way = dragged.instructions[0].resample(5)
    assert way.shape == (5, 1, 2)
    np.testing.assert_allclose(way[[0, 2, 4], 0], [(0.2, 0.2), (0.6, 0.2), (0.6, 0.2)])
    np.testing.assert_allclose(way[1, 0], (0.4, 0.6))  # half the way's length is at the corner
    assert len(dragged.drag((0.2, 0.2), (0.5, 0.5)).instructions) == 1
    assert len(dragged.drag((0.8, 0.8), (0.5, 0.5)).instructions) == 2
    there_and_back = DragMove((0.2, 0.2), (0.2, 0.2), via=[(0.4, 0.2)])
    together = shot().add(DragTrajectory(moves=(there_and_back, DragMove((0.7, 0.7), (0.8, 0.7)))))
    np.testing.assert_allclose(together.instructions[0].resample(3)[:, 0, 0], [0.2, 0.4, 0.2])


def test_without() -> None:
    full = shot().follow("red ball", [(0, LEFT)]).follow("meadow", [(0, RIGHT)]).motion(loop=True)
    assert [i.kind for i in full.without("trajectory").instructions] == ["motion"]
    assert [i.phrase for i in full.without("trajectory", "Red ball").without("motion").instructions] == [
        "meadow"
    ]


def test_control_settings() -> None:
    made = shot().with_control(frozen_steps=4).with_control(mask_sites=["temporal", "cross", "cross"])
    assert made.control.frozen_steps == 4
    assert made.control.mask_sites == ("cross", "temporal")
    assert made == shot(control=ControlSettings(frozen_steps=4, mask_sites=("cross", "temporal")))
    assert steps_of(4, 3) == 3
    assert steps_of(0, 24) == 0
    assert steps_of(0.1, 24) == 2
    assert steps_of(0.001, 24) == 1
    assert type(ControlSettings(frozen_steps=0.1).frozen_steps) is float


def test_blend_weights() -> None:
    ramp = BlendSettings(over_time=(WeightKeyframe(0, 1), WeightKeyframe(1, 0)))
    assert ramp.weights(3) == [1.0, 0.5, 0.0]
    assert BlendSettings(weight=0.25).weights(2) == [0.25, 0.25]
    assert BlendSettings().weights(2) is None
    assert "give one" in sentence(lambda: BlendSettings(weight=1, over_time=(WeightKeyframe(0, 1),)))
    again = sentence(lambda: BlendSettings(over_time=(WeightKeyframe(0.5, 1), WeightKeyframe(0.5, 0))))
    assert "over_time[1].time is 0.5: it must be later than the keyframe before it, 0.5." in again
    assert BlendSettings(over_time=(WeightKeyframe(0.5, 0.3),)).weights(3) == [0.3, 0.3, 0.3]


def test_python_s_numbers_and_slips() -> None:
    assert shot().motion(magnitude=np.float32(0.5)).instructions == shot().motion(magnitude=0.5).instructions
    assert "strokes[0] is None" in sentence(lambda: shot().paint(None))  # type: ignore[arg-type]
    said = sentence(lambda: shot().drag((0.2, 0.2), (0.5, 0.2), region=(0.1, 0.1, 0.4, 0.4)))  # type: ignore[arg-type]
    assert "mask is (0.1, 0.1, 0.4, 0.4): a region is a Box" in said


def test_a_box_is_a_region_wherever_one_is_asked_for() -> None:
    box = Box(0.1, 0.1, 0.4, 0.4)
    move = DragMove((0.2, 0.2), (0.5, 0.2))
    assert DragTrajectory(moves=(move,), region=box) == DragTrajectory(moves=(move,), region=Mask(box=box))  # type: ignore[arg-type]
    assert BlendSettings(region=box) == BlendSettings(region=Mask(box=box))  # type: ignore[arg-type]


BAD_SHOTS: list[tuple[dict[str, Any], str]] = [
    ({}, "prompt: it is missing and must be given."),
    ({"prompt": " "}, 'prompt is "": it must not be empty.'),
    ({"prompt": 3}, "prompt is 3: it must be text."),
    ({"sed": 7}, 'sed: there is no such field; did you mean "seed"?'),
    ({"seed": -1}, "seed is -1: it must be at least 0."),
    ({"seed": 1.5}, "seed is 1.5: it must be a whole number."),
    ({"seed": True}, "seed is True: it must be a whole number."),
    ({"seed": 2**53}, f"seed is {2**53}: it must be at most {2**53 - 1}."),
    ({"seed": float("inf")}, "seed is inf: it must be a whole number."),
    ({"steps": 0}, "steps is 0: it must be at least 1."),
    ({"guidance": "high"}, 'guidance is "high": it must be a number.'),
    ({"fps": float("nan")}, "fps is nan: it must be a finite number."),
    ({"fps": 10**400}, "fps is 1000"),
    ({"model": " "}, 'model is " ": it must be the name of a model'),
    ({"scheduler": "ddpm"}, "scheduler is \"ddpm\": it must be 'ddim', 'dpm++', 'unipc' or 'euler'."),
    ({"version": 2}, "version is 2: this Rehearse reads shots up to version 1; install a newer Rehearse"),
    ({"version": 0}, "version is 0"),
    ({"control": {"frozen": 1}}, 'control.frozen: there is no such field; did you mean "frozen_steps"?'),
    ({"control": {"frozen_steps": 1.0}}, "control.frozen_steps is 1.0: it must be a number of steps"),
    ({"control": {"mask_sites": ["spatal"]}}, 'control.mask_sites[0] is "spatal": it must be'),
    ({"instructions": 3}, "instructions is 3: it must be a list."),
    ({"instructions": [{}]}, "instructions[0]: it needs the field kind: image, content, motion"),
    (
        {"instructions": [{"kind": "motin"}]},
        'instructions[0].kind is "motin": there is no such kind; did you mean',
    ),
    (
        {"instructions": [{"kind": "trajectory"}]},
        "instructions[0]: it needs the field form: box, point or drag.",
    ),
    (
        {"instructions": [{"kind": "motion", "magnitude": "big"}]},
        'instructions[0].magnitude is "big": it must be small',
    ),
    (
        {"instructions": [{"kind": "motion", "loop": 1}]},
        "instructions[0].loop is 1: it must be true or false.",
    ),
    (
        {"instructions": [{"kind": "motion", "magnitud": 1}]},
        "instructions[0].magnitud: there is no such field; did you",
    ),
    (
        {"instructions": [{"kind": "motion"}, {"kind": "motion"}]},
        "instructions[1]: instructions[0] already says this",
    ),
    (
        {"instructions": [{"kind": "content"}]},
        "instructions[0]: a content instruction needs a prompt or strokes.",
    ),
    (
        {"instructions": [{"kind": "image", "image": "../x.png"}]},
        'instructions[0].image is "../x.png": a path must stay',
    ),
]


@pytest.mark.parametrize(("fields", "expected"), BAD_SHOTS)
def test_bad_fields_get_a_sentence(fields: dict[str, Any], expected: str) -> None:
    document = fields if not fields or "prompt" in fields else {"prompt": PROMPT, **fields}
    said = sentence(lambda: Shot.model_validate(document))
    assert said.startswith(expected.replace('prompt is "":', 'prompt is " ":'))
    assert "\n" not in said
    assert said.endswith((".", "?"))
    assert sentence(lambda: Shot(**document)) == said


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ({"keyframes": []}, ".keyframes: it needs at least 1 entry, 0 given."),
        (
            {"keyframes": [{"time": 0, "box": [0.3, 0.4, 0.1, 0.6]}]},
            ".keyframes[0].box: x0 (0.3) is beyond x1 (0.1)",
        ),
        (
            {"keyframes": [{"time": 0, "box": [0.3, 0.4, 0.3, 0.6]}]},
            ".keyframes[0].box: x0 and x1 (left, right) are both",
        ),
        ({"keyframes": [{"time": 0, "box": [0.3, 0.4]}]}, ".keyframes[0].box: a box is four numbers"),
        (
            {"keyframes": [{"time": 0, "box": [30, 40, 50, 60]}]},
            ".keyframes[0].box.x0 is 30: positions are fractions",
        ),
        (
            {"keyframes": [{"time": 0, "box": [0.3, 0.4, 1.1, 0.6]}]},
            ".keyframes[0].box.x1 is 1.1: it is outside the frame",
        ),
        (
            {"keyframes": [{"time": 1.5, "box": [0.3, 0.4, 0.5, 0.6]}]},
            ".keyframes[0].time is 1.5: times are fractions of the clip, 0 its first frame",
        ),
        (
            {"keyframes": [[0.5, [0.3, 0.4, 0.5, 0.6]]] * 2},
            ".keyframes[1].time is 0.5: two keyframes have this time",
        ),
        (
            {"keyframes": [[0.5, [0, 0, 1, 1]], [0.2, [0, 0, 1, 1]]]},
            ".keyframes[1].time is 0.2: it is before",
        ),
    ],
)
def test_bad_geometry_is_named_by_its_place(path: dict[str, Any], expected: str) -> None:
    trajectory = {"kind": "trajectory", "form": "box", "phrase": "red ball", "path": path}
    document = {"prompt": PROMPT, "instructions": [trajectory]}
    for call in (
        lambda: Shot.model_validate(document),
        lambda: Shot.model_validate_json(json.dumps(document)),
    ):
        assert sentence(call).startswith("instructions[0].path" + expected)
    with pytest.raises(ShotError) as caught:
        BoxPath.model_validate(path)
    assert not any("at least" in other for other in caught.value.others)


def test_a_phrase_must_stand_in_the_prompt() -> None:
    said = sentence(lambda: shot().follow("red bal", [(0, LEFT)]))
    assert said.startswith('phrase is "red bal": these words are not in the prompt')
    assert '"red ball"' in said
    followed = shot().follow("red ball", [(0, LEFT)])
    assert sentence(lambda: followed.with_prompt("a cat")).startswith('instructions[0].phrase is "red ball"')
    assert followed.with_prompt("the RED ball rests").prompt == "the RED ball rests"
    with pytest.raises(ShotError) as caught:
        Shot(PROMPT, instructions=[BoxTrajectory(phrase="cat", path=BoxPath([(0, LEFT)]))])
    assert caught.value.field == "instructions[0].phrase"
    assert caught.value.value == "cat"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda: Shot("a", "b"),
            "shot: of values without a name it takes 1 (prompt), 2 given; name the others.",
        ),
        (lambda: Box(1), "box: y0: it is missing and must be given."),
        (lambda: Box(0.1, 0.1, 0.2, 0.2, x0=0.3), "box: x0: it is given twice, by position and by name."),
        (lambda: shot().follow("red ball", "left"), "path: it must be a path or a list of keyframes"),
        (
            lambda: shot().follow("red ball", [(0, LEFT)], radius=0.1),
            "radius: only a path of points has a radius",
        ),
        (
            lambda: shot().follow("red ball", BoxPath([(0, LEFT)]), radius=0.1),
            "radius: only a path of points",
        ),
        (lambda: BoxPath([3]), "box path: keyframes[0] is 3: a keyframe is (time, box)."),
        (lambda: BoxPath([(0, LEFT, "hold", 3)]), "box path: keyframes[0]: a keyframe is (time, box) or"),
        (lambda: BoxPath(3), "box path: keyframes is 3: it must be a list of keyframes, (time, box)."),
        (
            lambda: PointPath([(0, (0.1, 1.2))]),
            "point path: keyframes[0].point[1] is 1.2: it is outside the frame",
        ),
        (
            lambda: shot().drag((0.2, 0.2), (0.2, 0.2)),
            "drag move: target: handle and target are the same point",
        ),
        (lambda: shot().drag((0.2, 0.2), (1.2, 0.2)), "drag move: target[0] is 1.2: it is outside the frame"),
        (
            lambda: shot().drag((0.2, 0.2), (0.4, 0.2), start=0.5, end=0.5),
            "drag: end is 0.5: it must be after start",
        ),
        (
            lambda: shot().drag((0.2, 0.2), (0.4, 0.2), region=RIGHT),
            "drag: moves[0].handle is [0.2, 0.2]: it is outside the dragged region",
        ),
        (
            lambda: (
                shot().drag((0.2, 0.5), (0.4, 0.2), region=LEFT).drag((0.25, 0.5), (0.4, 0.2), region=LEFT)
            ),
            "instructions[1].region: instructions[0] already drags this region",
        ),
        (lambda: shot().paint([]), "content instruction: a content instruction needs a prompt or strokes."),
        (
            lambda: shot().paint(Stroke([(0.5, 0.5)], erase=True)),
            "content instruction: strokes: all strokes erase, so nothing is painted",
        ),
        (
            lambda: shot().motion(magnitude=3),
            "motion instruction: magnitude is 3: it must be small, moderate, large",
        ),
        (
            lambda: shot().motion(magnitude=float("nan")),
            "motion instruction: magnitude is nan: it must be small",
        ),
        (lambda: shot().without("traj"), 'kind is "traj": there is no such kind'),  # type: ignore[arg-type]
        (
            lambda: shot().target("red ball", Box(0.1, 0.1, 1.2, 0.2)),
            "mask: box.x1 is 1.2: it is outside the frame",
        ),
        (lambda: Mask(), "mask: a mask needs an image, a box, a polygon or strokes."),
    ],
)
def test_bad_calls_get_a_sentence(call: Any, expected: str) -> None:
    said = sentence(call)
    assert said.startswith(expected)
    assert "\n" not in said
    assert "pydantic" not in said


def test_all_faults_are_kept() -> None:
    with pytest.raises(ShotError) as caught:
        shot(steps=0, frames=0)
    assert caught.value.field == "frames"
    assert caught.value.others == ("steps is 0: it must be at least 1.",)


def test_others_can_explain_pydantic_errors() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Shot).validate_python({"prompt": PROMPT, "seed": -1})
    assert str(explain(caught.value)) == "seed is -1: it must be at least 0."


def test_errors_survive_a_process_boundary() -> None:
    with pytest.raises(ShotError) as caught:
        shot(seed=-1)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.field, copied.reason) == (
        "seed is -1: it must be at least 0.",
        "seed",
        "it must be at least 0",
    )


def test_old_versions_are_brought_up_step_by_step() -> None:
    steps = {
        1: lambda d: {**d, "prompt": d["prompt"] + "!"},
        2: lambda d: {"seed": 5, **d},
    }
    old = {"version": 1, "prompt": "a"}
    assert upgrade(old, current=3, upgrades=steps) == {"version": 3, "prompt": "a!", "seed": 5}
    assert old == {"version": 1, "prompt": "a"}
    assert upgrade({"prompt": "a"}, current=3, upgrades=steps) == {"prompt": "a"}


@settings(max_examples=60, deadline=None)
@given(shots())
def test_json_round_trip(made: Shot) -> None:
    text = made.to_json()
    again = Shot.model_validate_json(text)
    assert again == made
    assert again.to_json() == text
    assert again.digest() == made.digest()
    assert Shot.model_validate(json.loads(made.model_dump_json())) == made
    assert made.with_() == made


def test_the_published_schema_is_current(tmp_path: Path) -> None:
    text = SCHEMA.read_text()
    assert text == schema_text(), "run: python -m rehearse.shot.schema docs/shot.schema.json"
    assert write_schema([str(tmp_path / "s.json")]) == 0
    assert (tmp_path / "s.json").read_text() == text
    assert write_schema([str(tmp_path / "none" / "s.json")]) == 1
    assert write_schema(["a", "b"]) == 2


def test_the_schema_says_what_every_field_means() -> None:
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert schema["properties"]["seed"]["description"]
    assert schema["$defs"]["BoxPath"]["properties"]["leaves_frame"]["description"]
    assert schema["$defs"]["Box"]["type"] == "array"
