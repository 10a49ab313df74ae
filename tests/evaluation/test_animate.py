"""The image-to-video evaluation on engines whose obedience is known, and through the public API."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from oracle_theatre import Oracle, remember
from toy_models import save_tokenizer, save_toy_model, save_toy_motion_model

from rehearse.cli import run as run_command
from rehearse.evaluation.animate.arms import ALL, STANDARD, parse_arm
from rehearse.evaluation.animate.cases import SIZE, WISHES, animation_cases, grown, happens
from rehearse.evaluation.animate.engine import load_animator
from rehearse.evaluation.animate.gates import run_animate_gates
from rehearse.evaluation.animate.measure import AnimateTools, Made, closure, flicker, outside_change
from rehearse.evaluation.animate.report import write_animate_report
from rehearse.evaluation.animate.study import BASE, AnimateProtocol, run_animate
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.latency import (
    LatencyOptions,
    measure_latency,
    operations,
    write_latency_report,
)
from rehearse.evaluation.theatre.gates import GateOptions, run_gates
from rehearse.evaluation.theatre.report import write_gate_report
from rehearse.models import load_model
from rehearse.shot import Box, ContentInstruction, DragTrajectory
from rehearse.theatre.world import COLOURS, PUPPETS, Scene, render, render_frame
from rehearse.theatre.world.vocabulary import words

FRAMES = 8
VOCABULARY = {word: index for index, word in enumerate(words())}


def quiet(line):
    pass


class Embedding(Oracle):
    """An oracle that embeds: captions as bags of words, clips and frames as their scene's caption."""

    def _bag(self, text):
        bag = np.full(len(VOCABULARY) + 1, 0.01, np.float32)
        for word in text.replace(",", "").split():
            bag[VOCABULARY[word]] += 1
        return bag / np.linalg.norm(bag)

    def embed_captions(self, captions):
        return np.stack([self._bag(caption) for caption in captions])

    def _said(self, frame):
        scene = self._look(frame)[1]
        if scene is None:
            return "the"
        return " ".join(f"{a.colour} {a.kind} {a.motion}" for a in scene.actors) + f" {scene.backdrop}"

    def embed_frames(self, frames):
        return np.stack([self._bag(self._said(frame)) for frame in frames])

    def embed_clips(self, clips):
        return self.embed_frames(clips[:, 0])


def moving(actor, motion, end=None, factor=1.0):
    """The actor on a path of its motion, or straight to a place."""
    (_, x, y, scale, angle), *_ = actor.path
    ways = {"right": (1, 0), "left": (-1, 0), "up": (0, -1), "down": (0, 1)}
    verb, _, way = motion.partition(" ")
    times = np.linspace(0, 1, 21)
    if end is not None:
        path = [(t, x + (end[0] - x) * t, y + (end[1] - y) * t, scale, angle) for t in times]
    elif verb in ("moves", "arcs"):
        dx, dy = ways[way]
        path = [(t, x + 0.3 * factor * dx * t, y + 0.3 * factor * dy * t, scale, angle) for t in times]
    elif verb == "bounces":
        path = [(t, x, y - 0.2 * factor * abs(np.sin(2 * np.pi * t)), scale, angle) for t in times]
    else:
        to = 1.5 if verb == "grows" else 0.6
        path = [(t, x, y, scale * (1 + (to - 1) * t), angle) for t in times]
    return replace(actor, path=tuple(tuple(float(v) for v in key) for key in path), motion=motion)


CASES = {case.seed: case for case in animation_cases(12)}


