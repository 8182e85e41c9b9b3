"""The failed file: what has no row, and why. Read at the start of a run, cleared of what no longer holds at its end.

Rule: it belongs to one output. An id stands in it at most once, and never when the output holds its row. Entries are
appended as records fail, so a crash leaves old entries beside new ones: the last one stands, and the next run clears
the others away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from contextvqa_async.config import Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import is_id, key_of
from contextvqa_async.jsonl import BOM, TooLong, loads
from contextvqa_async.sink.index import NOTHING, Flag, Index
from contextvqa_async.sink.outfile import heal, lines_in, rewrite, sync_folder
from contextvqa_async.sink.rowfile import sha_bytes

Mode = Literal["transient", "all", "none"]


def stamp_mark(stamp: str) -> int:
    """An image stamp as the index keeps it; no stamp is zero."""
    return crc32(stamp.encode()) or 1 if stamp else 0


def entry_of(line: Any) -> Mapping[str, Any] | None:
    """The entry in a line of the failed file, or None where the line holds none."""
    try:
        entry = loads(line.removeprefix(BOM))
    except (AttributeError, ValueError):
        return None
    known = isinstance(entry, dict) and "id" in entry and isinstance(entry.get("error"), dict)
    return entry if known and "generation" not in entry else None  # a row may carry an "error" of its record's


def entry_key(entry: Mapping[str, Any]) -> bytes | None:
    """The key of the record that failed; None for a line that was no record."""
    given = entry["id"]
    return key_of(given) if is_id(given) else None


_BEGUN = re.compile(rb'\{\s*"id":\s*(?:"(?:[^"\\]|\\.)*"|-?[0-9]+|null)\s*,\s*')
"""An entry up to its id; by what follows, an entry and a row differ."""


def owner_fields(failed: Path, output: Path) -> Mapping[str, str]:
    """The keys by which an entry names its output, where the file's own name does not say it."""
    return {} if Saving().failed_path(output) == failed else {"output": path_from(failed, output)}


def named_by_hand(failed: Path, output: Path) -> list[str]:
    """How a failed file is found from its output, where the output's name does not say it; else nothing."""
    return [] if Saving().failed_path(output) == failed else [path_from(output, failed)]


def input_fields(failed: Path, source: Path | None) -> Mapping[str, str]:
    """The keys by which a line that was no record names its input; none where that has no name (stdin, an iterable)."""
    return {} if source is None else {"input": path_from(failed, Path(os.path.realpath(source)))}


def path_from(file: Path, other: Path) -> str:
    """How ``other`` is found from the folder of ``file``, so that both may move together."""
    try:
        return os.path.relpath(other, file.parent)
    except ValueError:  # another drive
        return str(other)


def is_of_input(entry: Mapping[str, Any], failed: Path, source: Path | None) -> bool | None:
    """Whether a line that was no record is one of ``source``; None where the entry does not name its input."""
    named = entry.get("input")
    if not isinstance(named, str):
        return None
    return source is not None and os.path.realpath(failed.parent / named) == os.path.realpath(source)


def is_of_output(entry: Mapping[str, Any], failed: Path, output: Path) -> bool:
    """Whether an entry of the file ``failed`` is a failure of the output at this real path."""
    owner = _owner_of(entry, failed)
    return owner is None or os.path.realpath(owner) == str(output)


def check_failed_file(path: Path, output: Path, pause: Callable[[], None] = lambda: None) -> None:
    """UsageError where the file at ``path`` holds anything but failures of ``output``: a run would rewrite it.

    Both are real paths. An entry says whose it is, or the file's name does, or nothing: then it is this output's.
    """
    if not path.exists() or not path.stat().st_size:
        return
    named = _named_owner(path)
    for number, _, line in lines_in(path, pause):
        text = (line.start if isinstance(line, TooLong) else line).strip(b"\0 \t\r")
        entry = entry_of(text)
        if text and entry is None and (_is_object(text) or (number == 1 and not _may_be_torn(text))):
            raise UsageError(f"{path} is no file of failed records; choose another with --failed.")
        owner = _owner_of(entry, path) or named if entry else None
        if owner is not None and os.path.realpath(owner) != str(output):
            raise UsageError(f"{path} holds the failed records of {owner}; choose another with --failed.")


def _owner_of(entry: Mapping[str, Any], path: Path) -> Path | None:
    output = entry.get("output")
    return path.parent / output if isinstance(output, str) else None


def _named_owner(path: Path) -> Path | None:
    """The output beside ``path`` whose failed file it is by default."""
    owner = path.with_name(path.stem.removesuffix(".failed") + path.suffix)
    return owner if owner != path and owner.exists() else None


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(loads(text.removeprefix(BOM)), dict)
    except ValueError:
        return False


