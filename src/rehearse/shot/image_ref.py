"""A picture that a shot refers to: a file beside the shot, or the picture itself as a data: URI."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import GetJsonSchemaHandler, SerializationInfo, model_serializer, model_validator
from pydantic_core import CoreSchema

from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError, show
from rehearse.shot.file_names import existing
from rehearse.shot.mask_picture import MaskPicture, mask_picture
from rehearse.shot.picture_file import decoded, flattened, notes_on, open_picture, upright_size

LARGEST_BYTES = 32 * 2**20
SMALLEST_SIDE = 8

DIGEST_IMAGES = {"images": "digest"}
"""Serialization context under which a picture is written as the hash of its bytes instead of where it is."""

_DATA_URI = re.compile(r"data:image/(png|jpeg|webp);base64,", re.ASCII)
_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
# A phone writes a JPEG with a second picture behind the first, which Pillow calls a format of its own.
_KINDS = {"MPO": "jpeg"}
_READY_FOR_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# The plain mode that loses nothing a picture shows.
_PLAIN_MODES = {"La": "LA", "PA": "RGBA", "RGBa": "RGBA"}

_log = logging.getLogger(__name__)


class ImageRef(Document):
    """A picture: a path relative to the shot file (`"images/meadow.png"`) or a `data:image/png;base64,...`
    URI.

    PNG, JPEG or WebP; at most 32 MiB, 8192 pixels a side and 40 megapixels. A path is never opened until
    someone asks for it with a folder to start from, and it cannot lead out of that folder: a shot may come
    from a stranger.

    Raises:
        ShotError: an absolute path, one with "..", a web address, an unreadable or too large picture.
    """

    noun: ClassVar[str] = "image"
    positional: ClassVar[tuple[str, ...]] = ("uri",)

    uri: str

    if TYPE_CHECKING:

        def __init__(self, uri: str) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if isinstance(data, Path):
            data = data.as_posix()
        if isinstance(data, str):
            return {"uri": data}
        if isinstance(data, dict | cls):
            return data
        raise ShotError("it must be a path or a data: URI")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        try:
            if self.is_inline:
                open_picture(self.read())
            else:
                _refuse_bad_path(self.uri)
        except ShotError as error:
            raise ShotError(error.reason, value=self.uri) from error
        return self

    @model_serializer
    def _as_text(self, info: SerializationInfo) -> str:
        return f"sha256:{self.digest()}" if info.context == DIGEST_IMAGES else self.uri

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "title": "ImageRef",
            "description": "A PNG, JPEG or WebP picture: a path relative to the shot file, or a data: URI",
            "type": "string",
            "minLength": 1,
        }

    @classmethod
    def embed(cls, source: ImageRef | str | Path | bytes | Image.Image | NDArray[Any]) -> ImageRef:
        """A reference that carries the picture itself.

        Args:
            source: a file on this machine (any path), the bytes of a picture file, a PIL image, an array [h,
            w] or [h, w, 3] (uint8, or boolean for a mask), or a reference.
        """
        if isinstance(source, ImageRef):
            return source if source.is_inline else source.inline(Path())
        if isinstance(source, str) and source.startswith("data:"):
            return cls(source)
        if isinstance(source, str | Path):
            return _inline(_read_file(Path(source)), shown=str(source))
        if isinstance(source, bytes):
            return _inline(source)
        if isinstance(source, np.ndarray):
            source = _from_array(source)
        if isinstance(source, Image.Image):
            return _inline(_as_png(source))
        raise ShotError(
            f"a picture is a path, bytes, a PIL image or an array, not {type(source).__name__}", field="image"
        )

    @property
    def is_inline(self) -> bool:
        """Whether the picture itself is here (a data: URI), not only its place."""
        return self.uri.startswith("data:")

    @property
    def suffix(self) -> str:
        """File name suffix: ".png", ".jpg" or ".webp" for an inline picture, else the path's own."""
        match = _DATA_URI.match(self.uri)
        return _SUFFIXES[match[1]] if match else PurePosixPath(self.uri).suffix

    def read(self, folder: Path | None = None) -> bytes:
        """The bytes of the picture file; `folder` is where relative paths start."""
        if self.is_inline:
            return _decode(self.uri)
        if folder is None:
            raise ShotError(
                "its file has not been read; open the shot with Shot.load, or embed the picture",
                field="image",
                value=self.uri,
            )
        start = folder.resolve()
        file = existing(start / self.uri).resolve()
        if not file.is_relative_to(start):
            raise ShotError(
                "it leads out of the shot's folder; copy the picture there", field="image", value=self.uri
            )
        return _read_file(file, shown=self.uri)

    def inline(self, folder: Path) -> ImageRef:
        """The same picture as a data: URI."""
        return self if self.is_inline else _inline(self.read(folder), shown=self.uri)

    def digest(self, folder: Path | None = None) -> str:
        """SHA-256 of the picture file's bytes, in hex."""
        return hashlib.sha256(self.read(folder)).hexdigest()

    def size(self, folder: Path | None = None) -> tuple[int, int]:
        """Width and height in pixels, upright by its EXIF rotation; the picture itself stays unread."""
        return upright_size(open_picture(self.read(folder)))

    def load(self, folder: Path | None = None, ground: str = "white") -> Image.Image:
        """The picture as 8-bit sRGB, upright by its EXIF orientation, colour profiles applied, transparent
        parts on the colour `ground`.

        Raises:
            ShotError: unreadable, or smaller than 8 pixels a side.
        """
        with self._named():
            picture = decoded(open_picture(self.read(folder)))
        if min(picture.size) < SMALLEST_SIDE:
            raise ShotError(
                f"the picture is {picture.width} x {picture.height} pixels; give one of at least "
                f"{SMALLEST_SIDE} x {SMALLEST_SIDE}",
                field="image",
            )  # fmt: skip
        return flattened(picture, ground).convert("RGB")

    def load_mask(self, folder: Path | None = None) -> NDArray[np.float32]:
        """The picture as a mask [height, width] in [0, 1], see :func:`rehearse.shot.mask_picture`."""
        return self.read_mask(folder).values

    def read_mask(self, folder: Path | None = None) -> MaskPicture:
        """:meth:`load_mask`, with what is to be said of how it was read."""
        with self._named():
            return mask_picture(self.read(folder))

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except ShotError as error:
            if self.is_inline or error.field != "image":
                raise
            raise ShotError(error.reason, field="image", value=self.uri) from error

    def __repr_args__(self) -> Any:
        yield None, show(self.uri).strip('"')


