"""Picture files as a person sees them: upright, in sRGB, 8 bits a channel, of one frame.

Everything that reads a picture reads it here, so that a file never looks one way to a model and another way
to whoever draws on it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.shot.errors import ShotError

LARGEST_SIDE = 8192
LARGEST_PIXELS = 40_000_000

SHOT_FORMATS = ("PNG", "JPEG", "WEBP")
"""Pillow's names of what a shot's pictures may be: what every browser shows."""
_FORMAT_NAMES = "PNG, JPEG or WebP"

_ORIENTATION = 0x0112
# What brings each EXIF orientation upright; 1 is upright.
_TURNS: dict[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = [turn for orientation, turn in _TURNS.items() if orientation >= 5]
_DISPLAY_GAMMA = 2.2
_CICP_SDR = {(1, 1), (1, 6), (1, 13), (1, 14), (1, 15)}
"""Primaries and transfer, as H.273 numbers them, that sRGB shows as they are."""


def open_picture(content: bytes, formats: Sequence[str] | None = SHOT_FORMATS) -> Image.Image:
    """The picture with only its header read, so that a bomb is refused before it unfolds.

    formats: Pillow's names of those that are taken; None: any. Raises ShotError.
    """
    try:
        picture = Image.open(io.BytesIO(content), formats=None if formats is None else tuple(formats))
    except Image.DecompressionBombError as error:
        raise ShotError(
            f"the picture has more than {LARGEST_PIXELS // 10**6} megapixels; make it smaller", field="image"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        what = f"{_FORMAT_NAMES} picture; save it as one of these"
        if formats is not SHOT_FORMATS:
            what = "picture; save it as PNG"
        raise ShotError(f"this is not a readable {what}", field="image") from error
    width, height = picture.size
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PIXELS:
        raise ShotError(
            f"the picture is {width} x {height} pixels; at most {LARGEST_SIDE} a side and "
            f"{LARGEST_PIXELS // 10**6} megapixels are taken: make it smaller",
            field="image",
        )
    return picture


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height of an open picture after its EXIF orientation; its pixels stay unread."""
    return (picture.height, picture.width) if _turn(picture) in _SIDEWAYS else picture.size


def is_plain(picture: Image.Image, content: bytes) -> bool:
    """Whether any program shows the file as it is decoded: upright, opaque, sRGB, 8 bits, one frame."""
    return (
        _turn(picture) is None
        and picture.mode in ("1", "L", "P", "RGB")
        and not picture.has_transparency_data
        and "icc_profile" not in picture.info
        and _gamma_of(picture) is None
        and _cicp(content) is None
        and not _is_animated(picture)
    )


def decoded(picture: Image.Image) -> Image.Image:
    """An open picture as a person sees it: 8-bit "L", "LA", "RGB" or "RGBA" (and "1" or "P" as they come),
    upright, in sRGB. Raises ShotError for a damaged one."""
    try:
        picture.load()
        turn = _turn(picture)
        shown = _in_srgb(_to_8_bit(picture))
        return shown if turn is None else shown.transpose(turn)
    except ShotError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ShotError(f"the picture is damaged ({error}); save it again", field="image") from error


def flattened(picture: Image.Image, ground: str) -> Image.Image:
    """A decoded picture without its transparency, laid on the colour ``ground``."""
    if not picture.has_transparency_data:
        return picture
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, ground), layer)


def notes_on(picture: Image.Image, content: bytes) -> tuple[str, ...]:
    """What of an open picture is left out or guessed at, in sentences without their subject's name."""
    found = []
    if _is_animated(picture):
        found.append(f"it is an animation of {getattr(picture, 'n_frames', 2)} frames: its first is taken")
    if picture.mode == "CMYK" and "icc_profile" not in picture.info:
        found.append("it is CMYK without a colour profile: its colours are a guess; save it as sRGB")
    elif "icc_profile" in picture.info and not _profile_fits(picture):
        found.append("its colour profile cannot be used: it is read as sRGB; save it as sRGB")
    coded = _cicp(content)
    if coded is not None:
        found.append(
            f"its cICP chunk asks for primaries {coded[0]} and transfer {coded[1]} (HDR or wide colours): it "
            "is read as sRGB; save it as sRGB"
        )
    return tuple(found)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    # Pillow's exif_transpose writes the EXIF data anew too, and fails where a camera wrote it badly.
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION))
    except Exception:
        return None


def _is_animated(picture: Image.Image) -> bool:
    # The second picture of a phone's MPO is a view or a gain map, not a frame.
    return picture.format != "MPO" and bool(getattr(picture, "is_animated", False))


def _grey_to_8_bit(picture: Image.Image) -> Image.Image:
    """A picture of 16-bit grey scaled to 8 bits; Pillow's own conversion cuts at 255 instead."""
    deep = np.asarray(picture)
    grey = Image.fromarray(np.clip(deep.astype(np.float64) / 257, 0, 255).round().astype(np.uint8))
    clear = picture.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    grey.putalpha(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8)))
    return grey


