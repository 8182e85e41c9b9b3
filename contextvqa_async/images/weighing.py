"""A record's image references → how much memory they take in flight, before (or while) they are read.

Rule: what cannot be weighed weighs nothing: loading it will say why. Files that are light are read in the same
hand-over to a thread that weighs them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.images import sources
from contextvqa_async.images.loading import TIME_LIMIT, load_plain
from contextvqa_async.images.sources import DATA, MAX_BYTES, WEB, bad
from contextvqa_async.items import Image
from contextvqa_async.threads import Threads, TooManyHungError

_UNKNOWN_WEIGHT = 2_000_000
"""Bytes that a picture behind a URL is taken to have until it is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What is known of a record's images before they are read.

    ``size``: about how many bytes of memory they take in flight (the body, and the transport's copy of it); what
    cannot be weighed weighs nothing, and loading it will say why. ``stamp``: changes when one of their files does.
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
    threads: Threads,
    time_limit: float = TIME_LIMIT,
    light: int = 0,
) -> Weight:
    """Return the weight of all of a record's images; reads them where all are files, of ``light`` bytes at most.

    Raises RecordError where a disk hangs, and where an image that was read cannot be sent.
    """
    files = [ref for ref in refs if isinstance(ref, str) and sources.scheme_of(ref) not in (DATA, *WEB)]
    size = sum(_given_size(ref, reading) for ref in refs)
    if not files:
        return Weight(size=size)
    light = light if len(files) == len(refs) else 0
    call = functools.partial(_weigh_files, files, tuple(roots), reading.max_pixels, light)
    try:
        weight = await threads.run(call, time_limit=time_limit)
    except (TimeoutError, TooManyHungError):
        raise bad(files[0], "cannot be found out about: its disk does not answer", kind=Kind.TIMEOUT) from None
    return replace(weight, size=weight.size + size)


def _weigh_files(refs: Sequence[str], roots: tuple[Path, ...], max_pixels: int | None, light: int) -> Weight:
    found = _stat_all(refs, roots)
    size = sum(_in_flight(file.st_size) for file in found if file and file.st_size <= MAX_BYTES)
    stamp = ",".join(f"{file.st_size}:{file.st_mtime_ns}" if file else "?" for file in found)
    if not all(found) or size > _in_flight(light):
        return Weight(size=size, stamp=stamp)
    loaded = [load_plain(ref, None, roots, max_pixels) for ref in refs]
    images = tuple(image for image in loaded if isinstance(image, Image))
    return Weight(size=size, stamp=stamp, loaded=images if len(images) == len(refs) else None)


def _given_size(ref: str | bytes, reading: Reading) -> int:
    """What an image that is no file weighs."""
    if isinstance(ref, bytes):
        return _in_flight(len(ref))
    scheme = sources.scheme_of(ref)
    if scheme == DATA:
        return _in_flight(len(ref) * 3 // 4)
    return _in_flight(_UNKNOWN_WEIGHT) if scheme in WEB and reading.inline_urls else 0


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