def obedient(request):
    """Renders what it is asked for: edits are made, drags arrive, loops come back, forks half obey."""
    shot, case = request.shot, CASES[request.shot.seed]
    edits = [one for one in shot.instructions if isinstance(one, ContentInstruction)]
    drags = [one for one in shot.instructions if isinstance(one, DragTrajectory)]
    (motion,) = [one for one in shot.instructions if one.kind == "motion"]
    wish = "original"
    if edits:
        wish = "second" if case.second.kind in edits[0].prompt else "recolour"
    first, *others = case.actors(wish)
    sizes = {"small": 0.5, "moderate": 1.0, "large": 1.4, None: 1.0}
    box, (x, y, *_) = case.box, first.path[0][1:]
    end = None
    if drags:
        (move,) = drags[0].moves
        end = (move.target[0] + x - move.handle[0], move.target[1] + y - move.handle[1])
    actor = moving(first, case.motion, end, sizes[motion.magnitude])
    if motion.loop:
        there = list(actor.path)
        keys = [*there[::2], *there[-2::-2]]
        times = np.linspace(0, 1, len(keys))
        path = tuple((float(t), *key[1:]) for t, key in zip(times, keys, strict=True))
        actor = replace(actor, path=path)
    assert box.x0 < x < box.x1
    scene = Scene(case.backdrop, (actor, *others), case.backdrop_seed)
    clip = render(scene, FRAMES, SIZE)
    before, after = case.picture(), case.picture(wish)
    return Made(remember(clip.frames, clip.masks, scene), before, after)


def frozen(request):
    case = CASES[request.shot.seed]
    still = render_frame(case.scene(), 0.0, SIZE)
    frames = np.repeat(still.frame[None], FRAMES, 0)
    return Made(remember(frames, np.repeat(still.masks[None], FRAMES, 0), case.scene()))


def run(folder, animator, arms=STANDARD, cases=6):
    for case in animation_cases(cases):
        for wish in WISHES:
            still = render_frame(case.scene(wish), 0.0, SIZE)
            remember(still.frame[None], still.masks[None], case.scene(wish))
    protocol = AnimateProtocol(cases=cases, arms=arms, replicates=50)
    judge = Embedding()
    return run_animate(protocol, folder, lambda: AnimateTools(animator, judge), judge, say=quiet)


def test_cases_are_balanced_and_leave_room():
    cases = animation_cases(105)
    assert [case.index for case in cases] == list(range(105))
    assert len({case.seed for case in cases}) == 105
    stills = cases[::3]
    assert {case.actor.kind for case in stills} == set(PUPPETS)
    assert {case.actor.colour for case in stills} == set(COLOURS)
    for case in cases:
        assert case.actor == replace(cases[case.still * 3].actor, motion=case.motion)
        assert len({one.motion for one in cases[case.still * 3 : case.still * 3 + 3]}) == 3
        gone = np.hypot(case.target[0] - case.centre[0], case.target[1] - case.centre[1])
        assert gone > 0.15
        assert case.recolour != case.actor.colour and case.second.kind != case.actor.kind
        a, b = case.box, case.second_box
        assert min(a.x1, b.x1) < max(a.x0, b.x0) or min(a.y1, b.y1) < max(a.y0, b.y0)


def test_an_obedient_model_reaches_every_aim(tmp_path):
    found, store = run(tmp_path / "work", obedient)
    all_arm = parse_arm(ALL)
    assert found.value(BASE, "happens").value == 1 and found.value(BASE, "kept").value == 1
    assert found.value(all_arm, "within").value == 1
    assert found.value(all_arm, "place").value < 0.03
    assert found.difference(parse_arm("content"), "image").above_zero
    assert found.difference(parse_arm("content"), "text").above_zero
    # The words alone change nothing here, so they gain nothing.
    assert found.difference(parse_arm("words"), "image").value == pytest.approx(0)
    sizes = [parse_arm("magnitude:small"), BASE, parse_arm("magnitude:large")]
    speeds = [found.value(arm, "speed").value for arm in sizes]
    assert speeds == sorted(speeds) and speeds[0] > 0
    assert found.value(parse_arm("loop"), "closes").value == 1
    assert found.value(BASE, "closing").value > 2
    # A rendered picture changes its colours under the puppet and its shadow only: within the region.
    assert found.value(parse_arm("content"), "outside").value == 0
    held = {aim.text: aim.holds for aim in found.aims}
    assert len(held) >= 5 and all(held[text] for text in held if "motion" not in text), found.aims

    files = write_animate_report(found, store, tmp_path / "out", "rehearse evaluate animate", {})
    assert all(file.stat().st_size > 0 for file in files)
    numbers = json.loads((tmp_path / "out" / "animate.json").read_text())
    assert {entry["arm"] for entry in numbers["arms"]} == {arm.name for arm in found.columns}
    page = (tmp_path / "out" / "animate.md").read_text()
    for heading in ("## Trajectory", "## Regional edits", "## Equation 4", "Published, for orientation only"):
        assert heading in page


