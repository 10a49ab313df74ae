"""A take in a folder: it survives the process that runs it, and can be paused, resumed and forked from there.

    take.json                       what it is: id, parent, branch step, model, steps, shot; written once
    checkpoints/step-0012.safetensors   the states that are kept, the newest always among them
    previews/step-0012.png          all frames side by side as that step saw them
    events.jsonl                    what happened, a line each
    clip.mp4                        the finished clip

Every file is written beside its place, flushed to the disk and renamed, so that a process that dies at any
moment leaves a folder that resumes bit for bit.

    folder = TakeFolder.create("ball.take")
    with folder.running():
        rh.Take.start(shot, recorder=folder).finish()
    late = TakeFolder.open("ball.take").take().fork(8, changed, recorder=TakeFolder.create("late.take"))
"""

from __future__ import annotations

import contextlib
import json
import logging
import operator
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from rehearse.durable import because, sync, write_durably
from rehearse.json_text import JsonFault, read_json_file
from rehearse.models import load_model
from rehearse.models.errors import ModelError
from rehearse.sampling.checkpoint import (
    Checkpoint,
    CheckpointDamaged,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from rehearse.sampling.original import Original
from rehearse.sampling.surroundings import say_what_changed
from rehearse.shot import Shot, ShotError
from rehearse.takes.take import Take

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel
    from rehearse.sampling.state import State

_LOG = logging.getLogger(__name__)
_FORMAT = "rehearse-take"
_VERSION = 1
_STEP = re.compile(r"step-(\d{4,})\.safetensors")


class FolderError(ValueError):
    """A folder cannot be made, read or run. ``str(error)`` is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class TakeCard:
    """What ``take.json`` says. steps: of the whole take. keep: every how many steps a checkpoint stays.
    blend: "computed" or "kept" where the take is mixed with its parent. shot: as JSON text. picture: SHA-256
    of the pixels that it began with; None for a model that starts from none, and for an older take.
    """

    id: str
    model: str
    fingerprint: str
    steps: int
    frames: int
    width: int
    height: int
    keep: int
    parent: str | None
    branch_step: int | None
    blend: str | None
    shot: str
    picture: str | None = None


class TakeFolder:
    """A take's folder; the :class:`~rehearse.takes.recorder.Recorder` that writes one.

    path: the folder. keep: n keeps the checkpoint of every n-th step, 0 only those it needs to resume (the
    newest, and the one a fork began with).
    """

    def __init__(self, path: str | os.PathLike[str], keep: int = 1) -> None:
        self.path = Path(path)
        self.keep = keep
        self._card: TakeCard | None = None
        self._held = False

    @classmethod
    def create(cls, path: str | os.PathLike[str], *, keep: int = 1) -> Self:
        """A folder for a new take; it is made when the take starts.

        Raises FolderError: something is there already, or it cannot be made there.
        """
        try:
            folder = cls(path, operator.index(keep))
        except TypeError as error:
            raise FolderError(f"keep is {keep!r}: give a whole number, n for every n-th step") from error
        if keep < 0:
            raise FolderError(f"keep is {keep}: give 1 to keep every step, n for every n-th, 0 for none")
        place = folder.path
        if place.is_dir() and all(_is_debris(entry) for entry in place.iterdir()):
            return folder
        if os.path.lexists(place):
            raise folder._taken("holds a take already" if folder._started else "exists already")
        around = next((one for one in place.absolute().parents if (one / "take.json").is_file()), None)
        if around is not None:
            raise FolderError(
                f"{place} lies in the folder of another take, {around}; choose a place beside it"
            )
        if not place.absolute().parent.is_dir():
            raise FolderError(f"cannot make {place}: there is no folder {place.parent}; make it first")
        return folder

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """The folder of a take that was started before. FolderError where there is none or it is damaged."""
        folder = cls(path)
        folder._card = folder._read_card()
        folder.keep = folder._card.keep
        return folder

    @property
    def card(self) -> TakeCard:
        """What the take is. FolderError before it started."""
        if self._card is None:
            self._card = self._read_card()
        return self._card

    @property
    def shot(self) -> Shot:
        """The take's shot. FolderError where it cannot be read."""
        try:
            return Shot.model_validate_json(self.card.shot)
        except ShotError as error:
            raise FolderError(f"the shot in {self.path / 'take.json'} cannot be read: {error}") from error

    @property
    def step(self) -> int:
        """Steps done that are on the disk."""
        return max(self.steps(), default=0)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step == self.card.steps

    @property
    def clip_path(self) -> Path:
        """Where the finished clip lies, or will."""
        return self.path / "clip.mp4"

    def take(self, model: VideoModel | None = None) -> Take:
        """The take as it stands on the disk, ready to play on; its recorder is this folder. Where the
        surroundings are the same it goes on bit for bit (:meth:`Take.load`); a warning says what differs.

        model: a loaded model, None loads the one the take names. Raises FolderError, CheckpointError (other
        weights than it was made with), ModelError. Nothing in the folder changes, but that a checkpoint that
        is found damaged is put aside by the process that runs the take.
        """
        card = self.card
        model = model or self._model()
        if model.fingerprint != card.fingerprint:
            raise CheckpointError(
                f"the take in {self.path} was made with other weights of {card.model!r} "
                f"({card.fingerprint[:12]}) than {model.identity!r} has ({model.fingerprint[:12]}); continue "
                "it with the model it was made with"
            )
        original = None if card.blend is None else self._original()
        newest = self._newest()
        if newest is not None and json.loads(newest.shot) != json.loads(card.shot):
            raise FolderError(
                f"{self.path / 'take.json'} has another shot than the checkpoints of the take, which never "
                f"changes; put the file back, and fork the take to change its shot{self._what_is_left()}"
            )
        if newest is not None and newest.state.step < card.steps:
            say_what_changed(newest.made_with, model)
        take = Take.restore(
            self.shot,
            model,
            id=card.id,
            state=None if newest is None else newest.state,
            parent_id=card.parent,
            branch_step=card.branch_step,
            original=original,
            keep=0,
            recorder=self,
        )
        if card.picture is not None and card.picture != take.plan.picture:
            # Pictures are drawn anew; what draws them is no part of the video model's fingerprint.
            _LOG.warning(
                "what goes on begins with another picture than the take in %s did: a model that draws "
                "it, or its settings, have changed; for a clip of one picture throughout, start a new take",
                self.path,
            )
        return take

    # As a recorder

    def on_start(self, take: Take) -> None:
        """Make the folder; from here on it resumes."""
        if self._started:  # by a process that was quicker
            raise self._taken("holds a take already")
        try:
            (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
            (self.path / "previews").mkdir(exist_ok=True)
        except OSError as error:
            raise FolderError(f"cannot make {self.path}: {because(error)}") from error
        for step in self.steps():
            self._file(step).unlink()  # of a take that died before it had a card
        original, plan = take.original, take.plan
        blend = None if original is None else "computed" if original.kept is None else "kept"
        card = TakeCard(
            id=take.id, model=take.model.identity, fingerprint=take.model.fingerprint, steps=take.steps,
            frames=plan.frames, width=plan.width, height=plan.height, keep=self.keep, parent=take.parent_id,
            branch_step=take.branch_step, blend=blend, shot=take.shot.to_json(), picture=plan.picture,
        )  # fmt: skip
        if take.state is not None:
            # Before the card: a folder with a card has all that its take needs.
            self._save(take, take.state, original)
        said = {"format": _FORMAT, "version": _VERSION, **asdict(card), "shot": json.loads(card.shot)}
        if card.picture is None:
            del said["picture"]  # older versions read no such entry
        self._write("take.json", (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode())
        self._card = card
        self._tell("started", take.step, parent=take.parent_id)

    def on_state(self, take: Take, state: State) -> None:
        """Write the state and its preview, drop what is not kept; stop the take where a pause was asked."""
        self._save(take, state, None if take.original is None else _bare(take.original))
        if state.step:
            self._preview(take, state)
            self._tell("step", state.step)
        for step in self.steps():
            if step < state.step and not self._keeps(step):
                with contextlib.suppress(OSError):
                    self._file(step).unlink()
        if self.pause_asked and state.step < take.steps:
            take.cancel()

    def on_finish(self, take: Take) -> None:
        """Write the clip."""
        if not self.clip_path.exists():
            take.clip.save(self.clip_path)
            sync(self.clip_path)
            sync(self.path)
            self._tell("finished", take.step)

    def steps(self) -> tuple[int, ...]:
        """Steps whose checkpoints are here."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for entry in (self.path / "checkpoints").iterdir():
                if match := _STEP.fullmatch(entry.name):
                    found.append(int(match[1]))
        return tuple(sorted(found))

    def state(self, step: int) -> State:
        """The state of a kept step. KeyError; CheckpointError where its file is damaged."""
        if step not in self.steps():
            raise KeyError(step)
        try:
            return self._load(step).state
        except CheckpointDamaged as error:
            others = ", ".join(str(one) for one in self.steps() if one != step) or "none"
            raise CheckpointDamaged(f"{error}; give another step that is kept ({others})") from error

    # Running, and being asked to pause

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around a run: no second process runs the same take. FolderError where one does already, or where
        the folder cannot be written to."""
        lock = self._lock()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0.5)  # whoever only asks whether it runs holds it for a moment
        except Timeout as error:
            raise FolderError(
                f"{self.path} is being run by process {self._pid()}; pause it first: "
                f"rehearse take pause {shlex.quote(str(self.path))}"
            ) from error
        except OSError as error:
            raise FolderError(
                f"cannot write in {self.path}: {because(error)}; make the folder writable, or fork the take "
                "into another one"
            ) from error
        try:
            self._held = True
            # A request that nobody was there to hear is of no use to this run.
            (self.path / "pause").unlink(missing_ok=True)
            self._write("running.json", json.dumps({"pid": os.getpid()}).encode())
            if self._started:  # whoever cleans up may have thrown away what was empty or can be made anew
                for name in ("checkpoints", "previews"):
                    (self.path / name).mkdir(exist_ok=True)
            yield
        finally:
            self._held = False
            for name in ("running.json", "pause"):
                with contextlib.suppress(OSError):
                    (self.path / name).unlink()
            if self._started and not self.finished:
                self._tell("paused", self.step)
            lock.release()
            if not self._started:
                self._leave()

    def runs(self) -> bool:
        """Whether a process runs the take now. One that was killed holds no lock any more."""
        if not (self.path / "lock").exists():
            return False  # asking leaves no file behind
        lock = self._lock()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except OSError:
            return False  # a folder that cannot be written to is run by nobody
        lock.release()
        return False

    @property
    def left_by(self) -> int | None:
        """The process that ran the take last and did not end in order; None where none did so."""
        return self._pid()

    @property
    def pause_asked(self) -> bool:
        """Whether the running take is asked to stop before its next step."""
        return (self.path / "pause").exists()

    def pause(self, wait: Callable[[], object] = lambda: time.sleep(0.1)) -> bool:
        """Ask the process that runs the take to stop before its next step, and wait until it has.

        wait: called again and again until then. False where no process runs it.
        """
        if not self.runs():
            return False
        (self.path / "pause").touch()
        while self.runs():
            wait()
        return True

    # What there is to see

    def events(self) -> list[dict[str, Any]]:
        """What happened, in order: ``event``, ``step``, ``time`` (seconds since 1970) and more."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for line in (self.path / "events.jsonl").read_text("utf-8", errors="replace").splitlines():
                # A line that a dying process left half-written is passed over.
                with contextlib.suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def preview(self, step: int) -> NDArray[np.uint8] | None:
        """What a step saw, uint8 ``[frames, h, w, 3]`` at latent size; None where no whole one is left."""
        from PIL import Image

        path = self.path / "previews" / f"step-{step:04d}.png"
        try:
            with Image.open(path) as picture:
                strip = np.asarray(picture.convert("RGB"))
            return np.stack(np.split(strip, self.card.frames, axis=1))
        except (OSError, SyntaxError, ValueError):
            return None

    # Files

    def _keeps(self, step: int) -> bool:
        if step == self.card.branch_step:
            return True
        return bool(self.keep) and step % self.keep == 0

    def _file(self, step: int) -> Path:
        return self.path / "checkpoints" / f"step-{step:04d}.safetensors"

    def _save(self, take: Take, state: State, original: Original | None) -> None:
        save_checkpoint(take.checkpoint(state, original=original), self._file(state.step))

    def _load(self, step: int) -> Checkpoint:
        file = self._file(step)
        found = load_checkpoint(file, fingerprint=self.card.fingerprint, model=self.card.model)
        if (found.state.step, found.notes.get("take")) != (step, self.card.id):
            raise CheckpointDamaged(f"checkpoint {file} belongs to another take or step")
        return found

    def _newest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole. What is no damage, such as a newer format, is raised."""
        passed: set[int] = set()
        # Looked for anew each time: a process that runs the take may drop one while it is being read here.
        while left := [step for step in self.steps() if step not in passed]:
            try:
                return self._load(left[-1])
            except CheckpointDamaged as error:
                passed.add(left[-1])
                if not self._file(left[-1]).exists():
                    continue
                _LOG.warning("%s; going on from an earlier step", error)
                if self._held:
                    with contextlib.suppress(OSError):
                        self._file(left[-1]).replace(self._file(left[-1]).with_suffix(".damaged"))
        if self.card.branch_step or self.card.blend is not None:
            raise FolderError(
                f"{self.path} has no checkpoint left to resume from; fork its parent at step "
                f"{self.card.branch_step} again"
            )
        return None

    def _original(self) -> Original:
        """What the take is blended with: the checkpoint it began with has the whole of it. Where nothing of
        it is kept predictions, every other one has too."""
        begun = self.card.branch_step
        why = ""
        for step in dict.fromkeys((begun or 0, *self.steps())):
            try:
                found = self._load(step).original
            except CheckpointDamaged as error:
                why = why or str(error)
                continue
            if found is not None and (step == begun or all(one.kept is None for one in found.lineage())):
                return found
        raise FolderError(
            f"what the take in {self.path} is blended with cannot be read ({why}); fork its parent at step "
            f"{begun} again"
        )

    def _model(self) -> VideoModel:
        try:
            return load_model(self.card.model)
        except ModelError as error:
            where = (
                "" if Path(self.card.model).is_absolute() else " (a folder's, seen from where it was started)"
            )
            raise ModelError(
                f"the take in {self.path} names the model it was made with{where}: {error}"
            ) from error

    def _what_is_left(self) -> str:
        """How to go on with a take whose card is lost: a checkpoint says what it is of."""
        steps = self.steps()
        if not steps:
            return ""
        return (
            f"; in Python, rehearse.Take.load({str(self._file(steps[-1]))!r}) goes on from step {steps[-1]}"
        )

    @property
    def _started(self) -> bool:
        return (self.path / "take.json").exists()

    def _taken(self, what: str) -> FolderError:
        return FolderError(f"{self.path} {what}; choose another folder for the take")

    def _preview(self, take: Take, state: State) -> None:
        from PIL import Image

        from rehearse.media.sheet import write_picture
        from rehearse.takes.take import StepEvent

        frames = StepEvent(take, state).preview
        path = self.path / "previews" / f"step-{state.step:04d}.png"
        write_picture(path, Image.fromarray(np.concatenate(list(frames), axis=1)))

    def _read_card(self) -> TakeCard:
        path = self.path / "take.json"
        if not self.path.is_dir():
            raise FolderError(f"there is no folder {self.path}; give one that generate --take has made")
        try:
            said = read_json_file(path)
            if said.pop("format") != _FORMAT:
                raise KeyError("format")
            version = said.pop("version")
            if type(version) is int and version > _VERSION:
                raise FolderError(
                    f"the take in {self.path} was made by a newer Rehearse (take format version {version}; "
                    f"this one reads up to {_VERSION}); update Rehearse"
                )
            if version != _VERSION:
                raise KeyError("version")
            return _checked(TakeCard(**{**said, "shot": json.dumps(said["shot"])}))
        except FileNotFoundError as error:
            raise FolderError(
                f"{self.path} holds no take: there is no take.json in it{self._what_is_left()}"
            ) from error
        except OSError as error:
            raise FolderError(f"cannot read {path}: {because(error)}") from error
        except JsonFault as error:
            raise FolderError(
                f"{path} is damaged: {error}; put it back from a copy{self._what_is_left()}"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, FolderError):
                raise
            raise FolderError(
                f"{path} is damaged or no take's; put it back from a copy{self._what_is_left()}"
            ) from error

    def _write(self, name: str, content: bytes) -> None:
        target = self.path / name
        try:
            write_durably(target, content)
        except OSError as error:
            raise FolderError(f"cannot write {target}: {because(error)}") from error

    def _tell(self, event: str, step: int, **more: Any) -> None:
        line = json.dumps({"event": event, "step": step, "time": round(time.time(), 3), **more})
        try:
            with (self.path / "events.jsonl").open("ab+") as file:
                # Whoever died within a line must not spoil the next one.
                if file.tell() and _last_byte(file) != b"\n":
                    file.write(b"\n")
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FolderError(f"cannot write {self.path / 'events.jsonl'}: {because(error)}") from error

    def _leave(self) -> None:
        """Nothing was started: leave no folder behind, unless somebody else's things are in it."""
        with contextlib.suppress(OSError):
            (self.path / "lock").unlink(missing_ok=True)
            for name in ("checkpoints", "previews"):
                with contextlib.suppress(FileNotFoundError):
                    (self.path / name).rmdir()
            self.path.rmdir()

    def _lock(self) -> FileLock:
        return FileLock(self.path / "lock", timeout=0)

    def _pid(self) -> int | None:
        try:
            return int(json.loads((self.path / "running.json").read_text())["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def __repr__(self) -> str:
        return f"TakeFolder({str(self.path)!r})"


def _checked(card: TakeCard) -> TakeCard:
    """The card, if every entry is of its kind. Raises TypeError, ValueError."""
    for name in ("id", "model", "fingerprint", "shot"):
        if not isinstance(getattr(card, name), str):
            raise TypeError(name)
    for name, least in (("steps", 1), ("frames", 1), ("width", 1), ("height", 1), ("keep", 0)):
        if type(getattr(card, name)) is not int or getattr(card, name) < least:
            raise ValueError(name)
    if card.blend not in (None, "computed", "kept") or not isinstance(card.parent, str | None):
        raise ValueError("blend")
    if not isinstance(card.picture, str | None):
        raise TypeError("picture")
    begun = card.branch_step
    if (begun is None) != (card.parent is None) or (begun is not None and type(begun) is not int):
        raise ValueError("branch_step")
    if (begun is not None and not 0 <= begun <= card.steps) or (card.blend is not None and begun is None):
        raise ValueError("branch_step")
    return card


def _bare(original: Original) -> Original:
    """An original without its kept predictions: they lie in the checkpoint that the fork began with."""
    return replace(
        original,
        kept=None if original.kept is None else {},
        original=None if original.original is None else _bare(original.original),
    )


def _is_debris(entry: Path) -> bool:
    """Whether this is all that is left of a take that died before it was one."""
    own = ("lock", "pause", "running.json", "checkpoints", "previews")
    return entry.name in own or entry.name.endswith(".part")


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    return last
