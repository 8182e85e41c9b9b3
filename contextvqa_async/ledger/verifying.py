"""An output and its input → where they disagree: each id exactly once, in the output or the failed file. Reads only.

Rule: every row is parsed, unlike on resume, so that damage inside a row is found too.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from anyio import to_thread

from contextvqa_async.config import Reading, Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import Batch, id_of
from contextvqa_async.items import Record, RecordId
from contextvqa_async.ledger.status import whole_lines
from contextvqa_async.records import Source, read_records
from contextvqa_async.sink.failures import entry_key, entry_of, line_of
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.outfile import tail_of
from contextvqa_async.sink.rowfile import RowScan, is_torn

MOST = 1000
"""Discrepancies that are listed; beyond these they are only counted."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One disagreement. ``what`` is a word of :attr:`Verified.counts`; ``id`` or ``line`` says where."""

    what: str
    id: RecordId | None = None
    line: int | None = None


@dataclass(slots=True, kw_only=True)
class Verified:
    """What was compared, and what was found.

    ``counts`` by word: ``missing`` (in neither file), ``both`` (in both), ``doubled`` (twice in the output),
    ``doubled_failure`` (twice in the failed file), ``untold`` (a bad line of the input without an entry), ``garbage``
    (a line of the output that is no row), ``torn`` (the output's end). ``extra``: ids that the input does not name,
    which is no fault; ``duplicates``: further records of the same id.
    """

    records: int = 0
    rows: int = 0
    failures: int = 0
    bad_lines: int = 0
    duplicates: int = 0
    extra: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    discrepancies: list[Discrepancy] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every record is accounted for exactly once."""
        return not self.counts

    def note(self, discrepancy: Discrepancy) -> None:
        """Count a discrepancy, and list it while there are few."""
        self.counts[discrepancy.what] += 1
        if len(self.discrepancies) < MOST:
            self.discrepancies.append(discrepancy)


async def verify(output: Path, source: Source, *, reading: Reading, saving: Saving | None = None) -> Verified:
    """Compare ``output`` and its failed file with ``source``. Raises UsageError where one cannot be read."""
    if not os.path.isfile(output):  # noqa: ASYNC240
        raise UsageError(f"There is no output {output}.")
    check = _Check(output, (saving or Saving()).failed_path(output), reading)
    await to_thread.run_sync(check.read_output)
    found = check.found
    async for item in read_records(source, reading, chooser=check):
        if isinstance(item, Record):
            found.note(Discrepancy("missing", id=item.id, line=item.line))
            continue
        found.bad_lines += 1
        if item.line not in check.failed_lines:
            found.note(Discrepancy("untold", line=item.line))
    held = Flag.ROW | Flag.FAILED  # a bad line's id is in the index, too, and in neither file
    found.extra = sum(1 for flags in check.index.flags() if flags & held and not flags & Flag.SEEN)
    return found


class _Check:
    """Both files' ids in an index, and the chooser that holds the input against them."""

    def __init__(self, output: Path, failed: Path, reading: Reading) -> None:
        self.found = Verified()
        self.failed_lines: set[int] = set()
        self.index = Index.for_size(os.path.getsize(output))
        self._output, self._failed, self._reading = output, failed, reading

    def read_output(self) -> None:
        """Fill the index; blocks."""
        scan = RowScan(self._output, self.index, self._reading.id_key, self._reading.output_key).run()
        self.found.rows = scan.rows - scan.duplicates
        for key in scan.last:
            self.found.note(Discrepancy("doubled", id=id_of(key)))
        for number in sorted([*scan.garbage, *scan.damaged]):
            self.found.note(Discrepancy("garbage", line=number))
        _, tail = tail_of(self._output)
        if tail and is_torn(tail, self._reading.id_key):
            self.found.note(Discrepancy("torn", line=scan.lines + 1))
        if self._failed.is_file():
            self._read_failed()

    def _read_failed(self) -> None:
        for _, line in whole_lines(self._failed):
            if (entry := entry_of(line)) is None:
                continue
            if (key := entry_key(entry)) is None:
                self.failed_lines.add(line_of(entry))
                continue
            known = self.index.mark(key, Flag.FAILED)
            self.found.failures += not known
            if known:
                self.found.note(Discrepancy("both" if known & Flag.ROW else "doubled_failure", id=id_of(key)))

    def choose(self, batch: Batch) -> Iterator[int]:
        """The positions of records that neither file holds."""
        for position, key in enumerate(batch.keys):
            known = self.index.mark(key, Flag.SEEN)
            if known & Flag.SEEN:
                self.found.duplicates += 1
                continue
            self.found.records += 1
            if not known & (Flag.ROW | Flag.FAILED):
                yield position

    def release(self, key: bytes) -> None:
        """The line turned out not to be a record; forget its id."""
        self.found.records -= 1
        self.index.drop(key, Flag.SEEN)
