"""Forks whose parent's instructions are the original side of equation 4."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import rehearse as rh
from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.resolve.branching import mixes_with_parent
from rehearse.sampling.checkpoint import load_checkpoint
from rehearse.sampling.state import State
from rehearse.shot import Mask
from rehearse.shot.methods import BlendSettings

PATH = [(0, rh.Box(0.1, 0.3, 0.4, 0.7)), (1, rh.Box(0.6, 0.3, 0.9, 0.7))]
ARC = [(0, rh.Box(0.1, 0.6, 0.4, 1.0)), (0.5, rh.Box(0.3, 0.0, 0.6, 0.4)), (1, rh.Box(0.6, 0.6, 0.9, 1.0))]
STEPS = 5


@pytest.fixture
def shot(video_folder: Path) -> rh.Shot:
    shot = rh.Shot("a red ball over the meadow", model=str(video_folder), seed=2, steps=STEPS, frames=3)
    shot = shot.with_(width=48, height=40, scheduler="dpm++").follow("red ball", PATH)
    return shot.with_control(frozen_steps=STEPS)


def edit(shot: rh.Shot, prompt: str = "a red ball over the snow", **blend: object) -> rh.Shot:
    changed = shot.with_prompt(prompt).follow("red ball", ARC)
    return changed.with_control(blend=BlendSettings(**blend)) if blend else changed.with_control(blend=None)  # type: ignore[arg-type]


def latents(take: rh.Take) -> torch.Tensor:
    state = take.finish().state
    assert state is not None
    return state.latents


def states(take: rh.Take) -> list[State]:
    return [state for _, state in sorted(take._kept.items())]


def test_the_weight_leads_from_the_edit_to_the_parent(shot: rh.Shot, video_model: VideoModel) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    original, plain = latents(parent), latents(parent.fork(2, edit(shot)))
    for at in range(STEPS):
        assert torch.equal(latents(parent.fork(at, edit(shot, weight=1.0))), original)
    assert torch.equal(latents(parent.fork(2, edit(shot, weight=0.0))), plain)
    distances = [
        float((latents(parent.fork(2, edit(shot, weight=w))) - original).square().mean())
        for w in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert distances == sorted(distances, reverse=True) and distances[-1] == 0 < distances[-2]


def test_guidance_belongs_to_its_side(shot: rh.Shot, video_model: VideoModel) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    changed = edit(shot, weight=1.0).with_(guidance=7.0)
    assert torch.equal(latents(parent.fork(1, changed)), latents(parent))


@pytest.mark.parametrize("at", range(STEPS))
@pytest.mark.parametrize("blend", [{}, {"weight": 0.5}, {"weight": 0.5, "original": "kept"}])
def test_before_the_branch_it_is_its_parent_exactly(
    shot: rh.Shot, video_model: VideoModel, at: int, blend: dict[str, object]
) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    before = [(state.latents.clone(), state.generator.clone()) for state in states(parent)]
    branch = parent.fork(at, edit(shot, **blend)).finish()
    # At 0 a plain fork takes nothing over: it is a run of its own.
    shared = states(branch)[: at + 1] if at or blend else []
    assert len(shared) == (at + 1 if at or blend else 0)
    for mine, its in zip(shared, states(parent), strict=False):
        assert torch.equal(mine.latents, its.latents) and torch.equal(mine.generator, its.generator)
        assert mine.scheduler.to_json() == its.scheduler.to_json()
    for (old, generator), state in zip(before, states(parent), strict=True):
        assert torch.equal(old, state.latents) and torch.equal(generator, state.generator), "parent harmed"
    assert not torch.equal(latents(branch), latents(parent))


def test_the_original_can_be_what_the_parent_predicted(
    shot: rh.Shot, video_model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = shot.with_control(temporal_prior="x0")
    parent = rh.Take.start(shot, video_model).finish()
    kept = parent.fork(2, edit(shot, weight=1.0, original="kept"))
    assert torch.allclose(latents(kept), latents(parent), rtol=1e-3, atol=1e-3)
    calls = []
    whole = video_model.denoise
    monkeypatch.setattr(video_model, "denoise", lambda *a, **k: calls.append(1) or whole(*a, **k))
    mixed = parent.fork(2, edit(shot, weight=0.5, original="kept"))
    first = next(mixed.play()).state
    computed = next(parent.fork(2, edit(shot, weight=0.5)).play()).state
    assert len(calls) == 1 + 2
    # At the branch both have the parent's own latents, so the kept prediction is the computed one.
    assert torch.allclose(first.latents, computed.latents, rtol=1e-4, atol=1e-4)


def test_kept_predictions_need_a_parent_that_made_and_kept_them(
    shot: rh.Shot, video_model: VideoModel
) -> None:
    changed = edit(shot, weight=0.5, original="kept")
    running = rh.Take.start(shot, video_model)
    list(running.play(until=3))
    with pytest.raises(rh.TakeError, match=r"stands at step 3 of 5: finish it first, or set .* 'computed'"):
        running.fork(2, changed)
    assert running.fork(2, edit(shot, weight=0.5)).finish().finished, "a computed original needs nothing"
    sparse = rh.Take.start(shot, video_model, keep=2).finish()
    with pytest.raises(rh.TakeError, match=r"every step from 2 on.*not kept the states of steps 3: run it"):
        sparse.fork(2, changed)
    assert sparse.fork(4, changed).finish().finished
    sparse.finish()


def test_a_nested_fork_mixes_with_the_mix(shot: rh.Shot, video_model: VideoModel) -> None:
    first = rh.Take.start(shot, video_model).finish()
    second = first.fork(1, edit(shot, weight=0.5)).finish()
    third = edit(second.shot, "a blue ball, red ball over the snow", weight=1.0)
    assert torch.equal(latents(second.fork(3, third)), latents(second))
    half = second.fork(3, edit(second.shot, "a blue ball, red ball over the snow", weight=0.5))
    assert half.original is not None and len(half.original.lineage()) == 2
    plain = second.fork(3, edit(second.shot, "a blue ball, red ball over the snow"))
    assert plain.original is None
    apart = [(latents(half) - latents(take)).abs().max() for take in (second, plain)]
    assert min(apart) > 1e-4


def test_a_fork_of_a_blend_without_a_change_goes_on_as_it_did(shot: rh.Shot, video_model: VideoModel) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    blended = parent.fork(1, edit(shot, weight=0.5)).finish()
    same = rh.Shot.model_validate_json(blended.shot.to_json())
    assert blended.fork(3).original is blended.original is not None
    assert torch.equal(latents(blended.fork(3)), latents(blended))
    assert torch.equal(latents(blended.fork(3, same)), latents(blended))
    start = parent.fork(0, blended.shot)
    assert torch.equal(latents(start.fork(0)), latents(start))
    assert torch.equal(latents(start.fork(0, edit(shot))), latents(rh.Take.start(edit(shot), video_model)))
    stray = rh.Take.restore(
        start.shot, video_model, id="x", state=start.state, original=start.original, keep=0
    )
    with pytest.raises(rh.TakeError, match="not kept the noise it began with"):
        stray.fork(0)


def test_a_region_keeps_the_rest(shot: rh.Shot, video_model: VideoModel) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    region = Mask(box=rh.Box(0.0, 0.0, 0.5, 1.0))
    branch = parent.fork(4, edit(shot, region=region, feather=0.0))
    apart = (latents(branch) - latents(parent)).abs().amax(dim=(0, 1, 2, 3))
    assert apart[:3].min() > 1e-4 and apart[3:].max() < 1e-6


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"seed": 9}, "seed"), ({"frames": 2}, "frames"), ({"width": 64}, "width"), ({"steps": 6}, "steps"),
     ({"scheduler": "unipc"}, "scheduler"), ({"model": "theatre-video"}, "model")],
)  # fmt: skip
@pytest.mark.parametrize("at", [0, 2])
def test_a_blend_keeps_what_both_sides_must_share(
    shot: rh.Shot, video_model: VideoModel, at: int, fields: dict[str, object], name: str
) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    frames = parent.clip.frames.copy()
    with pytest.raises(rh.TakeError, match=f"keeps the {name} of its take") as told:
        parent.fork(at, edit(shot, weight=0.5).with_(**fields))
    assert "\n" not in str(told.value)
    assert parent.finished and np.array_equal(parent.look(), frames)


@pytest.mark.parametrize(
    ("at", "sentence"),
    [(-1, "the take has 5 steps; give one from 0 to 3"), (6, "the take has 5 steps; give one from 0 to 3"),
     (4, "keeps the states of steps 0, 1, 2, 3, and stands at step 3; play it further first")],
)  # fmt: skip
def test_a_step_it_cannot_fork_at(shot: rh.Shot, video_model: VideoModel, at: int, sentence: str) -> None:
    take = rh.Take.start(shot, video_model)
    list(take.play(until=3))
    with pytest.raises(rh.TakeError, match=f"cannot fork at step {at}: .*{sentence}"):
        take.fork(at, edit(shot))
    assert take.step == 3


@pytest.mark.parametrize("blend", [{"weight": 0.5}, {"weight": 0.5, "original": "kept"}])
@pytest.mark.parametrize("nested", [False, True])
def test_a_blended_take_resumes_bit_for_bit_in_another_process(
    shot: rh.Shot, video_folder: Path, tmp_path: Path, blend: dict[str, object], nested: bool
) -> None:
    parent = rh.Take.start(shot).finish()
    take = parent.fork(1, edit(shot, **blend))
    if nested:
        take = take.finish().fork(2, edit(take.shot, "a red ball, a car over the snow", weight=0.25))
    list(take.play(until=3))
    file, end = take.save(tmp_path / "a.take"), tmp_path / "a.end"
    saved = load_checkpoint(file).original
    assert saved is not None
    for one in saved.lineage():
        assert one.kept is None or set(one.kept) == {3, 4}, "only what the remaining steps need"
    worker = Path(__file__).parent.parent / "sampling" / "resume_worker.py"
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    subprocess.run([sys.executable, str(worker), str(file), str(end)], env=environment, check=True)
    assert torch.equal(load_file(end)["latents"], latents(take))


def test_a_file_from_before_blends_still_loads(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    take = rh.Take.start(shot, video_model)
    list(take.play(until=2))
    path = take.save(tmp_path / "a.take")
    with safe_open(path, framework="pt") as content:
        metadata = dict(content.metadata())
    assert metadata.pop("originals") == "[]" and metadata["version"] == "2"
    del metadata["digest"]
    save_file(load_file(path), path, {**metadata, "version": "1"})
    loaded = rh.Take.load(path, video_model)
    assert loaded.original is None and torch.equal(latents(loaded), latents(take))


def test_a_pin_is_no_drag_so_a_fork_under_it_blends_with_its_parent(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    from toy_models import save_toy_model, save_toy_motion_model

    root = tmp_path_factory.mktemp("animate")
    base = save_toy_model(root / "image", kind="image", settings={"defaults": {"frames": 1}})
    name = str(save_toy_motion_model(root / "animate", base))
    model = load_model(name, precision="float32")
    shot = rh.Shot("a red ball over snow", model=name, frames=3, width=64, height=48, steps=3)
    shot = shot.image(np.full((48, 64, 3), 60, np.uint8)).follow(None, [(0, (0.25, 0.5)), (1, (0.25, 0.5))])
    changed = shot.with_prompt("the blue star over snow")

    def blended(weight: float) -> rh.Shot:
        return changed.with_control(blend=BlendSettings(weight=weight))

    assert mixes_with_parent(blended(0.5))
    parent = rh.Take.start(shot, model).finish()
    assert torch.equal(latents(parent.fork(1, blended(1.0))), latents(parent))
    assert torch.equal(latents(parent.fork(1, blended(0.0))), latents(parent.fork(1, changed)))
    # Under a path that moves, the blend is with the picture before, and no matter of the parent.
    moving = blended(0.5).follow(None, [(0, (0.25, 0.5)), (1, (0.5, 0.5))])
    assert not mixes_with_parent(moving)
    assert not caplog.messages
    assert parent.fork(0, moving).original is None
    dragged = parent.fork(1, moving)
    assert dragged.original is None
    assert len(caplog.messages) == 2
    assert all("not with the take it branches from" in message for message in caplog.messages)
    # What the parent says too is no news.
    caplog.clear()
    dragged.fork(1, dragged.shot.with_prompt("a blue star over snow"))
    assert not caplog.messages


def test_a_soft_edge_without_a_region_is_told(
    shot: rh.Shot, video_model: VideoModel, caplog: pytest.LogCaptureFixture
) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    parent.fork(2, edit(shot, weight=0.5))
    assert not caplog.messages
    parent.fork(2, edit(shot, weight=0.5, feather=0.1))
    assert [message.partition(":")[0] for message in caplog.messages] == ["control.blend.feather is 0.1"]
