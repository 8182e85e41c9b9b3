"""A source → its pieces: lines of a file read in blocks, elements of an array, a folder's images, an iterable's items.

Rule: constant memory, and one hop to a worker thread for a block, never for a line.
"""

from __future__ import annotations

import gzip
import os
import select
import stat
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import PurePath
from typing import Any, BinaryIO, cast

import aiofiles
from aiofiles.threadpool.binary import AsyncBufferedReader
from anyio import CancelScope, move_on_after, to_thread
from anyio.lowlevel import checkpoint

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RunError, UsageError
from contextvqa_async.identity import END
from contextvqa_async.items import Failure, Record
from contextvqa_async.jsonl import BOM, Lines
from contextvqa_async.records.array import read_array
from contextvqa_async.records.choice import Chooser, Piece, TakeAll, Taker
from contextvqa_async.records.position import Position
from contextvqa_async.records.unpacked import UNREADABLE, Unpacked
from contextvqa_async.threads import Threads

Source = str | os.PathLike[str] | Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
Read = Callable[[int], Awaitable[bytes]]

BLOCK = 1 << 20
"""Bytes read at once: a thousand lines or so."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"[\0", b"\0{", b"\0[")
"""With a byte order mark, or as JSON begins without one."""

_YIELD_EVERY = 100
"""Items of an iterable after which the event loop may do something else, where none of them was wanted."""

_CLOSING_SECONDS = 10.0
"""How long the caller's generator may take to close itself, also in a run that is being cancelled."""

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
)
"""Names in a folder that may be images; the bytes decide later."""


async def read_records(
    source: Source,
    reading: Reading,
    *,
    chooser: Chooser | None = None,
    stdin: BinaryIO | None = None,
    position: Position | None = None,
) -> AsyncGenerator[Record | Failure, None]:
    """Yield the wanted records of ``source``, and a Failure (id None, its line's number) for what is no record.

    ``source``: a path to .jsonl, .ndjson, .json (an array, or JSONL after all), any of them with .gz, or a folder of
    images; "-" for ``stdin``; or any (async) iterable of mappings. ``chooser`` (the sink) says what is wanted. ``line``
    counts from 1: lines, elements of an array, items of an iterable. ``position`` is kept up to date. Raises
    UsageError where the source cannot be opened, and RunError where it cannot be read to its end.
    """
    position = position or Position()
    taker = Taker(reading, chooser or TakeAll(), position)
    async with AsyncExitStack() as stack:
        if isinstance(source, str | os.PathLike):
            pieces = await _open(os.fspath(source), reading, stdin, stack, position)
        else:
            pieces = _each(source)
        async with aclosing(pieces):
            async for piece in pieces:
                for item in taker.records(piece):
                    yield item
        for item in taker.records(Piece([], 1, END)):
            yield item


def check_source(source: Source) -> bool:
    """Return whether ``source`` is a folder; raises UsageError for what cannot be read; blocks."""
    if not isinstance(source, str | os.PathLike):
        _check_iterable(source)
        return False
    if os.fspath(source) == "-":
        return False
    name = os.fspath(source)
    try:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            return True
        if _may_be_image(os.path.basename(name)):
            raise UsageError(f"The input {name} is an image; give the folder that it lies in, or a file of records.")
        if stat.S_ISREG(mode):
            os.close(os.open(name, os.O_RDONLY))
            return False
        raise UsageError(f"The input {name} is neither a file nor a folder; give '-' and pipe it in.")
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None


def _check_iterable(source: object) -> None:
    """UsageError for what yields no records: one record alone yields its keys, and bytes yield numbers."""
    iterable = any(hasattr(source, name) for name in ("__iter__", "__aiter__", "__getitem__"))
    if not iterable or isinstance(source, bytes | bytearray | Mapping):
        raise UsageError(f"The source must be a path or an iterable of dicts, not {type(source).__name__}.")


def _unreadable(name: str, error: OSError | ValueError) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else error
    return UsageError(f"The input {name!r} cannot be read: {reason}.")


async def _open(
    name: str, reading: Reading, stdin: BinaryIO | None, stack: AsyncExitStack, position: Position
) -> AsyncGenerator[Piece, None]:
    """The pieces of a path, by what is there."""
    if name == "-":
        return _document(_reader(stdin or sys.stdin.buffer), name, position)
    if await to_thread.run_sync(check_source, name):
        return _folder(name, reading)
    try:
        if name.lower().endswith(".gz"):
            packed = stack.enter_context(gzip.open(name))  # noqa: SIM115
            return _document(_reader(cast(BinaryIO, Unpacked(packed))), name, position)
        file = await stack.enter_async_context(_opened(name))
        position.size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise _unreadable(name, error) from None
    return _document(file.read, name, position)


