"""A picture that cannot be sent as it is → a plain JPEG or PNG of it.

Rules: the size is read and checked before anything is decoded; the first frame stands for an animation; EXIF's
orientation is applied; transparency becomes white; what came lossy leaves as JPEG, what came lossless as PNG while
that is small. Pillow is imported by the first picture that needs it. All of it blocks: run it in a thread.
"""

from __future__ import annotations

import io
import math
from typing import Any, NamedTuple

from contextvqa_async.errors import one_line

MAX_PIXELS = 100_000_000
"""Pixels that a decoder may unfold: 400 MB of memory. (JPEG is scaled while it is decoded, and may hold more.)"""

LEAST_SIDE = 28
"""Local Qwen-VL processors refuse smaller sides; smaller pictures are scaled up."""

_LOSSY = frozenset(("JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000"))
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "ICO", "ICNS", "JPEG2000", "PPM", "SGI", "QOI")
_PNG_PIXELS = 2_000_000
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class NotAnImageError(Exception):
    """No decoder reads these bytes; the message completes "The image X …"."""


class Recoded(NamedTuple):
    """A picture made anew."""

    media_type: str
    data: bytes


def recode(data: bytes, *, max_pixels: int | None = None) -> Recoded:
    """Return ``data``'s picture as a plain JPEG or PNG of at most ``max_pixels``; raises NotAnImageError."""
    try:
        picture = _open(data)
        picture = _upright(_decode(picture, max_pixels))
        picture = _flatten(picture)
        picture = _resize(picture, max_pixels)
        return _encode(picture)
    except NotAnImageError:
        raise
    except MemoryError:
        raise NotAnImageError("needs more memory than there is to decode it") from None
    except Exception as error:  # what decoders raise on broken files is not limited to OSError
        raise NotAnImageError(f"cannot be decoded: {one_line(error)}") from None


class _Picture(NamedTuple):
    image: Any
    lossy: bool


def _open(data: bytes) -> _Picture:
    """Open without decoding: as ``Image.open``, but without formats that run programs, and without its warnings."""
    from PIL import Image

    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return _Picture(_open_heic(data), True)
    Image.init()
    for name in _FORMATS:
        if name not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[name]
        if accept is not None and accept(data[:16]) is not True:
            continue
        try:
            image = factory(io.BytesIO(data), "")
        except (SyntaxError, IndexError, TypeError, KeyError, EOFError, ValueError):
            continue
        return _Picture(image, image.format in _LOSSY)
    raise NotAnImageError("")


def _open_heic(data: bytes) -> Any:
    try:
        import pillow_heif
    except ImportError:
        raise NotAnImageError("is a HEIC picture, which needs one more package: pip install pillow-heif") from None
    heif = pillow_heif.open_heif(data)
    _check_pixels(heif.size)
    return heif.to_pillow()


def _decode(picture: _Picture, max_pixels: int | None) -> _Picture:
    image = picture.image
    check_sides(*image.size)
    if image.format in ("JPEG", "MPO") and max_pixels and image.mode in ("RGB", "L"):
        image.draft(image.mode, _fit(image.size, max_pixels))
    _check_pixels(image.size)
    image.load()
    return picture


def _check_pixels(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise NotAnImageError(
            f"has {size[0]} x {size[1]} pixels, and would have to be decoded; at most {MAX_PIXELS:,} are"
        )


def check_sides(width: int, height: int) -> None:
    """Raise NotAnImageError for sides that providers refuse: too short, or too long for their width."""
    if min(width, height) <= 10:
        raise NotAnImageError(f"has {width} x {height} pixels; models take none with a side of 10 or fewer")
    if max(width, height) > 200 * min(width, height):
        raise NotAnImageError(f"has {width} x {height} pixels; models take none 200 times longer than wide")


def _upright(picture: _Picture) -> _Picture:
    from PIL import ImageOps

    ImageOps.exif_transpose(picture.image, in_place=True)
    return picture


def _flatten(picture: _Picture) -> _Picture:
    """Grey or RGB in 8 bits, on white where it was transparent."""
    from PIL import Image

    image = picture.image
    if image.mode.startswith(("I", "F")):
        image = _to_eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return _Picture(image, picture.lossy)


def _to_eight_bits(image: Any) -> Any:
    """16 bits by their upper half; 32-bit integers and floats by their own range."""
    low, high = (0, 0xFFFF) if image.mode.startswith("I;16") else image.getextrema()
    scale = 255 / ((high - low) or 1)
    return image.convert("F").point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def _fit(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """The largest size of the same shape within ``max_pixels``, whose shorter side stays at LEAST_SIDE or above."""
    width, height = size
    scale = min(1.0, math.sqrt(max_pixels / (width * height)))
    scale = max(scale, LEAST_SIDE / min(width, height))
    return max(LEAST_SIDE, int(width * scale)), max(LEAST_SIDE, int(height * scale))


def _resize(picture: _Picture, max_pixels: int | None) -> _Picture:
    from PIL import Image

    image = picture.image
    size = _fit(image.size, max_pixels or image.width * image.height)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _Picture(image, picture.lossy)


def _encode(picture: _Picture) -> Recoded:
    image, out = picture.image, io.BytesIO()
    image.info = {}
    if picture.lossy or image.width * image.height > _PNG_PIXELS:
        image.save(out, "JPEG", quality=90)
        return Recoded("image/jpeg", out.getvalue())
    image.save(out, "PNG", compress_level=3)
    return Recoded("image/png", out.getvalue())
