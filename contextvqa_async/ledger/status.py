"""An output → what it holds: rows, pairs, tokens, cost, failures by class, and what is damaged. Reads only.

Rule: what is there now is reported as it is, also while a run is writing; nothing is healed, locked or created.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contextvqa_async.config import Cost, Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import key_of
from contextvqa_async.jsonl import TooLong, loads
from contextvqa_async.sink.failures import entry_key, entry_of
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.outfile import lines_in, tail_of
from contextvqa_async.sink.rowfile import row_of
from contextvqa_async.sink.sidecar import sidecar_of


@dataclass(slots=True, kw_only=True)
class Status:
    """What ``output`` and its failed file hold.

    ``rows`` are distinct ids; ``duplicates`` further rows of the same ids; ``empty`` rows without a pair. ``failed``
    counts records without a row by the class of their failure, ``bad_lines`` input lines that were no records.
    ``garbage`` are the numbers of lines that are no rows, ``torn`` the bytes after the last whole line.
    """

    output: Path
    failed_output: Path
    rows: int = 0
    duplicates: int = 0
    empty: int = 0
    pairs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    failed: Counter[str] = field(default_factory=Counter)
    bad_lines: int = 0
    garbage: list[int] = field(default_factory=list)
    torn: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


def status(output: Path, *, saving: Saving | None = None, cost: Cost | None = None) -> Status:
    """Read what ``output`` holds; blocks for some ten microseconds a row. Raises UsageError where it cannot be read."""
    target = Path(os.path.realpath(output))
    if not target.is_file():
        raise UsageError(f"There is no output {output}.")
    sidecar = sidecar_of(target)
    found = Status(output=output, failed_output=(saving or Saving()).failed_path(output))
    index = Index.for_size(target.stat().st_size)
    if sidecar is not None:
        found.settings = sidecar.fingerprint
    try:
        _count_rows(found, target, index, found.settings)
        _count_failures(found, index)
    except OSError as error:
        raise UsageError(f"{error.filename or target} cannot be read: {error.strerror}.") from None
    found.cost = (cost or Cost()).of(found.prompt_tokens, found.completion_tokens)
    return found


def whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, text) of the lines that a newline ended just now, and of a last one that is whole all the same."""
    tail, _ = tail_of(path)
    for number, offset, line in lines_in(path):
        text = b"{" if isinstance(line, TooLong) else line
        if offset < tail or _is_json(text := text.rstrip(b"\0")):
            yield number, text


def _is_json(text: bytes) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True


def _count_rows(found: Status, target: Path, index: Index, settings: Mapping[str, Any]) -> None:
    id_key, output_key = str(settings.get("id_key", "id")), str(settings.get("output_key", "context_vqa"))
    _, rest = tail_of(target)
    found.torn = len(rest) if rest and row_of(rest.rstrip(b"\0"), id_key) is None else 0
    for number, line in whole_lines(target):
        row = row_of(line, id_key)
        if row is not None:
            _count_row(found, index, row[1], key_of(row[0]), output_key)
        elif line.strip():
            found.garbage.append(number)


def _count_row(found: Status, index: Index, row: Mapping[str, Any], key: bytes, output_key: str) -> None:
    if index.put(key, Flag.ROW):
        found.duplicates += 1
        return
    refined, generation = row.get(output_key), row.get("generation")
    pairs = refined.get("qas") if isinstance(refined, dict) else None
    count = len(pairs) if isinstance(pairs, list) else 0
    found.rows += 1
    found.pairs += count
    found.empty += not count
    if isinstance(generation, dict):
        found.prompt_tokens += _number(generation.get("prompt_tokens"))
        found.completion_tokens += _number(generation.get("completion_tokens"))


def _count_failures(found: Status, index: Index) -> None:
    if not found.failed_output.is_file():
        return
    for _, line in whole_lines(found.failed_output):
        entry = entry_of(line)
        key = entry_key(entry) if entry else None
        if key is None:
            found.bad_lines += entry is not None
        elif entry and not index.mark(key, Flag.FAILED) & (Flag.ROW | Flag.FAILED):
            found.failed[str(entry["error"].get("type"))] += 1


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