@asynccontextmanager
async def _opened(name: str) -> AsyncIterator[AsyncBufferedReader]:
    """A file that is closed also where the run is stopped."""
    file = await aiofiles.open(name, "rb")
    try:
        yield file
    finally:
        with CancelScope(shield=True):
            await file.close()


def _reader(file: BinaryIO) -> Read:
    """A blocking file's read; each read runs in a daemon thread, so that neither a stop nor the exit waits for it.

    It reads beneath the file's buffer, whose lock an abandoned read would hold for ever.
    """
    raw = getattr(file, "raw", file)
    read, threads = getattr(raw, "read1", raw.read), Threads()

    def read_now(size: int) -> bytes:
        while (block := read(size)) is None:  # made non-blocking by whoever shares it
            select.select([raw], [], [])
        return cast(bytes, block)

    async def read_block(size: int) -> bytes:
        return await threads.run(lambda: read_now(size), time_limit=None)

    return read_block


async def _document(read: Read, name: str, position: Position) -> AsyncGenerator[Piece, None]:
    """An array where the first character is ``[`` and the name does not say JSONL; else lines."""
    blocks = _blocks(read, name, position)
    start = b""
    async for block in blocks:
        start += block
        if start.removeprefix(BOM).strip():
            break
    start = start.removeprefix(BOM)
    if start.startswith(_UTF_16):
        raise UsageError(f"The input {name} is UTF-16; save it as UTF-8.")
    of_lines = name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))
    array = not of_lines and start.lstrip()[:1] == b"["
    async for piece in read_array(start, blocks) if array else _lines(start, blocks):
        yield piece


async def _blocks(read: Read, name: str, position: Position) -> AsyncIterator[bytes]:
    while True:
        try:
            block = await read(BLOCK)
        except UNREADABLE as error:
            raise RunError(f"The input {name} cannot be read further: {error}.", kind=Kind.STORAGE) from None
        if not block:
            return
        position.advance(len(block))
        yield block


async def _lines(start: bytes, blocks: AsyncIterator[bytes]) -> AsyncIterator[Piece]:
    lines = Lines()
    yield (piece := Piece(lines.feed(start), 1, block=start))
    async for block in blocks:
        yield (piece := Piece(lines.feed(block), piece.upto + 1, block=block))
    yield Piece(lines.flush(), piece.upto + 1)


async def _folder(root: str, reading: Reading) -> AsyncGenerator[Piece, None]:
    """The images below ``root`` in sorted order, one folder's names in memory at a time; links are not followed."""
    faults: list[OSError] = []
    folders = os.walk(root, onerror=faults.append)
    first = 1
    while (found := await to_thread.run_sync(next, folders, None)) is not None:
        where, below, names = found
        below[:] = sorted(name for name in below if not name.startswith("."))
        within = PurePath(where).relative_to(root)
        paths = [(within / name).as_posix() for name in sorted(names) if _may_be_image(name)]
        yield (piece := Piece([{reading.id_key: path, reading.image_key: path} for path in paths], first, root=root))
        first = piece.upto + 1
    for fault in faults:
        yield Piece([], first, broken=f"The folder {fault.filename} cannot be read: {fault.strerror}.")


def _may_be_image(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


async def _each(source: Any) -> AsyncGenerator[Piece, None]:
    """The items of an iterable one by one, since nobody knows when the next one comes."""
    number = 0
    async with aclosing(_walk(source)) as items:
        async for item in items:
            number += 1
            if number % _YIELD_EVERY == 0:
                await checkpoint()
            yield Piece([item], number)


async def _walk(source: Any) -> AsyncGenerator[Any, None]:
    if isinstance(source, AsyncIterable):
        async with _closed(aiter(source)) as items:
            async for item in items:
                yield item
        return
    for item in source:
        yield item


@asynccontextmanager
async def _closed(items: AsyncIterator[Any]) -> AsyncIterator[AsyncIterator[Any]]:
    """An asynchronous generator is closed here, not whenever the loop ends: it may hold a file or a cursor."""
    try:
        yield items
    finally:
        if isinstance(items, AsyncGenerator):
            with move_on_after(_CLOSING_SECONDS, shield=True):
                await items.aclose()
