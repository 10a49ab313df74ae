"""The space of frames, clips and captions: what it reads, how it is trained, and what it refuses."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rehearse.theatre.judge import Judge, JudgeNetwork
from rehearse.theatre.judge_space import (
    FILE,
    MOST_WORDS,
    SLOTS,
    TIMES,
    Sights,
    SpaceError,
    SpaceNetwork,
    fingerprint,
    looked_at,
    see,
    word_ids,
)
from rehearse.theatre.world import COLOURS, PUPPETS, Actor, Scene, render
from rehearse.training.fit import Options
from rehearse.training.theatre_judge import export as export_judge
from rehearse.training.theatre_judge_space import (
    MIRRORED,
    REVERSED,
    SPACE,
    Plot,
    _mirrored,
    _recast,
    _reversed,
    judge_folder,
    make_sights,
    retrieval,
    run,
    scene_of,
    train,
)

MOVING = ((0.0, 0.2, 0.4, 1.0, 0.0), (1.0, 0.8, 0.6, 1.0, 0.0))


def told(clip, scene):
    """What a perfect judge would answer for the frames of a clip."""
    masks = torch.from_numpy(clip.masks.astype(np.int64))[:, 1::2, 1::2]
    kinds = torch.zeros(len(masks), len(PUPPETS) + 1, *masks.shape[1:])
    colours = torch.zeros(len(masks), len(COLOURS), *masks.shape[1:])
    kinds[:, 0] = 5
    for index, actor in enumerate(scene.actors):
        own = (masks == index + 1).float()
        kinds[:, PUPPETS.index(actor.kind) + 1] += 20 * own
        colours[:, COLOURS.index(actor.colour)] += 20 * own
    return kinds, colours, torch.zeros(len(masks), 7), torch.randn(len(masks), 224)


def sights_of(*actors):
    scene = Scene("meadow", tuple(actors))
    return see(told(render(scene, TIMES), scene), TIMES)


def test_sights_say_who_is_where():
    sights = sights_of(
        Actor("car", "red", MOVING, size=0.4), Actor("star", "blue", ((0.0, 0.8, 0.15, 1.0, 0.0),), size=0.25)
    )
    assert sights.kinds.shape == (1, SLOTS)
    first, second = sights.kinds[0, 0], sights.kinds[0, 1]
    assert (PUPPETS[first], PUPPETS[second]) == ("car", "star")
    assert [COLOURS[colour] for colour in sights.colours[0, :2]] == ["red", "blue"]
    seen, size, x, y = sights.tracks[0, :, 0, :4].T
    assert bool((seen == 1).all()) and float(size.min()) > 0.1
    assert x[[0, -1]].tolist() == pytest.approx([-0.6, 0.6], abs=0.08)
    assert y[[0, -1]].tolist() == pytest.approx([-0.2, 0.2], abs=0.08)
    # Nobody else is there.
    assert not sights.tracks[0, :, 2:].any()


def test_shapes_are_told_apart_and_their_turns():
    turned = tuple((t, 0.5, 0.5, 1.0, t * 1.5) for t in (0.0, 1.0))
    tracks = sights_of(Actor("rocket", "red", turned, size=0.5)).tracks[0, :, 0]
    upright, lying = tracks[0, 4:7], tracks[-1, 4:7]
    assert upright[2] > 1.5 * upright[0] and lying[0] > 1.5 * lying[2]


@pytest.mark.parametrize("flip", [True, False])
def test_mirrored_sights_are_those_of_the_mirrored_clip(flip):
    actor = Actor("cat", "green", MOVING, size=0.4, flip=flip)
    mirrored = replace(actor, path=tuple((t, 1 - x, y, s, -a) for t, x, y, s, a in MOVING), flip=not flip)
    here, there = _mirrored(sights_of(actor)).tracks[0, :, 0], sights_of(mirrored).tracks[0, :, 0]
    torch.testing.assert_close(here, there, atol=0.12, rtol=0)
    assert float((sights_of(actor).tracks[0, :, 0] - there).abs().max()) > 0.5


def test_another_cast_is_another_cast_in_both():
    sights = sights_of(Actor("car", "red", MOVING), Actor("star", "blue", ((0.0, 0.8, 0.15, 1.0, 0.0),)))
    plot = Plot((("car", "red", "moves right"), ("star", "blue", "stands still")), "meadow")
    recast, (said,) = _recast(sights, [plot], np.random.default_rng(1), share=1.0)
    assert said != plot and [actor[2] for actor in said.actors] == ["moves right", "stands still"]
    seen = [(PUPPETS[k], COLOURS[c]) for k, c in zip(recast.kinds[0, :2], recast.colours[0, :2], strict=True)]
    assert sorted(seen) == sorted(actor[:2] for actor in said.actors)
    assert torch.equal(recast.tracks, sights.tracks) and not recast.features.any()
    assert _recast(sights, [plot], np.random.default_rng(1), share=0.0)[1] == [plot]


def test_reversed_sights_run_backward():
    sights = sights_of(Actor("ball", "red", MOVING))
    assert torch.equal(_reversed(sights).tracks, sights.tracks.flip(1))
    assert REVERSED["moves up"] == "moves down" and REVERSED["shrinks"] == "grows"
    assert MIRRORED["arcs left"] == "arcs right" and "moves up" not in MIRRORED


def test_clips_of_any_length_are_looked_at_evenly():
    assert looked_at(TIMES) == list(range(TIMES))
    assert looked_at(16)[0] == 0 and looked_at(16)[-1] == 15 and len(set(looked_at(16))) == TIMES
    assert looked_at(1) == [0] * TIMES and len(looked_at(3)) == TIMES


def test_captions_keep_their_order_and_name_what_they_do_not_know():
    ids = word_ids(["a red ball moves left in the snow", "a blue car, a star"])
    assert ids.shape == (2, 8) and ids[1, -1] == 0 and bool((ids[0] > 0).all())
    assert not torch.equal(*word_ids(["red ball", "ball red"]))
    with pytest.raises(SpaceError, match="'dragon'"):
        word_ids(["a red dragon"])
    with pytest.raises(SpaceError, match="too many"):
        word_ids([" ".join(["a"] * (MOST_WORDS + 1))])


def test_spoilt_plots_mean_something_else():
    rng = np.random.default_rng(0)
    for index in range(40):
        plot = Plot.of(scene_of(3, index))
        for still in (True, False):
            wrong = plot.spoilt(rng, still)
            assert wrong.key(still) != plot.key(still) and wrong.said(still) != plot.said(still)
            word_ids([wrong.said(still)])
        order = rng.permutation(len(plot.actors))
        assert sorted(plot.said(False, order).replace(",", "").split()) == sorted(
            plot.said(False).replace(",", "").split()
        )


def perfect(count, first=0):
    """Sights of a judge that knows the truth, and their plots."""
    rows, plots = [], []
    torch.manual_seed(first)
    for index in range(first, first + count):
        scene = scene_of(4, index)
        rows.append(see(told(render(scene, TIMES, 64), scene), TIMES))
        plots.append(Plot.of(scene))
    return Sights(
        **{name: torch.cat([row.__dict__[name] for row in rows]) for name in rows[0].__dict__}
    ), plots


def test_towers_learn_and_a_stopped_run_goes_on(tmp_path):
    sights, plots = perfect(96)
    recipe = replace(SPACE, batch=32, warmup=5, average=0.9)

    def figures(steps, folder):
        options = Options(folder, steps=steps, log_every=1000, save_every=20, sheet_seconds=0, device="cpu")
        fit, network = train(options, sights, plots, recipe)
        with fit.averaged():
            return retrieval(network, sights, plots)

    before = retrieval(SpaceNetwork(), sights, plots)
    after = figures(60, tmp_path / "run")
    assert after["clips_right"] > before["clips_right"] + 0.1
    assert after["frames_right"] > before["frames_right"] + 0.1
    assert after["alignment_right"] > after["alignment_wrong"] + 20
    # The whole run is there: nothing is trained again.
    assert figures(60, tmp_path / "run") == after


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A folder with a judge of random weights and the towers of a run of two steps."""
    weights = tmp_path_factory.mktemp("weights")
    folder = weights / "theatre-judge"
    folder.mkdir()
    torch.manual_seed(0)
    export_judge(JudgeNetwork(), folder)
    (folder / "README.md").write_text("# theatre-judge\n\nAs it was.\n")
    runs = tmp_path_factory.mktemp("runs")
    options = Options(runs / SPACE.name, steps=2, log_every=10, device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rehearse.training.theatre_judge_space.CHUNK", 6)
        run(runs, options, replace(SPACE, samples=12, batch=4), weights)
    return folder


def test_the_run_writes_towers_and_says_so_in_the_card(judged):
    assert (judged / FILE).stat().st_size < 1_000_000
    card = (judged / "README.md").read_text()
    assert card.startswith("# theatre-judge\n\nAs it was.") and card.count("## One space") == 1
    assert fingerprint(judged)[:12] in card and "held-out clips" in card


def test_the_judge_embeds_what_it_is_given(judged):
    judge = Judge.load(judged)
    clips = np.random.default_rng(0).integers(0, 255, (2, 5, 64, 64, 3)).astype(np.uint8)
    for embedded, count in (
        (judge.embed_clips(clips), 2),
        (judge.embed_frames(clips[0]), 5),
        (judge.embed_captions(["a red ball in the snow"]), 1),
    ):
        assert embedded.shape == (count, 64) and embedded.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(judge.embed_clips(clips[1:])[0], judge.embed_clips(clips)[1], atol=1e-5)


def test_towers_of_another_judge_are_refused(judged, tmp_path):
    other = tmp_path / "theatre-judge"
    shutil.copytree(judged, other)
    state = load_file(str(other / "model.safetensors"))
    state["kind.bias"] += 1
    save_file(state, str(other / "model.safetensors"))
    with pytest.raises(SpaceError, match=r"another judge .* train it again with `rehearse"):
        Judge.load(other).embed_captions(["a red ball"])
    (other / FILE).write_bytes(b"nothing")
    with pytest.raises(SpaceError, match="cannot be read"):
        Judge.load(other).embed_captions(["a red ball"])
    (other / FILE).unlink()
    with pytest.raises(SpaceError, match=r"has no space\.safetensors"):
        Judge.load(other).embed_captions(["a red ball"])
    with pytest.raises(SpaceError, match="not loaded from a folder"):
        Judge(JudgeNetwork()).embed_captions(["a red ball"])


def test_sights_are_made_once(judged, tmp_path, monkeypatch):
    judge = Judge.load(judged)
    monkeypatch.setattr("rehearse.training.theatre_judge_space.CHUNK", 2)
    first, plots = make_sights(judge, tmp_path, 3, seed=1)
    monkeypatch.setattr(judge, "_run", pytest.fail)
    again, _ = make_sights(judge, tmp_path, 3, seed=1)
    assert torch.equal(first.tracks, again.tracks) and len(first) == len(plots) == 3


def test_the_judge_to_build_on_is_the_one_beside_the_towers(judged, tmp_path):
    assert judge_folder(tmp_path, judged.parent) == judged
    with pytest.raises(SpaceError, match="make it first with `rehearse train theatre-judge --export"):
        judge_folder(tmp_path, tmp_path / "nowhere")


def test_the_shipped_towers_tell_left_from_right():
    judge = Judge.load()
    clips, captions = [], []
    for motion, (a, b) in {"moves right": (0.2, 0.8), "moves left": (0.8, 0.2)}.items():
        path = ((0.0, a, 0.5, 1.0, 0.0), (1.0, b, 0.5, 1.0, 0.0))
        scene = Scene("meadow", (Actor("ball", "red", path, motion, size=0.4),), 5)
        clip = render(scene)
        clips.append(clip.frames)
        captions.append(clip.caption)
    cosines = judge.embed_clips(np.stack(clips)) @ judge.embed_captions(captions).T
    assert cosines[0, 0] > cosines[0, 1] and cosines[1, 1] > cosines[1, 0]
