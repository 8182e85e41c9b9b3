"""One run, put together: options and a source in, the line with all its stations, a Summary out.

read_records ─► feed ─► Line ─► sink (or a stream of rows)
                         └── ask: images ─► prompt ─► client
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Unpack

import anyio

from contextvqa_async.admission import Withdrawn
from contextvqa_async.asker import Asker
from contextvqa_async.errors import Kind, RecordError, RunError, UsageError
from contextvqa_async.items import (
    Advanced,
    Completion,
    Event,
    Failure,
    Finished,
    Notice,
    Paused,
    Record,
    Row,
    Settled,
    Started,
    Summary,
)
from contextvqa_async.options import RunOptions, Settings
from contextvqa_async.pipeline import Line, Stop
from contextvqa_async.prompt import prompt_of
from contextvqa_async.records import Position, Source, check_source, read_records
from contextvqa_async.rows import make_failure
from contextvqa_async.sink import Counts, Sink
from contextvqa_async.tally import Tally

OnEvent = Callable[[Event], None]


async def run_async(
    source: Source, output: str | Path, *, on_event: OnEvent | None = None, **options: Unpack[RunOptions]
) -> Summary:
    """Ask about each record of ``source`` that ``output`` does not hold yet, and append what comes of it.

    ``source``: a path (JSONL, JSON array, folder of images, "-") or an iterable, also async, of dicts. ``options``:
    the command's, by the same names. ``on_event`` is told of what happens. Works inside a running loop.

    Raises UsageError where the run cannot start. What stops it later (a wrong key, a full disk, ``max_cost``) is the
    summary's ``stopped``; what failed is counted there, and stands in the failed file. What ``source`` or ``on_event``
    raises ends the run, too: the answers in flight are appended, and then it is raised.
    """
    return await run_line(source, output, Settings.of(options), on_event=on_event)


async def stream_async(
    source: Source, *, on_failure: Callable[[dict[str, Any]], None] | None = None, **options: Unpack[RunOptions]
) -> AsyncIterator[dict[str, Any]]:
    """Yield a row for each record of ``source`` as it is answered; nothing is written anywhere.

    A record that fails goes to ``on_failure`` as an entry of the failed file would hold it; without one it is told
    by a RuntimeWarning. Raises RunError where nothing more can succeed, and what ``source`` raises, each once the
    answers in flight are yielded. Leaving the loop early drops what is in flight.
    """
    check_source(source)
    run = Run(source, Settings.of(options))
    send, receive = anyio.create_memory_object_stream[Row | Failure](0)

    async def deliver(item: Row | Failure) -> None:
        with suppress(anyio.BrokenResourceError):  # the loop was left: nobody wants it any more
            await send.send(item)

    async def produce() -> None:
        async with send:
            await run.through(deliver)

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


def _warn(entry: dict[str, Any]) -> None:
    where = f"line {entry['line']}" if entry["id"] is None else f"record {entry['id']!r}"
    warnings.warn(f"{where} failed: {entry['error']['message']}", RuntimeWarning, stacklevel=3)


async def run_line(
    source: Source,
    output: str | Path,
    settings: Settings,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    verbose: bool = False,
) -> Summary:
    """What ``run_async`` does, with settings that are checked already, and a handle to stop it by."""
    if not isinstance(output, str | os.PathLike):
        raise UsageError(f"OUTPUT must be a path, not {output!r}.")
    run = Run(source, settings, on_event=on_event, stop=stop, verbose=verbose)
    return await run.into(Path(output))


class Run:
    """One run's state: its settings, its counts, and who watches."""

    def __init__(
        self,
        source: Source,
        settings: Settings,
        *,
        on_event: OnEvent | None = None,
        stop: Stop | None = None,
        verbose: bool = False,
    ) -> None:
        self.source = source
        self.settings = settings
        self.stop = stop or Stop()
        self.tally = Tally(settings.cost)
        self._watch = on_event or _ignore
        self._verbose = verbose

    async def into(self, output: Path) -> Summary:
        """Run the line into a sink at ``output``."""
        check_source(self.source)
        notes, told = list[str](), 0
        counts, paths = Counts(), (str(output), str(self.settings.saving.failed_path(output)))
        try:
            async with self._open_sink(output) as sink:
                counts, notes = sink.counts, sink.notes
                self._tell_start(sink)
                told = len(notes)
                await self.through(sink.append, sink)
        except RunError as error:  # the disk, on opening or closing
            self.stop.doom(error)
        for note in notes[told:]:
            self._notice(note)
        summary = self._summarise(counts, *paths)
        self._on_event(Finished(summary=summary))
        if self.stop.fault:
            raise self.stop.fault
        return summary

    async def through(self, deliver: Callable[[Row | Failure], Awaitable[None]], sink: Sink | None = None) -> None:
        """Run the line from the source to ``deliver``; ``sink`` knows what earlier runs did."""
        async with Asker.open(
            self.settings,
            self._path(),
            on_notice=self._notice,
            on_pause=self._pause,
            on_retry=self._tell_retry,
            on_tokens=self._pay,
        ) as asker:

            async def ask(record: Record) -> Completion:
                if sink and sink.may_stand(record) and sink.still_stands(record, (await asker.weigh(record)).stamp):
                    raise Withdrawn
                return await asker.ask(record)

            line = Line(
                feed=self._checked(self._feed(sink)),
                ask=ask,
                deliver=deliver,
                reading=self.settings.reading,
                workers=self.settings.limits.concurrency,
                stop=self.stop,
                withdraw=asker.stop,
                read_up=asker.end_of_records,
            )
            await line.run()

    def _open_sink(self, output: Path) -> AbstractAsyncContextManager[Sink]:
        path = self._path()
        return Sink.open(
            output,
            self.settings.saving,
            reading=self.settings.reading,
            fingerprint=self._fingerprint(),
            on_commit=self._settled,
            inputs=() if path is None else (path,),
        )

    def _path(self) -> Path | None:
        """The input's path, where it is one."""
        is_path = isinstance(self.source, str | os.PathLike) and self.source != "-"
        return Path(self.source) if is_path else None  # type: ignore[arg-type]

    def _fingerprint(self) -> dict[str, Any]:
        """The settings that the rows of one output share."""
        generation = asdict(self.settings.generation)
        del generation["no_stream"]
        reading = self.settings.reading
        return {
            "model": "simulator" if self.settings.simulate else self.settings.endpoints[0].model,
            **generation,
            "prompt": prompt_of(self.settings.generation),
            "max_pixels": reading.max_pixels,
            "id_key": reading.id_key,
            "answer_key": reading.answer_key,
            "output_key": reading.output_key,
        }

    async def _feed(self, sink: Sink | None) -> AsyncGenerator[Record | Failure, None]:
        """What is to be done: the records that the sink wants (without one: all), up to ``--limit``."""
        left, asked, position = self.settings.reading.limit, 0, Position()
        counts = sink.counts if sink else Counts()
        if left == 0:
            return
        found = read_records(self.source, self.settings.reading, chooser=sink, position=position)
        async with aclosing(found) as records:
            async for item in records:
                asked += isinstance(item, Record)
                self._tell_position(counts, asked, position.fraction)
                yield item
                if asked == left:
                    return
        self._tell_position(counts, asked, position.fraction)

    def _tell_position(self, counts: Counts, asked: int, fraction: float | None) -> None:
        skipped = counts.done + counts.standing
        read = skipped + counts.duplicates + asked
        self._on_event(Advanced(read=read, skipped=skipped, duplicates=counts.duplicates, fraction=fraction))

    async def _checked(self, feed: AsyncGenerator[Record | Failure, None]) -> AsyncGenerator[Record | Failure, None]:
        """Count records without an image, or fail them where one is required."""
        async with aclosing(feed) as items:
            async for item in items:
                if isinstance(item, Record) and not item.images:
                    yield self._without_image(item)
                else:
                    yield item

    def _without_image(self, record: Record) -> Record | Failure:
        if self.settings.reading.require_image:
            error = RecordError("The record names no image, and --require-image is set.", kind=Kind.NO_IMAGE)
            return make_failure(record, error)
        self.tally.text_only += 1
        return record

    def _pay(self, prompt_tokens: int | None, completion_tokens: int | None) -> None:
        if self.tally.pay(prompt_tokens, completion_tokens):
            self._notice("The endpoint does not tell what all its answers cost: --max-cost counts only what it tells.")
        if self.tally.overspent:
            self.stop.end(f"the run has cost {self.tally.cost:,.4f}, which reaches --max-cost", kind=Kind.COST)

    def _on_event(self, event: Event) -> None:
        """Tell who watches; where that raises, it is told no more, and the run stops."""
        try:
            self._watch(event)
        except Exception as fault:
            self._watch = _ignore
            self.stop.fail(fault)

    def _settled(self, items: Sequence[Row | Failure]) -> None:
        self.tally.count(items)
        self._on_event(Settled(items=items))

    def _notice(self, message: str) -> None:
        self.tally.notice(message)
        self._on_event(Notice(message=message))

    def _pause(self, seconds: float) -> None:
        self._on_event(Paused(seconds=seconds))

    def _tell_retry(self, message: str) -> None:
        if self._verbose:
            self._on_event(Notice(message=message))

    def _tell_start(self, sink: Sink) -> None:
        for note in sink.notes:
            self._notice(note)
        endpoints = self.settings.endpoints
        self._on_event(
            Started(
                done=sink.earlier_rows,
                model=endpoints[0].model,
                endpoints=tuple(endpoint.label for endpoint in endpoints),
                concurrency=self.settings.limits.concurrency,
            )
        )

    def _summarise(self, counts: Counts, output: str, failed_output: str) -> Summary:
        exit_code = self.stop.exit_code or int(bool(self.tally.failed or counts.standing))
        return replace(
            self.tally.summary(),
            skipped=counts.done + counts.standing,
            duplicates=counts.duplicates,
            changed=counts.changed,
            stopped=self.stop.reason,
            exit_code=exit_code,
            output=output,
            failed_output=failed_output,
            simulated=self.settings.simulate,
        )


def _ignore(event: Event) -> None:
    """Nobody watches."""
