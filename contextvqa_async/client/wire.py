"""One attempt's connection and its deadlines: time and the connection in, an aborted socket out where time runs out.

Rule: a deadline that passes, a cancelled task and an unread rest all end alike: the socket is aborted. (A polite close
waits until everything written has left, which a server that does not read puts off for ever.)

Rule: no deadline is judged before what has come is read. A process that is stopped (Ctrl-Z, a container's pause) or
whose loop is blocked hears nothing, while the kernel takes in whole, paid answers for it.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from contextvars import ContextVar
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from contextvqa_async.client.connections import Connector

_STALE_SECONDS = 0.5
"""Whoever closed an idle connection tells so one round trip after it is used again; whoever hangs up later
than this had the request, and may charge for it."""

_LEAST_HOLD = 0.005
_TICK = 0.05
"""Streams held in the kernel are looked at on these ticks of the loop's clock, all in one go: a wake-up of the loop
for each of them costs a third of what paced streaming does."""

_LAST_LOOK = 0.05
_CATCH_UP = 30.0
"""Seconds for reading what has come by a deadline, before it counts: the least, and the most. Between them it is as
long as the loop stood still, since servers, networks and this machine all have to catch up."""

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""One look at one socket; ``select`` knows no descriptor above 1,023, but Windows nothing else."""

current_wire: ContextVar[Wire | None] = ContextVar("current_wire", default=None)
"""The wire of the attempt that this task makes: how a new connection finds it through httpx and aiohttp."""


class Wire:
    """One attempt's connection and deadlines, in seconds from now: to its first payload, and in all.

    ``expired``: a deadline passed, and the connection was aborted; ``end``: the last of them, on the loop's clock,
    which is put off by as long as the loop is seen to stand still.

    One timer serves all of an attempt's deadlines: moving the deadline away is an assignment, and the timer that
    comes too early only looks again.
    """

    def __init__(self, first: float, total: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.started = self._loop.time()
        self.end = self.started + total
        self.reused = False
        self.expired = False
        self._overdue = False
        self._due = self.started + min(first, total)
        self._timer = self._loop.call_at(self._due, self._look)
        self._transport: asyncio.Transport | None = None
        self._left: asyncio.Transport | None = None
        self._connector: Connector | None = None
        self._attached = math.inf
        current_wire.set(self)

    @property
    def due(self) -> float:
        """When the attempt ends, on the loop's clock; assign to move it."""
        return self._due

    @due.setter
    def due(self, when: float) -> None:
        if when < self._timer.when():
            self._timer.cancel()
            self._timer = self._loop.call_at(max(when, self._loop.time()), self._look)
        if when > self._due:
            self._overdue = False
        self._due = when

    def _look(self) -> None:
        """The timer: uvloop's may come up to a millisecond early, which says nothing."""
        now = self._loop.time()
        if now >= self._due:
            if self._overdue:
                self.expired = True
                self.abort()
                return
            self._take_last_look(now)
        self._timer = self._loop.call_at(self._due, self._look)

    def _take_last_look(self, now: float) -> None:
        """Put the deadlines off until what has come is read, and by as long as the loop stood still."""
        late = now - self._timer.when()
        self._overdue = True
        self._due = now + min(max(late, _LAST_LOOK), _CATCH_UP)
        self.end = max(self.end + late, self._due)
        self._go_on()

    @property
    def stale(self) -> bool:
        """Whether an end that comes now is that of the time before this request: of a connection just used again."""
        return self.reused and self._loop.time() - self._attached < _STALE_SECONDS

    async def doubted(self) -> bool:
        """Whether the answer that has ended may be an earlier request's: the endpoint answers unasked.

        A new connection's first answer is its request's; any other is, as far as the loop's next looks can tell.
        """
        transport = self._transport or self._left
        if not self.reused or self._connector is None:
            return False
        if transport is not None and readable(transport):  # else nobody waits a turn of the loop for nothing
            await read_what_has_come()
        return not self._connector.trusted

    def attach(self, connection: aiohttp.connector.Connection, connector: Connector, *, reused: bool) -> None:
        """Take the connection that the request got; it is let go when the pool takes it back."""
        self.reused = reused
        self._attached = self._loop.time()
        self._connector = connector
        self._transport = connection.transport
        connection.add_callback(self._detach)
        if self.expired:
            self.abort()

    def _detach(self) -> None:
        self._transport, self._left = None, self._transport

    def hold(self, seconds: float) -> None:
        """Read nothing until the first tick in ``seconds``: what arrives gathers in the kernel, and wakes nobody."""
        if self._transport is not None and seconds >= _LEAST_HOLD and not self._transport.is_closing():
            self._transport.pause_reading()
            self._loop.call_at(math.ceil((self._loop.time() + seconds) / _TICK) * _TICK, self._go_on)

    def _go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close the connection at once, whatever is still to be sent or read."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the attempt: no deadline any more, and no connection that is not whole and in the pool."""
        self._timer.cancel()
        self.abort()
        if self._left is not None and self._left.is_closing():
            self._left.abort()
        self._transport = self._left = None


def readable(transport: asyncio.Transport) -> bool:
    """Whether the kernel holds what nobody has read: bytes, or the connection's end."""
    if transport.is_closing():
        return False
    with _Selector() as selector:
        selector.register(transport.get_extra_info("socket"), selectors.EVENT_READ)
        return bool(selector.select(0))


async def read_what_has_come() -> None:
    """Let the loop look at its sockets: once to hear of them, once to read."""
    for _ in range(2):
        await asyncio.sleep(0)
