"""Events in, what a person sees on stderr out: a live line (rich), or plain lines where there is no terminal.

Rule: nothing here decides anything; a run is the same with and without it.
"""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from contextvqa_async.items import Advanced, Event, Failure, Notice, Paused, Row, Settled, Started

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WINDOW_SECONDS = 60.0
"""Rates are means over the last minute: long enough to be calm, short enough to follow a change."""

PLAIN_EVERY_SECONDS = 10.0


class Display(Protocol):
    """Shows a run's events to a person."""

    def __call__(self, event: Event) -> None: ...

    def tick(self) -> None:
        """Redraw what changes with time; called twice a second."""

    def close(self) -> None:
        """The run is over; leave the terminal as it was."""


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

    def line(self) -> str:
        """All of it in one line."""
        records, tokens = self.rates()
        pause = self._paused_until - self._clock()
        left = self.remaining_seconds() if pause <= 0 else None
        parts = [f"{self.done:,} done", f"{self.failed:,} failed", f"{self.seen.skipped:,} skipped"]
        parts += [f"{records:,.1f} records/s", f"{tokens:,.0f} tokens/s"]
        wait = [f"waits {clock_time(pause)} as asked"] if pause > 0 else []
        return " · ".join([*parts, *wait, f"ETA {clock_time(left)}"])


def clock_time(seconds: float | None) -> str:
    """``3725`` → ``1:02:05``; None → ``-:--:--``."""
    if seconds is None:
        return "-:--:--"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


class PlainDisplay:
    """Notices as they come, and a line of counts every ten seconds, for logs; with ``every=math.inf``, no counts."""

    def __init__(
        self, out: TextIO, clock: Callable[[], float] = time.monotonic, *, every: float = PLAIN_EVERY_SECONDS
    ) -> None:
        self._meter = Meter(clock)
        self._out = out
        self._clock = clock
        self._every = every
        self._printed = clock()

    def __call__(self, event: Event) -> None:
        self._meter(event)
        if isinstance(event, Notice):
            print(event.message, file=self._out, flush=True)

    def tick(self) -> None:
        if self._clock() - self._printed >= self._every:
            self._printed = self._clock()
            print(self._meter.line(), file=self._out, flush=True)

    def close(self) -> None:
        pass


class RichDisplay:
    """One live line with a bar; notices scroll by above it."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

        self._meter = Meter()
        self._progress: Progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[line]}", markup=False),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            console=Console(file=out),
            refresh_per_second=4,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("", total=None, line="starting")
        self._progress.start()

    def __call__(self, event: Event) -> None:
        self._meter(event)
        if isinstance(event, Notice):
            self._progress.console.print(event.message, markup=False, highlight=False)

    def tick(self) -> None:
        completed = self._meter.completed()
        if completed is None:
            self._progress.update(self._task, line=self._meter.line())
        else:
            self._progress.update(self._task, line=self._meter.line(), total=1.0, completed=completed)

    def close(self) -> None:
        self._progress.stop()


def open_display(mode: str, out: TextIO | None = None) -> Display:
    """The display for ``--progress`` auto, rich, plain or none; ``auto`` is rich on a terminal, else plain."""
    out = out or sys.stderr
    if mode == "none":
        return PlainDisplay(out, every=math.inf)
    if mode == "rich" or (mode == "auto" and out.isatty()):
        return RichDisplay(out)
    return PlainDisplay(out)


class TolerantDisplay:
    """Passes events on until the first write error, so that neither a closed pipe nor a full disk stops the run.

    ``inner`` is None in a process without a stderr: nothing is shown.
    """

    def __init__(self, inner: Display | None) -> None:
        self._inner = inner

    def __call__(self, event: Event) -> None:
        self._do(lambda inner: inner(event))

    def tick(self) -> None:
        self._do(lambda inner: inner.tick())

    def close(self) -> None:
        self._do(lambda inner: inner.close())

    def _do(self, work: Callable[[Display], None]) -> None:
        try:
            if self._inner is not None:
                work(self._inner)
        except (OSError, ValueError):  # ValueError: the file is closed
            self._inner = None
