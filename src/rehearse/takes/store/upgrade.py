"""Bringing a database to this version's tables, by Alembic."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock
from sqlalchemy import Engine, inspect, text

from rehearse.takes.store.errors import StoreError

HEAD = "0003"
"""The newest of the migrations in ``migrations/versions``."""


def upgrade(engine: Engine, folder: Path) -> None:
    """Run the migrations that are missing; one process at a time.

    Raises StoreError for a database of a newer version.
    """
    if _version(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with FileLock(folder / ".upgrade"):
        found = _version(engine)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise StoreError(
                f"the projects in {folder} were written by a newer version of Rehearse (database {found}; "
                f"this one reads up to {HEAD}); update Rehearse"
            )
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()
