"""Waiting for leave to ask: order, cancellation, stops, and the sentences for people."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from contextvqa_async.admission import Admission, Slot, Withdrawn
from contextvqa_async.config import Limits
from contextvqa_async.errors import Kind, RunError
from contextvqa_async.pacing import Ended, Outcome


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Both event loops that a run may have."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


WALL = 1.8e9
"""Seconds since the epoch."""


class Time:
    """A clock that stands still until it is told, and sleeps that wait for it."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._count = itertools.count()

    def clock(self) -> float:
        """Now."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Until then."""
        woken = anyio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._count), woken))
        await woken.wait()

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, and everybody act at their time."""
        until = self.now + seconds
        await settle_down()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now, _, woken = heapq.heappop(self._sleepers)
            woken.set()
            await settle_down()
        self.now = until


async def settle_down() -> None:
    """Let every task run until it waits."""
    for _ in range(12):
        await checkpoint()


class Office:
    """An admission, and those who ask there."""

    def __init__(self, labels: Sequence[str] = ("http://one",), **limits: Any) -> None:
        self.time = Time()
        self.notices: list[str] = []
        self.pauses: list[float] = []
        self.admission = Admission(
            labels,
            Limits(**limits),
            clock=self.time.clock,
            sleep=self.time.sleep,
            rng=random.Random(1),
            on_notice=self.notices.append,
            on_pause=self.pauses.append,
            wall=lambda: WALL,
        )
        self.fleet = self.admission._fleet
        self.got: list[str] = []
        self.errors: list[Exception] = []
        self.slots: dict[str, Slot] = {}
        self._leave: dict[str, anyio.Event] = {}

    async def visit(self, name: str, again: bool = False, refused: bool = False) -> None:
        """Wait for a slot, and keep it until told to leave."""
        self._leave[name] = anyio.Event()
        try:
            async with self.admission.slot(again=again, refused=refused) as slot:
                self.got.append(name)
                self.slots[name] = slot
                await self._leave[name].wait()
        except (Withdrawn, RunError) as error:
            self.errors.append(error)

    def leave(self, *names: str) -> None:
        """Give the slots back."""
        for name in names:
            self._leave[name].set()


@pytest.fixture
async def tasks() -> AsyncIterator[anyio.abc.TaskGroup]:
    """Visitors of one test, sent home at its end."""
    async with anyio.create_task_group() as group:
        yield group
        group.cancel_scope.cancel()


async def come(tasks: anyio.abc.TaskGroup, office: Office, *names: str, again: bool = False) -> None:
    """Visitors come, one after the other."""
    for name in names:
        tasks.start_soon(office.visit, name, again)
        await settle_down()


async def test_first_come_first_served_and_retries_before_new_records(tasks: anyio.abc.TaskGroup) -> None:
    """Slots go round in order; who asks again goes before those who never had one."""
    office = Office(concurrency=1)
    await come(tasks, office, "a", "b", "c")
    await come(tasks, office, "x", "y", again=True)
    for name in ("a", "x", "y", "b", "c"):
        assert office.got[-1] == name
        office.leave(name)
        await settle_down()
    assert office.got == ["a", "x", "y", "b", "c"]
    assert office.fleet.in_flight == 0


async def test_no_more_are_in_than_allowed(tasks: anyio.abc.TaskGroup) -> None:
    """The limit is kept."""
    office = Office(concurrency=2)
    await come(tasks, office, "a", "b", "c")
    assert office.got == ["a", "b"]
    assert office.fleet.in_flight == 2


async def test_settling_frees_the_slot_and_only_the_first_counts(tasks: anyio.abc.TaskGroup) -> None:
    """The next starts when the answer is read, not when the block ends; settling twice changes nothing."""
    office = Office(concurrency=1)
    await come(tasks, office, "a", "b")
    assert office.slots["a"].settle(Ended(Outcome.OK))
    assert office.slots["a"].settle(Ended(Outcome.RATE))
    office.slots["a"].progress(3)
    await settle_down()
    assert office.got == ["a", "b"]
    office.leave("a", "b")
    await settle_down()
    assert office.fleet.in_flight == 0


async def test_a_retry_goes_first_but_after_a_refusal(tasks: anyio.abc.TaskGroup) -> None:
    """What is refused again and again does not keep the others from being asked."""
    office = Office(concurrency=1)
    await come(tasks, office, "a", "b")
    tasks.start_soon(office.visit, "refused", True, True)
    await settle_down()
    tasks.start_soon(office.visit, "retry", True)
    await settle_down()
    for name in ("a", "retry", "b", "refused"):
        office.leave(name)
        await settle_down()
    assert office.got == ["a", "retry", "b", "refused"]


async def test_a_pause_is_slept_once_for_all(tasks: anyio.abc.TaskGroup) -> None:
    """One waiter sleeps until the endpoint may be asked again; nobody starts earlier, and all start then."""
    office = Office(concurrency=4)
    await come(tasks, office, "a")
    assert not office.slots["a"].settle(Ended(Outcome.RATE, wait=30.0))
    await come(tasks, office, "b", "c")
    assert 30 <= office.fleet.next_start(office.time.now)[1] - office.time.now <= 33.1
    await office.time.pass_by(29.9)
    assert office.got == ["a"]
    await office.time.pass_by(10)
    assert office.got == ["a", "b", "c"]


async def test_a_waiter_may_be_cancelled_at_any_moment() -> None:
    """While waiting, while being the lookout, while being handed a slot: the next one gets what it leaves."""
    office = Office(concurrency=1)
    async with anyio.create_task_group() as tasks:
        await come(tasks, office, "a")
        scopes: list[anyio.CancelScope] = []

        async def visit(name: str) -> None:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                await office.visit(name)

        for name in ("b", "c", "d", "e"):
            tasks.start_soon(visit, name)
            await settle_down()
        scopes[0].cancel()  # waits
        office.slots["a"].settle(Ended(Outcome.RATE, wait=5.0))
        await settle_down()
        scopes[1].cancel()  # looks out
        await settle_down()
        await office.time.pass_by(4.9)
        office.time.now += 1
        office.admission._serve()  # hands the slot to d, who is cancelled before it runs
        scopes[2].cancel()
        await office.time.pass_by(1)
        assert office.got[0] == "a"
        assert office.got[-1] == "e"
        assert office.fleet.in_flight == 1
        tasks.cancel_scope.cancel()
    assert office.fleet.in_flight == 0
    assert not any(office.admission._waiting)


async def test_a_stop_sends_everybody_home_at_once(tasks: anyio.abc.TaskGroup) -> None:
    """Those who wait, the lookout among them, and those who come later are Withdrawn; who has a slot keeps it."""
    office = Office(concurrency=1)
    await come(tasks, office, "a", "b")
    office.slots["a"].settle(Ended(Outcome.RATE, wait=60.0))
    await come(tasks, office, "c")
    office.admission.stop()
    await settle_down()
    await come(tasks, office, "d")
    assert [type(error) for error in office.errors] == [Withdrawn] * 3
    assert office.got == ["a"]


async def test_a_wait_without_end_is_told_to_everybody(tasks: anyio.abc.TaskGroup) -> None:
    """A pause above the cap raises RunError for those who wait and those who come."""
    office = Office(concurrency=1)
    await come(tasks, office, "a", "b", "c")
    office.slots["a"].settle(Ended(Outcome.RATE, wait=3600.0))
    await settle_down()
    await come(tasks, office, "d")
    assert [isinstance(error, RunError) and error.kind for error in office.errors] == [Kind.RATE] * 3
    assert len({id(error) for error in office.errors}) == 3
    assert "http://one asks to wait" in str(office.errors[0])


async def failing(office: Office, outcome: Callable[[], Outcome]) -> list[bool]:
    """A record that is asked again until it is answered; returns what was charged."""
    charged: list[bool] = []
    while True:
        async with office.admission.slot(again=bool(charged)) as slot:
            ended = outcome()
            charged.append(slot.settle(Ended(ended)))
        if ended is Outcome.OK:
            return charged


async def test_an_outage_is_told_twice_and_charged_to_nobody() -> None:
    """Once when the endpoint goes, once when it is back; probes come one at a time, ever more rarely."""
    office = Office(concurrency=8)
    asked: list[float] = []
    charges: list[list[bool]] = []

    def outcome() -> Outcome:
        asked.append(office.time.now)
        return Outcome.GONE if 105 <= office.time.now < 300 else Outcome.OK

    async def records() -> None:
        for _ in range(10):
            charges.append(await failing(office, outcome))
            await office.time.sleep(1.0)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(records)
        await office.time.pass_by(60)
        assert office.fleet.outage
        assert office.fleet.next_start(office.time.now)[1] > office.time.now
        await office.time.pass_by(400)
    assert len(charges) == 80
    assert sum(charge.count(True) for charge in charges) <= 80 + 2
    probes = [at for at in asked if 108 < at < 300]
    assert len(probes) < 20
    assert max(after - before for before, after in itertools.pairwise(probes)) <= 31
    assert ["does not answer" in notice for notice in office.notices] == [True, False]
    assert not office.fleet.outage


async def test_an_endpoint_that_never_answers_raises() -> None:
    """A wrong address is told to every waiter within half a minute."""
    office = Office(concurrency=4)

    async def never() -> None:
        with pytest.raises(RunError, match="never answered"):
            await failing(office, lambda: Outcome.GONE)

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(never)
        await office.time.pass_by(40)


async def test_max_downtime_is_kept_while_everybody_waits() -> None:
    """The deadline is met by the lookout, even in the middle of a rest."""
    office = Office(concurrency=2, max_downtime=20)
    ended: list[float] = []

    assert await failing(office, lambda: Outcome.OK) == [True]

    async def record() -> None:
        with pytest.raises(RunError, match="--max-downtime"):
            await failing(office, lambda: Outcome.GONE)
        ended.append(office.time.now)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(record)
        await office.time.pass_by(60)
    assert ended == [pytest.approx(120, abs=0.5)] * 5


async def test_rpm_holds_for_a_crowd() -> None:
    """Sixty a minute, for two hundred who ask at once."""
    office = Office(concurrency=256, rpm=60)
    starts: list[float] = []

    async def record() -> None:
        async with office.admission.slot():
            starts.append(office.time.now)

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(record)
        await office.time.pass_by(230)
    assert len(starts) == 200
    assert starts[-1] - starts[0] == pytest.approx(200, rel=0.03)
    assert all(after - before > 60 for before, after in zip(starts, starts[60:], strict=False))


async def test_two_thousand_waiters_cost_little() -> None:
    """Each slot wakes one waiter: 20,000 slots for 2,048 waiters need some 3 switches each, not thousands."""
    office = Office(concurrency=64, no_adaptive=True)
    left, inside, most = 20_000, 0, 0

    async def record() -> None:
        nonlocal left, inside, most
        while left > 0:
            left -= 1
            async with office.admission.slot() as slot:
                inside += 1
                most = max(most, inside)
                await checkpoint()
                inside -= 1
                slot.settle(Ended(Outcome.OK))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(2048):
                tasks.start_soon(record)
    assert most == 64
    assert office.fleet.in_flight == 0


async def test_random_cancellations_leak_nothing() -> None:
    """After thousands of cancelled waiters, holders and lookouts, everything is free, and the next is served."""
    rng = random.Random(2)
    admission = Admission(["a", "b"], Limits(concurrency=8, rpm=1e6, no_adaptive=True))

    async def record() -> None:
        with anyio.CancelScope() as scope:
            if rng.random() < 0.5:
                tasks.start_soon(cancel, scope, rng.randrange(40))
            async with admission.slot(again=rng.random() < 0.3) as slot:
                for _ in range(rng.randrange(4)):
                    await checkpoint()
                slot.progress(0)
                slot.settle(Ended(rng.choice([Outcome.OK, Outcome.OK, Outcome.VOID, Outcome.RATE]), wait=0.001))

    async def cancel(scope: anyio.CancelScope, after: int) -> None:
        for _ in range(after):
            await checkpoint()
        scope.cancel()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(3000):
                tasks.start_soon(record)
        async with admission.slot():
            assert admission._fleet.in_flight == 1
    assert admission._fleet.in_flight == 0
    assert not any(admission._waiting)
    assert admission._leader is None


USED_UP = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9m"}


@pytest.mark.parametrize(
    "ended",
    [Ended(Outcome.RATE, wait=400.0, fault="Too fast."), Ended(Outcome.OK, headers=USED_UP)],
    ids=["refused", "used up"],
)
async def test_a_long_pause_is_told_once(tasks: anyio.abc.TaskGroup, ended: Ended) -> None:
    """Who asks for it, how long, until when and why; not before somebody waits for it."""
    office = Office(concurrency=4)
    await come(tasks, office, "a", "b", "c")
    office.slots["a"].settle(ended)
    assert office.notices == []
    await come(tasks, office, "x", "y", "z")
    office.slots["b"].settle(ended)
    office.slots["c"].settle(Ended(Outcome.OK))
    await office.time.pass_by(200)
    (notice,), (pause,) = office.notices, office.pauses
    assert pause >= 400
    assert notice.startswith(f"http://one asks to wait {pause:.0f} s")
    assert time.strftime("until %H:%M:%S", time.localtime(WALL + pause)) in notice
    assert ("Too fast" in notice) == bool(ended.fault)


async def test_a_short_pause_is_told_to_nobody(tasks: anyio.abc.TaskGroup) -> None:
    """It passes before people wonder."""
    office = Office(concurrency=4)
    await come(tasks, office, "a")
    office.slots["a"].settle(Ended(Outcome.RATE, wait=10.0))
    await come(tasks, office, "b")
    assert (office.notices, office.pauses) == ([], [])


async def test_max_downtime_ends_a_pause_in_its_middle(tasks: anyio.abc.TaskGroup) -> None:
    """Those who wait for a Retry-After that is longer hear of it at the deadline."""
    office = Office(concurrency=2, max_downtime=5)
    await come(tasks, office, "a")
    office.slots["a"].settle(Ended(Outcome.RATE, wait=400.0))
    await come(tasks, office, "b", "c")
    await office.time.pass_by(4.9)
    assert not office.errors
    await office.time.pass_by(0.2)
    assert ["--max-downtime" in str(error) for error in office.errors] == [True, True]
