"""From training runs to model folders: fp16 safetensors in diffusers' layout, with a card that says how."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from rehearse.controls.frame_alignment import load_frame_alignment, save_frame_alignment
from rehearse.json_text import read_json_file
from rehearse.models.folder import INPUT_LAYER
from rehearse.models.latent_rgb import fit_latent_rgb
from rehearse.models.wan_whole_clips import encode
from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import SIZE, Stills
from rehearse.theatre.judge import JudgeNetwork, to_input
from rehearse.theatre.recipes import (
    ALIGNMENT,
    ANIMATE,
    ANIMATE_MAGNITUDES,
    ANIMATE_STAGES,
    CODEC,
    IMAGE,
    INPAINT,
    JUDGE,
    SCHEDULER,
    TARGET,
    VAE,
    VIDEO,
    WAN,
    WAN_CODEC_CLIPS,
    WAN_CODEC_STILLS,
    WAN_FRAMES,
    WAN_SCHEDULER,
    WAN_STILLS,
    Recipe,
)
from rehearse.theatre.target_tokenizer import target_tokenizer
from rehearse.theatre.tokenizer import MAX_TOKENS, write_tokenizer
from rehearse.theatre.wan_tokenizer import wan_tokenizer
from rehearse.theatre.world.target_actors import ACTORS
from rehearse.theatre.world.target_scene import (
    COUNT,
    FPS,
    FRAMES,
    PROP_COLOURS,
    PROPS,
    target_words,
)
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, MOTIONS, PUPPETS, words
from rehearse.training import theatre_judge
from rehearse.training.fit import load_averaged
from rehearse.training.low_rank import low_rank_state
from rehearse.training.theatre_animate import TextAndAnimation, adapter_of
from rehearse.training.theatre_image import TextAndImage
from rehearse.training.theatre_inpaint import InpaintingImage
from rehearse.training.theatre_target import TextAndTarget
from rehearse.training.theatre_video import TextAndVideo
from rehearse.training.theatre_wan import TextAndWan
from rehearse.training.wan_latents import finished_codec, moments

SHARD = "15MB"
STEPS, GUIDANCE = 24, 5.0
FROZEN_STEPS = 0.67
"""More adds little control (the curve in docs/results/trajectory.md)."""
ANIMATE_STEPS, ANIMATE_GUIDANCE = 12, 4.0
"""More steps change little, more guidance makes colours harsh."""
ANIMATE_GUIDANCE_RAMP = 0.05
"""With all of the guidance on the picture's own frame too, so much of it would let the picture go."""
INPAINT_STEPS, INPAINT_GUIDANCE = 12, 4.0
"""What is around the region says much of what belongs there: twice the steps changed little."""
TARGET_STEPS, TARGET_GUIDANCE = 12, 2.0
"""The first frame says nearly all that the caption says: much guidance only makes colours harsh."""
WAN_STEPS, WAN_GUIDANCE = 16, 4.0
_NO_DEVIATION = -30.0
"""Logarithm of a variance."""
MAX_FRAMES = 24
SPATIAL = "spatial.safetensors"
_ALIGNMENT_TITLE = "## Frame alignment"


def export_image(runs: Path, weights: Path) -> Path:
    """``theatre-image`` from the runs ``theatre-vae`` and ``theatre-image``."""
    folder = weights / "theatre-image"
    _fresh(folder)
    vocabulary = _shared_parts(folder, runs)
    model: Any = TextAndImage(vocabulary)
    steps = load_averaged(model, runs / "theatre-image")
    model.unet.half().save_pretrained(folder / "unet", max_shard_size=SHARD, safe_serialization=True)
    model.text.half().save_pretrained(folder / "text_encoder", safe_serialization=True)
    index = {
        "_class_name": "StableDiffusionPipeline",
        **_components("UNet2DConditionModel"),
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
    }
    _write_json(folder / "model_index.json", index)
    _write_json(folder / "rehearse.json", {"inpainting": INPAINT.name, **_said(1)})
    _card(
        folder,
        "theatre-image",
        IMAGE,
        runs,
        steps,
        "Text to one picture of the paper theatre (UNet2DConditionModel), trained with its text encoder.",
    )
    return folder


