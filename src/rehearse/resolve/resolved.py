"""A shot with nothing left open: what :func:`rehearse.resolve.resolve` makes of it, for one model.

Every item carries ``field``, the place in the document it comes from, so that whoever finds fault with it
later names the person's own field. Pure data: geometry as numpy arrays, no tensors, no weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rehearse.cards import ModelCard
from rehearse.resolve.instructions.blends import DragBlend, ForkBlend
from rehearse.resolve.instructions.marks import MarkedThing
from rehearse.resolve.instructions.motions import Motion
from rehearse.resolve.instructions.pictures import Picture
from rehearse.resolve.instructions.words import Words
from rehearse.shot import BoxPath, Shot
from rehearse.shot.methods import Method

M = TypeVar("M", bound=Method)


@dataclass(frozen=True, slots=True)
class SubjectPath:
    """A subject that the words name and a path leads.

    field: of its instruction. phrase: as the shot has it. span: its characters in the words that are read.
    path: boxes over the clip, already as a loop goes them. depth: 0 is the front-most.
    """

    field: str
    phrase: str
    span: tuple[int, int]
    path: BoxPath
    depth: int


@dataclass(frozen=True, eq=False, slots=True)
class ResolvedShot:
    """A shot for one model: every default filled in, every refusal made that needs no weights.

    shot: as it was asked for. card: of the model. frames, width, height, fps, steps, guidance, scheduler,
    seed: of the run. words: what the model reads. subjects: what words name and paths lead, in the shot's
    order. marks: targets. motion, picture: of a model that animates one, else None. methods: settings of each
    method, in the order in which they act. blend: what the shot's blend means. notes: sentences on what the
    shot asks for and this run cannot heed.
    """

    shot: Shot
    card: ModelCard
    frames: int
    width: int
    height: int
    fps: float
    steps: int
    guidance: float
    scheduler: str
    seed: int
    words: Words
    subjects: tuple[SubjectPath, ...]
    marks: tuple[MarkedThing, ...]
    motion: Motion | None
    picture: Picture | None
    methods: tuple[Method, ...]
    blend: ForkBlend | DragBlend | None
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The model's name in the shot."""
        return self.shot.model

    def method(self, kind: type[M]) -> M:
        """The settings of one method."""
        return next(one for one in self.methods if isinstance(one, kind))

    def led(self, rows: int, columns: int) -> NDArray[np.bool_]:
        """The cells of a grid over the frame that some subject's boxes touch at any time, ``[rows,
        columns]``."""
        led = np.zeros((rows, columns), dtype=bool)
        for subject in self.subjects:
            boxes = subject.path.resample(self.frames).clip(0, 1) * (columns, rows, columns, rows)
            for x0, y0, x1, y1 in boxes:
                led[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
        return led
