"""A project as one file: a zip of ``project.json`` and ``blobs/<digest>``.

An import trusts nothing: names, sizes, digests, documents and references are all checked before the first row
is written; nothing in the file says where anything goes.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import time
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from rehearse.json_text import JsonFault, parse_json
from rehearse.sampling import checkpoint_format
from rehearse.shot import ImageRef, Shot, ShotError
from rehearse.shot.draft import Draft, check_draft, prompt_of, read_draft
from rehearse.shot.files import replace_images
from rehearse.takes.store import events, images
from rehearse.takes.store.entries import INDEX, entries_of, refuse_no_zip
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.projects import project_row
from rehearse.takes.store.schema import (
    ProjectRow,
    RevisionRow,
    ShotRow,
    StepRow,
    TakeRow,
)
from rehearse.takes.store.store import Store

FORMAT = "rehearse-project"
VERSION = 2
"""1: no notes. 2: takes may have notes, which a program that reads 1 only would not take."""

_LARGEST_INDEX = 32 << 20
"""Some 100,000 steps; what is in it lies in memory all at once, many times as large."""
_LARGEST_BLOB = 4 << 30
_MOST_UNFOLDED = 4
_FREELY_UNFOLDED = 64 << 20
"""A project's files do not compress: all together they unfold to at most this, and so many times the file."""
_LARGEST_READ = 64 << 20
"""What is read of the file at once. Only its list of entries could be larger, and it is read whole."""
_LARGEST_HEADER = 64 << 20
_MOST_FIELDS = 64
_MOST_LISTS = 100_000
_MOST_TENSORS = 10_000
_CHUNK = 1 << 20

_DAMAGES = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError
)  # fmt: skip

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Steps = Annotated[int, Field(ge=0, le=1000)]
Text = Annotated[str, Field(max_length=16 << 20)]
Time = Annotated[float, Field(ge=0, le=1e12)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Strip(_Part):
    digest: Digest
    frames: Annotated[int, Field(ge=1, le=10_000)]
    columns: Annotated[int, Field(ge=1, le=10_000)]
    width: Annotated[int, Field(ge=1, le=8192)]
    height: Annotated[int, Field(ge=1, le=8192)]


class _Revision(_Part):
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]
    document: Text
    created: Time


class _Shot(_Part):
    id: Id
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    created: Time
    deleted: Time | None
    revisions: Annotated[list[_Revision], FailFast(), Field(min_length=1)]


class _Step(_Part):
    step: Steps
    checkpoint: Digest | None
    preview: _Strip
    look: _Strip | None
    inherited: bool
    seconds: Time | None
    created: Time


class _Take(_Part):
    id: Id
    shot: Id
    shot_revision: int | None
    parent: Id | None
    branch_step: Steps | None
    document: Text
    status: Literal["paused", "finished", "stopped", "failed", "interrupted"]
    step: Steps
    total: Steps
    until: Steps | None
    frames: Count | None
    width: Count | None
    height: Count | None
    fps: Annotated[float, Field(gt=0, le=240)] | None
    name: Annotated[str, Field(min_length=1, max_length=200)]
    pinned: bool
    error: Text | None
    notes: Annotated[list[Text], FailFast(), Field(max_length=1000)] = []
    begun: bool
    seconds: Time | None
    look: _Strip | None
    picture: Digest | None
    created: Time
    deleted: Time | None
    steps: Annotated[list[_Step], FailFast()]


class _Project(_Part):
    format: Literal["rehearse-project"]
    version: Literal[1, 2]
    id: Id
    name: Annotated[str, Field(min_length=1, max_length=200)]
    created: Time
    images: Annotated[list[Digest], FailFast()]
    shots: Annotated[list[_Shot], FailFast()]
    takes: Annotated[list[_Take], FailFast()]


