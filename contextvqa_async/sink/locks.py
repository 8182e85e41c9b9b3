"""Who may write an output: real paths in, locks out.

Rule: a file has one writer at a time. A name is guarded by the ``.lock`` beside it, and the file itself by an flock on
the descriptor that it is written through: a lock that somebody removed as stale, a hard link and a renamed file do not
let in a second run, which would pay for every record again.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import filelock

from contextvqa_async.errors import UsageError
from contextvqa_async.sink.files import lock_path
from contextvqa_async.sink.outfile import identity_of, open_to_append, sync_folder
from contextvqa_async.sink.sidecar import sidecar_of

_MOST_TRIES = 10
"""Times that a file may be replaced between being opened and being held."""


class Held:
    """One output's file; it is to be held anew after each time that it was made or replaced under its name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def hold(self) -> None:
        """Hold the file of this name, where there is one; UsageError where another run does."""
        if sys.platform != "win32" and self.path.exists():  # on Windows an open file could not be replaced
            self._hold_now()

    def open(self) -> int:
        """A descriptor to append through to the file, which is made where there is none, and held."""
        fresh = not self.path.exists()
        if sys.platform == "win32":
            fd = open_to_append(self.path)
        else:
            fd = os.dup(self._hold_now())
        if fresh:
            sync_folder(self.path)
        return fd

    def release(self) -> None:
        """Hold it no longer."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _hold_now(self) -> int:
        """Hold what has the name: until it is known that no rename came between opening and holding."""
        for _ in range(_MOST_TRIES):
            if self._fd is not None and identity_of(self._fd) == identity_of(self.path):
                return self._fd
            fd = open_to_append(self.path)
            try:
                _lock(fd, self.path)
            except UsageError:
                os.close(fd)
                raise
            self.release()
            self._fd = fd
        return fd  # a file system whose inode numbers mean nothing


def _lock(fd: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise _taken(path) from None  # any other: a file system without such locks


@contextmanager
def take_locks(*paths: Path) -> Iterator[list[Held]]:
    """Guard the files at these real paths, by their names and as the files that they are; the latter are yielded."""
    with ExitStack() as locks:
        for path in {lock_path(path): path for path in reversed(paths)}.values():
            locks.callback(_take_lock(path).release)
        files = [Held(path) for path in paths]
        for file in files:
            locks.callback(file.release)
            file.hold()
        yield files


def _take_lock(path: Path) -> filelock.BaseFileLock:
    """The lock of the file's name, taken; UsageError says who has it."""
    lock = filelock.FileLock(lock_path(path), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise _taken(path) from None
    except (OSError, NotImplementedError) as error:
        raise UsageError(f"{path} cannot be locked: {error}.") from None
    return lock


def _taken(path: Path) -> UsageError:
    return UsageError(f"Another run is writing {path}{_holder(path)}; wait for it, or stop it.")


def _holder(target: Path) -> str:
    try:
        sidecar = sidecar_of(target)
    except (UsageError, OSError):
        return ""
    run = sidecar.running if sidecar else None
    return f" (process {run.get('pid')} on {run.get('host')}, since {run.get('since')})" if run else ""
