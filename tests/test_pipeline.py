"""The pipeline, with fakes for its two ends: bounded, exactly once, and stoppable."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import anyio
import pytest

from contextvqa_async.admission import Withdrawn
from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError, RunError, UsageError
from contextvqa_async.items import Completion, Failure, Record, Row
from contextvqa_async.pipeline import Pipeline
from contextvqa_async.stop import Stop

pytestmark = pytest.mark.anyio

ANSWER = "Article: A fact.\n\nQ1: Which one?\nA1: This\nQ2: Which other?\nA2: That"


def records(count: int) -> list[Record]:
    return [Record(id=number, fields={"n": number}) for number in range(count)]


class World:
    """Two ends of a pipeline: a feed that counts how far it was read, and a place where rows arrive."""

    def __init__(self, items: Iterable[Record | Failure], ask: Callable[[Record], Awaitable[Completion]]) -> None:
        self.items, self.ask = items, ask
        self.read = 0
        self.delivered: list[Row | Failure] = []
        self.stop = Stop()
        self.withdrawn = False
        self.drains = anyio.Event()

    async def feed(self) -> AsyncGenerator[Record | Failure, None]:
        for item in self.items:
            self.read += 1
            yield item

    async def deliver(self, item: Row | Failure) -> None:
        await anyio.lowlevel.checkpoint()
        self.delivered.append(item)

    def pipeline(self, workers: int = 4, grace: float = 30.0) -> Pipeline:
        return Pipeline(
            feed=self.feed(),
            ask=self.ask,
            deliver=self.deliver,
            reading=Reading(),
            workers=workers,
            stop=self.stop,
            withdraw=self._withdraw,
            on_drain=self.drains.set,
            grace=grace,
            quiet=0,
        )

    def _withdraw(self) -> None:
        self.withdrawn = True

    @property
    def ids(self) -> list[int]:
        return sorted(item.id for item in self.delivered if isinstance(item.id, int))


async def answer(record: Record) -> Completion:
    await anyio.lowlevel.checkpoint()
    return Completion(text=ANSWER)


async def test_every_record_is_delivered_once() -> None:
    """More records than workers; lines that are no record pass as they are."""
    bad = Failure(id=None, type=Kind.BAD_RECORD, message="no", retryable=True, line=3)
    world = World([*records(50), bad], answer)
    await world.pipeline().run()
    assert world.ids == list(range(50))
    assert bad in world.delivered
    assert all(row.pairs == 2 for row in world.delivered if isinstance(row, Row))


async def test_the_reader_waits_for_the_workers() -> None:
    """At most a record a worker, and one more in the reader's hand, is read ahead of the answers."""
    gate = anyio.Event()

    async def ask(record: Record) -> Completion:
        await gate.wait()
        return Completion(text=ANSWER)

    world = World(records(1000), ask)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.pipeline(workers=8).run)
        await anyio.wait_all_tasks_blocked()
        assert world.read == 9
        gate.set()
    assert len(world.delivered) == 1000


@pytest.mark.parametrize("error", [RecordError("bad", kind=Kind.BAD_IMAGE, attempts=2), ZeroDivisionError("ours")])
async def test_one_records_fault_is_its_own(error: Exception) -> None:
    """Even a fault of this program becomes that record's entry, and the rest goes on."""

    async def ask(record: Record) -> Completion:
        if record.id == 3:
            raise error
        return await answer(record)

    world = World(records(10), ask)
    await world.pipeline().run()
    assert world.ids == list(range(10))
    (failure,) = (item for item in world.delivered if isinstance(item, Failure))
    assert failure.id == 3
    assert failure.type in (Kind.BAD_IMAGE, Kind.INTERNAL)
    assert failure.record == {"n": 3}


async def test_a_cut_answer_loses_its_last_pair_and_an_answer_without_one_fails() -> None:
    """The last answer may be half a word; with no complete pair there is nothing to keep."""

    async def ask(record: Record) -> Completion:
        return Completion(text=ANSWER if record.id else "Article: A fact. Then", finish_reason="length", attempts=2)

    world = World(records(2), ask)
    await world.pipeline(workers=1).run()
    failure, row = world.delivered
    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts, failure.retryable) == (Kind.LENGTH, 2, False)
    assert isinstance(row, Row)
    assert [pair["answer"] for pair in row.fields["context_vqa"]["qas"]] == ["This"]
    assert "truncated" in row.fields["generation"]["warnings"]


async def test_a_stop_drains_what_is_in_flight_and_leaves_the_rest() -> None:
    """What is paid for is delivered; what was only read is not asked; nothing more is read."""
    gate = anyio.Event()

    async def ask(record: Record) -> Completion:
        if int(record.id) >= 4:
            raise Withdrawn
        await gate.wait()
        return Completion(text=ANSWER)

    world = World(records(1000), ask)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.pipeline(workers=6).run)
        await anyio.wait_all_tasks_blocked()
        world.stop.request("Ctrl-C", 130)
        await anyio.wait_all_tasks_blocked()
        assert world.withdrawn
        gate.set()
    assert world.ids == [0, 1, 2, 3]
    assert world.stop.exit_code == 130