def export_project(store: Store, project: str, target: Path) -> None:
    """Write a project, its bin included, to ``target``. Raises StoreError."""
    with store.read() as session:
        whole, files = _gather(session, project)
    index = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    if len(index) > _LARGEST_INDEX:
        raise StoreError(
            f"the project's shots, takes and steps are {len(index) / 2**20:.1f} MiB of text, and a project "
            f"file takes {_LARGEST_INDEX >> 20}; copy the folder that the projects lie in instead",
            "conflict",
        )
    with store.blobs.room(), zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as pack:
        pack.writestr(zipfile.ZipInfo(INDEX), index, zipfile.ZIP_DEFLATED)
        for digest in sorted(files):
            # No times, so that the same project is the same file.
            with (
                pack.open(zipfile.ZipInfo(f"blobs/{digest}"), "w", force_zip64=True) as into,
                store.blobs.path(digest).open("rb") as source,
            ):
                while part := source.read(_CHUNK):
                    into.write(part)


def _gather(session: Session, project: str) -> tuple[dict[str, Any], set[str]]:
    row = project_row(session, project)
    takes = list(
        session.scalars(select(TakeRow).where(TakeRow.project_id == project).order_by(TakeRow.created))
    )
    shots = list(
        session.scalars(select(ShotRow).where(ShotRow.project_id == project).order_by(ShotRow.created))
    )
    files: set[str] = set()
    pictures: set[str] = set()
    whole: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, "id": row.id, "name": row.name, "created": row.created,
        "shots": [], "takes": [],
    }  # fmt: skip
    for shot in shots:
        query = select(RevisionRow).where(RevisionRow.shot_id == shot.id).order_by(RevisionRow.revision)
        revisions = [
            {"revision": r.revision, "document": r.document, "created": r.created}
            for r in session.scalars(query)
        ]
        for revision in revisions:
            pictures |= images.references(str(revision["document"]))
        whole["shots"].append(
            {"id": shot.id, "name": shot.name, "created": shot.created, "deleted": shot.deleted,
             "revisions": revisions}
        )  # fmt: skip
    for take in takes:
        steps = []
        for step in session.scalars(select(StepRow).where(StepRow.take_id == take.id).order_by(StepRow.step)):
            steps.append(
                {"step": step.step, "checkpoint": step.checkpoint, "preview": step.preview,
                 "look": step.look, "inherited": step.inherited, "seconds": step.seconds,
                 "created": step.created}
            )  # fmt: skip
            files |= {step.preview["digest"], *([step.checkpoint] if step.checkpoint else [])}
            files |= {step.look["digest"]} if step.look else set()
        files |= {strip["digest"] for strip in (take.look,) if strip}
        files |= {take.picture} if take.picture else set()
        pictures |= images.references(take.document)
        whole["takes"].append(
            {
                "id": take.id, "shot": take.shot_id, "shot_revision": take.shot_revision,
                "parent": take.parent_id, "branch_step": take.branch_step, "document": take.document,
                "status": take.status if take.status not in ("queued", "running") else "paused",
                "step": take.step, "total": take.steps, "until": take.until, "frames": take.frames,
                "width": take.width, "height": take.height, "fps": take.fps, "name": take.name,
                "pinned": take.pinned, "error": take.error, "begun": take.begun and bool(steps),
                **({"notes": take.notes} if take.notes else {}),
                "seconds": take.seconds,
                "look": take.look, "picture": take.picture, "created": take.created,
                "deleted": take.deleted, "steps": steps,
            }
        )  # fmt: skip
    whole["images"] = sorted(pictures)
    whole["version"] = VERSION if any(take.notes for take in takes) else 1
    return whole, files | pictures


