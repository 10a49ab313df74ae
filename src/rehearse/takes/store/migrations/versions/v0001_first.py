"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, **more: object) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=bool(more.pop("nullable", False)), **more)  # type: ignore[arg-type]


def _long(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _whole(name: str, nullable: bool = False, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable, primary_key=primary_key)


def _real(name: str, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _refers(name: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [to])


def upgrade() -> None:
    """Bring a database to this version from the one before."""
    op.create_table(
        "project",
        _text("id", primary_key=True), _text("name"), _whole("revision"),
        _real("created"), _real("changed"), _real("deleted", nullable=True),
    )  # fmt: skip
    op.create_table(
        "shot",
        _text("id", primary_key=True), _text("project_id"), _text("name"), _whole("revision"),
        _long("prompt"), _real("created"), _real("changed"), _real("deleted", nullable=True),
        _refers("project_id", "project.id"),
    )  # fmt: skip
    op.create_index("ix_shot_project_id", "shot", ["project_id"])
    op.create_table(
        "shot_revision",
        _text("shot_id", primary_key=True), _whole("revision", primary_key=True),
        _long("document"), _real("created"),
        _refers("shot_id", "shot.id"),
    )  # fmt: skip
    op.create_table(
        "take",
        _text("id", primary_key=True), _text("project_id"), _text("shot_id"),
        _whole("shot_revision", nullable=True), _text("parent_id", nullable=True),
        _whole("branch_step", nullable=True), _long("document"), _long("prompt"), _text("model"),
        _whole("seed"), _text("status"), _whole("step"), _whole("steps"), _whole("until", nullable=True),
        _whole("frames", nullable=True), _whole("width", nullable=True), _whole("height", nullable=True),
        _real("fps", nullable=True), _text("name"), _flag("pinned"), _text("client"),
        _long("error", nullable=True), _whole("revision"), _flag("begun"), _text("run", nullable=True),
        _whole("falls"), _real("position", nullable=True), _real("seconds", nullable=True),
        _json("preview"), _json("look"), _text("picture", nullable=True),
        _real("created"), _real("changed"), _real("deleted", nullable=True),
        _refers("project_id", "project.id"), _refers("shot_id", "shot.id"), _refers("parent_id", "take.id"),
    )  # fmt: skip
    op.create_index("ix_take_project_id", "take", ["project_id"])
    op.create_index("ix_take_shot_id", "take", ["shot_id"])
    op.create_index("take_queue", "take", ["status", "position"])
    op.create_table(
        "step",
        _text("take_id", primary_key=True), _whole("step", primary_key=True),
        _text("checkpoint", nullable=True), _json("preview", nullable=False), _json("look"),
        _flag("inherited"), _real("seconds", nullable=True), _real("created"),
        _refers("take_id", "take.id"),
    )  # fmt: skip
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True, nullable=False),
        _text("project_id"), _text("kind"), _long("data"), _real("at"),
        _refers("project_id", "project.id"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("event_stream", "event", ["project_id", "id"])
    op.create_table(
        "image",
        _text("digest", primary_key=True), _text("media_type"), _whole("width"), _whole("height"),
        _whole("bytes"), _real("created"),
    )  # fmt: skip
    op.create_table(
        "answer",
        _text("client", primary_key=True), _text("key", primary_key=True), _text("fingerprint"),
        _long("answer"), _real("created"),
    )  # fmt: skip
    op.create_table("model", _text("name", primary_key=True), _text("stamp"), _json("facts", nullable=False))
    op.create_table("setting", _text("name", primary_key=True), _text("value"))
