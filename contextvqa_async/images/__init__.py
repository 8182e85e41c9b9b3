"""A reference (path, URL, data URL or bytes) → the Image that goes into the request, or one record's failure.

    ref ─► sources / fetch (bytes) ─► headers (plain?) ─┬─ yes ─► base64
                                                        └─ no ──► recoding (pillow) ─► base64

Rules: a plain JPEG, PNG, WebP or GIF keeps its bytes (EXIF's orientation included), and is never decoded; whatever
else can be decoded is made into a plain JPEG or PNG. Reading, checking and encoding a plain picture is one hand-over
to a thread, bounded in time, so that no picture can hold up another.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pybase64

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.images import sources
from contextvqa_async.images.fetch import Fetcher
from contextvqa_async.images.headers import Header, name_other, read_header
from contextvqa_async.images.recoding import LEAST_SIDE, NotAnImageError, check_sides, recode
from contextvqa_async.images.sources import MAX_BYTES, bad
from contextvqa_async.items import Image
from contextvqa_async.threads import Threads, TooManyHungError

__all__ = ["LIGHT", "MAX_BYTES", "Fetcher", "Weight", "image_roots", "load_image", "weigh"]

TIME_LIMIT = 60.0
"""Seconds that one picture may take to be read and encoded."""

Fetch = Callable[[str], Awaitable[bytes]]

_DATA, _WEB = "data", ("http", "https")
_UNKNOWN_WEIGHT = 2_000_000


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
    time_limit: float = TIME_LIMIT,
    threads: Threads | None = None,
    fetch: Fetch | None = None,
) -> Image:
    """Return what a request carries of ``ref``; raises RecordError, whose sentence names ``ref``.

    Give the same ``threads`` (and, for ``--inline-urls``, the same ``fetch``, a :class:`Fetcher`) to all calls of a
    run: they are what bounds the work at hand.
    """
    threads = threads or Threads()
    data = None
    try:
        if isinstance(ref, str) and sources.scheme_of(ref) in _WEB:
            if not reading.inline_urls:
                return Image(url=ref)
            data = await _fetch(ref, fetch, reading, threads, time_limit)
        load = functools.partial(_load, ref, data, tuple(roots), reading.max_pixels)
        found = await threads.run(load, time_limit=time_limit)
        if isinstance(found, Image):
            return found
        make = functools.partial(_recode, ref, found, reading.max_pixels)
        return await threads.run(make, time_limit=time_limit, heavy=True)
    except TimeoutError:
        raise bad(ref, f"took more than {time_limit:g} seconds to be read", kind=Kind.TIMEOUT) from None
    except TooManyHungError:
        raise bad(ref, "was not read: too many reads before it hang", kind=Kind.TIMEOUT) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What is known of a record's images before they are read.

    ``size``: about how many bytes of memory they take in flight (the body, and the transport's copy of it); what
    cannot be weighed weighs nothing, and loading it tells why. ``stamp``: changes when one of their files does.
    ``loaded``: the images, where they were light enough to be read at once.
    """

    size: int = 0
    stamp: str = ""
    loaded: tuple[Image, ...] | None = None


LIGHT = 1_000_000
"""Bytes of a record's files that :func:`weigh` may read in passing: a second hand-over to a thread costs more."""


async def weigh(
    refs: Sequence[str | bytes],
    *,
    roots: Sequence[Path],
    reading: Reading,
    time_limit: float = TIME_LIMIT,
    threads: Threads | None = None,
    light: int = 0,
) -> Weight:
    """Return the weight of all of a record's images; reads them where all are files, of ``light`` bytes at most.

    Raises RecordError where a disk hangs, and where an image that was read cannot be sent.
    """
    files = [ref for ref in refs if isinstance(ref, str) and sources.scheme_of(ref) not in (_DATA, *_WEB)]
    size = sum(_given_size(ref, reading) for ref in refs)
    if not files:
        return Weight(size=size)
    light = light if len(files) == len(refs) else 0
    call = functools.partial(_weigh_files, files, tuple(roots), reading.max_pixels, light)
    try:
        weight = await (threads or Threads()).run(call, time_limit=time_limit)
    except (TimeoutError, TooManyHungError):
        raise bad(files[0], "cannot be found out about: its disk does not answer", kind=Kind.TIMEOUT) from None
    return replace(weight, size=weight.size + size)


def _weigh_files(refs: Sequence[str], roots: tuple[Path, ...], max_pixels: int | None, light: int) -> Weight:
    found = _stat_all(refs, roots)
    size = sum(_in_flight(file.st_size) for file in found if file and file.st_size <= MAX_BYTES)
    stamp = ",".join(f"{file.st_size}:{file.st_mtime_ns}" if file else "?" for file in found)
    if not all(found) or size > _in_flight(light):
        return Weight(size=size, stamp=stamp)
    loaded = [_load(ref, None, roots, max_pixels) for ref in refs]
    images = tuple(image for image in loaded if isinstance(image, Image))
    return Weight(size=size, stamp=stamp, loaded=images if len(images) == len(refs) else None)


def _given_size(ref: str | bytes, reading: Reading) -> int:
    """What an image that is no file weighs."""
    if isinstance(ref, bytes):
        return _in_flight(len(ref))
    scheme = sources.scheme_of(ref)
    if scheme == _DATA:
        return _in_flight(len(ref) * 3 // 4)
    return _in_flight(_UNKNOWN_WEIGHT) if scheme in _WEB and reading.inline_urls else 0


def _stat_all(refs: Sequence[str], roots: tuple[Path, ...]) -> list[os.stat_result | None]:
    found: list[os.stat_result | None] = []
    for ref in refs:
        try:
            found.append(sources.stat_file(ref, roots)[1])
        except RecordError:
            found.append(None)
    return found


def _in_flight(size: int) -> int:
    return 2 * (size * 4 // 3)


async def _fetch(ref: str, fetch: Fetch | None, reading: Reading, threads: Threads, time_limit: float) -> bytes:
    if fetch is not None:
        return await fetch(ref)
    async with Fetcher(allow_private=reading.allow_private_urls, time_limit=time_limit, threads=threads) as own:
        return await own(ref)


def _load(ref: str | bytes, data: bytes | None, roots: tuple[Path, ...], max_pixels: int | None) -> Image | bytes:
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
    if scheme == _DATA:
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
