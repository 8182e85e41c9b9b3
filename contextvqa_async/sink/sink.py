"""One run's output: it chooses which records are asked for, and writes what becomes of them.

Comes in: each record's outcome, once. Goes out: its line, and ``on_commit`` once that line is on the disk. Rule: a
record reported as done is never asked again, and after a crash at any moment the next run finds whole lines, each id
once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import anyio
from anyio import from_thread, to_thread

from contextvqa_async.config import Reading, Saving
from contextvqa_async.errors import Kind, RunError, UsageError
from contextvqa_async.identity import Batch, key_of
from contextvqa_async.items import Failure, Record, Row
from contextvqa_async.jsonl import dumps
from contextvqa_async.sink.appender import Appender
from contextvqa_async.sink.failures import input_fields, owner_fields, stamp_mark
from contextvqa_async.sink.index import NOTHING, Flag
from contextvqa_async.sink.locks import Held, take_locks
from contextvqa_async.sink.opening import Opening
from contextvqa_async.sink.outfile import rewrite, storage_error
from contextvqa_async.sink.place import check_target
from contextvqa_async.sink.rowfile import has_pairs, is_row, row_of, sha_bytes
from contextvqa_async.sink.sidecar import sidecar_path
from contextvqa_async.sink.writer import Queued, Writer

_DONE = Flag.ROW | Flag.SAME
_OTHERWISE = 255 & ~Flag.SAME


@dataclass(slots=True)
class Counts:
    """What the sink met in this run's input; all of it grows while the run goes on."""

    done: int = 0
    """Records whose row was there before."""
    changed: int = 0
    """Those of them that differ from the record their row was made of."""
    duplicates: int = 0
    """Records whose id this input had named before."""
    standing: int = 0
    """Records that failed for good in an earlier run, and are not asked again."""