def _to_8_bit(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "F"):
        raise ShotError(
            f"its mode {picture.mode} does not say what is white; save it as 8-bit PNG", field="image"
        )
    if picture.mode.startswith("I;16"):
        return _like(picture, _grey_to_8_bit(picture))
    clear = picture.info.get("transparency")
    if picture.mode == "RGB" and isinstance(clear, tuple) and max(clear) > 255:
        # Pillow keeps the upper 8 of 16 bits of the pixels, and all 16 of the colour that is clear.
        layer = picture.copy()
        layer.info["transparency"] = tuple(value >> 8 for value in clear)
        return _like(picture, layer.convert("RGBA"))
    return picture


def _like(picture: Image.Image, made: Image.Image) -> Image.Image:
    """A picture made of another, which keeps what the file says of its colours."""
    made.info = {key: value for key, value in picture.info.items() if key != "transparency"}
    return made


def _in_srgb(picture: Image.Image) -> Image.Image:
    if "icc_profile" in picture.info:
        return _by_profile(picture)
    gamma = _gamma_of(picture)
    if gamma is None:
        return _as_it_is(picture)
    plain = _without_palette(picture)
    curve = (255 * (np.arange(256) / 255) ** (1 / (_DISPLAY_GAMMA * gamma))).round().astype(int).tolist()
    straight = list(range(256))
    bands = plain.getbands()
    return plain.point([value for band in bands for value in (straight if band == "A" else curve)])


def _as_it_is(picture: Image.Image) -> Image.Image:
    if picture.mode != "CMYK":
        return picture
    shown = picture.convert("RGB")
    shown.info.pop("icc_profile", None)  # of colours that it has no more
    return shown


def _gamma_of(picture: Image.Image) -> float | None:
    """The gamma of a PNG whose values are not meant as sRGB's, else None."""
    gamma = picture.info.get("gamma")
    if picture.format not in (None, "PNG") or "srgb" in picture.info or "icc_profile" in picture.info:
        return None
    if not isinstance(gamma, float) or not 0.05 < gamma < 5 or abs(gamma * _DISPLAY_GAMMA - 1) < 0.03:
        return None
    return gamma


def _without_palette(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        return picture.convert("LA" if picture.mode in ("L", "LA") else "RGBA")
    return picture if picture.mode in ("L", "RGB") else picture.convert("L" if picture.mode == "1" else "RGB")


def _by_profile(picture: Image.Image) -> Image.Image:
    profile = _profile(picture)
    if profile is None or not _profile_fits(picture):
        return _as_it_is(picture)
    from PIL import ImageCms

    if "srgb" in str(profile.profile.profile_description).lower():
        return picture
    plain = picture if picture.mode == "CMYK" else _without_palette(picture)
    alpha = plain.getchannel("A") if "A" in plain.getbands() else None
    space = _space(profile)
    colours = plain.convert({"GRAY": "L", "CMYK": "CMYK"}.get(space, "RGB"))
    try:
        shown = ImageCms.profileToProfile(
            colours,
            profile,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, ValueError):
        shown = None
    if shown is None:
        return _as_it_is(picture)
    if alpha is not None:
        shown.putalpha(alpha)
    shown.info.pop("icc_profile", None)
    return shown


def _profile(picture: Image.Image) -> Any:
    """The colour profile inside an open picture, None where it is damaged or Pillow cannot read any."""
    try:
        from PIL import ImageCms

        return ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    except (
        Exception
    ):  # littleCMS says what it stumbles over in many ways; ImportError where it is not built in
        return None


def _space(profile: Any) -> str:
    return str(profile.profile.xcolor_space).strip()


def _profile_fits(picture: Image.Image) -> bool:
    """Whether the profile inside a picture is one of its colours."""
    profile = _profile(picture)
    if profile is None:
        return False
    space = _space(profile)
    if picture.mode == "CMYK":
        return space == "CMYK"
    if space == "GRAY":
        return picture.mode in ("1", "L", "LA") or picture.mode.startswith("I;16")
    return space == "RGB"


def _cicp(content: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of a PNG's cICP chunk, where they are not sRGB's."""
    if not content.startswith(b"\x89PNG"):
        return None
    start = 8
    while start + 8 <= len(content):
        length, kind = int.from_bytes(content[start : start + 4], "big"), content[start + 4 : start + 8]
        if kind == b"IDAT":
            return None
        if kind == b"cICP" and length >= 2:
            said = content[start + 8], content[start + 9]
            return None if said in _CICP_SDR else said
        start += 12 + length
    return None


def as_levels(picture: Image.Image) -> NDArray[np.uint8]:
    """A decoded picture as uint8 ``[H, W, 4]``: red, green, blue and how opaque it is."""
    return np.asarray(picture.convert("RGBA"), dtype=np.uint8)
