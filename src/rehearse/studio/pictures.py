"""Pictures and clips as files to send: uploaded images, previews, finished clips."""

from __future__ import annotations

import hashlib
import io
import re
import secrets
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.responses import FileResponse

from rehearse.shot import ImageRef, Shot, ShotError
from rehearse.shot.picture_file import is_plain, notes_on, open_picture
from rehearse.studio import views
from rehearse.studio.problems import Refused
from rehearse.studio.shots import stored_shot
from rehearse.studio.strips import cut_strip
from rehearse.takes.store import images, tree
from rehearse.takes.store.store import Store

_MEDIA = {"mp4": "video/mp4", "webm": "video/webm", "gif": "image/gif", "png": "image/png"}
_ENCODED_AS = {"png": "apng"}
"""Encoders whose files go out under another ending: for a .png of its own, one frame beside the other."""
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_NOT_FOR_LONG = {"Cache-Control": "private, no-cache"}
_PHOTO: dict[str, Any] = {"quality": 95, "subsampling": 0}
_EXACT: dict[str, Any] = {"compress_level": 1}
_AT_ONCE = 2
"""Uploads that are decoded at the same time: each may unfold to hundreds of megabytes."""


class Images:
    """Uploaded pictures."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns = threading.Semaphore(_AT_ONCE)

    def add(self, content: bytes) -> views.ImageView:
        """Check a picture and take it in. Raises ShotError in a sentence of its own."""
        try:
            with self._turns:
                _refuse_animation(content)
                ImageRef.embed(content).load()  # outside the transaction: it may take a while
                with self._store.write() as session:
                    facts = images.add_image(session, self._store.blobs, content)
                return views.ImageView(**facts, notes=list(notes_on(open_picture(content), content)))
        except ShotError as error:
            raise Refused(422, error.reason) from error

    def answer(self, digest: str) -> FileResponse:
        """The file itself."""
        with self._store.read() as session:
            row = images.get_image(session, digest)
        return _file(self._store.blobs.path(digest), row.media_type, _FOR_EVER)

    def shown(self, digest: str) -> FileResponse:
        """The picture as models see it; the file itself where every browser shows it so."""
        with self._store.read() as session:
            row = images.get_image(session, digest)
        content = self._store.blobs.get(digest)
        if is_plain(open_picture(content), content):
            return _file(self._store.blobs.path(digest), row.media_type, _FOR_EVER)
        # What a camera took stays small; the rest, drawings among them, stays exact.
        kind, how = ("JPEG", _PHOTO) if row.media_type == "image/jpeg" else ("PNG", _EXACT)
        path = self._store.folder / "clips" / f"{digest}-shown.{kind.lower()}"
        if not path.is_file():
            with self._turns:
                picture = ImageRef.embed(content).load()
                with self._store.blobs.room():
                    path.parent.mkdir(exist_ok=True)
                    part = path.with_name(f".{secrets.token_hex(8)}.part")
                    try:
                        picture.save(part, kind, **how)
                        part.replace(path)
                    finally:
                        part.unlink(missing_ok=True)
        return _file(path, f"image/{kind.lower()}", _FOR_EVER)


class Pictures:
    """What takes look like."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._encoding = threading.Lock()

    def preview(self, digest: str) -> FileResponse:
        """A strip."""
        return _file(self._store.blobs.path(digest), "image/png", _FOR_EVER)

    def clip(self, take: str, ending: str, download: bool) -> FileResponse:
        """The finished clip, encoded the first time it is asked for."""
        with self._store.read() as session:
            row = tree.take_row(session, take)
        if row.status != "finished" or row.look is None:
            raise Refused(409, f"the take is {row.status} and has no clip yet; play it to its end")
        shot = self.whole_shot(row.document)
        word = hashlib.sha256(f"{row.look['digest']} {row.fps} {row.document}".encode()).hexdigest()
        encoder = _ENCODED_AS.get(ending, ending)
        path = self._store.folder / "clips" / f"{word}.{encoder}"
        with self._encoding:  # one at a time: a clip asked for twice is encoded once
            if not path.is_file():
                from rehearse.media import write_clip

                with self._store.blobs.room():
                    path.parent.mkdir(exist_ok=True)
                    part = path.with_name(f".{secrets.token_hex(8)}.{encoder}")
                    try:
                        write_clip(part, self.frames(row.look), row.fps or 8.0, shot)
                        part.replace(path)
                    finally:
                        part.unlink(missing_ok=True)
        answer = _file(path, _MEDIA[ending], _NOT_FOR_LONG)
        kind = "attachment" if download else "inline"
        answer.headers["Content-Disposition"] = f'{kind}; filename="{_name(row.name)}.{ending}"'
        return answer

    def still(self, take: str, frame: int, step: int | None) -> FileResponse:
        """One frame as a PNG."""
        with self._store.read() as session:
            row = tree.take_row(session, take)
            at = row.step if step is None else step
            found = next((s for s in tree.steps_of(session, take) if s.step == at), None)
        if found is None:
            raise Refused(404, f"the take has not done step {at}")
        strip = found.look or found.preview
        if frame >= strip["frames"]:
            raise Refused(422, f"frame is {frame}: the clip has frames 0 to {strip['frames'] - 1}", "frame")
        path = self._store.folder / "clips" / f"{strip['digest']}-{frame}.png"
        if not path.is_file():
            content = io.BytesIO()
            Image.fromarray(self.frames(strip)[frame]).save(content, "PNG")
            with self._store.blobs.room():
                path.parent.mkdir(exist_ok=True)
                part = path.with_name(f".{secrets.token_hex(8)}.part")
                part.write_bytes(content.getvalue())
                part.replace(path)
        return _file(path, "image/png", _NOT_FOR_LONG)

    def intermediate(self, take: str) -> FileResponse:
        """The picture the take starts from."""
        with self._store.read() as session:
            row = tree.take_row(session, take)
        if row.picture is None:
            raise Refused(404, "this take starts from no picture")
        return _file(self._store.blobs.path(row.picture), "image/png", _NOT_FOR_LONG)

    def frames(self, strip: dict[str, object]) -> NDArray[np.uint8]:
        """The frames of a stored strip, uint8 ``[F, H, W, 3]``."""
        view = views.Strip.model_validate(strip)
        with Image.open(self._store.blobs.path(view.digest)) as picture:
            picture.load()
        return cut_strip(np.asarray(picture), view.frames, view.columns, view.width, view.height)

    def whole_shot(self, document: str) -> Shot:
        """A stored shot with its pictures inside, to travel in a file."""

        def media_type(digest: str) -> str:
            with self._store.read() as session:
                return images.get_image(session, digest).media_type

        return images.bring_out(self._store.blobs, media_type, stored_shot(document))


def _file(path: Path, media_type: str, headers: dict[str, str]) -> FileResponse:
    if not path.is_file():
        raise Refused(404, "there is no such file")
    return FileResponse(path, media_type=media_type, headers=headers)


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:60] or "clip"


def _refuse_animation(content: bytes) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "WEBP")) as picture:
            frames = getattr(picture, "n_frames", 1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return  # the check that follows says what is wrong
    if frames > 1:
        raise ShotError(f"the picture is an animation of {frames} frames; give a still one")
