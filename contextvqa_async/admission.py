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

    def progress(self, pieces: int) -> None:
        """Tell that ``pieces`` more of the answer arrived; optional, shows early that a server slows down."""

    def settle(
        self,
        outcome: Outcome,
        *,
        wait: float | None = None,
        tokens: int | None = None,
        headers: Mapping[str, str] | None = None,
        answer_tokens: int | None = None,
    ) -> bool:
        """Tell how the request ended (unsettled slots end as VOID); return whether it may be charged to its record.

        False: do not count this attempt, whatever it was. Rate refusals are never charged, nor are faults while the
        endpoints are down (the next ``slot(again=True)`` then waits until one answers, or for its turn to probe).

        ``wait``: seconds the server asked to wait, see :func:`wait_hint`; ``tokens``: prompt and completion tokens
        used; ``headers``: the response's, for the rate limits they tell, and None where nobody answered (refused, no
        such host, connect time-out, cut before the first byte): only a server that does not answer counts as gone.
        ``answer_tokens``: completion tokens alone (or the pieces of the stream), to tell long answers from slow ones.
        A reset in the middle of a big upload may be the record's fault: settle it as VOID.
        """
        return outcome is not Outcome.RATE


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
