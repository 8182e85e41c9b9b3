"""Who may ask now: requests in, slots out. The one place that waits for the pace that pacing.py computes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from contextvqa_async.config import Limits
from contextvqa_async.pacing import Outcome


class Withdrawn(Exception):  # noqa: N818 - not a fault: the run is stopping, and this record was not reached
    """The run is stopping: no further request may start, and this record is left for the next run."""


class Slot:
    """Leave to send one request to ``endpoint`` (an index); ends with the ``async with`` that gave it."""

    def __init__(self, endpoint: int) -> None:
        self.endpoint = endpoint

    def first_token(self) -> None:
        """Tell that the answer's first piece arrived."""

    def settle(
        self,
        outcome: Outcome,
        *,
        wait: float | None = None,
        tokens: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Tell how the request ended; unsettled slots end as VOID.

        ``wait``: seconds the server asked to wait; ``tokens``: prompt and completion tokens used; ``headers``: the
        response's, for the rate limits they tell.
        """


class Admission:
    """Gives slots to requests, at the pace of ``limits`` and of what earlier slots were settled with."""

    def __init__(self, endpoints: int, limits: Limits) -> None:
        self._limiter = anyio.CapacityLimiter(limits.concurrency)
        self._stopping = False

    @asynccontextmanager
    async def slot(self, *, again: bool = False) -> AsyncIterator[Slot]:
        """Wait for leave to send one request; ``again``: a retry, which goes before new records.

        Raises Withdrawn once the run is stopping, and RunError where waiting has no end.
        """
        if self._stopping:
            raise Withdrawn
        async with self._limiter:
            yield Slot(0)

    def stop(self) -> None:
        """Let no further request start: those that wait are Withdrawn."""
        self._stopping = True
