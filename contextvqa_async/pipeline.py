"""Joins the stations: records in, rows and failures out, each record exactly once.

    feed ──► [ worker × concurrency: ask ─► refine ─► row ] ──► deliver
     └── waits while every worker is busy                └── waits while the writer is behind

Rule: bounded everywhere, and one way to end. A record that was reached ends in ``deliver``; a record that a stop
found waiting is left for the next run. The pipeline knows nothing of HTTP or of files: it is handed ``ask`` and
``deliver``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from contextvqa_async.admission import Withdrawn
from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError, RunError
from contextvqa_async.items import Completion, Failure, Record, Refined, Row
from contextvqa_async.refiner import refine
from contextvqa_async.rows import keep_complete, make_failure, make_row
from contextvqa_async.stop import GRACE_SECONDS, Stop

QUIET_SECONDS = 1.0
"""A run that drains for longer than this says why it does not end."""

LONG_TEXT = 100_000
"""Characters from which an answer is refined beside the loop: some ten milliseconds of work."""


@dataclass(kw_only=True)
class Pipeline:
    """One run's stations, joined.

    ``feed`` yields what is to be done: Records, and Failures of lines that are no records. ``withdraw`` is called when
    a stop begins, ``end_of_records`` when the feed has ended, and ``on_drain`` where a run that stops for a reason of
    its own waits for answers in flight.
    """

    feed: AsyncGenerator[Record | Failure, None]
    ask: Callable[[Record], Awaitable[Completion]]
    deliver: Callable[[Row | Failure], Awaitable[None]]
    reading: Reading
    workers: int
    stop: Stop
    withdraw: Callable[[], None]
    end_of_records: Callable[[], None] = lambda: None
    on_drain: Callable[[], None] = lambda: None
    grace: float = GRACE_SECONDS
    quiet: float = QUIET_SECONDS

    async def run(self) -> None:
        """Return when every record that was reached is delivered, or a stop has been obeyed."""
        send, receive = anyio.create_memory_object_stream[Record](0)
        reading, working = anyio.CancelScope(), anyio.CancelScope()
        async with anyio.create_task_group() as watch:
            watch.start_soon(self._obey, reading, working)
            with working:
                async with anyio.create_task_group() as tasks, receive:
                    for _ in range(self.workers):
                        tasks.start_soon(self._work, receive.clone())
                    await self._produce(send, reading)
            watch.cancel_scope.cancel()

    async def _obey(self, reading: anyio.CancelScope, working: anyio.CancelScope) -> None:
        """Stop reading and asking when told to; drop the answers in flight only where the stop is in a hurry."""
        await self.stop.draining.wait()
        reading.cancel()
        self.withdraw()
        with anyio.move_on_after(self.quiet) as quiet:
            await self.stop.hurried.wait()
        if quiet.cancelled_caught:
            self.on_drain()
        await self.stop.hurried.wait()
        with anyio.move_on_after(self.grace):
            await self.stop.now.wait()
        working.cancel()

    async def _produce(self, send: MemoryObjectSendStream[Record], reading: anyio.CancelScope) -> None:
        with reading:
            async with send, aclosing(self.feed) as feed:
                try:
                    async for item in feed:
                        if isinstance(item, Failure):
                            await self._hand_over(item)
                        else:
                            await send.send(item)
                except RunError as error:
                    self.stop.end(str(error), kind=error.kind)
                except Exception as error:
                    self.stop.fail(error)
        self.end_of_records()

    async def _work(self, records: MemoryObjectReceiveStream[Record]) -> None:
        async with records:
            async for record in records:
                outcome = await self._outcome(record)
                if outcome is not None:
                    await self._hand_over(outcome)

    async def _outcome(self, record: Record) -> Row | Failure | None:
        """The record's row or failure, or None where a stop came before its answer."""
        try:
            completion = await self.ask(record)
            refined = await self._refine(completion)
            return make_row(record, completion, refined, self.reading)
        except Withdrawn:
            return None
        except RunError as error:
            self.stop.abort(error)
            return None
        except RecordError as error:
            return make_failure(record, error)
        except Exception as error:
            return make_failure(record, RecordError(f"{type(error).__name__}: {error}"[:300], kind=Kind.INTERNAL))

    async def _refine(self, completion: Completion) -> Refined:
        if len(completion.text) > LONG_TEXT:
            refined = await anyio.to_thread.run_sync(refine, completion.text)
        else:
            refined = refine(completion.text)
        refined = keep_complete(refined, truncated=completion.truncated)
        if completion.truncated and not refined.qas:
            raise RecordError(
                "The answer reached the token limit before its first complete pair.",
                kind=Kind.LENGTH,
                request_id=completion.request_id,
                attempts=completion.attempts,
            )
        return refined

    async def _hand_over(self, outcome: Row | Failure) -> None:
        """Deliver what is paid for, even while the run is being cancelled."""
        with anyio.CancelScope(shield=True):
            try:
                await self.deliver(outcome)
            except RunError as error:
                self.stop.abort(error)