def _refuse_bad_path(uri: str) -> None:
    remedy = "give a path relative to the shot file, or a data: URI"
    path = PurePosixPath(uri)
    if not uri.strip() or "\0" in uri:
        raise ShotError(f"there is no path; {remedy}")
    if "://" in uri:
        raise ShotError(f"pictures are not fetched from the web; {remedy}")
    if path.is_absolute() or ".." in path.parts or "\\" in uri or re.match(r"[A-Za-z]:", uri):
        raise ShotError(
            f'a path must stay below the shot\'s folder, without "..", drive or backslash; {remedy}'
        )


def _decode(uri: str) -> bytes:
    match = _DATA_URI.match(uri)
    if not match:
        raise ShotError(
            "a data: URI must begin with data:image/png;base64, (or jpeg, or webp)", field="image"
        )
    if len(uri) > LARGEST_BYTES * 4 // 3 + 100:
        raise ShotError(_too_large(len(uri) * 3 // 4), field="image")
    try:
        return base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ShotError(
            "the data: URI is not valid base64; encode the picture again", field="image"
        ) from error


def _too_large(size: int) -> str:
    return (
        f"the picture has {size / 2**20:.0f} MiB; at most {LARGEST_BYTES // 2**20} are taken: make it smaller"
    )


def _no_file(path: Path, shown: str) -> str:
    if re.match(r"https?:/", shown):
        return "pictures are not fetched from the web; save it and give the file"
    if path.is_dir():
        return "this is a folder; give the file of a picture"
    return "there is no such file; check the path"


def _read_file(path: Path, shown: str | None = None) -> bytes:
    shown = shown or str(path)
    path = existing(path)
    try:
        # Devices and pipes would block or never end.
        if not path.is_file():
            raise ShotError(_no_file(path, shown), field="image", value=shown)
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ShotError(_too_large(size), field="image", value=shown)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ShotError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ShotError(f"the file cannot be read ({reason})", field="image", value=shown) from error


def _inline(content: bytes, shown: str | None = None) -> ImageRef:
    try:
        picture = open_picture(content)
        for note in notes_on(picture, content):
            _log.warning("%s%s", "a picture: " if shown is None else f"{shown}: ", note)
        kind = _KINDS.get(str(picture.format), str(picture.format).lower())
        return ImageRef(f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}")
    except ShotError as error:
        if shown is None:
            raise
        raise ShotError(error.reason, field="image", value=shown) from error


def _as_png(picture: Image.Image) -> bytes:
    """An open picture of any mode as a PNG file, upright: that format's EXIF data would not be written."""
    remedy = 'convert it first: picture.convert("RGB")'
    if picture.mode in ("I", "F"):
        raise ShotError(
            f"a PIL image of mode {picture.mode} does not say what is white; {remedy}", field="image"
        )
    if not all(picture.size):
        raise ShotError(
            f"the picture is {picture.width} x {picture.height} pixels; it shows nothing", field="image"
        )
    file = io.BytesIO()
    try:
        turned = decoded(picture)
        if turned.mode not in _READY_FOR_PNG:
            turned = turned.convert(_PLAIN_MODES.get(turned.mode, "RGB"))
        turned.save(file, "PNG")
    except (OSError, SyntaxError, ValueError) as error:
        raise ShotError(
            f"a PIL image of mode {picture.mode} cannot be written as PNG ({error}); {remedy}", field="image"
        ) from error
    return file.getvalue()


def _from_array(array: NDArray[Any]) -> Image.Image:
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if (
        array.dtype != np.uint8
        or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)))
        or not array.size
    ):
        raise ShotError(
            f"an array must be [h, w] or [h, w, 3], uint8 or boolean, not {list(array.shape)} {array.dtype}",
            field="image",
        )
    return Image.fromarray(np.ascontiguousarray(array))
