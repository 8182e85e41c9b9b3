"""Who may ask now: requests in, slots out. The one place that waits for the pace that pacing/ computes.

Rule: first come, first served, retries before new records (except at an endpoint that retries are kept from); a slot
is handed to one waiter, and who is cancelled while it is being handed over passes it on. One waiter, the leader,
sleeps until the next moment at which a slot may come free by itself; the others (followers) sleep until one is handed
to them, so that thousands of waiters cost nothing.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import anyio

from contextvqa_async.config import Limits
from contextvqa_async.errors import RunError
from contextvqa_async.pacing import Ended, Fleet, Flight, Outcome

SHORTEST_SLEEP = 0.001
"""Seconds; what is due sooner than a sleep can tell is due now."""


class Withdrawn(Exception):  # noqa: N818 - not a fault: the run is stopping, and this record was not reached
    """The run is stopping: no further request may start, and this record is left for the next run."""


class Slot:
    """Leave to send one request to ``endpoint`` (an index); ends when settled, or with its ``async with``."""

    __slots__ = ("_admission", "_charged", "_flight", "endpoint")

    def __init__(self, admission: Admission, endpoint: int, flight: Flight) -> None:
        self.endpoint = endpoint
        self._admission = admission
        self._flight = flight
        self._charged: bool | None = None

    def progress(self, tokens: float) -> None:
        """Tell that the answer has begun, and how many tokens have come so far, about."""
        if self._charged is None:
            self._admission._progress(self.endpoint, self._flight, tokens)

    def settle(self, ended: Ended) -> bool:
        """Tell how the request ended (an unsettled slot ends as VOID); return whether it may be charged to its record.

        False: do not count this attempt, whatever it was. Rate refusals are never charged, nor are faults while the
        endpoint is down (the next ``slot(again=True)`` then waits until one answers, or for its turn to probe). The
        endpoint gets the next request at once, so settle when the answer is read. Only the first call counts.
        A reset in the middle of a big upload may be the record's fault: settle it as VOID.
        """
        if self._charged is None:
            self._charged = False
            self._charged = self._admission._end(self.endpoint, self._flight, ended)
        return self._charged


class _Waiter:
    """Someone who wants a slot; ``called`` is set when there is one, an error, or the leader's turn."""

    __slots__ = ("again", "called", "error", "first", "slot")

    def __init__(self, again: bool, *, first: bool) -> None:
        self.again, self.first = again, first
        self.called = anyio.Event()
        self.slot: Slot | None = None
        self.error: Exception | None = None

    @property
    def served(self) -> bool:
        return self.slot is not None or self.error is not None


def ignore(_told: object) -> None:
    """Tell nobody."""


