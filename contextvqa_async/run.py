"""One run, put together: settings and a source in, the pipeline with all its stations, a Summary out.

read_records ─► feed ─► Pipeline ─► sink (or a stream of rows)
                            └── ask: images ─► prompt ─► client
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

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
from contextvqa_async.pipeline import Pipeline
from contextvqa_async.prompt import prompt_of
from contextvqa_async.quota import Quota
from contextvqa_async.records import Position, Source, check_source, read_records
from contextvqa_async.rows import make_failure
from contextvqa_async.settings import Settings
from contextvqa_async.sink import Counts, Sink
from contextvqa_async.stop import Stop
from contextvqa_async.tally import Tally

OnEvent = Callable[[Event], None]
Deliver = Callable[[Row | Failure], Awaitable[None]]

CLOSING_SECONDS = 5.0
"""How long a caller's generator may take to close."""


async def run_pipeline(
    source: Source,
    output: str | Path,
    settings: Settings,
    *,
    on_event: OnEvent | None = None,
    stop: Stop | None = None,
    verbose: bool = False,
) -> Summary:
    """Ask about each record of ``source`` that ``output`` does not hold yet; ``stop`` ends the run early.

    ``verbose``: each request that is tried again is an event, too.
    """
    if not isinstance(output, str | os.PathLike):
        raise UsageError(f"OUTPUT must be a path, not {output!r}.")
    run = Run(source, settings, on_event=on_event, stop=stop, verbose=verbose)
    return await run.write_to(Path(output))


class Run:
    """One run's state: its settings, its counts, and the callback that hears of its events."""

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
        self._quota = Quota(settings.reading.limit)
        self._position = Position()
        self._watch = on_event or _ignore
        self._verbose = verbose

    async def write_to(self, output: Path) -> Summary:
        """Run the pipeline into a sink at ``output``."""
        check_source(self.source)
        notes, reported = list[str](), 0
        counts, paths = Counts(), (str(output), str(self.settings.saving.failed_path(output)))
        try:
            with anyio.CancelScope() as self.stop.unstarted:
                async with self._open_sink(output) as sink:
                    self.stop.unstarted = None
                    counts, notes = sink.counts, sink.notes
                    reported = len(notes)
                    for note in notes[:reported]:
                        self._notice(note)
                    self._tell_start(sink.earlier_rows)
                    await self._run(sink.append, sink)
        except RunError as error:  # the disk, on opening or closing
            self.stop.abort(error)
        for note in notes[reported:]:
            self._notice(note)
        summary = self._summarise(counts, *paths)
        self._on_event(Finished(summary=summary))
        if self.stop.fault:
            raise self.stop.fault
        return summary

    async def stream_to(self, deliver: Deliver) -> None:
        """Run the pipeline to ``deliver``, without a sink."""
        self._tell_start(earlier_rows=0)
        await self._run(deliver, sink=None)

    async def _run(self, deliver: Deliver, sink: Sink | None) -> None:
        """Run the pipeline from the source to ``deliver``; ``sink`` knows what earlier runs did."""
        try:
            async with self._open_asker() as asker:
                pipeline = Pipeline(
                    feed=self._feed(sink),
                    ask=lambda record: self._ask(record, asker, sink),
                    deliver=deliver,
                    reading=self.settings.reading,
                    workers=self.settings.limits.concurrency,
                    stop=self.stop,
                    withdraw=asker.stop,
                    end_of_records=asker.end_of_records,
                    on_drain=self._tell_drain,
                )
                await pipeline.run()
        finally:
            await self._close_source()

    async def _ask(self, record: Record, asker: Asker, sink: Sink | None) -> Completion:
        """Ask for a record; raises Withdrawn where its failure of an earlier run turns out to stand."""
        if sink and self._quota.is_undecided(record.id):
            stands = False
            try:
                stands = sink.still_stands(record, (await asker.weigh(record)).stamp)
            finally:
                self._quota.decide(record.id, keeps=not stands)
            if stands:
                self._tell_position(sink.counts)
                raise Withdrawn
        text_only = not record.images
        self.tally.text_only += text_only
        try:
            return await asker.ask(record)
        except Withdrawn:
            self.tally.text_only -= text_only
            raise

    async def _close_source(self) -> None:
        """End a caller's asynchronous generator: its own clean-up needs the loop, and not to wait for its garbage."""
        if not isinstance(self.source, AsyncGenerator):
            return
        try:
            with anyio.move_on_after(CLOSING_SECONDS, shield=True):
                await self.source.aclose()
        except Exception as fault:
            self.stop.fail(fault)

    def _open_asker(self) -> AbstractAsyncContextManager[Asker]:
        return Asker.open(
            self.settings,
            self._path(),
            on_notice=self._notice,
            on_pause=self._pause,
            on_retry=self._tell_retry,
            on_tokens=self._pay,
        )

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
        quota, counts = self._quota, sink.counts if sink else Counts()
        if await quota.used_up():  # --limit 0
            return
        found = read_records(self.source, self.settings.reading, chooser=sink, position=self._position)
        async with aclosing(found) as records:
            async for item in records:
                given = self._with_image(item)
                if isinstance(item, Record):
                    quota.take(item.id, may_stand=sink is not None and given is item and sink.may_stand(item))
                self._tell_position(counts)
                yield given
                if await quota.used_up():
                    return
        self._tell_position(counts)

    def _tell_position(self, counts: Counts) -> None:
        skipped, fraction = counts.done + counts.standing, self._position.fraction
        read = skipped + counts.duplicates + self._quota.taken
        self._on_event(Advanced(read=read, skipped=skipped, duplicates=counts.duplicates, fraction=fraction))

    def _with_image(self, item: Record | Failure) -> Record | Failure:
        """The item; a record without an image fails where one is required."""
        if isinstance(item, Failure) or item.images:
            return item
        if self.settings.reading.require_image:
            error = RecordError("The record names no image, and --require-image is set.", kind=Kind.NO_IMAGE)
            return make_failure(item, error)
        return item

    def _pay(self, prompt_tokens: int | None, completion_tokens: int | None) -> None:
        if self.tally.pay(prompt_tokens, completion_tokens):
            self._notice("The endpoint does not tell what all its answers cost: --max-cost counts only what it tells.")
        if self.tally.overspent:
            self.stop.end(f"the run has cost {self.tally.cost:,.4f}, which reaches --max-cost", kind=Kind.COST)

    def _on_event(self, event: Event) -> None:
        """Pass an event to the caller's callback; where that raises, it is called no more, and the run stops."""
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

    def _tell_drain(self) -> None:
        reason, seconds = (self.stop.reason or "").rstrip("."), self.settings.limits.timeout
        waits = f"waiting for the answers in flight, which are paid for (--timeout: {seconds:g} s at most)"
        self._notice(f"Stopping: {reason}; {waits}. {self.stop.hint}".rstrip())

    def _tell_retry(self, message: str) -> None:
        if self._verbose:
            self._on_event(Notice(message=message))

    def _tell_start(self, earlier_rows: int) -> None:
        endpoints = self.settings.endpoints
        self._on_event(
            Started(
                done=earlier_rows,
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
    """Stands in for a callback where there is none."""
