"""The tables. What a take is made of never changes; where it stands does. Times are seconds since 1970."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables; the migrations make them."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, float: Double}  # noqa: RUF012  SQLAlchemy reads it as it is


class ProjectRow(Base):
    """A project. revision: counts renamings. deleted: when it went into the bin, or None."""

    __tablename__ = "project"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    revision: Mapped[int]
    created: Mapped[float]
    changed: Mapped[float]
    deleted: Mapped[float | None]


class ShotRow(Base):
    """A shot. revision: the newest of its revisions. prompt: of that one."""

    __tablename__ = "shot"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str]
    revision: Mapped[int]
    prompt: Mapped[str] = mapped_column(Text)
    created: Mapped[float]
    changed: Mapped[float]
    deleted: Mapped[float | None]


class RevisionRow(Base):
    """One revision of a shot. document: the shot as JSON, finished or not (see ``rehearse.shot.draft``), its
    pictures by digest. Never changed."""

    __tablename__ = "shot_revision"

    shot_id: Mapped[str] = mapped_column(ForeignKey("shot.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    created: Mapped[float]


class TakeRow(Base):
    """A take. document, seed, model, parent_id, branch_step are final; the rest says where it stands.

    begun: whether the worker has written its first state. run: the worker's run that may write to it now, or
    None: a run that does not hold it is refused. asked: what a person asked a running take to become,
    ``paused`` or ``stopped``, or None. notes: sentences that its runs were warned with, None for none. falls:
    how often a worker died under it since its last step. position: its place in the queue, smaller first,
    None unless queued. seconds: of a step, smoothed.
    """

    __tablename__ = "take"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), index=True)
    shot_id: Mapped[str] = mapped_column(ForeignKey("shot.id"), index=True)
    shot_revision: Mapped[int | None]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("take.id"))
    branch_step: Mapped[int | None]
    document: Mapped[str] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    model: Mapped[str]
    seed: Mapped[int]
    status: Mapped[str]
    step: Mapped[int]
    steps: Mapped[int]
    until: Mapped[int | None]
    frames: Mapped[int | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    fps: Mapped[float | None]
    name: Mapped[str]
    pinned: Mapped[bool]
    client: Mapped[str]
    error: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[list[str] | None]
    revision: Mapped[int]
    begun: Mapped[bool]
    run: Mapped[str | None]
    asked: Mapped[str | None]
    falls: Mapped[int]
    position: Mapped[float | None]
    seconds: Mapped[float | None]
    preview: Mapped[dict[str, Any] | None]
    look: Mapped[dict[str, Any] | None]
    picture: Mapped[str | None]
    created: Mapped[float]
    changed: Mapped[float]
    deleted: Mapped[float | None]

    __table_args__ = (Index("take_queue", "status", "position"),)


class StepRow(Base):
    """A step that is done. checkpoint: digest of its file, None where it was not kept."""

    __tablename__ = "step"

    take_id: Mapped[str] = mapped_column(ForeignKey("take.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    checkpoint: Mapped[str | None]
    preview: Mapped[dict[str, Any]]
    look: Mapped[dict[str, Any] | None]
    inherited: Mapped[bool]
    seconds: Mapped[float | None]
    created: Mapped[float]


class EventRow(Base):
    """An entry of a project's stream. Only ever added; ids increase in the order of commits."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    kind: Mapped[str]
    data: Mapped[str] = mapped_column(Text)
    at: Mapped[float]

    __table_args__ = (Index("event_stream", "project_id", "id"), {"sqlite_autoincrement": True})


class ImageRow(Base):
    """An uploaded picture; its bytes are the blob of its digest."""

    __tablename__ = "image"

    digest: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    created: Mapped[float]


class AnswerRow(Base):
    """What a command answered, by the key its client gave it."""

    __tablename__ = "answer"

    client: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[str] = mapped_column(Text)
    created: Mapped[float]


class ModelRow(Base):
    """What the worker found out about a model. stamp: of its files when it looked."""

    __tablename__ = "model"

    name: Mapped[str] = mapped_column(primary_key=True)
    stamp: Mapped[str]
    facts: Mapped[dict[str, Any]]


class SettingRow(Base):
    """A word the studio remembers, such as whether the queue is paused."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
