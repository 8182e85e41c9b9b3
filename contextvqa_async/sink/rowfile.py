"""The output's rows, read back: which ids it holds, what in it is damaged, and what is doubled.

Rule: a line counts as a row only if it is whole JSON and carries an id; every other line is told by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contextvqa_async.items import RecordId
from contextvqa_async.jsonl import TooLong, key_of, loads
from contextvqa_async.sink.failures import sha_bytes
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.outfile import lines_in, tail_of


@dataclass(slots=True)
class RowScan:
    """What a scan found. ``garbage``: numbers of lines that are no rows; ``damaged``: of those that hold zeros."""

    rows: int = 0
    duplicates: int = 0
    empty: int = 0
    garbage: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    last: dict[bytes, int] = field(default_factory=dict)
    """Of each doubled id, the number of its last row."""


def row_of(line: bytes, id_key: str) -> tuple[RecordId, Mapping[str, Any]] | None:
    """The id and the object of a row; None for a line that is none."""
    try:
        row = loads(line)
    except ValueError:
        return None
    given = row.get(id_key) if isinstance(row, dict) else None
    return (given, row) if isinstance(given, str | int) and not isinstance(given, bool) else None


def scan_rows(path: Path, index: Index, id_key: str, *, empty_key: str | None = None) -> RowScan:
    """Enter the ids of the rows at ``path`` into ``index``; with ``empty_key``, tell which rows hold no pair there."""
    scan = RowScan()
    tail, _ = tail_of(path)
    for number, offset, line in lines_in(path):
        if isinstance(line, TooLong):
            scan.garbage.append(number)
            continue
        text = line if offset < tail else line.rstrip(b"\0")
        if not text.strip():
            continue
        found = row_of(text, id_key)
        if found is None:
            _note_fault(scan, number, line, torn=offset >= tail)
            continue
        _enter(scan, index, number, found, empty_key)
    return scan


def _note_fault(scan: RowScan, number: int, line: bytes, *, torn: bool) -> None:
    if torn:
        return
    (scan.damaged if b"\0" in line else scan.garbage).append(number)


def _enter(
    scan: RowScan, index: Index, number: int, found: tuple[RecordId, Mapping[str, Any]], empty_key: str | None
) -> None:
    key, row = key_of(found[0]), found[1]
    generation = row.get("generation")
    sha = sha_bytes(generation.get("record_sha") if isinstance(generation, dict) else None)
    empty = empty_key is not None and not has_pairs(row.get(empty_key))
    scan.rows += 1
    scan.empty += empty
    if index.put(key, Flag.ROW | Flag.EMPTY if empty else Flag.ROW, sha):
        scan.duplicates += 1
        scan.last[key] = number


def has_pairs(refined: Any) -> bool:
    """Whether a row's article object holds a pair."""
    return isinstance(refined, dict) and bool(refined.get("qas"))
