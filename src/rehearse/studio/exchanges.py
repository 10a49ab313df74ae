"""Whole projects as files, shots out of clips, room on the disk: as the API gives them."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from rehearse.media import MediaError, read_shot
from rehearse.studio import views
from rehearse.studio.problems import Refused
from rehearse.studio.uploads import UPLOAD
from rehearse.takes.store.exchange import export_project, import_project
from rehearse.takes.store.images import take_in
from rehearse.takes.store.keeping import prune
from rehearse.takes.store.projects import get_project
from rehearse.takes.store.store import Store

_EXPORT = ".export-"
_PICTURES = {b"\x89PNG": ".png", b"GIF8": ".gif"}


class Exchange:
    """Files that go out and come in. changed: called when something was written."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self._bringing = threading.Lock()

    def sweep(self) -> None:
        """Remove what exports and uploads of a killed server have left, before there are new ones."""
        for left in [*self._store.folder.glob(f"{_EXPORT}*"), *self._store.folder.glob(f"{UPLOAD}*")]:
            with contextlib.suppress(OSError):
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    def export(self, project: str) -> FileResponse:
        """A project as a file to save. Raises StoreError."""
        with self._store.read() as session:
            name = get_project(session, project)["name"]
        path = self._store.folder / f"{_EXPORT}{secrets.token_hex(8)}"
        try:
            export_project(self._store, project, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60] or "project"
        return FileResponse(
            path,
            media_type="application/zip",
            filename=f"{plain}.rehearse",
            headers={"Cache-Control": "no-store"},
            background=BackgroundTask(path.unlink, missing_ok=True),
        )

    def bring(self, file: Path) -> views.Imported:
        """A project out of a file. Raises StoreError."""
        place = file.parent / "parts"
        with self._store.blobs.room():
            place.mkdir()
        with self._bringing:  # one at a time: a project's shots and steps lie in memory all at once
            project = import_project(self._store, file, place)
        self._changed()
        with self._store.read() as session:
            view = views.ProjectView(**get_project(session, project))
        return views.Imported(project=view, takes=view.takes, shots=view.shots)

    def shot_of_clip(self, file: Path) -> views.ClipShot:
        """The shot inside a clip, its pictures taken in. Raises MediaError, ShotError."""
        with file.open("rb") as start:
            ending = _PICTURES.get(start.read(4), ".mp4")
        # The reader goes by the name's ending, and people's names do not come in.
        named = file.with_name(f"clip{ending}")
        file.rename(named)
        try:
            shot = read_shot(named)
        except MediaError as error:
            raise Refused(422, str(error).replace(str(named), "the file")) from error
        with self._store.write() as session:
            return views.ClipShot(shot=take_in(session, self._store.blobs, shot))

    def prune(self, project: str, every: int, dry_run: bool) -> views.Pruned:
        """Free room on the disk, or say how much it would be. Raises StoreError."""
        freed = prune(self._store, project=project, every=every, dry_run=dry_run)
        if not dry_run:
            self._changed()
        return views.Pruned(
            checkpoints=freed.checkpoints, files=freed.files, bytes=freed.bytes, done=not dry_run
        )
