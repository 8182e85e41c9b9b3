"""One JSONL file that is read in blocks, mended where a crash tore it, and replaced only as a whole.

Rule: at any moment the file is the old one or the new one, and what was reported as written is on the disk. All of
these calls block: the sink runs them in a worker thread.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from contextvqa_async.errors import Kind, RunError, UsageError
from contextvqa_async.jsonl import MAX_LINE, TooLong

BLOCK = 1 << 20
_sync = getattr(os, "fdatasync", os.fsync)


def sync_file(fd: int) -> None:
    """Make durable what an open file holds."""
    _sync(fd)


def open_to_append(path: Path) -> int:
    """A descriptor through which lines are appended to ``path``, and read; the file is made where there is none."""
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)


def identity_of(file: Path | int) -> tuple[int, int] | None:
    """What tells a file, by its name or as it is open, from all others; None where there is none."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def storage_error(path: Path, error: OSError) -> RunError:
    """The one sentence for a file that cannot be written further."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        what = "the disk is full" if error.errno == errno.ENOSPC else "no more may be stored there"
        hint = "make room and run again: what is done is kept"
    else:
        what, hint = (error.strerror or str(error)).lower(), "mend that and run again: what is done is kept"
    return RunError(f"{path} cannot be written: {what}; {hint}.", kind=Kind.STORAGE, keeps=False)


def sync_folder(path: Path) -> None:
    """Make the name of a new or replaced file durable."""
    try:
        fd = os.open(path.parent, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def spare_of(path: Path) -> Path:
    """Where the new content of a file is written before it takes the file's name."""
    return path.with_name(f".{path.name}.cvqa-new")


def backups(path: Path) -> list[Path]:
    """The names under which earlier content of a file is kept, and at last the next one, which is free."""
    return unused_names(path, ".bak")


def unused_names(path: Path, ending: str) -> list[Path]:
    """``path`` with ``ending``, with ``ending`` and 2, and so on, up to the first that no file has."""
    found = [path.with_name(path.name + ending)]
    while os.path.lexists(found[-1]):
        found.append(path.with_name(f"{path.name}{ending}{len(found) + 1}"))
    return found


def set_aside(path: Path) -> str | None:
    """Give a file that holds something its next backup's name; return a note of that for the user."""
    if not path.exists() or not path.stat().st_size:
        return None
    spare = backups(path)[-1]
    path.rename(spare)
    return f"The old {path.name} is kept as {spare.name}."


@contextmanager
def durable_file(path: Path) -> Iterator[BinaryIO]:
    """A new file at ``path``, which is on the disk when the block ends."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path, *, before: Callable[[], None] = lambda: None) -> Iterator[BinaryIO]:
    """The new content of ``path``, which takes the name once it is whole and durable; until then the old one stands.

    ``before`` is called at that moment. An exception in the block leaves the old content.
    """
    spare = spare_of(path)
    try:
        with durable_file(spare) as file:
            yield file
        before()
        spare.replace(path)
        sync_folder(path)
    finally:
        with suppress(OSError):  # a folder that cannot be written to: the error that says so is under way
            spare.unlink(missing_ok=True)


def copy_mode(path: Path) -> None:
    """Give the content that is to replace ``path`` the permissions of the old one."""
    shutil.copymode(path, spare_of(path))


def replace(path: Path, data: bytes) -> None:
    """Set a small file's content at once: it is the old one or the new one at any moment."""
    with replacing(path) as file:
        file.write(data)


def blocks_in(path: Path) -> Iterator[tuple[int, bytes | TooLong]]:
    """(offset, block) one after the other, each beginning with a line and holding at least one whole.

    What follows a block's last newline is to be left out: it comes again in the next block, or is the file's torn end.
    A line beyond MAX_LINE comes as a TooLong of its own.
    """
    at, size = 0, BLOCK
    with path.open("rb", buffering=0) as file:
        while block := file.read(size):
            end = block.rfind(b"\n") + 1
            if end:
                yield at, block
                size = BLOCK
            elif len(block) < size:
                return  # the torn end
            elif size <= MAX_LINE:
                size *= 4
            else:
                end = _line_end(file, at + size) - at
                if end < 0:
                    return
                yield at, TooLong(block[:1000], end - 1)
                size = BLOCK
            at += end
            file.seek(at)


def _line_end(file: BinaryIO, at: int) -> int:
    """The offset after the next newline; -1 where there is none."""
    file.seek(at)
    while block := file.read(BLOCK):
        found = block.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(block)
    return -1


def lines_in(path: Path, pause: Callable[[], None] = lambda: None) -> Iterator[tuple[int, int, bytes | TooLong]]:
    """(number, offset, line) of each line, the last one also where no newline ends it.

    ``pause`` is called between blocks, and may raise to end the reading.
    """
    number = 0
    for offset, block in blocks_in(path):
        pause()
        for line in [block] if isinstance(block, TooLong) else block.split(b"\n")[:-1]:
            number += 1
            yield number, offset, line
            offset += (line.size if isinstance(line, TooLong) else len(line)) + 1
    start, tail = tail_of(path)
    if tail:
        yield number + 1, start, tail


def rewrite(path: Path, kept: Callable[[int, int, bytes], Sequence[bytes]]) -> None:
    """Replace the file by what ``kept(number, offset, line)`` leaves of each line: none, the line, or several.

    The old file stands until the new one is durable.
    """
    with replacing(path) as file:
        copy_mode(path)
        for number, offset, line in lines_in(path):
            if isinstance(line, TooLong):
                raise UsageError(f"{path} cannot be rewritten: its line {number} is {line.size:,} bytes long.")
            for text in kept(number, offset, line):
                file.write(text + b"\n")


def tail_of(path: Path) -> tuple[int, bytes]:
    """The offset after the file's last newline, and the bytes there (of a huge tail only its first megabyte)."""
    with path.open("rb", buffering=0) as file:
        end = at = file.seek(0, os.SEEK_END)
        while at:
            step = min(BLOCK, at)
            at -= step
            file.seek(at)
            found = file.read(step).rfind(b"\n")
            if found >= 0:
                at += found + 1
                break
        file.seek(at)
        return at, file.read(end - at if end - at <= MAX_LINE else BLOCK)


def heal(path: Path, whole: Callable[[bytes], bool]) -> int:
    """Mend the end of the file: a whole last line gets its newline, a torn one is cut off; return the bytes cut.

    Zeros that a power loss left at the very end are cut off too; a line with zeros inside is ended, for a rewrite.
    """
    start, tail = tail_of(path)
    if not tail:
        return 0
    line = tail.rstrip(b"\0")
    with path.open("r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        complete = start + len(tail) == end and (b"\0" in line or whole(line))
        file.truncate(start + len(line) if complete else start)
        if complete:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        os.fsync(file.fileno())
    return len(tail) - len(line) if complete else end - start
