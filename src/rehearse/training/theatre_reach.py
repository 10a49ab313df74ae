"""Train ``theatre-reach``: the adapter under which theatre-target's actor reaches the prop that is marked.

It is made as a person would make one, by the trainer of ``rehearse train target``, from clips, masks and
captions in files; only the choice of its numbers is its own.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rehearse.models.registry import EMBEDDED
from rehearse.theatre.data import HELD_OUT, SIZE
from rehearse.theatre.recipes import REACH, TARGET, ReachRecipe
from rehearse.theatre.target_data import write_target_rows
from rehearse.theatre.world.target_scene import FRAMES
from rehearse.training.fit import Options

_HELD_OUT_ROWS = 16
_ADAPTER = "adapter.safetensors"
_FORMATS = {"no": "float32", "bf16": "bf16", "fp16": "fp16"}


def train_reach(options: Options, data: Path, base: Path, recipe: ReachRecipe = REACH) -> Path:
    """Write the clips, train on them, or continue; the run's folder, a model when it is finished.

    data: folder of the clips. base: theatre-target's. Raises TrainingError, ModelError.
    """
    from rehearse.training.own.precision import precision_for
    from rehearse.training.own.run import Data, train
    from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, Running

    on_cpu = options.device == "cpu" or not torch.cuda.is_available()
    rows, held_out = data / "data.jsonl", data / "held-out.jsonl"
    if not held_out.is_file():
        write_target_rows(data, recipe.clips, recipe.data_seed, actors=False)
        write_target_rows(data, _HELD_OUT_ROWS, recipe.data_seed, HELD_OUT, actors=False, name=held_out.name)
    train(
        "target",
        Data(rows, frames=FRAMES, size=(SIZE, SIZE), validation=held_out),
        str(base),
        Recipe(
            batch=recipe.batch,
            rate=recipe.rate,
            seed=recipe.seed,
            precision=precision_for(options.folder, on_cpu),
        ),
        Running(
            options.folder,
            steps=options.steps or recipe.steps,
            sheet_every=500 if options.sheet_seconds else 0,
            cpu=on_cpu,
        ),
        LoraRecipe(recipe.rank, recipe.alpha),
        ColumnRecipe(weight=recipe.weight, normalisation=recipe.normalisation),
    )
    return options.folder


def base_for_reach(weights: Path | None) -> Path | None:
    """The theatre-target to train on: the exported one, else the one that ships; None where there is
    neither."""
    for place in (weights, EMBEDDED):
        if place is not None and (place / TARGET.name / "rehearse.json").is_file():
            return place / TARGET.name
    return None


def export_reach(run: Path, weights: Path, recipe: ReachRecipe = REACH) -> Path:
    """``theatre-reach`` from its run: the adapter in fp16, and the name of its base."""
    folder = weights / recipe.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with safe_open(str(run / _ADAPTER), framework="pt") as file:
        header = file.metadata()
    tensors = {name: value.half() for name, value in load_file(run / _ADAPTER).items()}
    facts = json.loads(header["rehearse_target"])
    header["rehearse_target"] = json.dumps({**facts, "base": TARGET.name}, sort_keys=True)
    save_file(tensors, folder / _ADAPTER, metadata=header)
    said = {"base": TARGET.name, "target_adapter": _ADAPTER}
    (folder / "rehearse.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_card(run, facts, recipe), encoding="utf-8")
    return folder


def _card(run: Path, facts: dict[str, object], recipe: ReachRecipe) -> str:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    timed = [row for row in rows if "seconds_a_step" in row]
    every = timed[0]["step"] if timed else 0
    hours = sum(row["seconds_a_step"] for row in timed) * every / 3600
    judged: dict[str, float] = next((row for row in reversed(rows) if "held_out_loss" in row), {})
    told = ", ".join(f"{name.removeprefix('held_out_')} {value}" for name, value in judged.items())
    return "\n".join(
        [
            "---",
            "license: apache-2.0",
            "---",
            f"# {recipe.name}",
            "",
            "A target adapter for `theatre-target`, part of Rehearse's embedded theatre: the actor reaches",
            "the one prop that a mask of the first frame marks, among several that are alike.",
            "",
            "| | |",
            "|---|---|",
            f"| data | {recipe.clips:,} clips with masks, rendered by `rehearse.theatre`, data seed "
            f"{recipe.data_seed} (its base learned from seed {TARGET.data_seed}) |",
            f"| training | {facts['steps']} steps of batch {recipe.batch}, by the trainer of `rehearse train "
            f"target`, {_FORMATS[str(facts['precision'])]} |",
            f"| optimiser | AdamW, rate {recipe.rate:g}, seed {recipe.seed} |",
            f"| adapter | LoRA of rank {recipe.rank}, alpha {recipe.alpha:g}, and the widened input "
            "layer, in fp16 |",
            f"| loss | reconstruction + {recipe.weight:g} x attention (V2T, {recipe.normalisation}), one of "
            f"blocks {facts['blocks_read']} drawn at each step |",
            f"| duration | {hours:.1f} hours on CPU cores |",
            f"| held-out rows at the end | {told or '-'} |",
            f"| again | `rehearse train {recipe.name} --export weights` |",
            "",
            "What it does is measured in `docs/results/target.md` by trainings of the same kind.",
            "",
            "## What it cannot do",
            "It knows its base's world and nothing else. It takes one mask, of the target, none of an actor.",
            "",
        ]
    )
