"""Lines come in one by one; they are in the file at once, and durable in groups.

    put ─► queue ─► write ─► put returns      what is in the file survives a kill
                      └────► sync, every LINGER seconds ─► reported as durable      survives a power cut

Rule: no answer waits in memory while its worker asks for the next one, so that a kill costs at most what is in flight.
The first fault ends the writing for good, and every later ``put`` raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
from anyio import to_thread

from contextvqa_async.errors import RunError
from contextvqa_async.items import Failure, Row

LINGER = 0.1
"""Seconds between two fdatasyncs: a row is reported as durable that much later at most."""

MOST_UNSYNCED = 2048
"""Lines that may wait for a slow disk's fdatasync before ``put`` waits too."""


@dataclass(frozen=True, slots=True)
class Queued:
    """An outcome, its key and its line, which is empty for a failed retry whose old row stays."""

    item: Row | Failure
    key: bytes | None
    line: bytes


class Files(Protocol):
    """Where the lines go; both calls block."""

    def write(self, group: Sequence[Queued]) -> tuple[list[Queued], RunError | None]:
        """Append the lines; return those that are in their file now, and what stopped the rest."""
        ...

    def sync(self) -> None:
        """Make durable what was written; RunError where that fails."""
        ...


class Writer:
    """Writes what is put to ``files``, and hands what became durable to ``durable``."""

    def __init__(self, files: Files, durable: Callable[[list[Queued]], None]) -> None:
        self.broken: BaseException | None = None
        self._files, self._durable = files, durable
        self._queue: list[Queued] = []
        self._unsynced: list[Queued] = []
        self._closing = self._drained = False
        self._filled, self._written, self._hurry = anyio.Event(), anyio.Event(), anyio.Event()
        self._unsettled, self._synced = anyio.Event(), anyio.Event()

    async def put(self, queued: Queued) -> None:
        """Return once the line is in the file. A failure without a key, which cost no request, is only queued.

        Raises what stopped the writing.
        """
        while len(self._queue) + len(self._unsynced) >= MOST_UNSYNCED and self.broken is None:
            self._hurry.set()
            await self._synced.wait()
        if self.broken is None:
            self._queue.append(queued)
            self._filled.set()
            if queued.key is not None:
                await self._written.wait()
        if self.broken is not None:
            raise self.broken

    def close(self) -> None:
        """Let :meth:`run` return once everything is durable."""
        self._closing = True
        self._filled.set()
        self._hurry.set()

    async def run(self) -> None:
        """Write until closed and drained, or broken; a cancelled run still drains."""
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._sync_groups)
                await self._write_groups()

    async def _write_groups(self) -> None:
        while self.broken is None and not (self._closing and not self._queue):
            await self._filled.wait()
            group, written = self._queue, self._written
            self._queue, self._written = [], anyio.Event()
            self._filled = anyio.Event() if not self._closing else self._filled
            await self._write(group)
            self._unsettled.set()
            written.set()
        self._written.set()
        self._drained = True
        self._unsettled.set()
        self._hurry.set()

    async def _write(self, group: list[Queued]) -> None:
        try:
            written, error = await to_thread.run_sync(self._files.write, group)
            self._unsynced += written
        except Exception as fault:
            error = fault  # type: ignore[assignment]
        self.broken = self.broken or error

    async def _sync_groups(self) -> None:
        while not (self._drained and not self._unsynced):
            await self._unsettled.wait()
            with anyio.move_on_after(LINGER):
                await self._hurry.wait()
            group, self._unsynced = self._unsynced, []
            if not self._drained:
                self._unsettled, self._hurry = anyio.Event(), anyio.Event()
            await self._sync(group)
            synced, self._synced = self._synced, anyio.Event()
            synced.set()

    async def _sync(self, group: list[Queued]) -> None:
        try:
            await to_thread.run_sync(self._files.sync)
            self._durable(group)
        except Exception as error:
            self.broken = self.broken or error
            self._written.set()
            self._filled.set()