def _may_be_torn(text: bytes) -> bool:
    """Whether a line that is no JSON may be what a crash left of an entry."""
    text = text.partition(b"\0")[0]
    begun = _BEGUN.match(text)
    if begun is None:
        return b'{"id":'.startswith(text[:6])
    rest = text[begun.end() :]
    return any(word.startswith(rest[: len(word)]) for word in (b'"error":', b'"line":'))


class FailedFile:
    """What earlier runs left in the failed file at ``path``, entered into ``index``.

    ``pause`` is called now and then while it is read, and may raise to give up.
    """

    def __init__(self, path: Path, index: Index, mode: Mode, pause: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self._index = index
        self.bad_lines = 0
        self.size = 0
        if path.exists():
            heal(path, lambda line: entry_of(line) is not None)
            self._read(mode, pause)

    def _read(self, mode: Mode, pause: Callable[[], None]) -> None:
        doubled: dict[bytes, int] = {}
        stale = 0
        for number, _, line in lines_in(self.path, pause):
            if (entry := entry_of(line)) is None:
                stale += isinstance(line, bytes) and b"\0" in line
                continue
            key = entry_key(entry)
            if key is None:
                self.bad_lines += 1
                continue
            known = self._index.find(key)
            if known & Flag.ROW:
                stale += 1
                continue
            if known & Flag.FAILED:
                doubled[key] = number
            self._enter(key, entry, mode)
        if stale or doubled:
            self._clear(doubled)
        self.size = self.path.stat().st_size if self.path.exists() else 0

    def _enter(self, key: bytes, entry: Mapping[str, Any], mode: Mode) -> None:
        final = mode == "none" or (mode == "transient" and not entry["error"].get("retryable"))
        flags = Flag.FAILED | Flag.FINAL if final else Flag.FAILED
        sha = NOTHING if mode == "none" else sha_bytes(entry.get("record_sha"))
        stamp = "" if mode == "none" else str(entry.get("image_stamp") or "")
        self._index.put(key, flags, sha, stamp_mark(stamp))

    def _clear(self, doubled: Mapping[bytes, int]) -> None:
        """After a crash: drop entries whose row came, and all but the last of an id."""

        def kept(number: int, _offset: int, line: bytes) -> list[bytes]:
            entry = entry_of(line)
            key = entry_key(entry) if entry else None
            if key is None:
                return [] if b"\0" in line else [line]
            stale = self._index.find(key) & Flag.ROW or doubled.get(key, number) != number
            return [] if stale else [line]

        self._rewrite(kept)

    def clear_settled(self, source: Path | None, read_up_to: int) -> None:
        """At the end: drop the earlier entries that this run settled, and of lines of ``source`` it has read again."""
        before, index = self.size, self._index
        told = self._told_again() if self.bad_lines else set()

        def kept(_number: int, offset: int, line: bytes) -> list[bytes]:
            entry = entry_of(line)
            key = entry_key(entry) if entry else None
            if entry is None:
                stale = False
            elif key is None:
                stale = offset < before and self._is_read_again(entry, source, read_up_to, told)
            else:
                stale = bool(index.find(key) & (Flag.ROW if offset >= before else Flag.ROW | Flag.NEW_FAILURE))
            return [] if stale else [line]

        self._rewrite(kept)

    def _is_read_again(self, entry: Mapping[str, Any], source: Path | None, read_up_to: int, told: set[int]) -> bool:
        """Whether this run has read the line that was no record, so that its earlier entry no longer counts.

        Where an entry does not say of which input it is, only the same line, told anew, takes its place.
        """
        known = is_of_input(entry, self.path, source)
        return _line_mark(entry) in told if known is None else known and line_of(entry) <= read_up_to

    def _told_again(self) -> set[int]:
        """The marks of the lines that this run found to be no records."""
        entries = (entry_of(line) for _, offset, line in lines_in(self.path) if offset >= self.size)
        return {_line_mark(entry) for entry in entries if entry is not None and entry_key(entry) is None}

    def _rewrite(self, kept: Callable[[int, int, bytes], list[bytes]]) -> None:
        rewrite(self.path, kept)
        if not self.path.stat().st_size:
            self.path.unlink()
            sync_folder(self.path)


def _line_mark(entry: Mapping[str, Any]) -> int:
    """What two entries of one bad line share: its number and its text."""
    return hash((line_of(entry), str(entry.get("record"))))


def line_of(entry: Mapping[str, Any]) -> int:
    """The number of the input's line that was no record; 0 where the entry names none."""
    line = entry.get("line")
    return line if isinstance(line, int) else 0