def test_a_frozen_model_is_seen_through(tmp_path):
    found, store = run(tmp_path / "work", frozen, ("content", "drag", "loop"))
    assert found.value(BASE, "image").value == pytest.approx(100, abs=30)
    assert found.value(BASE, "speed").value == 0 and found.value(BASE, "happens").value == 0
    assert found.value(parse_arm("drag"), "within").value == 0
    assert np.isnan(found.value(parse_arm("content"), "outside").value)
    assert found.difference(parse_arm("content"), "image").value == pytest.approx(0)
    assert not any(aim.holds for aim in found.aims if "alignment" in aim.text or "dragged" in aim.text)
    write_animate_report(found, store, tmp_path / "out", "command", {})
    assert "**MISSED**" in (tmp_path / "out" / "animate.md").read_text()


def test_stopped_and_continued_is_the_same(tmp_path):
    whole, _ = run(tmp_path / "a", obedient, ("drag",), cases=3)
    left = [4]

    def dying(request):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return obedient(request)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", dying, ("drag",), cases=3)
    made = []
    resumed, _ = run(tmp_path / "b", lambda request: made.append(1) or obedient(request), ("drag",), cases=3)
    assert len(made) == 2
    assert resumed.keys == whole.keys
    for arm, own in whole.columns.items():
        for key, values in own.items():
            np.testing.assert_array_equal(values, resumed.columns[arm][key])


def gates(folder, animator, count=6):
    judge = Embedding()
    store = Store(folder)
    found, judged = run_animate_gates(count, store, lambda: AnimateTools(animator, judge), "toy", say=quiet)
    return {gate.name.removeprefix("animations: "): gate for gate in found}, judged


def test_gates_pass_an_obedient_model_and_fail_a_frozen_one(tmp_path):
    found, judged = gates(tmp_path / "a", obedient)
    assert all(gate.passes for gate in found.values()), found
    assert all(one.kept and one.moved and one.closes for one in judged)
    still, _ = gates(tmp_path / "b", frozen)
    assert still["first frame keeps the picture"].passes
    assert not still["motion as prompted"].passes
    assert not still["motion rises with its magnitude"].passes


def test_gates_stand_in_the_theatres_report(tmp_path):
    judge = Embedding()
    options = GateOptions(images=0, videos=0, renders=0, animations=3)
    findings, store = run_gates(
        options, tmp_path / "work", pytest.fail, judge, lambda model: (model,), say=quiet,
        make_animate_tools=lambda model: lambda: AnimateTools(obedient, judge),
    )  # fmt: skip
    files = write_gate_report(findings, store, tmp_path / "out", "command", {})
    assert [file.name for file in files] == ["theatre.md", "theatre.json", "theatre-animations.jpg"]
    assert "animations: loops close" in files[0].read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("contents", "'contents' is unknown"),
        ("magnitude", "takes small or moderate or large"),
        ("content+blend:2", "a number from 0 to 1"),
        ("blend:0.5", "needs something that changes"),
        ("drag+blend:0.5+fork:0.5", "leave fork out"),
        ("words+content", "leave it or content out"),
        ("drag+drag", "stands twice"),
    ],
)
def test_bad_arms_are_named(text, says):
    with pytest.raises(EvaluationError, match=says):
        parse_arm(text)


