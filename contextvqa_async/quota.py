"""How many records a run asks for: ``--limit`` in, places out.

Rule: a record counts that is asked for, or fails anew. Some are read only to find that their failure of an earlier run
still stands, which takes a look at their images: these give their place back, or a run would never get past them.
"""

from __future__ import annotations

import math

import anyio

from contextvqa_async.items import RecordId


class Quota:
    """The places of one run; ``taken`` is how many are."""

    def __init__(self, limit: int | None) -> None:
        self.taken = 0
        self._limit = math.inf if limit is None else limit
        self._undecided: set[RecordId] = set()
        self._decided = anyio.Event()

    def take(self, record_id: RecordId, *, may_stand: bool) -> None:
        """Give a record a place; ``may_stand``: :meth:`decide` will say whether it keeps it."""
        self.taken += 1
        if may_stand:
            self._undecided.add(record_id)

    def is_undecided(self, record_id: RecordId) -> bool:
        """Whether this record may still give its place back."""
        return record_id in self._undecided

    def decide(self, record_id: RecordId, *, keeps: bool) -> None:
        """Settle whether an undecided record keeps its place."""
        self._undecided.remove(record_id)
        self.taken -= not keeps
        self._decided.set()
        self._decided = anyio.Event()

    async def used_up(self) -> bool:
        """Return whether no place is left, once none that is taken can come free any more."""
        while self.taken >= self._limit and self._undecided:
            await self._decided.wait()
        return self.taken >= self._limit
