"""An output's files, as they are at this moment: their whole lines, and its failures from every file that holds some.

Rule: reads only, also while a run is writing; a torn end is no line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contextvqa_async.config import Saving
from contextvqa_async.jsonl import TooLong, loads
from contextvqa_async.sink.failures import entry_of, is_of_output
from contextvqa_async.sink.outfile import lines_in, tail_of
from contextvqa_async.sink.sidecar import Sidecar, sidecar_of


@dataclass(frozen=True, slots=True)
class FailedLine:
    """One failure: the file that it stands in, its line, and the line's object."""

    path: Path
    line: bytes
    entry: Mapping[str, Any]


class OutputFiles:
    """The output at ``path`` and what stands beside it.

    ``target`` is its real path, ``sidecar`` None where it has none. ``failed`` are the failed files that there are:
    the one given by ``saving``, else the one beside the output and those that its runs were given by --failed. Raises
    UsageError where the sidecar cannot be read.
    """

    def __init__(self, path: Path, saving: Saving | None = None) -> None:
        saving = saving or Saving()
        self.path = path
        self.target = Path(os.path.realpath(path))
        self.sidecar: Sidecar | None = sidecar_of(self.target)
        by_hand = self.sidecar.failed if self.sidecar is not None and not saving.failed else []
        named = [saving.failed_path(path), *(self.target.parent / name for name in by_hand)]
        self.failed = [name for name in dict.fromkeys(named) if name.is_file()]

    def failures(self) -> Iterator[FailedLine]:
        """The entries of this output's failures; one file may hold those of other outputs, too."""
        for path in self.failed:
            real = Path(os.path.realpath(path))
            for _, line in whole_lines(path):
                entry = entry_of(line)
                if entry is not None and is_of_output(entry, real, self.target):
                    yield FailedLine(real, line, entry)


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
