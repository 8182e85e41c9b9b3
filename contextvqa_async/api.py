"""What Python code calls: options and a source in; a Summary, or rows one by one, out."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Unpack

import anyio

from contextvqa_async.config import Saving
from contextvqa_async.errors import Kind, RunError, UsageError
from contextvqa_async.items import Failure, Row, Summary
from contextvqa_async.records import Source, check_source
from contextvqa_async.run import OnEvent, Run, run_pipeline
from contextvqa_async.settings import RunOptions, Settings


async def run_async(
    source: Source, output: str | Path, *, on_event: OnEvent | None = None, **options: Unpack[RunOptions]
) -> Summary:
    """Ask about each record of ``source`` that ``output`` does not hold yet, and append what comes of it.

    ``source``: a path (JSONL, JSON array, folder of images, "-") or an iterable, also async, of dicts; an asynchronous
    generator is closed when the run ends. ``options``: the command's, by the same names. ``on_event`` is called with
    each event (Started, Advanced, Settled, Notice, Paused, Finished). Works inside a running loop.

    Raises UsageError where the run cannot start. What stops it later (a wrong key, a full disk, ``max_cost``) is the
    summary's ``stopped``; what failed is counted there, and stands in the failed file. What ``source`` or ``on_event``
    raises ends the run, too, and is raised at its end. Before a run that stops so returns, every answer in flight may
    still arrive and is appended, since it is paid for: that takes as long as ``timeout`` at most. Only an output that
    takes no more rows, or a cancelled task, drops them.
    """
    return await run_pipeline(source, output, Settings.of(options), on_event=on_event)


async def stream_async(
    source: Source,
    *,
    on_failure: Callable[[dict[str, Any]], None] | None = None,
    on_event: OnEvent | None = None,
    **options: Unpack[RunOptions],
) -> AsyncIterator[dict[str, Any]]:
    """Yield a row for each record of ``source`` as it is answered; nothing is written anywhere.

    A record that fails goes to ``on_failure`` as an entry of the failed file would hold it; without one it becomes
    a RuntimeWarning. ``on_event`` gets the other events: Started, Advanced, Notice, Paused. Leaving the loop early
    and closing the stream drops what is in flight. ``source`` and ``options`` are those of :func:`run_async`, without
    the options about files: failed, retry_failed, retry_empty, overwrite, allow_mixed.

    Raises UsageError where the run cannot start, also for an option that is about files. Raises RunError where
    nothing more can succeed, and what ``source`` or ``on_event`` raises, each once the answers in flight are yielded,
    which takes as long as ``timeout`` at most. What ``on_failure`` raises ends the stream at once.
    """
    check_source(source)
    settings = Settings.of(options)
    _check_no_files(settings.saving)
    run = Run(source, settings, on_event=on_event)
    send, receive = anyio.create_memory_object_stream[Row | Failure](0)

    async def deliver(item: Row | Failure) -> None:
        with suppress(anyio.BrokenResourceError):  # the loop was left: nobody wants it any more
            await send.send(item)

    async def produce() -> None:
        async with send:
            await run.stream_to(deliver)

    # A task of its own, not a task group: a generator may be closed from another task than the one that began it.
    task = asyncio.create_task(produce())
    try:
        async for item in receive:
            if isinstance(item, Row):
                yield dict(item.fields)
            else:
                (on_failure or _warn)(item.as_dict())
        await task
    finally:
        receive.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    if run.stop.fault:
        raise run.stop.fault
    if run.stop.reason:
        raise RunError(run.stop.reason, kind=run.stop.kind or Kind.INTERNAL)


def _check_no_files(saving: Saving) -> None:
    """UsageError for an option that a run without an output cannot obey."""
    given = [option.name for option in fields(Saving) if getattr(saving, option.name) != option.default]
    if given:
        raise UsageError(f"stream_async() writes no files, so leave out {', '.join(given)}, or use run_async().")


def _warn(entry: dict[str, Any]) -> None:
    where = f"line {entry['line']}" if entry["id"] is None else f"record {entry['id']!r}"
    warnings.warn(f"{where} failed: {entry['error']['message']}", RuntimeWarning, stacklevel=3)
