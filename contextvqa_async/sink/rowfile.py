"""The output's rows, read back: which ids it holds, what in it is damaged, and what is doubled.

Rule: a line counts as a row only if it is a whole JSON object with an id; every other line is noted by its number. A
line that begins and ends as the sink writes rows is taken for one without being parsed. It is parsed only where its
record seems to have changed, since two rows that an edit merged look like that.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from contextvqa_async.config import Reading
from contextvqa_async.identity import is_id, key_of
from contextvqa_async.items import RecordId
from contextvqa_async.jsonl import BOM, TooLong, loads
from contextvqa_async.sink.index import NOTHING, Flag, Index
from contextvqa_async.sink.outfile import blocks_in, tail_of

_SHA = b'"record_sha":"'
_LONGEST_END = 64


def row_of(line: bytes, id_key: str) -> tuple[RecordId, Mapping[str, Any]] | None:
    """The id and the object of a row; None for a line that is none. Of its numbers only the id is surely exact."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        row = _exactly(line)
    given = row.get(id_key) if isinstance(row, dict) else None
    if isinstance(given, float):
        given = _exactly(line)[id_key]
    return (given, row) if is_id(given) else None


def _exactly(line: bytes) -> Any:
    """The line's value with all its digits; an editor may have put a byte order mark before it."""
    try:
        return loads(line.removeprefix(BOM))
    except ValueError:
        return None


def rows_between_zeros(line: bytes, id_key: str) -> list[bytes]:
    """The whole rows in a line that a crash filled with zeros."""
    return [part for part in line.split(b"\0") if part and row_of(part, id_key) is not None]


def is_torn(tail: bytes, id_key: str) -> bool:
    """Whether what follows the last newline is a torn row: neither whole, nor damaged by zeros inside it."""
    line = tail.rstrip(b"\0")
    return b"\0" not in line and row_of(line, id_key) is None


def has_pairs(refined: Any) -> bool:
    """Whether a row's article object holds a pair."""
    return isinstance(refined, dict) and bool(refined.get("qas"))


def has_answer(row: Mapping[str, Any], reading: Reading) -> bool:
    """Whether a row holds an answer, raw or as it was read, or says itself how its answer came about."""
    kept = row.get(reading.answer_key) or row.get(reading.output_key)
    return bool(kept) or isinstance(row.get("generation"), dict)


def sha_bytes(sha: Any) -> bytes:
    """The first four bytes of a record's sha, as the index keeps them; an unknown one is four zeros."""
    try:
        return bytes.fromhex(sha[:8]).rjust(4, b"\0")
    except (TypeError, ValueError):
        return NOTHING


@dataclass(slots=True)
class RowScan:
    """Enters the rows at ``path`` into ``index``, and notes what else it meets.

    ``garbage``: numbers of the lines that are no rows; ``damaged``: of those that hold a crash's zeros; ``last``: of
    each doubled id, where its last row begins. ``strictly``: every line is parsed, and rows without pairs are flagged
    EMPTY. ``vouched``: a sidecar says that the file is an output; without one, a line with an id and without an answer
    is no row, but one of ``unanswered``. ``pause`` is called between blocks, and may raise to end the reading.
    """

    path: Path
    index: Index
    reading: Reading
    strictly: bool = False
    vouched: bool = True
    pause: Callable[[], None] = lambda: None
    lines: int = 0
    rows: int = 0
    duplicates: int = 0
    garbage: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)
    last: dict[bytes, int] = field(default_factory=dict)
    _end: bytes = b"\n"
    """What follows the sha's digits in rows of this file; at first a newline, so that the first row is parsed."""

    def run(self) -> RowScan:
        """Read the file once; the torn end of it is not looked at."""
        for offset, block in blocks_in(self.path):
            self.pause()
            if isinstance(block, TooLong):
                self.lines += 1
                self.garbage.append(self.lines)
            elif self.strictly or b"\0" in block:
                self._read_strictly(offset, block)
            else:
                self._read(offset, block)
        self._read_tail()
        return self

    def _read(self, offset: int, block: bytes) -> None:
        """Enter each line that looks as the sink writes rows, without parsing it; about a microsecond a row."""
        prefix = b'{"%b":"' % self.reading.id_key.encode("utf-8", "replace")
        id_at, after = len(prefix) - 1, len(prefix)
        find, put = block.find, self.index.put
        number, rows, last = self.lines, 0, self._end
        start, size = 0, len(last)
        while (end := find(b"\n", start)) >= 0:
            number += 1
            sha = end - size - 16
            quote = find(b'"', start + after)
            key = block[start + id_at : quote]
            if (
                block[sha + 16 : end] == last
                and block[sha - 14 : sha] == _SHA
                and block[start : start + after] == prefix
                and quote < sha
                and b"\\" not in key
            ):
                rows += 1
                if put(key, 1, unhexlify(block[sha : sha + 8]), offset + start):
                    self._note_double(key, offset + start)
            else:
                self.lines = number
                self._enter(offset + start, block[start:end])
                last = self._end
                size = len(last)
            start = end + 1
        self.lines = number
        self.rows += rows

    def _read_strictly(self, offset: int, block: bytes) -> None:
        for line in block.split(b"\n")[:-1]:
            self.lines += 1
            self._enter(offset, line)
            offset += len(line) + 1

    def _read_tail(self) -> None:
        start, tail = tail_of(self.path)
        if tail and not is_torn(tail, self.reading.id_key):
            self.lines += 1
            self._enter(start, tail.rstrip(b"\0"))

    def _enter(self, offset: int, line: bytes) -> None:
        """Parse a line, and enter the row it is or note that it is none."""
        found = row_of(line, self.reading.id_key)
        if found is None:
            if b"\0" in line:
                self.damaged.append(self.lines)
                self.rows += bool(rows_between_zeros(line, self.reading.id_key))
            elif line.strip():
                self.garbage.append(self.lines)
            return
        if not self.vouched and not has_answer(found[1], self.reading):
            self.unanswered.append(self.lines)
            return
        self._learn_end(line)
        key, row = key_of(found[0]), found[1]
        generation = row.get("generation")
        sha = sha_bytes(generation.get("record_sha") if isinstance(generation, dict) else None)
        empty = self.strictly and not has_pairs(row.get(self.reading.output_key))
        self.rows += 1
        old = self.index.put(key, Flag.ROW | Flag.EMPTY if empty else Flag.ROW, sha, offset)
        if old:
            self._note_double(key, offset)
        if old and not old & Flag.EMPTY:
            self.index.drop(key, Flag.EMPTY)  # of doubled rows, one with pairs is enough

    def _learn_end(self, line: bytes) -> None:
        """What follows the sha's digits in this row will follow them in the next ones too."""
        at = line.rfind(_SHA, len(line) - _LONGEST_END)
        end = line[at + len(_SHA) + 16 :]
        self._end = end if at >= 0 and end.startswith(b'"') and end.endswith(b"}}") else self._end

    def _note_double(self, key: bytes, offset: int) -> None:
        self.duplicates += 1
        self.last[key] = offset


def is_row(line: bytes, key: bytes, id_key: str) -> bool:
    """Whether ``line`` is whole, and is the row of ``key``."""
    found = row_of(line, id_key)
    return found is not None and key_of(found[0]) == key