def import_project(store: Store, source: Path, place: Path) -> str:
    """Take in a project; its id. place: an empty folder on the store's disk for what is being checked.

    Ids that are here already are made anew. Raises StoreError: what in the file is no good.
    """
    try:
        refuse_no_zip(source)
        with _Source(source) as file, zipfile.ZipFile(file) as pack:
            entries = entries_of(pack)
            files = entries.blobs
            _refuse_a_bomb(pack, source.stat().st_size)
            whole = _index(pack, entries.index)
            wanted = _checked(whole)
            for digest in sorted(set(wanted) - set(files)):
                raise StoreError(f"the project is not whole: it lacks the file {digest[:12]}")
            for digest in sorted(set(files) - set(wanted)):
                raise StoreError(f"the project holds a file that nothing in it names ({digest[:12]})")
            for digest, checks in wanted.items():
                path = place / digest
                with store.blobs.room():
                    _extract(pack, files[digest], digest, path)
                for check in checks:
                    check(path)
    except _DAMAGES as error:
        raise StoreError(
            f"this is not a whole project file: {str(error)[:100] or 'it is damaged'}"
        ) from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # Where the file points to lies before its beginning.
        raise StoreError("this is not a whole project file: its beginning is missing") from error
    for digest in wanted:
        store.blobs.adopt(place / digest)
    with store.write() as session:
        return _written(session, store, whole)


class _Source(io.FileIO):
    """A file of which little is read at once: zipfile would read a list of entries of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_READ:
            raise StoreError(
                f"this is not a project file: its list of entries has {size >> 20} MiB; at most "
                f"{_LARGEST_READ >> 20} are read"
            )
        return super().read(size)


def _refuse_a_bomb(pack: zipfile.ZipFile, size: int) -> None:
    """By what the entries say of themselves, which unpacking holds each of them to."""
    most = _FREELY_UNFOLDED + _MOST_UNFOLDED * size
    unfolded = sum(info.file_size for info in pack.infolist())
    if unfolded > most:
        raise StoreError(
            f"this is not a project file: it says that it unfolds to {unfolded / 2**20:.0f} MiB, and one of "
            f"its size does to {most / 2**20:.0f} at most; export the project again"
        )


def _index(pack: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Project:
    too_large = StoreError(f"its {INDEX} is larger than {_LARGEST_INDEX >> 20} MiB")
    if info.file_size > _LARGEST_INDEX:
        raise too_large
    with pack.open(info) as file:
        content = file.read(_LARGEST_INDEX + 1)
    if len(content) > _LARGEST_INDEX:
        raise too_large
    try:
        said = _read_json(content, _MOST_FIELDS)
        _refuse_a_newer(said)
        return _Project.model_validate(said)
    except (ValueError, RecursionError) as error:
        if isinstance(error, StoreError):
            raise
        if not isinstance(error, ValidationError):
            why = f": {error}" if isinstance(error, JsonFault) else ""
            raise StoreError(f"this is not a project file: its {INDEX} cannot be read{why}") from error
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:100] or INDEX
        raise StoreError(f"this is not a project of this version: {where}: {first['msg'].lower()}") from error


def _refuse_a_newer(said: Any) -> None:
    """Before anything else in it is looked at: a newer project may say what this version does not know."""
    version = said.get("version") if isinstance(said, dict) and said.get("format") == FORMAT else None
    if type(version) is int and version > VERSION:
        raise StoreError(
            f"this project was made by a newer Rehearse (project format {version}; this one reads up to "
            f"{VERSION}); update Rehearse and import it again"
        )


_TEXT = re.compile(rb'"(?:[^"\\]|\\.?)*+"?', re.DOTALL)


def _read_json(content: bytes, most_fields: int) -> Any:
    """JSON; each part of it takes many times the room of its text, so too many of them are a ValueError."""

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > most_fields:
            raise ValueError(f"an object in it has {len(pairs)} fields")
        return dict(pairs)

    if _TEXT.sub(b"", content).count(b"[") > _MOST_LISTS:
        raise ValueError("it has too many lists")
    return parse_json(content, object_pairs_hook=kept)


Check = Callable[[Path], None]


def _checked(whole: _Project) -> dict[str, list[Check]]:
    """The files that a project names, each with what it must be. StoreError for what does not add up."""
    wanted: dict[str, list[Check]] = {}

    def want(digest: str, check: Check) -> None:
        wanted.setdefault(digest, []).append(check)

    pictures = set(whole.images)
    for digest in whole.images:
        want(digest, _picture)
    shots: dict[str, set[int]] = {}
    for shot in whole.shots:
        shots[shot.id] = {revision.revision for revision in shot.revisions}
        if len(shots[shot.id]) != len(shot.revisions):
            raise StoreError(f"the shot {shot.name!r} has a revision twice")
        for revision in shot.revisions:
            _document(revision.document, pictures, _draft)
    takes = {take.id: take for take in whole.takes}
    if len(takes) != len(whole.takes) or len(shots) != len(whole.shots):
        raise StoreError("the project has a shot or a take twice")
    for take in whole.takes:
        _document(take.document, pictures, _shot)
        if take.shot not in shots or (take.shot_revision or min(shots[take.shot])) not in shots[take.shot]:
            raise StoreError(f"the take {take.name!r} is of a shot that is not in the file")
        if take.parent is not None and take.parent not in takes:
            raise StoreError(f"the take {take.name!r} branches from one that is not in the file")
        steps = [step.step for step in take.steps]
        if steps != sorted(set(steps)) or (steps and steps[-1] != take.step):
            raise StoreError(f"the steps of the take {take.name!r} are not in order")
        if take.begun and not take.steps and take.parent is not None and take.branch_step == take.step == 0:
            take.begun = False  # a blend at 0 that was halted; its first state was not kept in a row then
        if take.begun and not (take.steps and take.steps[-1].checkpoint):
            raise StoreError(f"the take {take.name!r} has no last checkpoint")
        if take.status == "finished" and (take.look is None or take.step != take.total):
            raise StoreError(f"the take {take.name!r} is said to be finished and is not")
        for strip in [take.look, *(s for step in take.steps for s in (step.preview, step.look))]:
            if strip is not None:
                want(strip.digest, _strip(strip))
        if take.picture is not None:
            want(take.picture, _picture)
        for step in take.steps:
            if step.checkpoint is not None:
                want(step.checkpoint, _checkpoint)
    _refuse_circles(takes)
    return wanted


def _document(text: str, pictures: set[str], check: Callable[[str], object]) -> None:
    try:
        check(text)
    except ShotError as error:
        raise StoreError(f"a shot in the project is no good: {error}") from error
    missing = images.references(text) - pictures
    if missing:
        raise StoreError(
            f"a shot in the project names a picture that is not in the file ({min(missing)[:12]})"
        )


def _shot(text: str) -> Shot:
    """What a take is of: whole, and nothing wrong with it."""
    return replace_images(Shot.model_validate_json(text), _by_digest)


def _draft(text: str) -> Draft:
    """What lies on the desk: in whatever state it was left."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ShotError("this is not valid JSON") from error
    return check_draft(read, lambda uri: _by_digest(ImageRef(uri)).uri)


