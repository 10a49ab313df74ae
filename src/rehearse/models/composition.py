"""Models that stand on another: a base, a motion adapter, LoRAs, named in a folder's ``rehearse.json``.

The folder is the model: ``--model FOLDER``. Its ``rehearse.json`` may say, beside ``defaults`` and so on:

``base``
    the model it stands on: a folder beside this one, a path from this one (``../sd15``), or any name that
    ``--model`` takes. What this folder has itself (``text_encoder/``, ``vae/``, ...) comes before the base's.
``motion_adapter``
    a folder in this one, or a hub id, with a diffusers MotionAdapter; ``motion_adapter/`` is found unnamed.
    With one, the base (any Stable Diffusion 1.5 checkpoint) becomes a video model: PIA where the adapter has
    a ``conv_in`` for pictures, AnimateDiff where it has none.
``loras``
    ``[{"file": "ink.safetensors", "scale": 0.8}]``: files in this folder, merged into the weights of the
    denoiser and its text encoder. With ``"pictures": false`` one changes the video model alone, not the image
    model that draws its pictures. LoRA, LoCon, DoRA, LoHa, LoKr and differences of weights are read, in
    diffusers', PEFT's, kohya's, ComfyUI's, LyCORIS' and AnimateDiff's naming, each layer at its alpha over
    rank: its own, else the header's, else that of PEFT's ``adapter_config.json`` beside the file, else 1. Of
    a DoRA the scale is taken before its norm, as PEFT takes it. What has no layer in the model is told of; a
    file with anything else that cannot be used, or with NaN, is refused by name. See
    :mod:`rehearse.models.lora`.
``inpainting``
    of an image model: the one that draws in regions of its pictures (edits, paint), named as a base is. Any
    Stable Diffusion inpainting checkpoint does, of the same autoencoder.
``conv_in.safetensors``
    is no setting but a file: the one tensor ``weight``, an input layer in place of the base's. With
    ``1 + 2 C`` channels (latents, region, blanked picture) the model is an inpainting one.
``closeness``
    ``{"small": [1, 0.8], "moderate": [1, 0.6], "large": [1, 0.4]}``: the affinities that a model which starts
    from a picture was trained on, by magnitude, at equal distances over a clip; PIA's where it is not said.
``guidance_ramp``
    ``0.05``: guidance in full for frames whose affinity to the picture is that far below 1, none for one
    that is the picture, a straight line between; all frames alike where it is not said.
``target_adapter``
    ``"reach.safetensors"``, or ``{"file": "reach.safetensors", "scale": 0.8}``: a file in this folder that
    :mod:`rehearse.models.target_adapter` wrote, or a folder with the LoRA and the projection as two files, as
    the method's authors publish them (``rehearse models convert`` makes safetensors of a ``.pth``).
    With one, a CogVideoX base acts on target instructions. LoRAs are merged beside it.
``scheduler``
    settings laid over the base's. AnimateDiff and PIA want ``{"beta_schedule": "linear"}``; with a motion
    adapter that stands for the whole of their published DDIM: ``"steps_offset": 1``, ``"clip_sample": false``
    and ``"set_alpha_to_one": true`` (which Stable Diffusion's own file denies), each unless it is said.

So PIA on a checkpoint of one's own is a folder with one file:

.. code-block:: json

    {"base": "SG161222/Realistic_Vision_V6.0_B1_noVAE", "motion_adapter": "openmmlab/PIA-condition-adapter",
     "scheduler": {"beta_schedule": "linear"}}
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from rehearse.models.errors import ModelError
from rehearse.models.folder import Lora, ModelFolder, conversion_of, read_json
from rehearse.shot.file_names import existing

_ADAPTER = "motion_adapter"
_TARGET = "target_adapter"
_SETTINGS = "rehearse.json"


def is_described(path: Path) -> bool:
    """Whether a folder holds a file that makes it a model, however damaged that file is."""
    return any(os.path.lexists(path / name) for name in ("model_index.json", _SETTINGS))


def is_composed(path: Path, identity: str) -> bool:
    """Whether the folder's ``rehearse.json`` names a base, LoRAs or a target adapter. identity: what the
    user called it. Raises ModelError where that file is there and cannot be read."""
    file = path / _SETTINGS
    return os.path.lexists(file) and bool({"base", "loras", _TARGET} & read_json(file, identity).keys())


def compose(
    folder: ModelFolder, find_model: Callable[[str], ModelFolder], find_adapter: Callable[[str], Path]
) -> ModelFolder:
    """The folder with its base, adapter and LoRAs found. Raises ModelError, naming the setting."""
    said = folder.settings()
    base = _base(folder, said["base"], find_model) if "base" in said else None
    if base is None and not os.path.lexists(folder.path / "model_index.json"):
        raise _refusal(
            folder,
            "it has LoRAs or a target adapter but no model_index.json",
            'name the model it changes as "base"',
        )
    adapter = _adapter(folder, said.get(_ADAPTER), find_adapter)
    if adapter is not None and base is not None and base.input_layer is not None:
        raise _refusal(
            folder,
            f"a motion adapter cannot go on {said['base']!r}, which inpaints",
            "name a plain one as base",
        )
    return dataclasses.replace(
        folder,
        base=base,
        adapter=adapter,
        # A base's own LoRAs belong to what it is: they come first.
        loras=(*(base.loras if base is not None else ()), *_loras(folder, said.get("loras", []))),
        target_adapter=_target(folder, said.get(_TARGET)),
    )


def _base(folder: ModelFolder, name: Any, find_model: Callable[[str], ModelFolder]) -> ModelFolder:
    if not isinstance(name, str) or not name:
        raise _refusal(folder, f"base cannot be {name!r}", "name a model or a folder")
    near = beside(folder, name)
    if near.resolve() == folder.path.resolve():
        raise _refusal(folder, "base is this folder itself", "name the model it stands on")
    try:
        # A folder that only has the name, such as the run that a shipped model came of, is none.
        found = find_model(str(near) if is_described(near) or name.startswith(".") else name)
    except RecursionError as error:
        raise _refusal(
            folder, f"base {name!r} stands on this folder in the end", "name a whole model"
        ) from error
    except ModelError as error:
        if _SETTINGS in str(error):  # of the base, or of one below it: that file is named
            raise
        raise ModelError(f"model {folder.identity!r}: {_SETTINGS}: base: {error}") from error
    if found.adapter is not None:
        raise _refusal(folder, f"base {name!r} has a motion adapter already", "name an image model")
    if found.target_adapter is not None:
        raise _refusal(folder, f"base {name!r} has a target adapter already", "name the model below it")
    return dataclasses.replace(found, identity=name)


def beside(folder: ModelFolder, name: str) -> Path:
    """The folder that a setting means by a name, if it is one: from this folder where the name begins with a
    dot, else next to it."""
    return folder.path / name if name.startswith(".") else folder.path.parent / name


def _adapter(folder: ModelFolder, name: Any, find_adapter: Callable[[str], Path]) -> Path | None:
    if name is None:
        own = folder.path / _ADAPTER
        return own if own.is_dir() else None
    if not isinstance(name, str) or not name:
        raise _refusal(folder, f"motion_adapter cannot be {name!r}", "name a folder or a hub id")
    near = folder.path / name
    place = near if near.is_dir() else find_adapter(name)
    if not (place / "config.json").is_file():
        raise _refusal(
            folder, f"motion_adapter {name!r} has no config.json", "give a diffusers MotionAdapter"
        )
    return place


def _target(folder: ModelFolder, said: Any) -> Lora | None:
    if said is None:
        return None
    form = 'write "name.safetensors" or {"file": "name.safetensors", "scale": 1.0}'
    entry = {"file": said} if isinstance(said, str) else said
    added = _file_and_scale(folder, _TARGET, entry, form)
    if not added.file.exists():
        raise _refusal(folder, f"target_adapter: there is no {entry['file']!r}", "copy it into the folder")
    if added.file.is_file() and added.file.suffix != ".safetensors":
        raise _unsafe(folder, f"target_adapter {entry['file']!r}", added.file)
    return added


def _loras(folder: ModelFolder, listed: Any) -> tuple[Lora, ...]:
    form = 'write [{"file": "name.safetensors", "scale": 0.8}]'
    if not isinstance(listed, list):
        raise _refusal(folder, "loras must be a list", form)
    found = []
    for index, entry in enumerate(listed):
        where = f"loras[{index}]"
        added = _file_and_scale(folder, where, entry, form, ("pictures",))
        if added.file.suffix.lower() != ".safetensors":
            raise _unsafe(folder, f"{where}.file {entry['file']!r}", added.file)
        if not added.file.is_file():
            raise _refusal(folder, f"{where}.file: there is no {entry['file']!r}", "copy it into the folder")
        found.append(added)
    return tuple(found)


def _file_and_scale(
    folder: ModelFolder, where: str, entry: Any, form: str, extra: Collection[str] = ()
) -> Lora:
    """What ``{"file": ..., "scale": ...}`` says, the file not yet looked for. extra: other
    keys it may have."""
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("file"), str)
        or entry.keys() - {"file", "scale", *extra}
    ):
        raise _refusal(folder, f"{where} cannot be {entry!r}", form)
    scale = entry.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float):
        raise _refusal(folder, f"{where}.scale cannot be {scale!r}", "give a number such as 0.8")
    pictures = entry.get("pictures", True)
    if not isinstance(pictures, bool):
        raise _refusal(folder, f"{where}.pictures cannot be {pictures!r}", "write true or false")
    file = existing(folder.path / entry["file"])
    if "\\" in entry["file"] and not file.exists():  # written on Windows
        file = existing(folder.path / entry["file"].replace("\\", "/"))
    return Lora(file, float(scale), pictures)


def _unsafe(folder: ModelFolder, what: str, file: Path) -> ModelError:
    return _refusal(folder, f"{what} is not safetensors", f"convert it ({conversion_of(file)}) and name that")


def _refusal(folder: ModelFolder, what: str, remedy: str) -> ModelError:
    return ModelError(f"model {folder.identity!r}: {_SETTINGS}: {what}; {remedy}")
