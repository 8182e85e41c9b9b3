"""A run as a process: in an event loop of its own, obeying signals, watched by a display.

Apart from run.py so that ``--help`` need not load what a run needs.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from contextvqa_async.display import Display
from contextvqa_async.errors import CvqaError, UsageError
from contextvqa_async.items import Notice, Summary
from contextvqa_async.run import run_pipeline
from contextvqa_async.settings import Settings
from contextvqa_async.sink.files import Used
from contextvqa_async.sink.place import check_target
from contextvqa_async.stop import GRACE_SECONDS, Stop

_SIGNALS = {"SIGINT": ("Ctrl-C", 130), "SIGTERM": ("SIGTERM", 143), "SIGHUP": ("The terminal is closed", 129)}
"""Each with its name to a reader, and the exit code of a process that it ends."""


def check_files(
    source: str, output: str, settings: Settings, *, read: Mapping[str, str | None], written: Mapping[str, str | None]
) -> None:
    """UsageError where two files of a run are one; of those given by an option, ``written`` are written at the end."""
    given = [(*each, False) for each in read.items()] + [(*each, True) for each in written.items()]
    more = [Used(f"the file of {name}", Path(path), ends) for name, path, ends in given if path]
    saving, target = settings.saving, Path(output)
    check_target(target, saving.failed_path(target), [Path(source)], overwrite=saving.overwrite, more=more)


def run_in_loop(source: str, output: str, settings: Settings, *, display: Display, verbose: bool) -> Summary:
    """Run the line to its end or until a signal, while ``display`` shows what happens. Raises UsageError."""
    _allow_open_files(settings.limits.concurrency * (2 if settings.simulate else 1))
    try:
        return anyio.run(_run, source, output, settings, display, verbose, backend_options=_loop())
    except* CvqaError as faults:  # a task group's way of raising one
        raise faults.exceptions[0] from None


def _loop() -> dict[str, Any]:
    """uvloop where it is installed: a third less CPU a streamed token."""
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return {}
    return {"use_uvloop": True}


_OTHER_FILES = 128
"""Open files beside one socket a request: the input, the output, images being read, libraries."""


def _allow_open_files(sockets: int) -> None:
    """Raise this process's soft limit as far as it takes; UsageError where the system's hard limit is lower."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UsageError(f"--concurrency needs {wanted:,} open files, and this system allows {hard:,} (ulimit -Hn).")
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(source: str, output: str, settings: Settings, display: Display, verbose: bool) -> Summary:
    """Run the line while signals are obeyed."""
    stop = Stop(hint=f"Ctrl-C: {GRACE_SECONDS:.0f} s at most; again: now.")
    async with anyio.create_task_group() as tasks:
        if sys.platform != "win32":
            await tasks.start(_obey_signals, stop, display)
        summary = await run_pipeline(source, output, settings, on_event=display, stop=stop, verbose=verbose)
        tasks.cancel_scope.cancel()
    return summary


async def _obey_signals(stop: Stop, display: Display, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    obeyed = [signal.Signals[name] for name in _SIGNALS]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        obeyed.remove(signal.SIGHUP)
    with anyio.open_signal_receiver(*obeyed) as signals:
        task_status.started()
        async for number in signals:
            name, exit_code = _SIGNALS[signal.Signals(number).name]
            if not stop.hurried.is_set():
                display(
                    Notice(message=f"{name}: the run ends; answers in flight have {GRACE_SECONDS:.0f} s; again: now.")
                )
            stop.request(name, exit_code)