def _by_digest(image: ImageRef) -> ImageRef:
    if not images.REFERENCE.fullmatch(image.uri):
        raise ShotError("in a project pictures are named by their digest, sha256:...", value=image.uri)
    return image


def _refuse_circles(takes: dict[str, _Take]) -> None:
    settled: set[str] = set()
    for take in takes:
        way: list[str] = []
        at: str | None = take
        while at is not None and at not in settled:
            if at in way:
                raise StoreError("the takes of the project branch from each other in a circle")
            way.append(at)
            at = takes[at].parent
        settled |= set(way)


def _extract(pack: zipfile.ZipFile, info: zipfile.ZipInfo, digest: str, path: Path) -> None:
    said = hashlib.sha256()
    size = 0
    with pack.open(info) as source, path.open("xb") as file:
        while part := source.read(_CHUNK):
            size += len(part)
            if size > min(info.file_size, _LARGEST_BLOB):
                raise StoreError(f"the file {digest[:12]} in the project is larger than it says")
            said.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    if said.hexdigest() != digest:
        raise StoreError(f"the file {digest[:12]} in the project is damaged: its content has another digest")


def _picture(path: Path) -> None:
    try:
        ImageRef.embed(path.read_bytes()).load()
    except ShotError as error:
        raise StoreError(f"a picture in the project is no good: {error.reason}") from error


