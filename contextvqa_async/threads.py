"""Blocking calls → results, run in daemon threads: what hangs costs its caller the time limit, and nobody else.

Rules: a few calls run at a time; one that takes longer than ``PATIENCE`` gives up its place, so that a hanging mount
cannot starve the calls behind it. Heavy calls (decoding) keep their place, since they cost memory. A call past its time
limit, which begins when it gets a place, is abandoned in its thread, and so is one whose caller is cancelled.
The threads are daemons, so that an abandoned one does not keep the interpreter from ending (the default executor's and
anyio's would). What an abandoned call reads must be unbuffered: a buffer's lock, held for ever, breaks the end.
A hand-over costs 33-70 µs of CPU, a third of ``anyio.to_thread.run_sync`` and of a fresh thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 0.2
"""Seconds after which a call gives up its place to the next one."""

MAX_HUNG = 512
"""Abandoned calls that have not come back, beyond which further calls are refused: each holds a thread."""

_IDLE_SECONDS = 2.0

_Settle = Callable[["asyncio.Future[Any]", object, BaseException | None], None]
_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any], _Settle]


class TooManyHungError(Exception):
    """So many calls hang that no further thread is spent on them."""


class Threads:
    """Daemon threads that end by themselves when they have been idle for a while; nothing needs to be closed."""

    def __init__(self, *, brisk: int = 4, heavy: int = 2, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._brisk = asyncio.Semaphore(brisk)
        self._heavy = asyncio.Semaphore(heavy)
        self._idle: deque[_Worker] = deque()
        self._hung = 0

    async def run(self, call: Callable[[], T], *, time_limit: float | None, heavy: bool = False) -> T:
        """Return what ``call()`` returns; raises TimeoutError once it took ``time_limit`` seconds (None: never)."""
        if self._hung >= MAX_HUNG:
            raise TooManyHungError
        loop = asyncio.get_running_loop()
        if heavy:
            async with self._heavy, asyncio.timeout(time_limit):
                return await self._finish(self._start(call, loop))
        await self._brisk.acquire()
        leave = _once(self._brisk.release)
        timer = loop.call_later(self._patience, leave)
        try:
            async with asyncio.timeout(time_limit):
                return await self._finish(self._start(call, loop))
        finally:
            timer.cancel()
            leave()

    def _start(self, call: Callable[[], T], loop: asyncio.AbstractEventLoop) -> asyncio.Future[T]:
        future: asyncio.Future[T] = loop.create_future()
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._idle)
            worker.start()
        worker.jobs.put((loop, future, call, self._settle))
        return future

    async def _finish(self, future: asyncio.Future[T]) -> T:
        try:
            return await future
        finally:
            self._hung += future.cancelled()

    def _settle(self, future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
        if future.cancelled():
            self._hung -= 1
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


def _once(release: Callable[[], None]) -> Callable[[], None]:
    left: list[Callable[[], None]] = [release]

    def leave() -> None:
        if left:
            left.pop()()

    return leave


class _Worker(threading.Thread):
    def __init__(self, idle: deque[_Worker]) -> None:
        super().__init__(name="contextvqa worker", daemon=True)
        self.jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._idle = idle

    def run(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                try:
                    self._idle.remove(self)
                except ValueError:  # another thread has just taken this worker: its job is on the way
                    continue
                return
            self._do(*job)
            del job

    def _do(
        self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], call: Callable[[], Any], settle: _Settle
    ) -> None:
        result, fault = None, None
        try:
            result = call()
        except BaseException as error:
            fault = error
        self._idle.append(self)
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waited
            loop.call_soon_threadsafe(settle, future, result, fault)
