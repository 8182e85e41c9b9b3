"""A queue and its one writer: lines come in one by one, and go to ``store`` in groups, in a worker thread.

Rule: the first fault of ``store`` ends the writing for good, and everyone who hands something over is told of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio import to_thread

from contextvqa_async.errors import RunError
from contextvqa_async.items import Failure, Row

LINGER = 0.1
"""Seconds a line may wait for others before they are written together: one fdatasync for all."""

GROUP_LINES = 512
GROUP_BYTES = 8 << 20
"""What is written without waiting for more."""

QUEUE_LINES = 4096
QUEUE_BYTES = 64 << 20
"""What may wait for a slow disk before ``put`` waits too."""


@dataclass(frozen=True, slots=True)
class Queued:
    """An outcome, its key and its line; an empty one where nothing is written: a failed retry of a row that stays."""

    item: Row | Failure
    key: bytes | None
    line: bytes


Store = Callable[[list[Queued]], tuple[list[Queued], RunError | None]]
"""Writes a group; returns what of it is durable, and what stopped the rest."""


class Writer:
    """Hands what is put to ``store`` in groups, and what became durable to ``written``."""

    def __init__(self, store: Store, written: Callable[[list[Queued]], None]) -> None:
        self.broken: BaseException | None = None
        self._store, self._written = store, written
        self._queue: list[Queued] = []
        self._bytes = 0
        self._closing = False
        self._filled, self._urgent, self._room = anyio.Event(), anyio.Event(), anyio.Event()

    async def put(self, queued: Queued) -> None:
        """Queue a line; wait while the disk is behind. Raises what stopped the writing."""
        while self._is_full and self.broken is None:
            await self._room.wait()
        if self.broken is not None:
            raise self.broken
        self._queue.append(queued)
        self._bytes += len(queued.line)
        self._filled.set()
        if len(self._queue) >= GROUP_LINES or self._bytes >= GROUP_BYTES:
            self._urgent.set()

    @property
    def _is_full(self) -> bool:
        return len(self._queue) >= QUEUE_LINES or self._bytes >= QUEUE_BYTES

    def close(self) -> None:
        """Let :meth:`run` return once the queue is empty."""
        self._closing = True
        self._filled.set()
        self._urgent.set()

    async def run(self) -> None:
        """Write until closed and drained, or broken; a cancelled run still drains."""
        with anyio.CancelScope(shield=True):
            while self.broken is None:
                await self._filled.wait()
                with anyio.move_on_after(LINGER):
                    await self._urgent.wait()
                group = self._take()
                if not group and self._closing:
                    return
                await self._commit(group)
                self._room.set()

    def _take(self) -> list[Queued]:
        group, self._queue, self._bytes = self._queue, [], 0
        self._room = anyio.Event() if self._room.is_set() else self._room
        if not self._closing:
            self._filled, self._urgent = anyio.Event(), anyio.Event()
        return group

    async def _commit(self, group: list[Queued]) -> None:
        try:
            written, error = await to_thread.run_sync(self._store, group)
            self._written(written)
            self.broken = error
        except Exception as error:
            self.broken = error
