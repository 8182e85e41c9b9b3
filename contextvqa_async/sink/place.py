"""Where an output may lie, and who may write there: paths in, locks out.

Rule: an output is a regular file of one run at a time, and never the input; whatever is in the way is told in one
sentence before anything is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import filelock

from contextvqa_async.errors import UsageError
from contextvqa_async.sink.sidecar import read_sidecar, sidecar_path

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")


def check_target(output: Path, failed: Path, inputs: Sequence[Path]) -> Path:
    """The output's real path; UsageError where no output can be."""
    if str(output) == "-" or os.path.abspath(output).startswith(_STREAMS):
        raise UsageError("OUTPUT must be a file, not stdout: rows are appended to it, and found again by the next run.")
    target = Path(os.path.realpath(output))
    for path in (target, failed):
        _check_file(path)
    for source in inputs:
        for path in (target, failed):
            if path.exists() and source.exists() and source.samefile(path):
                raise UsageError(f"{source} is the input; rows must go to another file.")
    if target == Path(os.path.realpath(failed)):
        raise UsageError(f"--failed must name another file than the output {output}.")
    if os.path.realpath(failed) in (str(sidecar_path(target)), f"{target}.lock"):
        raise UsageError(f"--failed must name another file than {failed}, which the run writes for itself.")
    return target


def _check_file(path: Path) -> None:
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
def take_locks(target: Path, failed: Path | None) -> Iterator[None]:
    """Hold the output's lock, and that of a failed file that other outputs might share."""
    with ExitStack() as locks:
        locks.callback(take_lock(target).release)
        if failed is not None:
            locks.callback(take_lock(Path(os.path.realpath(failed))).release)
        yield


def take_lock(target: Path) -> filelock.BaseFileLock:
    """The output's lock, taken; UsageError says who has it."""
    lock = filelock.FileLock(f"{target}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(f"Another run is writing {target}{_holder(target)}; wait for it, or stop it.") from None
    except (OSError, NotImplementedError) as error:
        raise UsageError(f"{target} cannot be locked: {error}.") from None
    return lock


def _holder(target: Path) -> str:
    try:
        sidecar = read_sidecar(sidecar_path(target))
    except (UsageError, OSError):
        return ""
    run = sidecar.running if sidecar else None
    return f" (process {run.get('pid')} on {run.get('host')}, since {run.get('since')})" if run else ""