def test_arms_read_back_as_they_are_written():
    for text in STANDARD:
        assert parse_arm(text).name == text
    assert parse_arm("drag+content:recolour") == parse_arm("content+drag")


def test_every_arm_is_a_shot_and_no_two_are_the_same():
    case = animation_cases(2)[1]
    asked = {}
    for text in STANDARD:
        request = parse_arm(text).request(case, "theatre-animate")
        asked[text] = (request.shot.digest(), request.parent and request.parent.digest())
    assert len(set(asked.values())) == len(STANDARD)
    content = parse_arm("content").request(case, "theatre-animate").shot
    assert content.instructions[-1].prompt == case.edit_prompt("recolour")
    assert case.recolour in content.prompt


def test_what_happens_is_told_from_tracks():
    def track(xs, ys, sides):
        middles, halves = np.stack([xs, ys], 1), np.stack([sides, sides], 1) / 2
        return np.concatenate([middles - halves, middles + halves], axis=1)

    line, flat, side = np.linspace(0.3, 0.6, 12), np.full(12, 0.5), np.full(12, 0.3)
    assert happens(track(line, flat, side), "moves right") and not happens(
        track(line, flat, side), "moves up"
    )
    bounce = 0.6 - 0.2 * np.abs(np.sin(np.linspace(0, 2 * np.pi, 12)))
    assert happens(track(flat, bounce, side), "bounces")
    assert not happens(track(flat, line, side), "bounces") and not happens(track(flat, flat, side), "bounces")
    growing = np.linspace(0.2, 0.4, 12)
    assert happens(track(flat, flat, growing), "grows") and happens(
        track(flat, flat, growing[::-1]), "shrinks"
    )
    assert not happens(track(flat, flat, side), "grows")
    lost = np.full((12, 4), np.nan)
    assert not any(happens(lost, motion) for motion in ("moves right", "bounces", "grows"))
    with pytest.raises(EvaluationError, match="no test"):
        happens(track(line, flat, side), "turns")


def test_flicker_sees_grain_but_neither_drift_nor_puppets():
    steady = np.tile(np.arange(0, 60, 10, dtype=np.uint8)[:, None, None, None], (1, 8, 8, 3))
    nobody = np.zeros(steady.shape[:3], bool)
    assert flicker(steady, nobody) == pytest.approx(0, abs=1e-6)
    blinking = steady.copy()
    blinking[::2] += 51
    assert flicker(blinking, nobody) == pytest.approx(0.2)
    assert flicker(blinking, ~nobody) == 0
    assert flicker(steady[:2], nobody[:2]) == 0


def test_closure_of_a_way_there_and_back():
    levels = np.array([0, 50, 100, 50, 0], np.uint8)
    frames = np.tile(levels[:, None, None, None], (1, 4, 4, 3))
    found = closure(frames)
    assert found["closing"] == 0 and found["step"] == pytest.approx(50 / 255)
    assert closure(frames[:3])["closing"] == pytest.approx(100 / 255)


def test_changes_outside_a_region_are_found():
    before = np.zeros((20, 20, 3), np.uint8)
    after = before.copy()
    after[5:10, 5:10] = 200
    assert outside_change(before, after, Box(0.25, 0.25, 0.5, 0.5)) == (0, 0.0)
    after[0, 0, 1] = 3
    largest, share = outside_change(before, after, Box(0.25, 0.25, 0.5, 0.5))
    assert largest == 3 and share == pytest.approx(1 / (400 - 25))
    assert grown(Box(0.01, 0.2, 0.5, 0.99)) == Box(0, 0.16, 0.54, 1)


def test_a_puppet_that_is_never_found_counts_against(tmp_path):
    found, _ = run(tmp_path, lambda request: Made(np.zeros((FRAMES, SIZE, SIZE, 3), np.uint8)), ("drag",), 3)
    drag = parse_arm("drag")
    assert found.value(drag, "within").value == 0 and np.isnan(found.value(drag, "place").value)
    assert found.value(BASE, "right").value == 0 and found.value(BASE, "kept").value == 0


