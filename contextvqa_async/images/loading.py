"""A reference (path, URL, data URL or bytes) → the Image that goes into the request; RecordError where there is none.

Rules: a plain JPEG, PNG, WebP or GIF keeps its bytes (EXIF's orientation included), and is never decoded; whatever
else can be decoded is made into a plain JPEG or PNG. Reading, checking and encoding a plain picture is one hand-over
to a thread, bounded in time, so that no picture can hold up another.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pybase64

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind
from contextvqa_async.images import sources
from contextvqa_async.images.headers import Header, name_other, read_header
from contextvqa_async.images.recoding import LEAST_SIDE, NotAnImageError, check_sides, recode
from contextvqa_async.images.sources import DATA, WEB, bad
from contextvqa_async.items import Image
from contextvqa_async.threads import Threads, TooManyHungError

TIME_LIMIT = 60.0
"""Seconds that one picture may take to be read and encoded."""

Fetch = Callable[[str], Awaitable[bytes]]


def image_roots(reading: Reading, source: Path | None = None) -> tuple[Path, ...]:
    """Where relative paths are looked up: --image-root; else beside the input file, then the working directory."""
    if reading.image_root is not None:
        return (Path(reading.image_root),)
    return (Path(),) if source is None or source.parent == Path() else (source.parent, Path())


async def load_image(
    ref: str | bytes,
    *,
    roots: Sequence[Path],
    reading: Reading,
    threads: Threads,
    fetch: Fetch | None,
    time_limit: float = TIME_LIMIT,
) -> Image:
    """Return what a request carries of ``ref``; raises RecordError, whose sentence names ``ref``.

    ``fetch`` (a :class:`Fetcher`) fetches URLs; None hands them on to the provider. All calls of a run share one
    ``threads`` and one ``fetch``, which bound the work at hand.
    """
    data = None
    try:
        if isinstance(ref, str) and sources.scheme_of(ref) in WEB:
            if fetch is None:
                return Image(url=ref)
            data = await fetch(ref)
        load = functools.partial(load_plain, ref, data, tuple(roots), reading.max_pixels)
        found = await threads.run(load, time_limit=time_limit)
        if isinstance(found, Image):
            return found
        make = functools.partial(_recode, ref, found, reading.max_pixels)
        return await threads.run(make, time_limit=time_limit, heavy=True)
    except TimeoutError:
        raise bad(ref, f"took more than {time_limit:g} seconds to be read", kind=Kind.TIMEOUT) from None
    except TooManyHungError:
        raise bad(ref, "was not read: too many reads before it hang", kind=Kind.TIMEOUT) from None


def load_plain(ref: str | bytes, data: bytes | None, roots: tuple[Path, ...], max_pixels: int | None) -> Image | bytes:
    """Read and check: the image where its bytes can be sent as they are, else the bytes."""
    if data is None:
        data = _read(ref, roots)
    if not data:
        raise bad(ref, "is empty")
    header = read_header(data)
    if header is None:
        if data.startswith(b"\xff\xd8\xff"):  # decoders walk such headers too, and slowly
            raise bad(ref, "is a JPEG whose header is damaged")
        return data
    try:
        check_sides(header.width, header.height)
    except NotAnImageError as error:
        raise bad(ref, str(error)) from None
    if _needs_work(header, max_pixels):
        return data
    return Image(media_type=header.media_type, base64=pybase64.b64encode(_first_picture(data, header)))


def _recode(ref: str | bytes, data: bytes, max_pixels: int | None) -> Image:
    try:
        media_type, plain = recode(data, max_pixels=max_pixels)
    except NotAnImageError as error:
        raise bad(ref, str(error) or f"is {name_other(data)}") from None
    return Image(media_type=media_type, base64=pybase64.b64encode(plain))


def _read(ref: str | bytes, roots: tuple[Path, ...]) -> bytes:
    if isinstance(ref, bytes):
        sources.check_size(ref, len(ref))
        return ref
    scheme = sources.scheme_of(ref)
    if scheme == DATA:
        return sources.decode_data_url(ref)
    if scheme not in ("", "file"):
        raise bad(ref, f"has an address that cannot be read: {scheme}:// is not http, https, file or data")
    if not ref.strip():
        raise bad(ref, "has an empty name")
    return sources.read_file(ref, roots)


def _needs_work(header: Header, max_pixels: int | None) -> bool:
    large = max_pixels is not None and header.width * header.height > max_pixels
    return large or not header.plain or min(header.width, header.height) < LEAST_SIDE


def _first_picture(data: bytes, header: Header) -> bytes:
    """Several JPEGs in one file (MPO, as phones write them) become the first: cut, not decoded."""
    if header.cut is None:
        return data
    start, end = header.gap
    return data[:start] + data[end : header.cut]
