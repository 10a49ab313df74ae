"""P_img: the image model drawing a picture from words, from a picture, or in a region of one.

All three are one run of the resumable loop. From words it starts in noise; from a picture it starts at a
later step, in the noised picture (SDEdit: strength s runs the last ``s`` of all steps); in a region it is
steered by :class:`~rehearse.controls.keep_outside.KeepOutside` and laid over the picture with a soft mask, in
pixels; there an inpainting model draws, where the image model names one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rehearse.controls.keep_outside import KeepOutside
from rehearse.models.model import VideoModel
from rehearse.sampling.loop import Cancel, Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State
from rehearse.shot.feather import Weights, lay_over


class PictureStep:
    """A denoising step of the intermediate picture was taken.

    step: how many are done, 1 to ``steps``, over all that had to be drawn. stage: what is being drawn,
    such as ``"instructions[1]"``.
    """

    def __init__(self, stage: str, step: int, steps: int, look: Callable[[], NDArray[np.uint8]]) -> None:
        self.stage, self.step, self.steps = stage, step, steps
        self._look = look

    @cached_property
    def preview(self) -> NDArray[np.uint8]:
        """The picture as this step sees it, uint8 ``[1, h, w, 3]``, most often at latent size."""
        return self._look()

    def __repr__(self) -> str:
        return f"PictureStep({self.stage!r}, {self.step}/{self.steps})"


OnStep = Callable[[PictureStep], object]


class Progress:
    """Counts the steps of several runs and hands them on; ``steps`` is set before the first of them."""

    def __init__(self, on_step: OnStep | None = None, cancel: Cancel | None = None) -> None:
        self.on_step, self.cancel = on_step, cancel
        self.done = self.steps = 0

    def follow(self, stage: str, loop: Loop, start: State) -> State:
        """Run to the end. Raises Cancelled between two steps."""
        last = start
        for state in loop.run(start, cancel=self.cancel):
            last = state
            self.tell(stage, lambda state=state: loop.preview(state)[0])  # type: ignore[misc]
        return last

    def tell(self, stage: str, look: Callable[[], NDArray[np.uint8]]) -> None:
        """One more step is done."""
        self.done += 1
        if self.on_step is not None:
            self.on_step(PictureStep(stage, self.done, max(self.steps, self.done), look))

    def called_off(self) -> bool:
        """Whether the work shall stop before its next step."""
        if self.cancel is None:
            return False
        return self.cancel.is_set() if isinstance(self.cancel, Event) else self.cancel()


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be drawn, and the seed of the noise it is drawn from. guidance: None is the model's own."""

    prompt: str
    negative_prompt: str
    seed: int
    guidance: float | None = None


class ImagePipeline:
    """P_img over any image model of the house, at one size.

    model: of one frame, able to encode pictures. width, height: in pixels, multiples of what the model takes.
    """

    def __init__(self, model: VideoModel, width: int, height: int) -> None:
        self.model = model
        self.width, self.height = width, height
        self.steps = model.defaults.steps

    @property
    def model_in_regions(self) -> VideoModel:
        """What draws in a region: the model that is named for it, else this one."""
        return self.model.inpainting_model() or self.model

    def drawn_by(self, in_region: bool = False) -> dict[str, Any]:
        """What decides how a picture is drawn, but for words and picture: a part of the stages' keys.

        Whatever the weights' place, the same weights at the same size and settings draw the same.
        """
        model = self.model_in_regions if in_region else self.model
        own = model.defaults
        return {
            "model": model.fingerprint,
            "size": [self.width, self.height],
            "run": [own.steps, own.guidance, own.scheduler],
        }

    def steps_for(self, strength: float, in_region: bool = False) -> int:
        """Denoising steps that image-to-image of a strength in [0, 1] takes: none at 0, else at least one."""
        steps = self.model_in_regions.defaults.steps if in_region else self.steps
        return 0 if strength <= 0 else max(1, round(min(strength, 1.0) * steps))

    def from_words(self, words: Words, stage: str, progress: Progress) -> NDArray[np.uint8]:
        """Text-to-image, uint8 ``[height, width, 3]``."""
        loop = self._loop(words)
        return self._picture(loop, progress.follow(stage, loop, loop.start()))

    def from_picture(
        self,
        picture: NDArray[np.uint8],
        words: Words,
        strength: float,
        stage: str,
        progress: Progress,
        region: Weights | None = None,
        onto: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.uint8]:
        """Image-to-image of a picture uint8 ``[height, width, 3]``.

        strength: 0 gives the picture back, 1 keeps nothing of it. region: ``[height, width]`` in [0, 1], how
        far each pixel may change; None is all of them. onto: the picture that the region is laid over, None
        for the picture itself: where the region is 0, the result is that picture bit for bit.
        """
        drawn = self._drawn(picture, words, strength, stage, progress, region)
        return drawn if region is None else lay_over(picture if onto is None else onto, drawn, region)

    def _drawn(
        self,
        picture: NDArray[np.uint8],
        words: Words,
        strength: float,
        stage: str,
        progress: Progress,
        region: Weights | None,
    ) -> NDArray[np.uint8]:
        count = self.steps_for(strength, region is not None)
        if not count or (region is not None and not region.any()):
            return picture.copy()
        model = self.model if region is None else self.model_in_regions
        clean = model.encode_pictures(np.array(picture)[None]).unsqueeze(2)
        if region is None:
            loop = self._loop(words)
        else:
            inside = self._cells(region)
            inpainting = model.inpainting
            seen = None if inpainting is None else inpainting.condition(np.array(picture), inside)
            loop = self._loop(words, model, (KeepOutside(clean, inside),), seen)
        state = progress.follow(stage, loop, loop.start_from(clean, loop.plan.steps - count))
        return self._picture(loop, state)

    def _loop(
        self,
        words: Words,
        model: VideoModel | None = None,
        controls: tuple[KeepOutside, ...] = (),
        condition: torch.Tensor | None = None,
    ) -> Loop:
        model = self.model if model is None else model
        own = model.defaults
        plan = Plan(
            frames=1,
            width=self.width,
            height=self.height,
            fps=own.fps,
            steps=own.steps,
            guidance=own.guidance if words.guidance is None else words.guidance,
            scheduler=own.scheduler,
            seed=words.seed,
            text=model.encode(words.prompt, words.negative_prompt),
            condition=condition,
            controls=controls,
        )
        return Loop(model, plan)

    def _picture(self, loop: Loop, state: State) -> NDArray[np.uint8]:
        picture: NDArray[np.uint8] = loop.decode(state)[0, 0]
        return picture

    def _cells(self, region: Weights) -> torch.Tensor:
        """Latent cells ``[h, w]`` that may change: 1 for each that holds a pixel of the region. All of such a
        cell is drawn, the pixels' own weights then decide what is seen of it."""
        _, _, rows, columns = self.model.latent_shape(1, self.height, self.width)
        blocks = region.reshape(rows, self.height // rows, columns, self.width // columns)
        return torch.from_numpy(np.asarray(blocks.max(axis=(1, 3)) > 0, dtype=np.float32))
