"""Streams in, one event of each per period out, as long as they last.

Rule: a period that the server missed is made up by two events in one write, so that every stream ends when it should;
``writes`` and ``events`` of the counters say how often that was.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

_SLICES = 10
"""Streams are spread over so many moments of a period, as independent requests are."""


@dataclass(slots=True, eq=False, kw_only=True)
class Stream:
    """One response on its way: ``ends[i]`` is where its i-th event ends in ``wire``."""

    wire: bytes
    ends: tuple[int, ...]
    write: Callable[[bytes], None]
    finish: Callable[[], None]
    start: float = 0.0
    sent: int = 0

    def advance(self, target: int) -> bool:
        """Write up to the ``target``-th event; return whether that was the last."""
        begin = self.ends[self.sent - 1] if self.sent else 0
        self.sent = min(target, len(self.ends))
        last = self.sent == len(self.ends)
        self.write(self.wire[begin:] if last else self.wire[begin : self.ends[self.sent - 1]])
        return last


class Trickle:
    """All streams of one pace."""

    def __init__(self, period: float, stats: Counter[str]) -> None:
        self._period, self._stats = period, stats
        self._slices: list[set[Stream]] = [set() for _ in range(_SLICES)]
        self._at, self._due, self._ticking = 0, 0.0, False

    def add(self, stream: Stream) -> None:
        """Begin a stream; its first event goes out with the next tick."""
        stream.start = time.perf_counter()
        self._slices[self._at].add(stream)
        if not self._ticking:
            self._ticking, self._due = True, stream.start
            asyncio.get_running_loop().call_soon(self._tick)

    def drop(self, stream: Stream) -> None:
        """Forget a stream whose client went away."""
        for each in self._slices:
            each.discard(stream)

    def _tick(self) -> None:
        now = time.perf_counter()
        self._serve(self._slices[self._at], now)
        self._at = (self._at + 1) % _SLICES
        self._ticking = any(self._slices)
        if self._ticking:
            self._due += self._period / _SLICES
            asyncio.get_running_loop().call_later(max(0.0, self._due - time.perf_counter()), self._tick)

    def _serve(self, streams: set[Stream], now: float) -> None:
        for stream in list(streams):
            target, sent = int((now - stream.start) / self._period) + 1, stream.sent
            if target <= sent:
                continue
            if stream.advance(target):
                streams.discard(stream)
                stream.finish()
            self._stats["writes"] += 1
            self._stats["events"] += stream.sent - sent
