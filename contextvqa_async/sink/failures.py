"""The failed file: what has no row, and why. Read at the start of a run, cleared of what no longer holds at its end.

Rule: an id stands in it at most once, and never when the output holds its row. Entries are appended as records fail, so
a crash leaves old entries beside new ones: the last one stands, and the next run clears the others away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from contextvqa_async.errors import UsageError
from contextvqa_async.items import RecordId
from contextvqa_async.jsonl import BOM, key_of, loads
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
    return entry if known else None


def entry_key(entry: Mapping[str, Any]) -> bytes | None:
    """The key of the record that failed; None for a line that was no record."""
    given: RecordId | None = entry["id"]
    return key_of(given) if isinstance(given, str | int) and not isinstance(given, bool) else None


class FailedFile:
    """What earlier runs left in the failed file at ``path``, entered into ``index``."""

    def __init__(self, path: Path, index: Index, mode: Mode) -> None:
        self.path = path
        self._index = index
        self.count = 0
        self.bad_lines = 0
        self.size = 0
        if path.exists():
            self._check_foreign()
            heal(path, lambda line: entry_of(line) is not None)
            self._read(mode)

    def _check_foreign(self) -> None:
        """UsageError where the file is somebody's notes: it would be healed."""
        _, _, first = next(lines_in(self.path), (1, 0, b""))
        text = first if isinstance(first, bytes) else first.start
        if text.strip(b"\0") and not b'{"id":'.startswith(text.lstrip(b"\0")[:6]) and entry_of(text) is None:
            raise UsageError(f"{self.path} is no file of failed records; choose another with --failed.")

    def _read(self, mode: Mode) -> None:
        doubled: dict[bytes, int] = {}
        stale = 0
        for number, _, line in lines_in(self.path):
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
            else:
                self.count += 1
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

    def clear_settled(self, read_up_to: int) -> None:
        """At the end: drop the earlier entries that this run settled, and of lines it has read again."""
        before, index = self.size, self._index

        def kept(_number: int, offset: int, line: bytes) -> list[bytes]:
            entry = entry_of(line)
            key = entry_key(entry) if entry else None
            if entry is None:
                stale = False
            elif key is None:
                stale = offset < before and line_of(entry) <= read_up_to
            else:
                stale = bool(index.find(key) & (Flag.ROW if offset >= before else Flag.ROW | Flag.NEW_FAILURE))
            return [] if stale else [line]

        self._rewrite(kept)

    def _rewrite(self, kept: Callable[[int, int, bytes], list[bytes]]) -> None:
        rewrite(self.path, kept)
        if not self.path.stat().st_size:
            self.path.unlink()
            sync_folder(self.path)


def line_of(entry: Mapping[str, Any]) -> int:
    """The number of the input's line that was no record; 0 where the entry names none."""
    line = entry.get("line")
    return line if isinstance(line, int) else 0
