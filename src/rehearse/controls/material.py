"""What controls are built from: a resolved shot, and what only the loaded model can say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from rehearse.controls.mark import Mark
from rehearse.controls.subject import Subject
from rehearse.resolve import ResolvedShot


@dataclass(frozen=True, eq=False, slots=True)
class Material:
    """Given to each control's ``build``, in the order of ``rehearse.shot.methods.METHODS``.

    resolved: the shot. subjects: with their tokens, back to front as the shot lists them. marks: targets with
    theirs. begins: indices of tokens that stand for no word and begin every prompt. beside: a folder of this
    name in the model's own, None where there is none. picture: latents ``[1, channels, 1 or frames, h, w]``
    of what the clip shows before the model moves it; None for models that start from no picture.
    """

    resolved: ResolvedShot
    subjects: tuple[Subject, ...]
    marks: tuple[Mark, ...]
    begins: tuple[int, ...]
    beside: Callable[[str], Path | None]
    picture: Callable[[], Tensor] | None = None
