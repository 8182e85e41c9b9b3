"""How far a run is: its events in; counts, rates and the time to its end out, as numbers and as one line.

Rule: it is fed in the event loop and may be read in another thread, so each number is right by itself at any moment.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from contextvqa_async.items import Advanced, Event, Failure, Paused, Row, Settled, Started

WINDOW_SECONDS = 60.0
"""Rates are means over the last minute: long enough to be calm, short enough to follow a change."""


class Meter:
    """Counts and rates of a run, from its events. Times are seconds on ``clock``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._recent: deque[tuple[float, int, int]] = deque([(self._began, 0, 0)])
        self.done = self.failed = self.tokens = 0
        self.before = 0
        self._paused_until = -math.inf
        self.seen = Advanced(read=0, skipped=0, duplicates=0, fraction=None)

    def __call__(self, event: Event) -> None:
        match event:
            case Started(done=done):
                self.before = done
            case Advanced():
                self.seen = event
            case Paused(seconds=seconds):
                self._paused_until = self._clock() + seconds
            case Settled(items=items):
                for item in items:
                    self._count(item)
                self._remember()
            case _:
                pass

    def _count(self, item: Row | Failure) -> None:
        if isinstance(item, Row):
            self.done += 1
            self.tokens += item.completion_tokens
        else:
            self.failed += 1

    def _remember(self) -> None:
        now = self._clock()
        self._recent.append((now, self.done + self.failed, self.tokens))
        while len(self._recent) > 2 and self._recent[1][0] < now - WINDOW_SECONDS:
            self._recent.popleft()

    def rates(self) -> tuple[float, float]:
        """Records and completion tokens a second, over the last minute."""
        then, records, tokens = self._recent[0]
        seconds = max(self._clock() - then, 1e-3)
        return (self.done + self.failed - records) / seconds, (self.tokens - tokens) / seconds

    @property
    def in_flight(self) -> int:
        """Records that were read and are not yet on disk."""
        seen = self.seen
        return max(0, seen.read - seen.skipped - seen.duplicates - self.done - self.failed)

    def completed(self) -> float | None:
        """The share of the input that is done, 0 to 1; None where its size is unknown."""
        seen = self.seen
        return seen.fraction * (1 - self.in_flight / seen.read) if seen.fraction and seen.read else None

    def remaining_seconds(self) -> float | None:
        """Time to the end, or None where it cannot be known.

        Holds under resume: of the rows that the output already has, those not yet met lie ahead in the input, and will
        be skipped in no time; only the other records ahead take the present rate.
        """
        rate, _ = self.rates()
        if not self.seen.fraction or not rate:
            return None
        unread = self.seen.read / self.seen.fraction - self.seen.read
        unread -= max(0, self.before - self.seen.skipped)
        return (max(0.0, unread) + self.in_flight) / rate

    def line(self, width: float = math.inf) -> str:
        """All of it in one line; where that is wider than ``width``, what matters least is left out."""
        records, tokens = self.rates()
        pause = self._paused_until - self._clock()
        waits = pause > 0
        parts = {
            "done": f"{self.done:,} done",
            "failed": f"{self.failed:,} failed",
            "skipped": f"{self.seen.skipped:,} skipped",
            "records": f"{records:,.1f} records/s",
            "tokens": f"{tokens:,.0f} tokens/s",
            **({"wait": f"waits {clock_time(pause)} as asked"} if waits else {}),
            "left": f"ETA {clock_time(None if waits else self.remaining_seconds())}",
        }
        spare = ["tokens", "skipped", "records"] + ["left"] * waits
        while spare and len(" · ".join(parts.values())) > width:
            del parts[spare.pop(0)]
        return " · ".join(parts.values())


def clock_time(seconds: float | None) -> str:
    """``3725`` → ``1:02:05``; None → ``-:--:--``."""
    if seconds is None:
        return "-:--:--"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
