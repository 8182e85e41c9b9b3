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
from contextvqa_async.ledger.files import FailedLine, OutputFiles
from contextvqa_async.records import Source, read_records
from contextvqa_async.sink.failures import entry_key, is_of_input, line_of
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.outfile import tail_of
from contextvqa_async.sink.rowfile import RowScan, is_torn
from contextvqa_async.sink.sidecar import reading_of

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
    (a line of the output that is no row; without a sidecar, one without an answer too), ``torn`` (the output's end).
    ``extra``: ids that the input does not name, which is no fault; ``duplicates``: further records of the same id.
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


async def verify(
    output: Path, source: Source, *, reading: Reading | None = None, saving: Saving | None = None
) -> Verified:
    """Compare ``output`` and its failed file with ``source``. Raises UsageError where one cannot be read.

    ``reading`` says how records and rows are read; without it, the output's sidecar does.
    """
    if not os.path.isfile(output):  # noqa: ASYNC240
        raise UsageError(f"There is no output {output}.")
    files = OutputFiles(output, saving)
    reading = reading or reading_of(files.sidecar.fingerprint if files.sidecar else {})
    check = _Check(files, reading, source)
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

    def __init__(self, files: OutputFiles, reading: Reading, source: Source) -> None:
        self.found = Verified()
        self.failed_lines: set[int] = set()
        self.index = Index.for_size(files.target.stat().st_size)
        self._files, self._reading = files, reading
        is_path = isinstance(source, str | os.PathLike) and os.fspath(source) != "-"
        self._source = Path(source) if is_path else None  # type: ignore[arg-type]

    def read_output(self) -> None:
        """Fill the index; blocks."""
        output, vouched = self._files.target, self._files.sidecar is not None
        scan = RowScan(output, self.index, self._reading, strictly=True, vouched=vouched).run()
        self.found.rows = scan.rows - scan.duplicates
        for key in scan.last:
            self.found.note(Discrepancy("doubled", id=id_of(key)))
        for number in sorted([*scan.garbage, *scan.damaged, *scan.unanswered]):
            self.found.note(Discrepancy("garbage", line=number))
        _, tail = tail_of(output)
        if tail and is_torn(tail, self._reading.id_key):
            self.found.note(Discrepancy("torn", line=scan.lines + 1))
        self._read_failed()

    def _read_failed(self) -> None:
        for failure in self._files.failures():
            if (key := entry_key(failure.entry)) is None:
                if self._is_of_source(failure):
                    self.failed_lines.add(line_of(failure.entry))
                continue
            known = self.index.mark(key, Flag.FAILED)
            self.found.failures += not known
            if known:
                self.found.note(Discrepancy("both" if known & Flag.ROW else "doubled_failure", id=id_of(key)))

    def _is_of_source(self, failure: FailedLine) -> bool:
        """Whether a line that was no record may be one of the source's: where either has no name, nobody can say."""
        return self._source is None or is_of_input(failure.entry, failure.path, self._source) is not False

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