class Sink:
    """One run's output; made by :meth:`open`. It is also the reader's chooser."""

    def __init__(
        self,
        opening: Opening,
        files: list[Held],
        reading: Reading,
        on_commit: Callable[[list[Row | Failure]], None],
        source: Path | None,
    ) -> None:
        self.output, self.failed = opening.target, opening.failed_path
        self.notes = opening.notes
        """What opening (and at last closing) found and did, each a sentence for the user."""
        self.earlier_rows = len(opening.index)
        """Ids that had a row before this run."""
        self.counts = Counts()
        self._opening, self._index = opening, opening.index
        self._id_key, self._output_key = reading.id_key, reading.output_key
        self._on_commit = on_commit
        self._files = files
        self._rows = opening.rows
        self._failures = self._failed_file() if opening.earlier.size else None
        self._source = source
        self._owner = owner_fields(self.failed, self.output)
        self._input = input_fields(self.failed, source)
        self._before = self._rows.size
        self._writer = Writer(self, self._note_written)
        self._read_up_to = self._settled = self._replaced = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        output: Path,
        saving: Saving,
        *,
        reading: Reading,
        fingerprint: Mapping[str, Any],
        on_commit: Callable[[list[Row | Failure]], None],
        inputs: Sequence[Path] = (),
    ) -> AsyncIterator[Sink]:
        """Lock, heal and index ``output``; drain and tidy up on the way out, also when cancelled.

        ``fingerprint``: the settings that rows of one output share (JSON values). ``on_commit`` is called in the
        event loop with outcomes that have just become durable. ``inputs``: files that must not be the output; the first
        is the one that records are read from, where that is a file. Raises
        UsageError where the output cannot be this run's, and RunError (storage) where the disk is in the way: on
        entry, from :meth:`append`, and on leaving.
        """
        target, failed = check_target(output, saving.failed_path(output), inputs, overwrite=saving.overwrite)
        with take_locks(target, failed) as files:
            rows, failures = files
            opening = Opening(rows, failures, saving, reading, fingerprint, from_thread.check_cancelled)
            await to_thread.run_sync(opening.run)
            source = inputs[0] if inputs else None
            async with cls(opening, files, reading, on_commit, source)._writing() as sink:
                yield sink

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Sink]:
        try:
            async with _plain_errors(), anyio.create_task_group() as tasks:
                tasks.start_soon(self._writer.run)
                try:
                    yield self
                finally:
                    self._writer.close()
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(_guarded, self._tidy, self.output)
        if error := self._writer.broken or self._lost():
            raise error

    def choose(self, batch: Batch) -> Iterator[int]:
        """The positions of the records to ask for; the others are counted by what stands against them."""
        see, counts = self._index.see, self.counts
        for position, (key, text) in enumerate(zip(batch.keys, batch.texts, strict=True)):
            known = see(key, crc32(text))
            if known == _DONE:
                counts.done += 1
            elif known & _OTHERWISE == 0 or self._is_wanted(key, known):
                yield position
        self._read_up_to = max(self._read_up_to, batch.upto)

    def _is_wanted(self, key: bytes, known: int) -> bool:
        """Whether to ask for a record that has a row, a failure or a twin."""
        if known & Flag.SEEN:
            self.counts.duplicates += 1
            return False
        if known & Flag.ROW and not known & Flag.EMPTY:
            return not known & Flag.SAME and self._is_damaged(key)
        if known & Flag.FINAL and known & Flag.SAME and not self._index.look(key)[1]:
            self.counts.standing += 1
            return False
        return True

    def _is_damaged(self, key: bytes) -> bool:
        """Whether the indexed row is damaged (two rows merged by an edit); a whole one counts as done and changed."""
        _, offset, _ = self._index.look(key)
        if is_row(self._rows.line_at(offset), key, self._id_key):
            self.counts.done += 1
            self.counts.changed += 1
            return False
        self._index.drop(key, Flag.ROW)
        self.notes.append(f"{self.output.name} holds a damaged row that is kept as it is; its record is asked again.")
        return True

    def release(self, key: bytes) -> None:
        """The line turned out not to be a record; forget its id."""
        self._index.drop(key, Flag.SEEN)

    def may_stand(self, record: Record) -> bool:
        """Whether ``record`` failed for good in an earlier run, so that :meth:`still_stands` is to be asked."""
        return bool(self._index.find(key_of(record.id)) & Flag.FINAL)

    def still_stands(self, record: Record, stamp: str) -> bool:
        """Whether ``record`` failed for good in an earlier run with images of this very stamp; then it is counted.

        To be asked for every record that the sink chose, before anything is sent: a record whose failure had an
        image stamp is chosen because only its images show whether they changed.
        """
        sha, old, flags = self._index.look(key_of(record.id))
        same = bool(flags & Flag.FINAL) and sha in (NOTHING, sha_bytes(record.sha)) and old == stamp_mark(stamp)
        self.counts.standing += same
        return same

    async def append(self, item: Row | Failure) -> None:
        """Put an outcome into its file, where no kill can lose it; ``on_commit`` hears of it once it is durable.

        Raises the RunError that stopped the writing, then and ever after. Where another program replaced one of the
        files, it raises as well, but what it was given is kept.
        """
        key = None if item.id is None else key_of(item.id)
        if isinstance(item, Row):
            line = dumps(item.fields) + b"\n"
        else:
            stays = key is not None and self._index.find(key) & Flag.ROW
            named = self._input if key is None else {}
            line = b"" if stays else dumps({**item.as_dict(), **self._owner, **named}) + b"\n"
        await self._writer.put(Queued(item, key, line))
        if error := self._lost():
            raise error

    def _failed_file(self) -> Appender:
        return Appender(self.failed, self._files[1].open())

    def _lost(self) -> RunError | None:
        """What to tell where another program replaced a file that this run writes."""
        both = [self._rows.lost, self._failures and self._failures.lost]
        told = " ".join(sentence for sentence in both if sentence)
        return RunError(told, kind=Kind.STORAGE) if told else None

    def write(self, group: Sequence[Queued]) -> tuple[list[Queued], RunError | None]:
        """Called by the writer: append a group's lines, rows first; blocks."""
        rows = [queued for queued in group if isinstance(queued.item, Row)]
        failures = [queued for queued in group if not isinstance(queued.item, Row)]
        written: list[Queued] = []
        try:
            self._rows.write(b"".join([queued.line for queued in rows]))
            written += rows
            if lines := b"".join([queued.line for queued in failures]):
                self._failures = self._failures or _guarded(self._failed_file, self.failed)
                self._failures.write(lines)
            written += failures
        except RunError as error:
            return written, error
        except UsageError as error:  # another run has made a failed file of this name since this one began
            return written, RunError(str(error), kind=Kind.STORAGE, keeps=False)
        return written, None

    def sync(self) -> None:
        """Called by the writer: make durable what is written; blocks."""
        self._rows.sync()
        if self._failures is not None:
            self._failures.sync()

    def _note_written(self, written: list[Queued]) -> None:
        for queued in written:
            row = isinstance(queued.item, Row)
            if queued.key is not None and queued.line:
                flags = Flag.ROW | Flag.NEW_ROW if row else Flag.NEW_FAILURE
                old = self._index.mark(queued.key, flags)
                self._settled += bool(old & Flag.FAILED)
                self._replaced += row and bool(old & Flag.ROW)
        if written:
            self._on_commit([queued.item for queued in written])

    def _tidy(self) -> None:
        """Drop what this run replaced or settled, and say that it has ended; blocks."""
        try:
            self._rows.close()
        finally:
            if self._failures is not None:
                self._failures.close()
        if self._lost():
            return  # what stands under these names now is somebody else's
        if self._replaced:
            rewrite(self.output, self._still_valid)
        earlier = self._opening.earlier
        if self._settled or (earlier.bad_lines and self._read_up_to):
            earlier.clear_settled(self._source, self._read_up_to)
        for file in self._files:
            file.hold()
        sidecar = self._opening.sidecar
        sidecar.replacing, sidecar.replacing_from, sidecar.running = False, None, None
        sidecar.write(sidecar_path(self.output))

    def _still_valid(self, _number: int, offset: int, line: bytes) -> list[bytes]:
        """A line of the output, unless it has no pairs and this run wrote a new row of its id."""
        found = row_of(line, self._id_key) if offset < self._before else None
        if found is None or has_pairs(found[1].get(self._output_key)):
            return [line]
        return [] if self._index.find(key_of(found[0])) & Flag.NEW_ROW else [line]


def _guarded(work: Callable[[], Any], path: Path) -> Any:
    """Do blocking work on files; what the disk refuses is a RunError of one sentence."""
    try:
        return work()
    except OSError as error:
        raise storage_error(Path(error.filename or path), error) from error


@asynccontextmanager
async def _plain_errors() -> AsyncIterator[None]:
    """What one task raised, as it was raised, instead of a group of one."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise
