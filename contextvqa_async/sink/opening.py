"""What happens before the first record: the output is compared, mended and indexed, or refused.

Comes in: the output and its failed file, held, and the run's settings. Goes out: an index, and notes that say what was
found and done. Rule: nothing is changed before it is certain that the output is this run's to continue.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from contextvqa_async.config import Reading, Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.identity import key_of
from contextvqa_async.jsonl import dumps
from contextvqa_async.sink.appender import Appender
from contextvqa_async.sink.failures import FailedFile, check_failed_file, named_by_hand
from contextvqa_async.sink.index import Index
from contextvqa_async.sink.locks import Held
from contextvqa_async.sink.outfile import heal, rewrite, set_aside, spare_of, storage_error
from contextvqa_async.sink.rowfile import RowScan, has_pairs, row_of, rows_between_zeros
from contextvqa_async.sink.sidecar import Sidecar, check_same, find_sidecar, read_sidecar, sidecar_path, this_run

_NAMED = 5
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b'{\0"\0')


class Opening:
    """One opening; :meth:`run` blocks, and leaves its findings in the attributes.

    ``pause`` is called now and then while earlier files are read; it may raise to give up, which leaves them mended or
    as they were.
    """

    def __init__(
        self,
        output: Held,
        failed: Held,
        saving: Saving,
        reading: Reading,
        fingerprint: Mapping[str, Any],
        pause: Callable[[], None],
    ) -> None:
        self.target, self.failed_path = output.path, failed.path
        self.notes: list[str] = []
        self._saving, self._reading = saving, reading
        self._fingerprint = orjson.loads(dumps({**fingerprint, "id_key": reading.id_key}))  # as the sidecar will say
        self._beside = sidecar_path(output.path)
        self._output, self._failed = output, failed
        self._pause = pause

    def run(self) -> None:
        """Do it; UsageError where the output is not ours to write, RunError where the disk is in the way."""
        try:
            self._run()
        except OSError as error:
            path = Path(error.filename or self.target)
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise UsageError(f"{path} cannot be written: {(error.strerror or '').lower()}.") from None
            raise storage_error(path, error) from error

    def _run(self) -> None:
        """Fill ``index``, ``earlier`` and ``sidecar``, and open ``rows`` for appending."""
        check_failed_file(self.failed_path, self.target, self._pause)
        for path in (self.target, self.failed_path, self._beside):
            spare_of(path).unlink(missing_ok=True)
        found = find_sidecar(self.target)
        if self._saving.overwrite:
            self._set_aside(found)
        known = read_sidecar(found)
        if known is not None and not self._saving.allow_mixed:
            check_same(known, self._fingerprint, self.target)
        size = self.target.stat().st_size if self.target.exists() else 0
        self._read_rows(known, size)
        self.earlier = FailedFile(self.failed_path, self.index, self._saving.retry_failed, self._pause)
        self._failed.hold()
        self.sidecar = self._continue(known)
        self.sidecar.write(self._beside)
        if found != self._beside:
            found.unlink(missing_ok=True)
        self.rows = Appender(self.target, self._output.open())

    def _set_aside(self, sidecar: Path) -> None:
        try:
            read_sidecar(sidecar)
            olds = [self.target, self.failed_path]
        except UsageError:  # no sidecar, but a file of the user's
            olds = [self.target, self.failed_path, sidecar]
        self.notes += [note for path in olds if (note := set_aside(path))]
        sidecar.unlink(missing_ok=True)

    def _read_rows(self, known: Sidecar | None, size: int) -> None:
        self.index = Index.for_size(size)
        if not size:
            return
        scan = self._scan(known)
        self._check_foreign(known, scan)
        if self._mend(known, scan):
            self.index = Index.for_size(size)
            self._scan(known)

    def _scan(self, known: Sidecar | None) -> RowScan:
        strictly, vouched = self._saving.retry_empty, known is not None
        return RowScan(self.target, self.index, self._reading, strictly, vouched, self._pause).run()

    def _check_foreign(self, known: Sidecar | None, scan: RowScan) -> None:
        """UsageError where mending or asking anew would cost what somebody made of the file."""
        with self.target.open("rb") as file:
            if file.read(4).startswith(_UTF_16):  # its zeros would be taken for a crash's, and cut out with all rows
                raise UsageError(f"{self.target} is UTF-16; save it as UTF-8, or choose another output.")
        if scan.unanswered:
            raise UsageError(
                f"{self.target} holds records that nobody answered ({_numbered(scan.unanswered).lower()}: an id, and "
                f"nothing under {self._reading.answer_key!r}); choose another output, or take them out, or --overwrite."
            )
        if not scan.rows and (known is None or scan.garbage):  # a crash alone leaves torn ends and zeros
            raise UsageError(
                f"{self.target} is not empty, and none of its lines is a row with {self._reading.id_key!r}; "
                "choose another output, or --overwrite."
            )
        if known is None:
            self.notes.append(
                f"{self.target.name} has no {self._beside.name} beside it: its {scan.rows:,} rows are taken as they "
                "are, and what they were made with cannot be compared."
            )

    def _mend(self, known: Sidecar | None, scan: RowScan) -> bool:
        """Heal the file; whether its lines have moved."""
        id_key = self._reading.id_key
        if torn := heal(self.target, lambda line: row_of(line, id_key) is not None):
            self.notes.append(f"Cut {torn:,} bytes of a torn row off {self.target.name}; its record is asked again.")
        moved = bool(scan.damaged or (scan.last and known is not None and known.replacing))
        gone = self._drop(known, scan) if moved else 0
        if scan.damaged:
            self.notes.append(
                f"{_numbered(scan.damaged)} of {self.target.name} held zeros of a crash: whole rows are kept."
            )
        if gone:
            self.notes.append(f"Finished an interrupted --retry-empty: {gone:,} rows of {self.target.name} gave way.")
        if scan.garbage:
            self.notes.append(f"{_numbered(scan.garbage)} of {self.target.name} is no row; it is kept as it is.")
        if doubled := scan.duplicates - gone:
            self.notes.append(f"{self.target.name} holds {doubled:,} rows of ids that it holds before.")
        return moved

    def _drop(self, known: Sidecar | None, scan: RowScan) -> int:
        """Rewrite the file without a crash's zeros and the rows that gave way; return how many those are."""
        damaged, gone = set(scan.damaged), 0

        def kept(number: int, offset: int, line: bytes) -> list[bytes]:
            nonlocal gone
            if number in damaged:
                return rows_between_zeros(line, self._reading.id_key)
            if known is None or not self._gives_way(known, scan.last, offset, line):
                return [line]
            gone += 1
            return []

        rewrite(self.target, kept)
        self._output.hold()
        return gone

    def _gives_way(self, known: Sidecar, last: Mapping[bytes, int], offset: int, line: bytes) -> bool:
        """Whether an interrupted --retry-empty had replaced a line: one without pairs, and by a row of its own.

        Rows that stood before that run never give way to each other, however often their id is there.
        """
        found = row_of(line, self._reading.id_key) if known.replacing else None
        newest = None if found is None else last.get(key_of(found[0]))
        if found is None or newest is None:
            return False
        began = newest if known.replacing_from is None else known.replacing_from
        output_key = str(known.fingerprint.get("output_key", self._reading.output_key))
        return offset < began <= newest and not has_pairs(found[1].get(output_key))

    def _continue(self, known: Sidecar | None) -> Sidecar:
        earlier = [] if known is None else [*known.earlier]
        if known is not None and known.fingerprint != self._fingerprint:
            earlier = [one for one in [*earlier, known.fingerprint] if one != self._fingerprint]
        size = self.target.stat().st_size if self.target.exists() else 0
        return Sidecar(
            fingerprint=self._fingerprint,
            earlier=earlier,
            replacing=self._saving.retry_empty,
            replacing_from=size if self._saving.retry_empty else None,
            running=this_run(),
            failed=self._failed_files(known),
        )

    def _failed_files(self, known: Sidecar | None) -> list[str]:
        """The failed files that are not found by the output's name; an earlier one may still hold entries."""
        earlier = [] if known is None else known.failed
        return list(dict.fromkeys([*earlier, *named_by_hand(self.failed_path, self.target)]))


def _numbered(lines: list[int]) -> str:
    shown = ", ".join(str(number) for number in lines[:_NAMED])
    more = f" and {len(lines) - _NAMED:,} more" if len(lines) > _NAMED else ""
    return f"{'Line' if len(lines) == 1 else 'Lines'} {shown}{more}"
