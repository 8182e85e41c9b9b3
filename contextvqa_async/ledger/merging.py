"""Several outputs → one, with each id once. All of it or nothing: the target appears when it is whole.

Rule: no row is lost by accident: one id with two different rows stops the merge, unless the first is to stand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from contextvqa_async.config import Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import key_of
from contextvqa_async.items import RecordId
from contextvqa_async.jsonl import BOM
from contextvqa_async.ledger.status import whole_lines
from contextvqa_async.sink.failures import entry_key, entry_of
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.locks import take_locks
from contextvqa_async.sink.outfile import durable_file, spare_of, storage_error, sync_folder
from contextvqa_async.sink.place import check_target
from contextvqa_async.sink.rowfile import row_of
from contextvqa_async.sink.sidecar import Sidecar, check_same, find_sidecar, sidecar_of, sidecar_path

_SHOWN = 5


@dataclass(slots=True, kw_only=True)
class Merged:
    """What became of the outputs' lines. ``identical`` rows were there already, ``differing`` ones gave way to the
    first; ``left_out`` lines were no rows; ``failures`` are entries of records that no output has a row of."""

    rows: int = 0
    identical: int = 0
    differing: int = 0
    left_out: int = 0
    failures: int = 0


def merge(outputs: Sequence[Path], target: Path, *, saving: Saving | None = None, keep_first: bool = False) -> Merged:
    """Write the rows of ``outputs`` to ``target``, which must not hold any yet, and their failures beside it.

    Raises UsageError where an id has two different rows (unless ``keep_first``), where settings differ (unless
    ``saving.allow_mixed``), and where a file cannot be what it is meant to be; ``target`` is then not made.
    """
    saving = saving or Saving()
    for output in outputs:
        if not output.is_file():
            raise UsageError(f"There is no output {output}.")
    target, failed = check_target(target, saving.failed_path(target), list(_read_by_merge(outputs)))
    if any(path.exists() and path.stat().st_size for path in (target, failed)):
        raise UsageError(f"{target} or its failed file exists already; rows are merged into a new file.")
    try:
        with take_locks(target, failed):
            return _Merge(outputs, target, failed, keep_first=keep_first, mixed=saving.allow_mixed).run()
    except OSError as error:
        raise storage_error(Path(error.filename or target), error) from error


def _read_by_merge(outputs: Sequence[Path]) -> Iterator[Path]:
    for output in outputs:
        yield from (output, Saving().failed_path(output), find_sidecar(Path(os.path.realpath(output))))


class _Merge:
    """One merge."""

    def __init__(self, outputs: Sequence[Path], target: Path, failed: Path, *, keep_first: bool, mixed: bool) -> None:
        self._outputs, self._target, self._failed = outputs, target, failed
        self._keep_first = keep_first
        self._sidecar = _joined(outputs, mixed=mixed)
        self._index = Index.for_size(sum(path.stat().st_size for path in outputs))
        self._clashes: list[RecordId] = []
        self.done = Merged()

    def run(self) -> Merged:
        """Both files, or none."""
        spares = [spare_of(path) for path in (self._target, self._failed)]
        try:
            with durable_file(spares[0]) as file:
                file.writelines(self._rows())
            if self.done.differing and not self._keep_first:
                shown = ", ".join(repr(given) for given in self._clashes)
                raise UsageError(
                    f"{self.done.differing:,} ids have different rows (such as {shown}); let the first stand, "
                    "or choose between the outputs."
                )
            with durable_file(spares[1]) as file:
                file.writelines(self._failures())
            if self._sidecar is not None:
                self._sidecar.write(sidecar_path(self._target))
            if self.done.failures:
                spares[1].replace(self._failed)
            spares[0].replace(self._target)
            sync_folder(self._target)
        finally:
            for spare in spares:
                spare.unlink(missing_ok=True)
        return self.done

    def _rows(self) -> Iterator[bytes]:
        id_key = self._sidecar.id_key if self._sidecar else "id"
        for output in self._outputs:
            for _, text in whole_lines(output):
                line = text.removeprefix(BOM)  # it would stand in mid-file
                found = row_of(line, id_key)
                if found is None:
                    self.done.left_out += bool(line.strip())
                elif self._is_new(found[0], line):
                    yield line + b"\n"

    def _is_new(self, given: RecordId, line: bytes) -> bool:
        key, digest = key_of(given), int.from_bytes(blake2b(line, digest_size=8).digest(), "big")
        _, first, known = self._index.look(key)
        if not known:
            self._index.put(key, Flag.ROW, mark=digest)
            self.done.rows += 1
            return True
        same = first == digest
        self.done.identical += same
        self.done.differing += not same
        if not same and len(self._clashes) < _SHOWN:
            self._clashes.append(given)
        return False

    def _failures(self) -> Iterator[bytes]:
        for output in self._outputs:
            beside = Saving().failed_path(output)
            for _, line in whole_lines(beside) if beside.is_file() else ():
                entry = entry_of(line)
                key = entry_key(entry) if entry else None
                if entry is not None and (key is None or not self._index.mark(key, Flag.FAILED)):
                    self.done.failures += 1
                    yield line + b"\n"


def _joined(outputs: Sequence[Path], *, mixed: bool) -> Sidecar | None:
    """One sidecar for all; None where no output has one."""
    known = [sidecar for path in outputs if (sidecar := sidecar_of(Path(os.path.realpath(path))))]
    if not known:
        return None
    first = known[0]
    for path, sidecar in zip(outputs, known, strict=False):
        if sidecar.id_key != first.id_key or not mixed:
            check_same(first, sidecar.fingerprint, path)
    every = [settings for sidecar in known for settings in (sidecar.fingerprint, *sidecar.earlier)]
    earlier = [
        settings for number, settings in enumerate(every) if settings not in (first.fingerprint, *every[:number])
    ]
    return Sidecar(fingerprint=first.fingerprint, earlier=earlier)
