"""Pictures in the store, and shots whose pictures are named by digest."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from rehearse.shot import ImageRef, Shot, ShotError
from rehearse.shot.files import replace_images
from rehearse.takes.store.blobs import Blobs
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.facts import Facts
from rehearse.takes.store.schema import ImageRow

REFERENCE = re.compile("sha256:([0-9a-f]{64})")
"""What a stored shot calls a picture."""

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


def add_image(session: Session, blobs: Blobs, content: bytes) -> Facts:
    """Take in a picture that was checked; the same bytes again are the same picture. Raises ShotError."""
    reference = ImageRef.embed(content)
    picture = reference.load()
    digest = blobs.put(content)
    row = session.get(ImageRow, digest)
    if row is None:
        row = ImageRow(
            digest=digest,
            media_type=_MEDIA_TYPES[reference.suffix],
            width=picture.width,
            height=picture.height,
            bytes=len(content),
            created=time.time(),
        )
        session.add(row)
        session.flush()
    return image_facts(row)


def image_facts(row: ImageRow) -> Facts:
    """A picture without its bytes."""
    return {
        "digest": row.digest,
        "reference": f"sha256:{row.digest}",
        "media_type": row.media_type,
        "width": row.width,
        "height": row.height,
        "bytes": row.bytes,
    }


def get_image(session: Session, digest: str) -> ImageRow:
    """A picture's row. StoreError (missing) where there is none."""
    row = session.get(ImageRow, digest)
    if row is None:
        raise StoreError(f"there is no picture {digest[:12]}", "missing")
    return row


def take_in(session: Session, blobs: Blobs, shot: Shot) -> Shot:
    """The shot with its inline pictures put into the store and every picture named by digest.

    Raises ShotError where a picture is a file, unknown, or cannot be read.
    """

    return replace_images(shot, lambda image: ImageRef(kept_reference(session, blobs, image.uri)))


def kept_reference(session: Session, blobs: Blobs, uri: str) -> str:
    """What a stored shot calls the picture of a reference from outside; one that is inline is put into the
    store. Raises ShotError where it is a file, unknown, or cannot be read."""
    image = ImageRef(uri)
    if image.is_inline:
        return str(add_image(session, blobs, image.read())["reference"])
    found = REFERENCE.fullmatch(uri)
    if not found:
        raise ShotError(
            "pictures are not read from files here; upload it and give sha256:<digest>, or a data: URI"
        )
    if session.get(ImageRow, found[1]) is None:
        raise ShotError("there is no such picture here; upload it first")
    return uri


def bring_out(blobs: Blobs, media_type: Callable[[str], str], shot: Shot) -> Shot:
    """The shot with every picture inside, for a model or a file. media_type: of a digest."""

    def inline(image: ImageRef) -> ImageRef:
        found = REFERENCE.fullmatch(image.uri)
        if image.is_inline or not found:
            return image
        text = base64.b64encode(blobs.get(found[1])).decode("ascii")
        return ImageRef(f"data:{media_type(found[1])};base64,{text}")

    return replace_images(shot, inline)


def references(document: str) -> set[str]:
    """The digests of the pictures that a stored shot names."""
    return set(REFERENCE.findall(document))
