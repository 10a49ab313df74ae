"""The shot: everything a person asks for."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NoReturn, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field, field_validator, model_validator

from rehearse.shot.box import Box
from rehearse.shot.box_path import BoxKeyframe, BoxPath
from rehearse.shot.document import Document
from rehearse.shot.easing import Easing
from rehearse.shot.errors import ShotError, nearest
from rehearse.shot.fields import Number, Text, Whole
from rehearse.shot.files import embed_images, read_document, replace_images, write_images, write_whole
from rehearse.shot.image_ref import DIGEST_IMAGES, ImageRef
from rehearse.shot.instructions import (
    BoxTrajectory,
    ContentInstruction,
    DragMove,
    DragTrajectory,
    ImageInstruction,
    Instruction,
    Kind,
    MotionInstruction,
    PointTrajectory,
    TargetInstruction,
)
from rehearse.shot.instructions.conflicts import AnyInstruction, same_place, same_region, span
from rehearse.shot.mask import Mask
from rehearse.shot.methods import ControlSettings
from rehearse.shot.migrations import upgrade
from rehearse.shot.point_path import PointKeyframe, PointPath
from rehearse.shot.stroke import Stroke

KINDS: tuple[Kind, ...] = ("image", "content", "motion", "trajectory", "target")

Picture = ImageRef | str | Path | bytes | Image.Image | NDArray[np.uint8] | NDArray[np.bool_]
"""A picture as Python gives it: a file, the bytes of one, a PIL image, an array, or a reference."""

PathLike = (
    BoxPath
    | PointPath
    | Sequence[BoxKeyframe | tuple[float, Box] | tuple[float, Box, Easing]]
    | Sequence[
        PointKeyframe
        | tuple[float, tuple[float, float]]
        | tuple[float, tuple[float, float], Easing]
        | tuple[float, float, float]
    ]
)
"""A path, or the keyframes of one."""


# A box reads as one line. Inside JSON strings a line break is escaped, so this never touches a text.
_NUMBERS = re.compile(r"\[\n\s*([-+.,\deE\s]*?)\n\s*\]")


class Shot(Document):
    """Everything a person asks for, as one immutable document. Every method returns a new shot.

    `Shot("a red ball moves right over the meadow", model="theatre-video", seed=7)`. What is left out (None,
    in JSON null or absent) is the model's default. Positions are fractions of the frame, times fractions of
    the clip.

    Raises:
        ShotError: a field is unknown or out of range, a phrase is not in the prompt, instructions contradict
        each other.
    """

    noun: ClassVar[str] = ""
    positional: ClassVar[tuple[str, ...]] = ("prompt",)

    version: Literal[1] = 1
    """Version of this document's format."""
    prompt: Text
    """What the clip shows."""
    negative_prompt: Text | None = None
    """What it shall not show."""
    model: Annotated[str, Field(min_length=1, max_length=1000)] = "theatre-video"
    """A model of the theatre, a hub id or a folder."""
    seed: Annotated[Whole, Field(ge=0, le=2**53 - 1)] = 0
    """Decides the noise; up to 2^53 - 1, so that a browser carries it exactly."""
    frames: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    """Length of the clip in frames."""
    width: Annotated[Whole, Field(ge=8, le=8192)] | None = None
    """Pixels."""
    height: Annotated[Whole, Field(ge=8, le=8192)] | None = None
    """Pixels."""
    fps: Annotated[Number, Field(gt=0, le=240)] | None = None
    """Frames per second."""
    steps: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    """Denoising steps."""
    guidance: Annotated[Number, Field(ge=0, le=100)] | None = None
    """Scale of classifier-free guidance; 1 = none."""
    scheduler: Literal["ddim", "dpm++", "unipc", "euler"] | None = None
    """How a denoising step is taken."""
    instructions: Annotated[tuple[Instruction, ...], Field(fail_fast=True, max_length=256)] = ()
    """What shall happen besides the prompt; later edits are laid over earlier ones, later subjects are in
    front.
    """
    control: ControlSettings = ControlSettings()
    """Settings of the methods."""

    if TYPE_CHECKING:

        def __init__(
            self,
            prompt: str,
            *,
            version: Literal[1] = 1,
            negative_prompt: str | None = None,
            model: str = "theatre-video",
            seed: int = 0,
            frames: int | None = None,
            width: int | None = None,
            height: int | None = None,
            fps: float | None = None,
            steps: int | None = None,
            guidance: float | None = None,
            scheduler: Literal["ddim", "dpm++", "unipc", "euler"] | None = None,
            instructions: Sequence[AnyInstruction] = (),
            control: ControlSettings | None = None,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _in_current_version(cls, data: Any) -> Any:
        return upgrade(data) if isinstance(data, dict) else data

    @field_validator("model")
    @classmethod
    def _names_a_model(cls, value: str) -> str:
        if not value.strip() or "\0" in value:
            raise ShotError("it must be the name of a model, a hub id or a folder")
        return value

    @field_validator("control", mode="before")
    @classmethod
    def _control_defaults(cls, value: Any) -> Any:
        return {} if value is None else value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for i, instruction in enumerate(self.instructions):
            try:
                span(instruction, self.prompt)
            except ShotError as error:
                raise ShotError(
                    error.reason, field=f"instructions[{i}].{error.field}", value=error.value
                ) from error
            for j, earlier in enumerate(self.instructions[:i]):
                if same_place(earlier, instruction, self.prompt):
                    raise ShotError(
                        f"instructions[{j}] already says this ({_decides(earlier)}); keep one of them",
                        field=f"instructions[{i}]",
                    )
                if same_region(earlier, instruction):
                    raise ShotError(
                        f"instructions[{j}] already drags this region; put all its moves into one drag",
                        field=f"instructions[{i}].region",
                    )
        return self

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise ShotError(
            f"a shot cannot be changed in place; shot.with_({name}=...) gives a changed copy", field=name
        )

    # Changed copies

    def with_(self, **fields: Any) -> Shot:
        """This shot with other values of some fields: `shot.with_(steps=30, guidance=6)`."""
        return Shot(**{**self.given(), **fields})

    def with_prompt(self, prompt: str, negative_prompt: str | None = None) -> Shot:
        """This shot with another prompt; the negative prompt stays unless one is given.

        Raises:
            ShotError: an instruction's phrase is not in the new prompt.
        """
        return self.with_(prompt=prompt, negative_prompt=negative_prompt or self.negative_prompt)

    def with_seed(self, seed: int) -> Shot:
        """This shot with another seed, 0 to 2^53 - 1."""
        return self.with_(seed=seed)

    def with_control(self, **settings: Any) -> Shot:
        """This shot with other method settings, the rest as they are: `shot.with_control(frozen_steps=4)`."""
        return self.with_(control=ControlSettings(**{**self.control.given(), **settings}))

    def add(self, instruction: AnyInstruction) -> Shot:
        """This shot with one more instruction, in place of one that decides the same thing (see `follow`)."""
        span(instruction, self.prompt)
        kept = list(self.instructions)
        for i, earlier in enumerate(kept):
            if same_place(earlier, instruction, self.prompt):
                # In its place: the order says which subject is in front.
                return self.with_(instructions=(*kept[:i], instruction, *(
                    later for later in kept[i + 1 :] if not same_place(later, instruction, self.prompt)
                )))  # fmt: skip
        return self.with_(instructions=(*kept, instruction))

    def without(self, kind: Kind, phrase: str | None = None) -> Shot:
        """This shot without the instructions of a kind; with a phrase, only those that name it so."""
        if kind not in KINDS:
            raise ShotError(f"there is no such kind; {nearest(str(kind), KINDS)}", field="kind", value=kind)
        wanted = None if phrase is None else " ".join(phrase.lower().split())
        return self.with_(
            instructions=tuple(
                instruction
                for instruction in self.instructions
                if instruction.kind != kind
                or (wanted is not None and (getattr(instruction, "phrase", None) or "").lower() != wanted)
            )
        )

    # Instructions

    def follow(
        self,
        phrase: str | None,
        path: PathLike,
        *,
        easing: Easing | None = None,
        occurrence: int | None = None,
        leaves_frame: bool | None = None,
        radius: float | None = None,
    ) -> Shot:
        """The subject follows a path of boxes or of points, in place of any path it had.

        Args:
            phrase: words of the prompt that name the subject; None for what the path starts on in the first
            frame. path: a BoxPath, a PointPath, or keyframes (time, Box) or (time, (x, y)), times in [0, 1].
            easing: how it moves between keyframes; None leaves the path's own (linear).
            occurrence: which mention of the phrase is meant, from 1, if there are several.
            leaves_frame: whether the path may lead out of the frame; None leaves the path's own (no).
            radius: reach of a point, a fraction of the frame's shorter side.
        """
        settings: dict[str, Any] = {"easing": easing, "leaves_frame": leaves_frame, "radius": radius}
        whole = _path(path, {name: value for name, value in settings.items() if value is not None})
        if isinstance(whole, BoxPath):
            return self.add(BoxTrajectory(phrase=phrase, occurrence=occurrence, path=whole))
        return self.add(PointTrajectory(phrase=phrase, occurrence=occurrence, path=whole))

    def drag(
        self,
        handle: tuple[float, float],
        target: tuple[float, float],
        *,
        via: Sequence[tuple[float, float]] = (),
        region: Mask | Box | Picture | None = None,
        start: float = 0.0,
        end: float = 1.0,
        easing: Easing = "linear",
        method: Literal["warp", "optimise"] | None = None,
    ) -> Shot:
        """What is at `handle` is dragged to `target`, in place of any drag of this handle.

        Args:
            handle: (x, y) in the frame. target: likewise. via: points passed on the way.
            region: what is dragged along; None = found from the handle. Several handles of one region:
            `shot.add(DragTrajectory(moves=(...), region=...))`.
            start: time of the clip in [0, 1] at which it begins. end: at which it arrives.
            easing: how it moves between them.
            method: "warp" or "optimise"; None = the default.
        """
        return self.add(
            DragTrajectory(
                moves=(DragMove(handle, target, via=via),),
                region=None if region is None else Mask.of(region),
                start=start, end=end, easing=easing, method=method,
            )
        )  # fmt: skip

    def image(self, picture: Picture, *, strength: float | None = None, time: float = 0.0) -> Shot:
        """The clip shows a picture at a time (0: its first frame), in place of the one it had there. It is
        embedded.

        Args:
            picture: a file, the bytes of one, a PIL image or an array.
            strength: how strongly the clip keeps to it, in [0, 1].
            time: when, in [0, 1].
        """
        return self.add(ImageInstruction(image=ImageRef.embed(picture), strength=strength, time=time))

    def paint(
        self,
        strokes: Stroke | Sequence[Stroke],
        *,
        prompt: str | None = None,
        negative_prompt: str | None = None,
        mask: Mask | Box | Picture | None = None,
        feather: float | None = None,
        strength: float | None = None,
    ) -> Shot:
        """Strokes are painted on the picture and turned into content, after the edits that are there already.

        Args:
            strokes: one stroke or several, first to last.
            prompt: what they shall be; None = the shot's prompt.
            negative_prompt: what they shall not be.
            mask: the region that may change; None = round the strokes where a prompt says what they shall
                be, else everywhere.
            feather: width of the mask's soft edge, as a fraction of the frame's shorter side.
            strength: how far the edit may depart from picture and paint, in [0, 1].
        """
        return self._edit(
            tuple(strokes) if isinstance(strokes, Sequence) else (strokes,),
            prompt,
            negative_prompt,
            mask,
            feather,
            strength,
        )

    def edit(
        self,
        prompt: str,
        mask: Mask | Box | Picture | None = None,
        *,
        negative_prompt: str | None = None,
        feather: float | None = None,
        strength: float | None = None,
    ) -> Shot:
        """The picture, or with a mask only that region of it, is made anew under a prompt of its own."""
        return self._edit((), prompt, negative_prompt, mask, feather, strength)

    def motion(
        self,
        text: str | None = None,
        *,
        magnitude: Literal["small", "moderate", "large"] | float | None = None,
        loop: bool = False,
        restyle: bool = False,
    ) -> Shot:
        """How the clip moves, in place of what was said about it before.

        Args:
            text: what moves and how. magnitude: how much, a name or a number in [0, 1].
            loop: whether the clip leads back to its start.
            restyle: whether the model may change the picture's style to its own.
        """
        return self.add(MotionInstruction(text=text, magnitude=magnitude, loop=loop, restyle=restyle))

    def target(
        self,
        phrase: str,
        mask: Mask | Box | Picture,
        *,
        role: Literal["target", "source"] = "target",
        occurrence: int | None = None,
    ) -> Shot:
        """Marks in the first frame the one thing that the phrase means, in place of the one marked in this
        role before.
        """
        return self.add(
            TargetInstruction(phrase=phrase, mask=Mask.of(mask), role=role, occurrence=occurrence)
        )

    def _edit(
        self,
        strokes: tuple[Stroke, ...],
        prompt: str | None,
        negative_prompt: str | None,
        mask: Mask | Box | Picture | None,
        feather: float | None,
        strength: float | None,
    ) -> Shot:
        return self.add(
            ContentInstruction(
                prompt=prompt, negative_prompt=negative_prompt, strokes=strokes,
                mask=None if mask is None else Mask.of(mask), feather=feather, strength=strength,
            )
        )  # fmt: skip

    # Files

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Shot:
        """Read a shot file; its pictures are read too and travel with the shot from then on.

        Raises:
            ShotError: unreadable, not a shot, or a picture of it is missing or lies outside the file's
            folder.
        """
        file = Path(path)
        try:
            return embed_images(cls.model_validate_json(read_document(file)), file.parent)
        except ShotError as error:
            if not error.field and str(file) in error.reason:
                raise
            raise ShotError(
                error.reason, field=error.field, value=error.value, document=str(file), others=error.others
            ) from error

    def save(self, path: str | os.PathLike[str], *, images: Literal["files", "inline"] = "files") -> Path:
        """Write the shot as JSON, each file whole or not at all. Returns the path.

        Args:
            path: where to.
            images: "files" writes pictures beside it, named by content; "inline" keeps them in the JSON.

        Raises:
            ShotError: it cannot be written.
        """
        if images not in ("files", "inline"):
            raise ShotError('it must be "files" or "inline"', field="images", value=images)
        file = Path(path)
        shot = write_images(self, file) if images == "files" else self
        write_whole(file, shot.to_json().encode())
        return file

    def to_json(self) -> str:
        """This shot as JSON, fields always in the same order, what is left out omitted."""
        text = json.dumps(self.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)
        return _NUMBERS.sub(lambda match: "[" + " ".join(match[1].split()) + "]", text) + "\n"

    def digest(self) -> str:
        """SHA-256 in hex of what is asked for: the same however it was written, pictures by their content.

        Raises:
            ShotError: a picture is a file that has not been read (`Shot.load` reads them).
        """
        replace_images(self, _refuse_unread)
        document = self.model_dump(mode="json", exclude_none=True, context=DIGEST_IMAGES)
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse_unread(image: ImageRef) -> ImageRef:
    image.read()
    return image


def _path(path: PathLike, settings: dict[str, Any]) -> BoxPath | PointPath:
    if isinstance(path, BoxPath | PointPath):
        if "radius" in settings and isinstance(path, BoxPath):
            raise ShotError("only a path of points has a radius; leave it out", field="radius")
        return type(path)(**{**path.given(), **settings}) if settings else path
    keyframes: Any = path
    if not isinstance(keyframes, list | tuple) or not keyframes:
        raise ShotError(
            "it must be a path or a list of keyframes, (time, Box) or (time, (x, y))", field="path"
        )
    if not _holds_a_box(keyframes[0]):
        return PointPath(keyframes, **settings)
    if "radius" in settings:
        raise ShotError("only a path of points has a radius; leave it out", field="radius")
    return BoxPath(keyframes, **settings)


def _holds_a_box(keyframe: Any) -> bool:
    match keyframe:
        case BoxKeyframe() | {"box": _}:
            return True
        case (_, Box() | (_, _, _, _), *_):
            return True
        case _:
            return False


def _decides(instruction: AnyInstruction) -> str:
    phrase = getattr(instruction, "phrase", None)
    return f"{instruction.noun} of {phrase!r}" if phrase else instruction.noun
