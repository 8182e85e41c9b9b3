"""The files that a command uses, and which of them it writes: where one is written, no other may be the same file.

Comes in: paths as the user gave them. Goes out: nothing, or a UsageError that says what one file would have to be.
Rule: a file is known by where its name leads and by its inode, so that no spelling and no link hides it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contextvqa_async.errors import UsageError
from contextvqa_async.sink.outfile import backups, spare_of
from contextvqa_async.sink.sidecar import find_sidecar, sidecar_path


@dataclass(frozen=True, slots=True)
class Used:
    """A file of a command: ``what`` it is to the user, and whether it is written."""

    what: str
    path: Path
    written: bool = False


def input_file(source: Path) -> Used:
    """The input; ``-`` may be a file, too."""
    return Used("the input", Path("/dev/stdin") if str(source) == "-" else source)


def output_files(output: Path, failed: Path | None = None, *, overwrite: bool = False) -> list[Used]:
    """All that stands beside an output, by its real path, while it is written; ``failed`` where it has a failed file.

    A lock guards both, so it is named once. Earlier backups are not written, and may be read.
    """
    own = [Used("the output", output, True)]
    if failed is not None:
        own += [Used("the failed file (--failed)", failed, True)]
        own += [Used("the output's settings", path, True) for path in {sidecar_path(output), find_sidecar(output)}]
    files = own + [Used("a lock", path, True) for path in {lock_path(each.path) for each in own[:2]}]
    files += [Used("a file that the run works with", spare_of(each.path), True) for each in own]
    for each in own[:2]:
        *kept, free = backups(each.path)
        files += [Used("a backup", path) for path in kept]
        files += [Used("the next backup", free, True)] if overwrite else []
    return files


def lock_path(path: Path) -> Path:
    """``out.jsonl`` and ``out.failed.jsonl`` → ``out.jsonl.lock``: whoever writes one of them may write the other."""
    stem = path.stem
    while stem.endswith(".failed"):
        stem = stem.removesuffix(".failed")
    return path.with_name(f"{stem}{path.suffix}.lock")


def check_apart(files: Iterable[Used]) -> None:
    """UsageError where two of ``files`` are one, and the command writes to it."""
    seen: dict[Hashable, Used] = {}
    for file in files:
        for mark in _marks(file.path):
            other = seen.setdefault(mark, file)
            if other is not file and (other.written or file.written):
                raise UsageError(f"{file.path} is {other.what}, and cannot be {file.what}, too; name another file.")


def _marks(path: Path) -> list[Hashable]:
    """What two paths to one file share; none for a terminal or a pipe, which may be several things at once."""
    marks: list[Hashable] = []
    with suppress(OSError, ValueError):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return []
        marks.append((found.st_dev, found.st_ino))
    with suppress(OSError, ValueError):
        real = Path(os.path.realpath(path))
        folder = real.parent.stat()
        marks.append((folder.st_dev, folder.st_ino, real.name))
    return marks
