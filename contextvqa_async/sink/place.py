"""Where an output may lie: paths in, real paths out.

Rule: an output is a regular file, and never the input; whatever is in the way is reported in one sentence before
anything is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from contextvqa_async.errors import UsageError
from contextvqa_async.sink.files import Used, check_apart, input_file, output_files

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
