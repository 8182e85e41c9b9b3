"""Lines are appended to an open file in durable groups, and stay findable under its name.

Rule: what was reported as written is on the disk, under the file's name or under another one that is told; what could
not be written is cut off again, so that the file never holds half a line. All of these calls block.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from threading import Lock

from contextvqa_async.errors import Kind, RunError
from contextvqa_async.sink.outfile import BLOCK, identity_of, storage_error, sync_file, sync_folder, unused_names


class Appender:
    """Appends whole groups of lines to the file at ``path``, which is open as ``fd`` and closed in the end.

    ``size`` is what is durable, ``end`` what is written. ``lost`` is None until another program replaces, removes or
    cuts short the file of this name; then it is the sentence for the user, and what is appended goes on to be kept,
    where that sentence says. :meth:`write` and :meth:`sync` may be called in two threads at once.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self._path, self._fd = path, fd
        self.size = self.end = os.fstat(fd).st_size
        self.lost: str | None = None
        self._identity = identity_of(fd)
        self._can_watch = identity_of(path) == self._identity
        """False on a file system whose inode numbers mean nothing."""
        self._moving = Lock()

    def write(self, data: bytes) -> None:
        """Hand ``data`` to the system; RunError after cutting off what was written of it."""
        with self._moving:
            try:
                _write_all(self._fd, data)
            except OSError as error:
                self._cut_back(self.end)
                raise storage_error(self._path, error) from error
            self.end += len(data)

    def sync(self) -> None:
        """Wait until what is written is durable; RunError after cutting off what may not be."""
        end = self.end
        if end == self.size:
            return
        try:
            sync_file(self._fd)
        except OSError as error:
            self._cut_back(self.size)
            raise storage_error(self._path, error) from error
        self.size = end
        self._look(end)

    def line_at(self, offset: int) -> bytes:
        """The line that begins at ``offset``, without its newline."""
        line = b""
        while b"\n" not in line and (block := os.pread(self._fd, BLOCK, offset + len(line))):
            line += block
        return line.partition(b"\n")[0]

    def close(self) -> None:
        """Look for the last time, and give the file back."""
        with suppress(OSError):
            os.close(os.open(self._path, os.O_RDONLY))  # at an opening NFS asks its server, else seldom
        try:
            self._look(self.end)
        finally:
            os.close(self._fd)

    def _look(self, end: int) -> None:
        """Notice where the name no longer leads to this file, or where ``end`` bytes of it are no longer there."""
        if not self._can_watch or self.lost is not None:
            return
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._move()
        except OSError:
            return  # nobody knows; the next look may tell
        else:
            if (found.st_dev, found.st_ino) != self._identity:
                self._move()
            elif found.st_size < end:
                self.lost = (
                    f"{self._path} was cut short by another program while the run was writing it, so rows may be "
                    "missing; see that nothing else writes there, and run again: what is missing is asked again."
                )

    def _move(self) -> None:
        """Go on in a copy beside the name: a file that has no name is gone when it is closed."""
        gone = f"{self._path} was replaced or removed by another program while the run was writing it"
        with self._moving:
            kept = unused_names(self._path, ".rescued")[-1]
            try:
                _go_on_in(kept, self._fd)
            except OSError as error:
                if not os.fstat(self._fd).st_nlink:
                    raise RunError(f"{gone}; {storage_error(kept, error)}", kind=Kind.STORAGE, keeps=False) from error
                self.lost = f"{gone} (or moved); the run's rows are in the file that stood there, wherever it is now."
                return
            self._path = kept
            self.lost = (
                f"{gone}; all that it held, and this run's part, is kept as {kept}: give that the name back, or join "
                "both files (cvqa-async merge), and run again."
            )

    def _cut_back(self, size: int) -> None:
        try:
            os.ftruncate(self._fd, size)
            self.end = size
        except OSError:
            return  # a disk that turned read-only: the next run heals the tail


def _go_on_in(path: Path, fd: int) -> None:
    """Make ``path`` a copy of the file that is open as ``fd``, durably, and ``fd`` a descriptor of that copy."""
    mode = stat.S_IMODE(os.fstat(fd).st_mode)
    copy = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        at = 0
        while block := os.pread(fd, BLOCK, at):
            _write_all(copy, block)
            at += len(block)
        os.fsync(copy)
        sync_folder(path)
        os.dup2(copy, fd, inheritable=False)
    except OSError:
        path.unlink()  # part of the rows would look like all of them
        raise
    finally:
        os.close(copy)


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
