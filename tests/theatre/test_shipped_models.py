"""The weights that ship: within their limits, fp16, and plain diffusers models to anybody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors import safe_open

import rehearse as rh
from rehearse.evaluation.target.contact import contact
from rehearse.models import list_models, load_model
from rehearse.models.registry import EMBEDDED
from rehearse.pictures import make_intermediate
from rehearse.planning import plan
from rehearse.resolve.instructions.pictures import picture_of
from rehearse.sampling.loop import Loop
from rehearse.theatre.judge import Judge
from rehearse.theatre.world import (
    Actor,
    Scene,
    render_frame,
    render_target,
    sample_scene,
    sample_target_scene,
    target_words,
)
from rehearse.theatre.world.vocabulary import COLOURS, PUPPETS, bare_caption, words

MEGABYTE = 1_000_000
NAMES = [entry.name for entry in list_models()]
WHOLE = [name for name in NAMES if (EMBEDDED / name / "vae").is_dir()]
"""Those that stand on no other."""


def test_weights_keep_to_their_limits() -> None:
    files = list(EMBEDDED.rglob("*.safetensors"))
    assert files
    assert all(file.stat().st_size <= 16 * MEGABYTE for file in files)
    assert sum(file.stat().st_size for file in files) <= 96 * MEGABYTE
    pickles = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
    assert not [file for file in EMBEDDED.rglob("*") if file.suffix in pickles]


def test_weights_are_half_precision() -> None:
    for file in EMBEDDED.rglob("*.safetensors"):
        with safe_open(str(file), framework="pt") as tensors:
            floats = {tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118
        assert floats <= {"F16", "I64"}, file.name


def test_every_folder_has_a_card_that_says_how_to_train_again() -> None:
    for folder in (path for path in EMBEDDED.iterdir() if path.is_dir()):
        assert f"rehearse train {folder.name}" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_knows_the_worlds_words(name: str) -> None:
    own = target_words() if name in ("theatre-target", "theatre-reach") else words()
    assert load_model(name, device="cpu").limits.vocabulary == set(own)


def test_stock_diffusers_loads_the_video_model_and_makes_the_same_clip(tmp_path: Path) -> None:
    prompt, steps, guidance = "a red ball moves right over the meadow", 3, 4.0
    shot = rh.Shot(prompt, seed=11, steps=steps, guidance=guidance, frames=4, scheduler="ddim")
    model = load_model("theatre-video", device="cpu", precision="float32")
    loop = Loop(model, plan(shot, model))
    start = loop.start()
    state = list(loop.run(start))[-1]
    pipeline = DiffusionPipeline.from_pretrained(EMBEDDED / "theatre-video", torch_dtype=torch.float32)
    assert type(pipeline).__name__ == "TextToVideoSDPipeline"
    pipeline.set_progress_bar_config(disable=True)
    latents = pipeline(
        prompt,
        num_frames=4,
        height=128,
        width=128,
        num_inference_steps=steps,
        guidance_scale=guidance,
        latents=start.latents,
        output_type="latent",
    ).frames
    assert torch.allclose(latents, state.latents, atol=2e-3)


@pytest.mark.parametrize("name", WHOLE)
def test_stock_diffusers_loads_and_runs_every_whole_model(name: str) -> None:
    pipeline = DiffusionPipeline.from_pretrained(EMBEDDED / name, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline("a red ball over the meadow", num_inference_steps=1, output_type="np")
    pictures = np.asarray(made.frames if hasattr(made, "frames") else made.images)
    assert pictures.shape[-3:] == (128, 128, 3)
    assert np.isfinite(pictures).all()
    assert pictures.std() > 0.02


def test_the_shipped_adapter_reaches_what_is_marked() -> None:
    model, right = load_model("theatre-reach", device="cpu"), 0
    for seed in (1, 2):
        world = render_target(sample_target_scene(np.random.default_rng([seed, 77])), 1)
        shot = rh.Shot(world.caption, seed=seed).image(world.frames[0]).with_(steps=6)
        for number, prop in enumerate(world.props):
            marked = shot.target(world.scene.phrase, prop.astype(np.uint8) * 255)
            frames = rh.generate(marked, model=model).frames
            right += contact(frames, world.scene.actor, world.props).first == number
    assert right >= 4  # by chance 2 of 6


def test_a_shipped_picture_model_keeps_its_picture_and_moves_what_it_shows() -> None:
    model = load_model("theatre-animate", device="cpu")
    for kind, motion in (("house", "moves right"), ("star", "moves left")):
        scene = Scene(
            "meadow", (Actor(kind, "red", ((0.0, 0.5, 0.5, 1.0, 0.0),), size=0.36),), backdrop_seed=3
        )
        picture = render_frame(scene, 0.0, 128).frame
        shot = rh.Shot(f"a red {kind} {motion} over the meadow", seed=5).image(picture).with_(steps=6)
        frames = rh.generate(shot, model=model).frames
        boxes, _ = Judge.load().detect(frames[[0, -1]], kind, "red")
        centres = (boxes[:, 0] + boxes[:, 2]) / 2
        assert abs(centres[0] - 0.5) < 0.05
        assert np.sign(centres[1] - centres[0]) == (1 if motion == "moves right" else -1)
        assert abs(centres[1] - centres[0]) > 0.1


def test_a_shipped_edit_is_drawn_whole_in_its_region() -> None:
    model, judge = load_model("theatre-image", device="cpu"), Judge.load()
    overlaps = []
    asked = [
        *(("car", "pink", "desert"), ("boat", "red", "sea"), ("cat", "blue", "forest")),
        *(("house", "yellow", "snow"), ("ball", "purple", "night"), ("star", "green", "city")),
    ]
    for seed, (kind, colour, backdrop) in enumerate(asked):
        scene = Scene(backdrop, (), backdrop_seed=seed)
        region = rh.Box(0.1 + 0.08 * seed, 0.3, 0.45 + 0.08 * seed, 0.65)
        prompt = bare_caption([(kind, colour)], backdrop)
        shot = rh.Shot(prompt, seed=seed).image(render_frame(scene, 0.0, 128).frame).edit(prompt, region)
        (found,), _ = judge.detect(
            make_intermediate(picture_of(shot, 128, 128), model).original[None], kind, colour
        )
        inner = np.minimum(found[2:], (region.x1, region.y1)) - np.maximum(found[:2], (region.x0, region.y0))
        overlaps.append(inner.clip(0).prod() / (0.35 * 0.35))
    assert sum(np.nan_to_num(overlaps) > 0.3) >= 5, overlaps


def test_a_shipped_drag_arrives_whatever_the_words_say() -> None:
    model = load_model("theatre-animate", device="cpu")
    scene = Scene("snow", (Actor("car", "blue", ((0.0, 0.3, 0.5, 1.0, 0.0),), size=0.34),), backdrop_seed=5)
    shot = rh.Shot("a blue car moves left in the snow", seed=1, steps=6)
    shot = shot.image(render_frame(scene, 0.0, 128).frame).drag((0.3, 0.5), (0.7, 0.3))
    boxes, _ = Judge.load().detect(rh.generate(shot, model=model).frames[[0, -1]], "car", "blue")
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert np.abs(centres - [(0.3, 0.5), (0.7, 0.3)]).max() < 0.06


def test_the_autoencoder_gives_a_render_back() -> None:
    """Both halves of the shipped autoencoder belong together: a render survives the way there and back."""
    pipeline = DiffusionPipeline.from_pretrained(EMBEDDED / "theatre-video", torch_dtype=torch.float32)
    rng = np.random.default_rng(99)
    frames = np.stack([render_frame(sample_scene(rng), 0.5, 128).frame for _ in range(4)])
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        again = pipeline.vae.decode(pipeline.vae.encode(pictures).latents).sample
    error = ((again - pictures) / 2).square().mean().item()
    assert -10 * np.log10(error) > 22


def test_the_judge_finds_what_is_there() -> None:
    judge = Judge.load()
    rng = np.random.default_rng(7)
    found = total = 0
    for _ in range(24):
        scene = sample_scene(rng, subjects=1)
        still = render_frame(scene, 0.5, 128)
        actor = scene.actors[0]
        boxes, _ = judge.detect(still.frame[None], actor.kind, actor.colour)
        total += 1
        found += int(_iou(boxes[0], still.boxes[0]) > 0.5)
        other = COLOURS[(COLOURS.index(actor.colour) + 4) % len(COLOURS)]
        absent, _ = judge.detect(still.frame[None], PUPPETS[PUPPETS.index(actor.kind) - 1], other)
        assert np.isnan(absent).all()
    assert found >= 0.75 * total


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    if np.isnan(a).any() or np.isnan(b).any():
        return 0.0
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return float(both / union)
