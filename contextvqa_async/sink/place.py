"""Where an output may lie, and who may write there: paths in, locks out.

Rule: an output is a regular file of one run at a time, and never the input; whatever is in the way is
reported in one sentence before anything is read.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import filelock

from contextvqa_async.errors import UsageError
from contextvqa_async.sink.files import Used, check_apart, input_file, lock_path, output_files
from contextvqa_async.sink.sidecar import sidecar_of

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")


def check_target(
    output: Path, failed: Path, inputs: Sequence[Path], *, overwrite: bool = False, more: Sequence[Used] = ()
) -> tuple[Path, Path]:
    """The real paths of the output and its failed file; UsageError where no output can be.

    ``more``: files that only the command knows of.
    """
    target, beside = check_file(output), check_file(failed)
    check_apart([*map(input_file, inputs), *output_files(target, beside, overwrite=overwrite), *more])
    return target, beside


def check_file(output: Path) -> Path:
    """The real path of a file to be written; UsageError where there can be none."""
    if str(output) == "-" or os.path.abspath(output).startswith(_STREAMS):
        raise UsageError("OUTPUT must be a file, not stdout: rows are appended to it, and found again by the next run.")
    target = Path(os.path.realpath(output))
    _check_kind(target)
    return target


def _check_kind(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise UsageError(f"The folder {path.parent} does not exist; make it first (mkdir -p).") from None
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise UsageError(f"The folder {path.parent} cannot be written to.") from None
        return
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}.") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise UsageError(f"{path} is {what}; rows are appended to a file, and found again there by the next run.")
    if not os.access(path, os.R_OK | os.W_OK):
        raise UsageError(f"{path} cannot be read and written.")


@contextmanager
def take_locks(*paths: Path) -> Iterator[None]:
    """Hold what guards the files at these real paths, by their names and as the files that they are."""
    with ExitStack() as locks:
        for path in {lock_path(path): path for path in reversed(paths)}.values():
            locks.callback(_take_lock(path).release)
        for path in paths:
            locks.enter_context(_held(path))
        yield


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


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the file itself, where it is there: a hard link is another name, with another lock."""
    if sys.platform == "win32" or not path.exists():
        yield
        return
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise _taken(path) from None  # any other: a file system without such locks
        yield


def _taken(path: Path) -> UsageError:
    return UsageError(f"Another run is writing {path}{_holder(path)}; wait for it, or stop it.")


def _holder(target: Path) -> str:
    try:
        sidecar = sidecar_of(target)
    except (UsageError, OSError):
        return ""
    run = sidecar.running if sidecar else None
    return f" (process {run.get('pid')} on {run.get('host')}, since {run.get('since')})" if run else ""