def export_inpaint(runs: Path, weights: Path) -> Path:
    """``theatre-inpaint`` from the runs ``theatre-vae``, ``theatre-image`` and ``theatre-inpaint``.

    It stands on ``theatre-image``, which is exported beside it.
    """
    base = export_image(runs, weights)
    folder = weights / INPAINT.name
    _fresh(folder)
    model: Any = InpaintingImage(TextAndImage(len(_tokenizer(base))), INPAINT.rank)
    steps = load_averaged(model, runs / INPAINT.name)
    save_file({"weight": model.unet.conv_in.weight.detach().half()}, folder / INPUT_LAYER)
    changes = low_rank_state(model.unet, "unet")
    save_file({name: change.half() for name, change in changes.items()}, folder / SPATIAL)
    said = {"base": base.name, "loras": [{"file": SPATIAL, "scale": 1.0}], **_said(1)}
    said["defaults"] |= {"guidance": INPAINT_GUIDANCE, "steps": INPAINT_STEPS, "scheduler": "dpm++"}
    _write_json(folder / "rehearse.json", said)
    _card(
        folder,
        INPAINT.name,
        INPAINT,
        runs,
        steps,
        "What lies in a region of a picture of the paper theatre, from words and what is around it: an input "
        f"layer as Stable Diffusion's inpainting models have it, and a LoRA (rank {INPAINT.rank}), on "
        "theatre-image.",
    )
    return folder


def export_video(runs: Path, weights: Path) -> Path:
    """``theatre-video`` from the runs ``theatre-vae``, ``theatre-image`` and ``theatre-video``."""
    folder = weights / "theatre-video"
    _fresh(folder)
    vocabulary = _shared_parts(folder, runs)
    model: Any = TextAndVideo(TextAndImage(vocabulary).text)
    steps = load_averaged(model, runs / "theatre-video")
    model.text.half().save_pretrained(folder / "text_encoder", safe_serialization=True)
    model.unet.half().save_pretrained(folder / "unet", max_shard_size=SHARD, safe_serialization=True)
    index = {"_class_name": "TextToVideoSDPipeline", **_components("UNet3DConditionModel")}
    _settings(folder, index, frames=16, frozen_steps=FROZEN_STEPS)
    _card(
        folder,
        "theatre-video",
        VIDEO,
        runs,
        steps,
        "Text to a clip of the paper theatre (UNet3DConditionModel), inflated from theatre-image.",
    )
    return folder


def export_animate(runs: Path, weights: Path) -> Path:
    """``theatre-animate`` from the runs ``theatre-vae``, ``theatre-image`` and ``theatre-animate``.

    It stands on ``theatre-image`` (see :mod:`rehearse.models.composition`), which is exported beside it.
    """
    base = export_image(runs, weights)
    folder = weights / "theatre-animate"
    _fresh(folder)
    vocabulary = read_json_file(base / "vocabulary.json")
    image = TextAndImage(len(_tokenizer(base)))
    model: Any = TextAndAnimation(image)
    model.free_spatial(ANIMATE.rank)
    steps = load_averaged(model, runs / "theatre-animate")
    model.text.half().save_pretrained(folder / "text_encoder", safe_serialization=True)
    adapter = adapter_of(model.unet).half()
    adapter.save_pretrained(folder / "motion_adapter", max_shard_size=SHARD, safe_serialization=True)
    changes = low_rank_state(model.unet, "unet")
    save_file({name: change.half() for name, change in changes.items()}, folder / SPATIAL)
    _write_json(folder / "vocabulary.json", vocabulary)
    said = {
        "base": base.name,
        "loras": [{"file": SPATIAL, "scale": 1.0, "pictures": False}],
        "closeness": {size: list(values) for size, values in ANIMATE_MAGNITUDES.items()},
        "guidance_ramp": ANIMATE_GUIDANCE_RAMP,
        **_said(16, FROZEN_STEPS),
    }
    said["defaults"] |= {"guidance": ANIMATE_GUIDANCE, "steps": ANIMATE_STEPS, "scheduler": "dpm++"}
    _write_json(folder / "rehearse.json", said)
    stages = ", ".join(f"{stage.name} ({stage.steps:,} steps)" for stage in ANIMATE_STAGES)
    _card(
        folder,
        "theatre-animate",
        ANIMATE,
        runs,
        steps,
        "A picture to a clip of the paper theatre: motion modules and PIA's picture input (a diffusers "
        f"MotionAdapter) on theatre-image, a LoRA of its spatial weights (rank {ANIMATE.rank}), and a text "
        f"encoder that knows motion. It comes about in stages, which the same command trains: {stages}; the "
        "first without the LoRA.",
        tuple(stage.name for stage in ANIMATE_STAGES[:-1]),
    )
    return folder


