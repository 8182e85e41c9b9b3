"""How much memory the records in flight may take: bytes in, leave to load them out.

Rule: whoever came first is served first, and one record larger than the whole budget goes alone, so that nothing waits
for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class Claim:
    """One record's share of the budget; given back when the ``with`` that made it ends."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.size = 0

    async def take(self, size: int) -> None:
        """Wait until ``size`` more bytes fit."""
        size = min(size, self._budget.capacity)
        await self._budget._admit(size)
        self.size += size

    def shrink(self, size: int) -> None:
        """Give back all but ``size`` bytes."""
        size = min(size, self.size)
        self._budget._release(self.size - size)
        self.size = size


class ByteBudget:
    """At most ``capacity`` bytes in flight."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self._waiting: deque[tuple[int, anyio.Event]] = deque()

    @contextmanager
    def claim(self) -> Iterator[Claim]:
        """A share that is empty until it takes."""
        claim = Claim(self)
        try:
            yield claim
        finally:
            self._release(claim.size)

    async def _admit(self, size: int) -> None:
        if not self._waiting and self.used + size <= self.capacity:
            self.used += size
            return
        mine = (size, anyio.Event())
        self._waiting.append(mine)
        try:
            await mine[1].wait()
        except BaseException:
            self._forget(mine)
            raise

    def _forget(self, mine: tuple[int, anyio.Event]) -> None:
        """A waiter was cancelled: give back what it may have been granted in the same moment, and let others pass."""
        if mine[1].is_set():
            self._release(mine[0])
        else:
            self._waiting.remove(mine)
            self._serve()

    def _release(self, size: int) -> None:
        self.used -= size
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self.used + self._waiting[0][0] <= self.capacity:
            size, granted = self._waiting.popleft()
            self.used += size
            granted.set()