class Admission:
    """Gives slots to requests, at the pace of ``limits`` and of what earlier slots were settled with.

    ``labels``: how people are told of each endpoint; ``on_notice`` gets a sentence when one goes away or is
    back, or asks for a long pause, and ``on_pause`` its seconds; ``streams``: first tokens will be told. ``clock``,
    ``sleep``, ``wall`` and ``rng`` are there for tests.
    """

    def __init__(
        self,
        labels: Sequence[str],
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        on_notice: Callable[[str], None] = ignore,
        on_pause: Callable[[float], None] = ignore,
        streams: bool = True,
    ) -> None:
        self._fleet = Fleet(labels, limits, rng or random.Random(), streams=streams)
        self._clock, self._sleep, self._wall = clock, sleep, wall
        self._on_notice, self._on_pause = on_notice, on_pause
        self._waiting: tuple[OrderedDict[_Waiter, None], OrderedDict[_Waiter, None]] = (OrderedDict(), OrderedDict())
        self._leader: _Waiter | None = None
        self._leader_scope: anyio.CancelScope | None = None
        self._wake = self._leader_until = float("inf")
        self._stopping = False
        self._error: RunError | None = None

    # for those who ask

    @asynccontextmanager
    async def slot(self, *, again: bool = False, refused: bool = False) -> AsyncIterator[Slot]:
        """Wait for leave to send one request; ``again``: a retry, which goes before new records.

        ``refused``: a retry of what was refused for its rate, which lets others go first: it may be refused for ever.

        Raises Withdrawn once the run is stopping, and RunError where waiting has no end.
        """
        slot = await self._enter(_Waiter(again, first=again and not refused))
        try:
            yield slot
        finally:
            slot.settle(Ended(Outcome.VOID))

    def end_of_records(self) -> None:
        """Tell that no new records come, only retries: a server that says it is away is then no longer believed."""
        self._fleet.end_of_records()

    def stop(self) -> None:
        """Let no further request start: those that wait are Withdrawn."""
        self._stopping = True
        self._dismiss(Withdrawn)

    # waiting

    async def _enter(self, waiter: _Waiter) -> Slot:
        if self._stopping:
            raise Withdrawn
        if self._error:
            raise self._error.copy()
        self._waiting[not waiter.first][waiter] = None
        self._serve()
        try:
            while not waiter.served:
                await self._rest(waiter)
        except BaseException:
            self._leave(waiter)
            raise
        if waiter.error:
            raise waiter.error
        assert waiter.slot is not None  # noqa: S101 - what served means
        return waiter.slot

    async def _rest(self, waiter: _Waiter) -> None:
        """Sleep until called, or, as the leader, until a slot may have come free by itself."""
        if self._leader is not None or self._wake == float("inf"):
            await waiter.called.wait()
            if not waiter.served:
                waiter.called = anyio.Event()
            return
        self._leader = waiter
        try:
            with anyio.CancelScope() as self._leader_scope:
                self._leader_until = self._wake
                await self._sleep(max(SHORTEST_SLEEP, self._wake - self._clock()))
        finally:
            self._leader = self._leader_scope = None
        if not waiter.served:
            self._serve()
        else:
            self._appoint_leader()

    def _leave(self, waiter: _Waiter) -> None:
        """Cancelled: pass on the slot, or the leader's part."""
        self._waiting[not waiter.first].pop(waiter, None)
        if waiter.slot:
            waiter.slot.settle(Ended(Outcome.VOID))
        else:
            self._serve()

    # serving

    def _serve(self) -> None:
        """Hand out all slots that there are, and see to it that somebody looks again in time."""
        now = self._clock()
        self._wake = float("inf")
        while any(queue and self._serve_first(queue, now) for queue in self._waiting):
            pass
        if any(self._waiting):
            self._check_wait(now)
        self._appoint_leader()
        self._pass_on_notices()

    def _check_wait(self, now: float) -> None:
        """Those who wait may wait for ever, or so long that people should know."""
        if error := self._fleet.fatal_error(now):
            self._error = error
            self._dismiss(error.copy)
        elif pause := self._fleet.long_pause(now):
            until = time.strftime("%H:%M:%S", time.localtime(self._wall() + pause[0]))
            self._on_notice(f"{pause[1]}; the run waits until {until}.")
            self._on_pause(pause[0])

    def _pass_on_notices(self) -> None:
        while self._fleet.notices:
            self._on_notice(self._fleet.notices.pop(0))

    def _serve_first(self, queue: OrderedDict[_Waiter, None], now: float) -> bool:
        """Hand a slot to the first in the queue; where there is none, see when to look again."""
        index, at = self._fleet.next_start(now + SHORTEST_SLEEP / 2, again=queue is self._waiting[0])
        if index is None:
            self._wake = min(self._wake, at)
            return False
        waiter, _ = queue.popitem(last=False)
        waiter.slot = Slot(self, index, self._fleet.start(index, now, again=waiter.again))
        self._call(waiter)
        return True

    def _call(self, waiter: _Waiter) -> None:
        waiter.called.set()
        if waiter is self._leader and self._leader_scope:
            self._leader_scope.cancel()

    def _appoint_leader(self) -> None:
        """Let the leader look to a nearer time, or call the first in the queue to be it."""
        if self._wake == float("inf"):
            return
        if self._leader is None:
            queue = self._waiting[0] or self._waiting[1]
            if queue:
                next(iter(queue)).called.set()
        elif self._leader_scope and self._wake < self._leader_until:
            self._leader_scope.cancel()

    def _dismiss(self, error: Callable[[], Exception]) -> None:
        for queue in self._waiting:
            while queue:
                waiter, _ = queue.popitem(last=False)
                waiter.error = error()
                self._call(waiter)

    # what slots tell

    def _progress(self, index: int, flight: Flight, tokens: float) -> None:
        begins = flight.first is None
        self._fleet.progress(index, flight, tokens, self._clock())
        if begins:
            self._serve_waiting()

    def _end(self, index: int, flight: Flight, ended: Ended) -> bool:
        epoch = self._wall() if ended.headers else 0.0
        charged = self._fleet.end(index, flight, ended, self._clock(), epoch=epoch)
        self._serve_waiting()
        self._pass_on_notices()
        return charged

    def _serve_waiting(self) -> None:
        if self._waiting[0] or self._waiting[1]:
            self._serve()