@pytest.fixture(scope="module")
def toy_animate(tmp_path_factory):
    """A toy image-to-video model with random weights that reads the theatre's words."""
    root = tmp_path_factory.mktemp("animate")
    base = save_toy_model(root / "image", kind="image", settings={"defaults": {"frames": 1}})
    folder = save_toy_motion_model(root / "pia", base)
    for model in (base, folder):
        if (model / "tokenizer").exists():
            save_tokenizer(model / "tokenizer", [*words(), ","])
    return str(folder)


def test_arms_run_on_a_model_through_the_public_api(toy_animate, tmp_path):
    arms = (
        "words",
        "content",
        "magnitude:large",
        "drag",
        "path",
        "content+blend:0.5",
        "content+fork:0.5",
        ALL,
    )
    animator, judge = load_animator(toy_animate), Embedding()
    protocol = AnimateProtocol(model=toy_animate, cases=1, arms=arms, steps=2, replicates=10)
    found, store = run_animate(protocol, tmp_path, lambda: AnimateTools(animator, judge), judge, say=quiet)
    assert len(store.journal) == len(arms) + 1
    # Random weights draw noise, and still nothing outside of an edit's region changes.
    for arm in found.columns:
        if arm.edited:
            assert found.columns[arm]["outside"][0] == 0
    pictures = {store.picture(keys[0]).read_bytes() for keys in found.keys.values()}
    assert len(pictures) == len(found.keys)


def test_latency_is_measured_and_reported(toy_animate, tmp_path):
    options = LatencyOptions(toy_animate, repeats=2, steps=2)
    model = load_model(toy_animate)
    timings = measure_latency(options, model, quiet)
    assert [timing.name for timing in timings] == list(operations(options, model))
    assert {timing.name: timing.missing for timing in timings if timing.missing} == {}
    for timing in timings:
        assert len(timing.seconds) >= 2 and all(second > 0 for second in timing.seconds)
        assert timing.median.low <= timing.median.value <= timing.median.high
    write_latency_report(timings, options, model, tmp_path, "rehearse evaluate latency")
    numbers = json.loads((tmp_path / "latency.json").read_text())
    assert numbers["operations"][0]["published"] == 0.01934 and numbers["device"]
    assert "not timed" not in (tmp_path / "latency.md").read_text()


def test_what_a_model_cannot_do_is_said_in_the_latency_report(video_folder, tmp_path):
    options = LatencyOptions(str(video_folder), repeats=1, steps=2)
    model = load_model(str(video_folder))
    timings = measure_latency(options, model, quiet)
    by_name = {timing.name: timing for timing in timings}
    assert "starts from no picture" in by_name["content"].missing
    assert by_name["drag warp"].seconds
    write_latency_report(timings, options, model, tmp_path, "command")
    assert "Not timed:" in (tmp_path / "latency.md").read_text()


@pytest.mark.parametrize(("command", "says"), [("animate", "content+blend"), ("latency", "drag warp")])
def test_help_teaches(command, says, capsys):
    assert run_command(["evaluate", command, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert says in out and "docs/results" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["animate", "--arms", "content,paint"], "'paint' is unknown"),
        (["animate", "--model", "no-such-model"], "no-such-model"),
        (["latency", "--model", "no-such-model"], "no-such-model"),
        (["theatre", "--animations", "4", "--animate-model", "no-such-model"], "no-such-model"),
    ],
)
def test_bad_input_is_one_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if arguments[0] == "theatre":
        arguments = [*arguments, "--images", "0", "--videos", "0"]
    assert run_command(["evaluate", *arguments]) in (1, 2)
    told = capsys.readouterr().err
    assert says in told and "Traceback" not in told and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
