"""Models as the target evaluation uses them: clips through the public API, and a look at their attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.target.cases import truth
from rehearse.evaluation.target.measure import Looks, TargetTools
from rehearse.models.target_conditioning import TRIGGERS, with_trigger
from rehearse.shot import Shot
from rehearse.shot.grid import pool
from rehearse.sites import AttentionCall, Site
from rehearse.training.own.attention_column import video_to_text
from rehearse.training.own.losses import inside_outside

TIMES = (0.3, 0.5, 0.7)
"""Noise levels that attention is read at, as parts of the model's time; the trainer's, when it measures."""


def load_target_tools() -> TargetTools:
    """What a process that measures holds; models are loaded as they are asked for."""
    return TargetTools(make_clip, look)


def make_clip(model: str, shot: Shot) -> NDArray[np.uint8]:
    """The clip of a shot, as ``rehearse generate`` makes it. Raises ModelError, ShotError."""
    from rehearse.api import generate
    from rehearse.models import load_model

    return generate(shot, model=load_model(model)).frames


class ColumnProbe:
    """Reads at every joint site how first-frame cells look at a word; it changes nothing.

    words: ``[1, 1, text tokens]``, 1 at the word's. found: by site, ``[1, 1, cells]``, mean over heads.
    """

    def __init__(self, words: Tensor) -> None:
        self.words = words
        self.found: dict[str, Tensor] = {}
        self.grid: tuple[int, int] = (0, 0)

    def wants(self, site: Site) -> bool:
        return site.kind == "joint"

    def __call__(self, call: AttentionCall) -> None:
        assert call.text is not None
        first, grid = call.text.stop, call.grid
        query = call.query[:, :, first : first + grid.area]
        words = self.words.to(call.key.device)
        self.found[call.site.name] = video_to_text(query, call.key, words).float().cpu()
        self.grid = (grid.height, grid.width)


@torch.no_grad()
def look(model: str, place: int) -> Looks:
    """How a model looks at the marked prop of a case, while it denoises the rendered clip.

    The prompt has the trigger word in every arm, the mask is given to those that take one, and the noise is
    the same in all of them. Raises EvaluationError for a model without joint attention.
    """
    from rehearse.models import load_model

    loaded: Any = load_model(model)
    if not any(site.kind == "joint" for site in loaded.sites):
        raise EvaluationError(f"model {model!r} has no joint attention to look at; give a CogVideoX model")
    clip = truth(place)
    trigger = TRIGGERS["target"] if loaded.targets is None else loaded.targets.triggers["target"]
    prompt, span = with_trigger(clip.caption, clip.scene.phrase, trigger)
    text = loaded.encode(prompt)[1:]
    probe = ColumnProbe(torch.zeros(1, 1, text.shape[1]))
    probe.words[0, 0, list(loaded.tokenize(prompt).within(*span))] = 1
    mask = torch.from_numpy(clip.mask.astype(np.float32))
    condition = loaded.pictures.condition(clip.frames[:1], [1.0] * len(clip.frames))
    if loaded.targets is not None:
        condition = loaded.targets.with_masks(condition, {"target": mask})
    clean = loaded.encode_clip(clip.frames)[None]
    signals = torch.as_tensor(loaded.make_scheduler("ddim").alphas_cumprod).float()
    inside, outside = [], []
    for time in TIMES:
        step = round(time * (len(signals) - 1))
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(step))
        noisy = signals[step].sqrt() * clean + (1 - signals[step]).sqrt() * noise
        loaded.denoise(noisy, torch.tensor([step]), text, attend=probe, condition=condition)
        columns = torch.stack([probe.found[site.name] for site in loaded.sites if site.name in probe.found])
        cells = torch.from_numpy(pool(mask.numpy(), *probe.grid)).flatten()[None, None]
        both = inside_outside(columns, cells)
        inside.append(both[0][:, 0, 0])
        outside.append(both[1][:, 0, 0])
    means = (torch.stack(part).mean(dim=0).tolist() for part in (inside, outside))
    return Looks(*(tuple(float(f"{value:.6g}") for value in mean) for mean in means))
