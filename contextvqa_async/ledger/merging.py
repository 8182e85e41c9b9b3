"""Several outputs → one, with each id once. All of it or nothing: the target appears when it is whole.

Rule: no row is lost by accident: one id with two different rows stops the merge, unless the first is to stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from contextvqa_async.config import Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import key_of
from contextvqa_async.items import RecordId
from contextvqa_async.jsonl import BOM, dumps
from contextvqa_async.ledger.files import FailedLine, OutputFiles, whole_lines
from contextvqa_async.sink.failures import entry_key, input_fields, named_by_hand, owner_fields
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.locks import take_locks
from contextvqa_async.sink.outfile import durable_file, spare_of, storage_error, sync_folder
from contextvqa_async.sink.place import check_target
from contextvqa_async.sink.rowfile import has_answer, row_of
from contextvqa_async.sink.sidecar import Sidecar, check_same, find_sidecar, reading_of, sidecar_path

_SHOWN = 5


@dataclass(slots=True, kw_only=True)
class Merged:
    """What became of the outputs' lines. ``identical`` rows were there already, ``differing`` ones gave way to the
    first; ``left_out`` lines were no rows; ``failures`` are entries of records that no output has a row of; ``unknown``
    are outputs without a sidecar, whose settings nobody could compare."""

    rows: int = 0
    identical: int = 0
    differing: int = 0
    left_out: int = 0
    failures: int = 0
    unknown: list[Path] = field(default_factory=list)


def merge(outputs: Sequence[Path], target: Path, *, saving: Saving | None = None, keep_first: bool = False) -> Merged:
    """Write the rows of ``outputs`` to ``target``, which must not hold any yet, and their failures beside it.

    Raises UsageError where an id has two different rows (unless ``keep_first``), where settings differ (unless
    ``saving.allow_mixed``), and where a file cannot be what it is meant to be; ``target`` is then not made.
    """
    saving = saving or Saving()
    for output in outputs:
        if not output.is_file():
            raise UsageError(f"There is no output {output}.")
    files = [OutputFiles(output) for output in outputs]
    target, failed = check_target(target, saving.failed_path(target), list(_read_by_merge(files)))
    if any(path.exists() and path.stat().st_size for path in (target, failed)):
        raise UsageError(f"{target} or its failed file exists already; rows are merged into a new file.")
    try:
        with take_locks(target, failed):
            return _Merge(files, target, failed, keep_first=keep_first, mixed=saving.allow_mixed).run()
    except OSError as error:
        raise storage_error(Path(error.filename or target), error) from error


def _read_by_merge(outputs: Sequence[OutputFiles]) -> Iterator[Path]:
    for output in outputs:
        yield from (output.path, Saving().failed_path(output.path), *output.failed, find_sidecar(output.target))


class _Merge:
    """One merge."""

    def __init__(
        self, outputs: Sequence[OutputFiles], target: Path, failed: Path, *, keep_first: bool, mixed: bool
    ) -> None:
        self._outputs, self._target, self._failed = outputs, target, failed
        self._keep_first = keep_first
        self._sidecar = _joined(outputs, mixed=mixed)
        self._index = Index.for_size(sum(output.target.stat().st_size for output in outputs))
        self._clashes: list[RecordId] = []
        self.done = Merged(unknown=[output.path for output in outputs if output.sidecar is None])

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
                self._sidecar.failed = named_by_hand(self._failed, self._target)
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
        reading = reading_of(self._sidecar.fingerprint if self._sidecar else {})
        for output in self._outputs:
            for _, text in whole_lines(output.target):
                line = text.removeprefix(BOM)  # it would stand in mid-file
                found = row_of(line, reading.id_key)
                if found is None or (output.sidecar is None and not has_answer(found[1], reading)):
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
            for failure in output.failures():
                key = entry_key(failure.entry)
                if key is None or not self._index.mark(key, Flag.FAILED):
                    self.done.failures += 1
                    yield self._taken_over(failure) + b"\n"

    def _taken_over(self, failure: FailedLine) -> bytes:
        """The failure as one of the target: what it names is found from there, and its owner is the target."""
        entry = failure.entry
        if "output" not in entry and "input" not in entry:
            return failure.line
        named = {key: value for key, value in entry.items() if key not in ("output", "input")}
        source = entry.get("input")
        found_from_here = input_fields(self._failed, failure.path.parent / source) if isinstance(source, str) else {}
        return dumps({**named, **owner_fields(self._failed, self._target), **found_from_here})


def _joined(outputs: Sequence[OutputFiles], *, mixed: bool) -> Sidecar | None:
    """One sidecar for all; None where no output has one."""
    known = [(output.path, output.sidecar) for output in outputs if output.sidecar is not None]
    if not known:
        return None
    first = known[0][1]
    for path, sidecar in known:
        if sidecar.id_key != first.id_key or not mixed:
            check_same(first, sidecar.fingerprint, path)
    every = [settings for _, sidecar in known for settings in (sidecar.fingerprint, *sidecar.earlier)]
    earlier = [
        settings for number, settings in enumerate(every) if settings not in (first.fingerprint, *every[:number])
    ]
    return Sidecar(fingerprint=first.fingerprint, earlier=earlier)
