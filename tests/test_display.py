"""What a run shows, and that no run waits for whoever should read it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from server import Exchange, Server, error, good, sse
from watching import Clock, rows

from contextvqa_async import display as module
from contextvqa_async.display import Display, PlainScreen, RichScreen, open_display
from contextvqa_async.items import Advanced, Notice
from contextvqa_async.progress import Meter

ANSWER = sse(good("Article: A fact.\n\nQ1: Which one?\nA1: This"))
FAULT = error(500, {"error": {"message": "internal error " + "x" * 200}})


def test_plain_lines_come_every_ten_seconds_and_messages_at_once() -> None:
    """A log of a long run stays short."""
    clock, out = Clock(), io.StringIO()
    screen, meter = PlainScreen(out, clock), Meter(clock)
    for _ in range(30):
        clock.now += 1
        meter(rows(1))
        screen.draw(meter)
    screen.tell("the server asks to wait")
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("10 done")
    assert lines[-1] == "the server asks to wait"


@pytest.mark.parametrize("mode", ["auto", "plain", "none", "rich"])
def test_every_display_shows_notices_and_the_conclusion(mode: str) -> None:
    """In their order, and square brackets are words, not markup; a bar is gone when the run is over."""
    out = io.StringIO()
    with open_display(mode, out) as display:
        display(Advanced(read=5, skipped=0, duplicates=0, fraction=0.5))
        display(rows(5))
        display(Notice(message="[bold]hear[/] 'x'"))
        display.conclude("5 done")
    assert out.getvalue().startswith("[bold]hear[/] 'x'")
    assert out.getvalue().endswith("\n5 done\n")


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_live_line_is_there_while_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the counts of the run."""
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    screen, meter = RichScreen(out), Meter()
    meter(Advanced(read=5, skipped=0, duplicates=0, fraction=0.5))
    meter(rows(5))
    screen.draw(meter)
    screen.draw(meter)
    screen.close()
    assert "5 done" in out.getvalue()


def test_a_run_is_not_ended_by_whoever_stopped_reading_it() -> None:
    """``2>&1 | head``, or a log on a full disk: the answers in flight are paid for."""
    reader, writer = os.pipe()
    with open(writer, "w") as out, open_display("none", out) as display:
        display(Notice(message="heard"))
        assert os.read(reader, 100) == b"heard\n"
        os.close(reader)
        display(Notice(message="lost"))
        display.conclude("lost, too")


def test_a_process_without_a_stderr_has_nobody_to_tell() -> None:
    """As under a supervisor that closed it."""
    with Display(None) as display:
        display(Notice(message="lost"))


class SlowScreen:
    """A screen that takes a message only when it may."""

    def __init__(self) -> None:
        self.gate, self.called = threading.Event(), threading.Event()
        self.told: list[str] = []

    def tell(self, message: str) -> None:
        self.called.set()
        assert self.gate.wait(30)
        self.told.append(message)

    def draw(self, meter: Meter) -> None:
        pass

    def close(self) -> None:
        pass


def test_what_a_stopped_terminal_does_not_take_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages that come meanwhile neither wait, nor gather without end, nor are missed in silence."""
    monkeypatch.setattr(module, "MOST_MESSAGES", 3)
    screen = SlowScreen()
    with Display(screen, patience=30) as display:
        display(Notice(message="first"))
        assert screen.called.wait(30)
        for number in range(10):
            display(Notice(message=str(number)))
        display.conclude("the end")
        screen.gate.set()
    assert screen.told == ["first", "0", "1", "2", "(7 messages are left out: nobody read them.)", "the end"]


def test_the_end_waits_only_so_long_for_a_stopped_terminal() -> None:
    """The exit code is due, whether or not the summary is read."""
    screen = SlowScreen()
    with Display(screen, patience=0.01) as display:
        display.conclude("the end")
    screen.gate.set()


# A process whose stderr nobody reads.


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """A pipe that takes nothing more: ``2>&1 | less`` at its first page, a log shipper that hangs."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    yield writer
    os.close(writer)
    os.close(reader)


@pytest.fixture
def stopped_terminal() -> Iterator[int]:
    """A terminal in which somebody pressed Ctrl-S."""
    termios = pytest.importorskip("termios")
    master, slave = os.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    yield slave
    termios.tcflow(slave, termios.TCOON)
    os.close(slave)
    os.close(master)


Start = Callable[..., Any]


@pytest.fixture(params=[("full_pipe", "none"), ("stopped_terminal", "rich")], ids=["pipe", "terminal"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """Starts the command with a stderr that takes nothing, and the display that such a stderr has."""
    file, progress = request.param
    stderr = request.getfixturevalue(file)
    turn = [{"from": "human", "value": "Write."}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"id": n, "conversation": turn}) + "\n" for n in range(20)))

    async def start(server: Server) -> Process:
        files = [str(tmp_path / "in.jsonl"), str(tmp_path / "o.jsonl")]
        arguments = [*files, "--base-url", server.url, "-v", "--progress", progress]
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "contextvqa_async", *arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=stderr
        )

    return start


async def ended(process: Process) -> int:
    """The exit code; a process that hangs is killed."""
    try:
        return await asyncio.wait_for(process.wait(), 30)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise


async def flaky(exchange: Exchange) -> None:
    """A server that fails the first requests, which --verbose tells."""
    await (FAULT if exchange.number < 4 else ANSWER)(exchange)


@pytest.mark.anyio
async def test_a_run_whose_display_nobody_reads_goes_on_to_its_end(start: Start, tmp_path: Path) -> None:
    """With messages of retries, with a live line, and with a summary that nobody sees."""
    async with Server(flaky) as server:
        process = await start(server)
        assert await ended(process) == 0
    assert len((tmp_path / "o.jsonl").read_bytes().splitlines()) == 20


@pytest.mark.anyio
async def test_a_run_whose_display_nobody_reads_obeys_signals(start: Start) -> None:
    """Two of them end it at once (in either order: two that are pending have none)."""
    asked = asyncio.Event()

    async def hanging(exchange: Exchange) -> None:
        if exchange.number < 2:
            await FAULT(exchange)
            return
        asked.set()
        await exchange.server.done.wait()

    async with Server(hanging) as server:
        process = await start(server)
        await asked.wait()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert await ended(process) in (130, 143)


def test_a_shared_non_blocking_stderr_loses_nothing() -> None:
    """A pipe that takes no more just now is waited for, in the display's thread."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    text = "\n".join("x" * 99 for _ in range(2000))
    out: TextIO
    with open(writer, "w") as out, open_display("none", out) as display:
        display(Notice(message=text))
        display.conclude("the end")
        found = b""
        while len(found) < len(text):
            found += os.read(reader, 1 << 16)
    assert found + os.read(reader, 100) == f"{text}\nthe end\n".encode()
    os.close(reader)
