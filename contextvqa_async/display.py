"""Events in, what a person sees on stderr out: a live line (rich), or plain lines where there is no terminal.

    event loop ──► Display: counts and messages ──► its thread ──► Screen ──► stderr

Rule: nothing here decides anything, and nobody waits for it. stderr may be a pipe that nobody reads just now
(``2>&1 | less``, a log shipper that hangs) or a terminal that Ctrl-S has stopped, and then writing to it blocks. So one
daemon thread does all of it. What it has no time for is left out, and at the end it is waited for only so long.
"""

from __future__ import annotations

import io
import math
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO, cast

from contextvqa_async.items import Event, Notice
from contextvqa_async.progress import Meter

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DRAW_SECONDS = 0.25
"""Between two drawings: often enough for a spinner to turn."""

PLAIN_EVERY_SECONDS = 10.0

WIDE, BAR_WIDTH, BESIDE_LINE = 110, 20, 7
"""Columns: of a terminal that has room for a bar, of the bar, and of the spinner and the percentage with their gaps."""

MOST_MESSAGES = 1000
"""Messages that may wait for a stderr that is slow or stopped; those beyond are counted and left out."""

LAST_SECONDS = 3.0
"""How long the end of a run waits until everything is shown."""


class Screen(Protocol):
    """Writes for a person; each of its calls may block."""

    def tell(self, message: str) -> None:
        """Write a line that stays."""

    def draw(self, meter: Meter) -> None:
        """Show how far the run is."""

    def close(self) -> None:
        """Leave the terminal as it was; only ``tell`` is called after it."""


class Display:
    """Shows a run's events on ``screen`` (None: nowhere) without ever making its caller wait.

    A context manager: at its end it shows what :meth:`conclude` was given, and gives up after ``patience`` seconds.
    """

    def __init__(self, screen: Screen | None, *, patience: float = LAST_SECONDS) -> None:
        self._screen = screen
        self._patience = patience
        self._meter = Meter()
        self._messages: deque[str] = deque()
        self._left_out = self._confessed = 0
        self._conclusion = ""
        self._closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._show_all, name="contextvqa display", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        with suppress(KeyboardInterrupt):  # whoever presses Ctrl-C now wants no more than the end
            self._thread.join(self._patience)

    def __call__(self, event: Event) -> None:
        """Count an event; a notice is shown as soon as stderr takes it."""
        self._meter(event)
        if isinstance(event, Notice):
            self._post(event.message)

    def conclude(self, text: str) -> None:
        """Show ``text`` below everything else when the run is over."""
        self._conclusion = text

    def _post(self, message: str) -> None:
        if len(self._messages) < MOST_MESSAGES:
            self._messages.append(message)
            self._wake.set()
        else:
            self._left_out += 1

    def _show_all(self) -> None:
        """The thread: show what there is until the run is over, or nobody reads it any more."""
        if self._screen is None:
            return
        with suppress(OSError, ValueError):  # a closed pipe, a full disk; ValueError: the file is closed
            while not self._show(self._screen):
                self._wake.wait(DRAW_SECONDS)
                self._wake.clear()

    def _show(self, screen: Screen) -> bool:
        """Show what there is; whether it was the last."""
        last = self._closing  # looked at first, since messages may still come until it is set
        while self._messages:
            screen.tell(self._messages.popleft())
        if missing := self._left_out - self._confessed:
            self._confessed += missing
            screen.tell(f"({missing:,} messages are left out: nobody read them.)")
        if not last:
            screen.draw(self._meter)
            return False
        screen.close()
        if self._conclusion:
            screen.tell(self._conclusion)
        return True


class PlainScreen:
    """Messages as they come, and a line of counts every ten seconds, for logs; with ``every=math.inf``, no counts."""

    def __init__(
        self, out: TextIO, clock: Callable[[], float] = time.monotonic, *, every: float = PLAIN_EVERY_SECONDS
    ) -> None:
        self._out = out
        self._clock = clock
        self._every = every
        self._drawn = clock()

    def tell(self, message: str) -> None:
        self._out.write(message + "\n")
        self._out.flush()

    def draw(self, meter: Meter) -> None:
        if self._clock() - self._drawn >= self._every:
            self._drawn = self._clock()
            self.tell(meter.line())

    def close(self) -> None:
        pass


class RichScreen:
    """One live line with a bar; messages scroll by above it."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

        self._out = out
        console = Console(file=out)
        self._beside = BESIDE_LINE + (BAR_WIDTH + 1 if console.width >= WIDE else 0)
        self._progress: Progress = Progress(
            *[SpinnerColumn(), TextColumn("{task.fields[line]}", markup=False)],
            *([BarColumn(bar_width=BAR_WIDTH)] if console.width >= WIDE else []),
            TaskProgressColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,  # or whatever the loop's libraries write would wait for the terminal
            redirect_stderr=False,
        )
        self._task: TaskID = self._progress.add_task("", total=None, line="starting")
        self._live = False
        self._closed = False

    def tell(self, message: str) -> None:
        if self._closed:
            self._out.write(message + "\n")
        else:
            self._progress.console.print(message, markup=False, highlight=False)

    def draw(self, meter: Meter) -> None:
        if not self._live:
            self._progress.start()
            self._live = True
        line = meter.line(self._progress.console.width - self._beside)  # the terminal's width just now
        completed = meter.completed()
        total = None if completed is None else 1.0
        self._progress.update(self._task, line=line, total=total, completed=completed, refresh=True)

    def close(self) -> None:
        if self._live:
            self._progress.stop()
        self._closed = True


def open_display(mode: str, out: TextIO | None = None) -> Display:
    """The display for ``--progress`` auto, rich, plain or none; ``auto`` is rich on a terminal, else plain.

    It writes to ``out``, or to stderr; in a process that has none, it shows nothing.
    """
    out = out or sys.stderr
    if out is None:
        return Display(None)
    out = _unbuffered(out)
    if mode == "none":
        return Display(PlainScreen(out, every=math.inf))
    if mode == "rich" or (mode == "auto" and out.isatty()):
        return Display(RichScreen(out))
    return Display(PlainScreen(out))


class _Descriptor(io.TextIOBase):
    """Text written to a file's descriptor, past its buffer.

    A thread that hangs in a write holds the buffer's lock for ever, which ends the interpreter's exit in a fatal error.
    """

    def __init__(self, file: TextIO) -> None:
        self._fd = file.fileno()
        self._encoding = file.encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def write(self, text: str) -> int:
        rest = memoryview(text.encode(self._encoding, "backslashreplace"))
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # made non-blocking by whoever shares it
                select.select([], [self._fd], [])
        return len(text)


def _unbuffered(out: TextIO) -> TextIO:
    """The same file without its buffer, where it is a file of the system's."""
    try:
        return out if sys.platform == "win32" else cast(TextIO, _Descriptor(out))
    except (AttributeError, OSError, ValueError):  # a file in memory
        return out
