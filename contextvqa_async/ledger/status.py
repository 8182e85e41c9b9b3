"""An output → what it holds: rows, pairs, tokens, cost, failures by class, and what is damaged. Reads only.

Rule: what is there now is reported as it is, also while a run is writing; nothing is healed, locked or created.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contextvqa_async.config import Cost, Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import key_of
from contextvqa_async.ledger.files import OutputFiles, whole_lines
from contextvqa_async.sink.failures import entry_key
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.outfile import tail_of
from contextvqa_async.sink.rowfile import has_answer, row_of
from contextvqa_async.sink.sidecar import reading_of


@dataclass(slots=True, kw_only=True)
class Status:
    """What ``output`` and its failed file hold.

    ``rows`` are distinct ids; ``duplicates`` further rows of the same ids; ``empty`` rows without a pair. ``failed``
    counts records without a row by the class of their failure, ``bad_lines`` input lines that were no records.
    ``garbage`` are the numbers of lines that are no rows (without a sidecar, also of those without an answer),
    ``torn`` the bytes after the last whole line.
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
    saving = saving or Saving()
    files = OutputFiles(output, saving)
    found = Status(output=output, failed_output=[*files.failed, saving.failed_path(output)][0])
    index = Index.for_size(target.stat().st_size)
    if files.sidecar is not None:
        found.settings = files.sidecar.fingerprint
    try:
        _count_rows(found, files, index)
        _count_failures(found, files, index)
    except OSError as error:
        raise UsageError(f"{error.filename or target} cannot be read: {error.strerror}.") from None
    found.cost = (cost or Cost()).of(found.prompt_tokens, found.completion_tokens)
    return found


def _count_rows(found: Status, files: OutputFiles, index: Index) -> None:
    reading = reading_of(found.settings)
    _, rest = tail_of(files.target)
    found.torn = len(rest) if rest and row_of(rest.rstrip(b"\0"), reading.id_key) is None else 0
    for number, line in whole_lines(files.target):
        row = row_of(line, reading.id_key)
        if row is not None and (files.sidecar is not None or has_answer(row[1], reading)):
            _count_row(found, index, row[1], key_of(row[0]), reading.output_key)
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


def _count_failures(found: Status, files: OutputFiles, index: Index) -> None:
    for failure in files.failures():
        key = entry_key(failure.entry)
        if key is None:
            found.bad_lines += 1
        elif not index.mark(key, Flag.FAILED) & (Flag.ROW | Flag.FAILED):
            found.failed[str(failure.entry["error"].get("type"))] += 1


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