async def test_a_second_stop_and_the_end_of_the_grace_drop_what_is_in_flight() -> None:
    """Both end a run whose answers never come."""

    async def ask(record: Record) -> Completion:
        await anyio.sleep_forever()
        raise AssertionError

    for grace in (1e-6, 1e6):
        world = World(records(10), ask)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.pipeline(grace=grace).run)
            await anyio.wait_all_tasks_blocked()
            world.stop.request("Ctrl-C", 130)
            world.stop.request("Ctrl-C", 130)
        assert world.delivered == []


async def test_a_fatal_error_stops_the_run_with_its_sentence() -> None:
    """A wrong key: exit 3, and the records are left for the next run."""
    asked = 0

    async def ask(record: Record) -> Completion:
        nonlocal asked
        asked += 1
        raise RunError("The key is wrong.", kind=Kind.CREDENTIAL)

    world = World(records(1000), ask)
    await world.pipeline().run()
    assert world.delivered == []
    assert (world.stop.reason, world.stop.exit_code) == ("The key is wrong.", 3)
    assert asked <= 8


async def test_an_output_that_takes_no_more_stops_at_once() -> None:
    """A full disk: answers in flight cannot be kept, so they are not waited for."""

    async def ask(record: Record) -> Completion:
        if record.id == 0:
            return Completion(text=ANSWER)
        await anyio.sleep_forever()
        raise AssertionError

    world = World(records(10), ask)

    async def deliver(item: Row | Failure) -> None:
        raise RunError("The disk is full.", kind=Kind.STORAGE)

    pipeline = world.pipeline()
    pipeline.deliver = deliver
    await pipeline.run()
    assert world.stop.reason == "The disk is full."


async def test_an_input_that_breaks_off_ends_the_run_with_what_was_read() -> None:
    """The reader's own error is the run's last word, and loses no answer."""
    world = World([], answer)

    async def feed() -> AsyncGenerator[Record | Failure, None]:
        for record in records(3):
            yield record
        raise UsageError("The input went away.")

    pipeline = world.pipeline()
    pipeline.feed = feed()
    await pipeline.run()
    assert world.ids == [0, 1, 2]
    assert (world.stop.reason, world.stop.exit_code) == ("The input went away.", 3)


async def test_a_row_that_is_paid_for_is_delivered_even_while_the_run_is_dropped() -> None:
    """The way from the answer to the sink is shielded."""
    arrived, gate = anyio.Event(), anyio.Event()
    world = World(records(1), answer)

    async def deliver(item: Row | Failure) -> None:
        arrived.set()
        await gate.wait()
        world.delivered.append(item)

    pipeline = world.pipeline()
    pipeline.deliver = deliver
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.run)
        await arrived.wait()
        world.stop.request("Ctrl-C", 130)
        world.stop.request("Ctrl-C", 130)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert world.ids == [0]


async def test_the_runs_own_reasons_never_drop_what_is_in_flight() -> None:
    """Each answer after --max-cost is reached ends the run again; what is paid for still arrives."""
    gate, world = anyio.Event(), World([], answer)

    async def ask(record: Record) -> Completion:
        await gate.wait()
        for _ in range(20 * int(record.id)):
            await anyio.lowlevel.checkpoint()
        world.stop.end("the money is spent")
        return Completion(text=ANSWER)

    world.items, world.ask = records(4), ask
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.pipeline(workers=4).run)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert world.ids == [0, 1, 2, 3]
    assert (world.stop.reason, world.stop.exit_code) == ("the money is spent", 3)


def wrong_key(stop: Stop) -> None:
    """The endpoint refuses every further request."""
    stop.abort(RunError("The key is wrong.", kind=Kind.CREDENTIAL))


def source_gone(stop: Stop) -> None:
    """The caller's own code raised."""
    stop.fail(OSError("the share went away"))


def cost_reached(stop: Stop) -> None:
    """The user's limit."""
    stop.end("the run has cost enough", kind=Kind.COST)


@pytest.mark.parametrize("happens", [wrong_key, source_gone, cost_reached])
@pytest.mark.parametrize("signals", [0, 1, 2])
async def test_only_a_persons_wish_bounds_how_long_a_stop_waits(happens: Callable[[Stop], None], signals: int) -> None:
    """A run that stops by itself waits for its answers without a grace, and says so; Ctrl-C sets one, again ends it."""
    gate = anyio.Event()

    async def ask(record: Record) -> Completion:
        await gate.wait()
        return Completion(text=ANSWER)

    world = World(records(3), ask)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.pipeline(grace=1e6 if signals == 2 else 0).run)
        await anyio.wait_all_tasks_blocked()
        happens(world.stop)
        await world.drains.wait()
        await anyio.wait_all_tasks_blocked()
        for _ in range(signals):
            world.stop.request("Ctrl-C", 130)
        await anyio.wait_all_tasks_blocked()
        if not signals:
            gate.set()
    assert world.ids == ([] if signals else [0, 1, 2])
    assert world.stop.exit_code == 3, "the first reason stands"


async def test_an_outage_longer_than_allowed_is_not_waited_for() -> None:
    """--max-downtime is a person's wish as well: what hangs in an outage gets the grace, and no more."""

    async def ask(record: Record) -> Completion:
        if record.id == 0:
            raise RunError("It has not answered for 60 s (--max-downtime).", kind=Kind.CONNECTION)
        await anyio.sleep_forever()
        raise AssertionError

    world = World(records(10), ask)
    await world.pipeline(grace=0).run()
    assert world.delivered == []