def _strip(strip: _Strip) -> Check:
    rows = -(-strip.frames // strip.columns)
    size = (strip.columns * strip.width, rows * strip.height)

    def check(path: Path) -> None:
        try:
            with Image.open(path, formats=("PNG",)) as picture:
                if picture.size == size and picture.mode == "RGB":
                    picture.load()
                    return
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            pass
        raise StoreError(f"a preview in the project is no picture of {size[0]} x {size[1]} pixels")

    return check


def _checkpoint(path: Path) -> None:
    """Only the header is read, by hand: what is in the file becomes tensors in the worker alone."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _LARGEST_HEADER:
                raise ValueError
            header = _read_json(file.read(length), _MOST_TENSORS)
        said = header["__metadata__"]
        if said["format"] != checkpoint_format.FORMAT:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError("a checkpoint in the project is not one of Rehearse") from error
    if (why := checkpoint_format.newer(said)) is not None:
        raise StoreError(f"a checkpoint in the project {why} and import it again")


def _written(session: Session, store: Store, whole: _Project) -> str:
    now = time.time()
    ids = dict(_ids(session, whole))
    for digest in whole.images:
        images.add_image(session, store.blobs, store.blobs.get(digest))
    project = ProjectRow(
        id=ids[whole.id], name=whole.name, revision=1, created=whole.created, changed=now, deleted=None
    )
    session.add(project)
    session.flush()
    events.project_changed(session, project)
    for shot in whole.shots:
        last = max(shot.revisions, key=lambda revision: revision.revision)
        row = ShotRow(
            id=ids[shot.id], project_id=project.id, name=shot.name, revision=last.revision,
            prompt=prompt_of(read_draft(last.document)), created=shot.created, changed=now,
            deleted=shot.deleted,
        )  # fmt: skip
        session.add(row)
        session.flush()
        for revision in shot.revisions:
            session.add(
                RevisionRow(
                    shot_id=row.id, revision=revision.revision, document=revision.document,
                    created=revision.created,
                )
            )  # fmt: skip
        events.shot_changed(session, row)
    for take in _parents_first(whole.takes):
        events.take_changed(session, _take(session, take, ids, project.id, now))
    return project.id


def _take(session: Session, take: _Take, ids: dict[str, str], project: str, now: float) -> TakeRow:
    asked = Shot.model_validate_json(take.document)
    last = take.steps[-1].preview.model_dump() if take.steps else None
    row = TakeRow(
        id=ids[take.id], project_id=project, shot_id=ids[take.shot], shot_revision=take.shot_revision,
        parent_id=ids[take.parent] if take.parent else None, branch_step=take.branch_step,
        document=take.document, prompt=asked.prompt, model=asked.model, seed=asked.seed,
        status=take.status, step=take.step, steps=take.total, until=take.until, frames=take.frames,
        width=take.width, height=take.height, fps=take.fps, name=take.name, pinned=take.pinned, client="",
        error=take.error, notes=take.notes or None, revision=0, begun=take.begun, run=None, falls=0,
        position=None, seconds=take.seconds, preview=last, look=take.look.model_dump() if take.look else None,
        picture=take.picture, created=take.created, changed=now, deleted=take.deleted,
    )  # fmt: skip
    session.add(row)
    session.flush()
    for step in take.steps:
        session.add(
            StepRow(
                take_id=row.id, step=step.step, checkpoint=step.checkpoint, preview=step.preview.model_dump(),
                look=step.look.model_dump() if step.look else None, inherited=step.inherited,
                seconds=step.seconds, created=step.created,
            )
        )  # fmt: skip
    return row


def _parents_first(takes: list[_Take]) -> Iterator[_Take]:
    waiting = {take.id: take for take in takes}
    while waiting:
        for take in [take for take in waiting.values() if take.parent not in waiting]:
            yield waiting.pop(take.id)


def _ids(session: Session, whole: _Project) -> Iterator[tuple[str, str]]:
    for kind, found in (
        (ProjectRow, [whole.id]),
        (ShotRow, [shot.id for shot in whole.shots]),
        (TakeRow, [take.id for take in whole.takes]),
    ):
        for id in found:
            yield id, uuid.uuid4().hex if session.get(kind, id) is not None else id