def export_alignment(run: Path, folder: Path) -> Path:
    """Equation 5's layer from its run into the folder of the model it was trained for, and onto its card."""
    layer = load_frame_alignment(run)
    if layer is None:
        raise FileNotFoundError(f"{run} holds no frame alignment layer")
    place = save_frame_alignment(layer.half(), folder)
    last = (_log(run) or [{}])[-1]
    figures = ", ".join(f"{key} {last[key]}" for key in last if key not in _NOT_FIGURES)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.exists() else ""
    before = text.partition(_ALIGNMENT_TITLE)[0].rstrip()
    told = (
        f"`{place.name}/` is equation 5 of InteractiveVideo as a layer (off unless a shot asks for it), "
        f"trained on {ALIGNMENT.samples:,} clips at data seed {ALIGNMENT.data_seed} with the rest of the "
        f"model frozen: {last.get('step', 0):,} steps of batch {ALIGNMENT.batch}. Last logged (mean squared "
        f"error of the clean prediction with and without it): {figures or '-'}. Again: "
        f"`rehearse train {ALIGNMENT.name}`."
    )
    card.write_text(f"{before}\n\n{_ALIGNMENT_TITLE}\n{textwrap.fill(told, 110)}\n", encoding="utf-8")
    return place


def export_target(runs: Path, weights: Path) -> Path:
    """``theatre-target`` from its run.

    It has the layout of CogVideoX's image-to-video pipeline, but for the autoencoder, which takes a clip
    frame by frame and is that of ``theatre-image``: exported beside it where there is a run of that, else
    the one that ships.
    """
    from diffusers import DDIMScheduler

    if all((runs / run / "state.safetensors").exists() for run in (CODEC.name, IMAGE.name)):
        export_image(runs, weights)
    folder = weights / TARGET.name
    _fresh(folder)
    tokenizer = target_tokenizer()
    model: Any = TextAndTarget(len(tokenizer))
    steps = load_averaged(model, runs / TARGET.name)
    model.transformer.half().save_pretrained(
        folder / "transformer", max_shard_size=SHARD, safe_serialization=True
    )
    model.text.half().save_pretrained(folder / "text_encoder", safe_serialization=True)
    tokenizer.save_pretrained(folder / "tokenizer")
    DDIMScheduler(**SCHEDULER).save_pretrained(folder / "scheduler")
    _write_json(folder / "vocabulary.json", list(target_words()), indent=0)
    index = {
        "_class_name": "CogVideoXImageToVideoPipeline",
        "vae": ["diffusers", "AutoencoderTiny"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "T5Tokenizer"],
        "transformer": ["diffusers", "CogVideoXTransformer3DModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }
    _write_json(folder / "model_index.json", index)
    said = _said(FRAMES)
    said["defaults"] |= {"fps": FPS, "steps": TARGET_STEPS, "guidance": TARGET_GUIDANCE}
    said |= {"max_frames": FRAMES, "base": IMAGE.name, "picture_model": IMAGE.name}
    _write_json(folder / "rehearse.json", said)
    _card(
        folder,
        TARGET.name,
        TARGET,
        runs,
        steps,
        "A first frame to a clip in which a hand, a crane or a frog reaches one of several props that are "
        "alike (CogVideoXTransformer3DModel), trained with its text encoder (T5EncoderModel).",
    )
    return folder


def export_wan(runs: Path, weights: Path) -> Path:
    """``theatre-wan`` from its run, that of its codec, and the moments of the latents it learned on.

    It has the layout of Wan 2.2's text and picture to video pipeline.
    """
    from diffusers import UniPCMultistepScheduler

    folder = weights / WAN.name
    _fresh(folder)
    tokenizer = wan_tokenizer()
    model: Any = TextAndWan(len(tokenizer))
    steps = load_averaged(model, runs / WAN.name)
    model.transformer.half().save_pretrained(
        folder / "transformer", max_shard_size=SHARD, safe_serialization=True
    )
    model.text.half().save_pretrained(folder / "text_encoder", safe_serialization=True)
    tokenizer.save_pretrained(folder / "tokenizer")
    UniPCMultistepScheduler(**WAN_SCHEDULER).save_pretrained(folder / "scheduler")
    _wan_codec(folder, runs)
    _write_json(folder / "vocabulary.json", list(words()), indent=0)
    index = {
        "_class_name": "WanPipeline",
        "boundary_ratio": None,
        "expand_timesteps": True,
        "vae": ["diffusers", "AutoencoderKLWan"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "T5Tokenizer"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    }
    _write_json(folder / "model_index.json", index)
    said = _said(WAN_FRAMES)
    said["defaults"] |= {"steps": WAN_STEPS, "guidance": WAN_GUIDANCE, "scheduler": "unipc"}
    said["max_frames"] = WAN_FRAMES
    _write_json(folder / "rehearse.json", said)
    stages = (WAN_CODEC_STILLS, WAN_CODEC_CLIPS, WAN_STILLS, WAN)
    told = ", ".join(f"{stage.name} ({stage.steps:,} steps)" for stage in stages)
    _card(
        folder,
        WAN.name,
        WAN,
        runs,
        steps,
        "Text to a clip of the paper theatre, or a picture and text to one (WanTransformer3DModel with "
        "AutoencoderKLWan and UMT5EncoderModel). It comes about in stages, which the same command trains: "
        f"{told}.",
        tuple(stage.name for stage in stages[:-1]),
    )
    return folder


def _wan_codec(folder: Path, runs: Path) -> None:
    """The Wan autoencoder with the moments of its latents, and the preview map of normalised latents."""
    mean, std = moments(runs)
    codec = finished_codec(runs, "cpu")
    codec.register_to_config(latents_mean=mean.tolist(), latents_std=std.tolist())
    with torch.no_grad():
        # Only means were learned: deviations are nothing, whoever samples.
        channels = len(mean)
        codec.quant_conv.weight[channels:] = 0.0
        codec.quant_conv.bias[channels:] = _NO_DEVIATION
        stills = Stills.open(runs / "data" / "stills")
        pictures = np.array(stills.frames[:256])
        clips = to_input(pictures).unsqueeze(2)
        latents = torch.cat([encode(codec, some)[:, :, 0] for some in clips.split(32)])
    normalised = (latents - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
    fitted = fit_latent_rgb(normalised, (clips[:, :, 0] + 1) / 2)
    _write_json(folder / "latent_rgb.json", {"matrix": fitted.matrix.tolist(), "bias": fitted.bias.tolist()})
    codec.half().save_pretrained(folder / "vae", max_shard_size=SHARD, safe_serialization=True)


def export_judge(runs: Path, weights: Path) -> Path:
    """``theatre-judge`` from its run."""
    folder = weights / "theatre-judge"
    _fresh(folder)
    network = JudgeNetwork()
    steps = load_averaged(network, runs / "theatre-judge")
    theatre_judge.export(network, folder)
    _card(
        folder,
        "theatre-judge",
        JUDGE,
        runs,
        steps,
        "Segments puppets by kind and colour, names backdrops and gives the features of FID and KID. "
        "Trained on renders only.",
    )
    return folder


def _shared_parts(folder: Path, runs: Path) -> int:
    """Autoencoder, tokenizer, scheduler, preview map and vocabulary; returns the size of the vocabulary."""
    from diffusers import DDIMScheduler

    _autoencoder(folder, runs)
    write_tokenizer(folder / "tokenizer")
    DDIMScheduler(**SCHEDULER).save_pretrained(folder / "scheduler")
    (folder / "vocabulary.json").write_text(json.dumps(list(words()), indent=0) + "\n", encoding="utf-8")
    return len(_tokenizer(folder))


def _autoencoder(folder: Path, runs: Path) -> None:
    """The autoencoder and the preview map of its latents."""
    from diffusers import AutoencoderTiny

    vae: Any = AutoencoderTiny(**VAE)
    load_averaged(vae, runs / "theatre-vae")
    _write_latent_rgb(folder, runs)
    vae.half().save_pretrained(folder / "vae", safe_serialization=True)


def _tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(str(folder / "tokenizer"))


def _write_latent_rgb(folder: Path, runs: Path) -> None:
    stills, basis = Stills.open(runs / "data" / "stills"), PatchBasis.load(runs / "basis.safetensors")
    pictures = torch.from_numpy(np.array(stills.frames[:256]))
    fitted = fit_latent_rgb(basis.encode(pictures), pictures.permute(0, 3, 1, 2).float() / 255)
    content = {"matrix": fitted.matrix.tolist(), "bias": fitted.bias.tolist()}
    (folder / "latent_rgb.json").write_text(json.dumps(content) + "\n", encoding="utf-8")


def _components(unet: str) -> dict[str, list[str]]:
    return {
        "vae": ["diffusers", "AutoencoderTiny"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", unet],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }


def _settings(folder: Path, index: dict[str, Any], frames: int, frozen_steps: float | None = None) -> None:
    _write_json(folder / "model_index.json", index)
    _write_json(folder / "rehearse.json", _said(frames, frozen_steps))


def _said(frames: int, frozen_steps: float | None = None) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "frames": frames, "width": SIZE, "height": SIZE, "fps": 8, "steps": STEPS, "guidance": GUIDANCE,
        "scheduler": "ddim",
    }  # fmt: skip
    said: dict[str, Any] = {"defaults": defaults}
    if frames > 1:
        said["max_frames"] = MAX_FRAMES
    if frozen_steps is not None:
        defaults["frozen_steps"] = frozen_steps
    return said


def _write_json(path: Path, content: Any, indent: int = 2) -> None:
    path.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


_NOT_FIGURES = ("step", "seconds_a_step", "precision")
"""What a line of a run's log says beside figures of the training."""


def _formats(rows: list[dict[str, Any]]) -> str:
    """The number formats a run was trained in. Runs of before they were logged were all in bf16."""
    found = dict.fromkeys(row.get("precision", "bfloat16") for row in rows) or {"bfloat16": None}
    return " and ".join("bf16 autocast" if name == "bfloat16" else name for name in found)


def _log(run: Path) -> list[dict[str, Any]]:
    path = run / "log.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


_LIMITS = {
    "theatre-video": f"""It knows the theatre's words and nothing else. A puppet is sometimes drawn twice, or
jumps in height or shape between frames: pictures are laid out frame by frame, and time pulls them together.
Three subjects at once often trade colours, fine print (windows, stars) is invented anew in each frame, and
sizes other than {SIZE} x {SIZE} were never trained.""",
    "theatre-judge": "It is an instrument for pictures of this world; sizes other than "
    f"{SIZE} x {SIZE} were never trained.",
    "theatre-animate": f"""It animates pictures of this world and no others, and knows the theatre's words
only. What has moved keeps its colour, but its drawing is coarse: a fish that has left its place may be a lump
of a fish's colour, and where it stood a pale trace can stay. Lengths other than 8 to 16 frames and sizes
other than {SIZE} x {SIZE} were never trained. Diffusers' own PIAPipeline takes four latent channels for
granted and cannot load it; `rehearse` can.""",
    "theatre-inpaint": f"""It draws in pictures of this world and knows the theatre's words only. A region
smaller than a fifth of the frame's side, or one that no puppet of its kind would fit, gets a coarse drawing;
sizes other than {SIZE} x {SIZE} were never trained.""",
    "theatre-wan": f"""It knows the theatre's words and nothing else. Lengths other than {WAN_FRAMES} frames
and sizes other than {SIZE} x {SIZE} were never trained. In diffusers' own pipelines give
`max_sequence_length={MAX_TOKENS}`, the length of text that it learned with.""",
    "theatre-target": f"""It continues first frames of the target scene (one hand, crane or frog, {COUNT}
props that are alike) and no others. Nothing tells it which prop is meant: that takes a mask, and so a target
adapter. Lengths other than {FRAMES} frames and sizes other than {SIZE} x {SIZE} were never trained. Its
autoencoder takes a clip frame by frame, so diffusers' own pipeline cannot load it; `rehearse` can.""",
}
_WORLD = (
    f"{len(PUPPETS)} puppets, {len(COLOURS)} colours, {len(BACKDROPS)} backdrops and {len(MOTIONS)} motions"
)
_WORLDS = {
    "theatre-target": f"{len(ACTORS)} actors, {len(PROPS)} props in {len(PROP_COLOURS)} colours and "
    f"{len(BACKDROPS)} backdrops, {FRAMES} frames at {FPS:g} a second,",
}
_LOSSES = {
    "theatre-wan": "flow matching; added weight on puppets from {first:g} to {end:g} over the run",
    "theatre-judge": "cross-entropy of kind, colour and backdrop; stills blurred and dirtied at random",
    "theatre-inpaint": "v prediction, zero terminal SNR; an error in the region weighs ten times one outside",
}
_MODEL_LOSS = (
    "v prediction, zero terminal SNR; added weight on puppets from {first:g} to {end:g} over the run"
)
_MODEL_LIMITS = f"""It knows the theatre's words and nothing else. Puppets overlap badly, three
subjects at once often trade colours, fine print (windows, stars) is invented anew in each frame, and sizes
other than {SIZE} x {SIZE} were never trained."""


def _hours(rows: list[dict[str, Any]]) -> float:
    hours, before = 0.0, 0
    for row in rows:
        hours += max(row["step"] - before, 0) * row["seconds_a_step"] / 3600
        before = row["step"]
    return hours


def _card(
    folder: Path,
    name: str,
    recipe: Recipe,
    runs: Path,
    steps: int,
    what: str,
    stages: tuple[str, ...] = (),
) -> None:
    """The model card, from the recipe and the runs' own logs; ``note.md`` in the run folder is appended."""
    rows = _log(runs / name)
    hours = _hours(rows) + sum(_hours(_log(runs / stage)) for stage in stages)
    last = rows[-1] if rows else {}
    figures = ", ".join(f"{key} {last[key]}" for key in last if key not in _NOT_FIGURES)
    first, end = recipe.subject_weight
    note = runs / name / "note.md"
    world = _WORLDS.get(name, _WORLD)
    told = " for all its stages" if stages else ""
    lines = [
        "---",
        "license: apache-2.0",
        "---",
        f"# {name}",
        "",
        textwrap.fill(
            f"{what} Part of Rehearse's embedded theatre: a closed world of {world} at {SIZE} x {SIZE}.",
            110,
            break_on_hyphens=False,
        ),
        "",
        "| | |",
        "|---|---|",
        f"| data | {recipe.samples:,} samples rendered by `rehearse.theatre`, data seed {recipe.data_seed} |",
        f"| training | {steps:,} steps of batch {recipe.batch} |",
        f"| optimiser | AdamW, rate {recipe.rate:g}, warm-up {recipe.warmup} steps, then a cosine |",
        f"| weights | moving average at {recipe.average}, seed {recipe.seed}, stored in fp16 |",
        f"| loss | {_LOSSES.get(name, _MODEL_LOSS).format(first=first, end=end)} |",
        f"| duration | {hours:.1f} hours of wall time{told}, in {_formats(rows)}, on CPU cores where "
        "no GPU is named |",
        f"| last logged | {figures or '-'} |",
        f"| again | `rehearse train {name} --export weights` |",
        "",
        "## What it cannot do",
        _LIMITS.get(name, _MODEL_LIMITS),
        "",
    ]
    if note.exists():
        lines += ["## Notes on the shipped run", note.read_text(encoding="utf-8").strip(), ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
