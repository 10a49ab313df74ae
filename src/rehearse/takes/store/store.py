"""The store as a whole: a folder with a database and files."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from rehearse.home import HomelessPath, at_home
from rehearse.takes.store.blobs import Blobs
from rehearse.takes.store.errors import DiskFull, StoreError
from rehearse.takes.store.upgrade import upgrade

DATABASE = "rehearse.db"
_RESERVE = 1 << 20
_BUSY_SECONDS = 20


class Store:
    """Projects, shots, takes and their files in a folder. Any number of processes may have it open.

    folder: made if it is missing. Raises StoreError where it cannot be, or is no store of this version.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            self.folder = at_home(folder).resolve()
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot use {folder} for projects: {(error.strerror or str(error)).lower()}; give another "
                "folder with --projects"
            ) from error
        except HomelessPath as error:
            raise StoreError(f"{error} with --projects") from error
        self.blobs = Blobs(self.folder / "blobs")
        self._engine = _engine(self.folder / DATABASE)
        self._writing = self._engine.execution_options(rehearse_begin="IMMEDIATE")
        self._lock = threading.Lock()
        with self._faults():
            upgrade(self._engine, self.folder)
        self.keep_reserve()

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees the database as it stands now, whatever is written meanwhile."""
        with self._faults(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: all of the block or nothing, on the disk when the block ends.

        Writers take turns. Raises DiskFull where there is no room.
        """
        # Threads of one process queue here, fairly; only processes meet in SQLite's own, sleeping, queue.
        with self._lock, self._faults(), Session(self._writing, expire_on_commit=False) as session:
            session.connection()
            yield session
            session.commit()

    @contextlib.contextmanager
    def write_at_last(self) -> Iterator[Session]:
        """:meth:`write` for the few words that must get through when the disk is full: gives up the reserve
        that the store set aside for it."""
        with contextlib.suppress(OSError):
            (self.folder / "reserve").unlink()
        with self.write() as session:
            yield session

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def keep_reserve(self) -> bool:
        """Set room aside for :meth:`write_at_last`, unless it is; False where there is not as much."""
        reserve = self.folder / "reserve"
        with contextlib.suppress(FileNotFoundError):
            if reserve.stat().st_size >= _RESERVE:  # a kill may have cut it short
                return True
        try:
            reserve.write_bytes(os.urandom(_RESERVE))
        except OSError:
            with contextlib.suppress(OSError):
                reserve.unlink()
            return False
        return True

    def free(self) -> int:
        """Bytes that are free on the store's disk, the reserve not counted."""
        return shutil.disk_usage(self.folder).free

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            code = _code(error)
            # Where there is no room for its journal, SQLite speaks of input and output.
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise DiskFull from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreError(
                    f"the projects in {self.folder} are being written to by another program; try again",
                    "conflict",
                ) from error
            raise StoreError(f"the database in {self.folder} cannot be used: {error.orig}") from error
        except DatabaseError as error:
            if _code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise StoreError(f"{self.folder / DATABASE} is damaged or no database of Rehearse") from error
            raise


def _code(error: DatabaseError) -> int | None:
    """SQLite's primary result code; None where an error did not come from it."""
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        pool_size=16,
        max_overflow=48,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        # The driver's own idea of transactions would begin them too late to be consistent.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {_BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(
            f"BEGIN {connection.get_execution_options().get('rehearse_begin', '')}".strip()
        )

    return engine
