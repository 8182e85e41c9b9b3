"""Records on stdin, from a producer that keeps it open: the end of the run is not the producer's to give."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from server import Server, error, good, sse

pytestmark = pytest.mark.anyio

ANSWER = sse(good("Article: A fact.\n\nQ1: Which one?\nA1: This"))
WRONG_KEY = error(401, {"error": {"message": "bad key", "code": "invalid_api_key"}})


def lines(count: int, start: int = 0) -> bytes:
    """So many records."""
    turn = [{"from": "human", "value": "Write."}]
    return b"".join(json.dumps({"id": n, "conversation": turn}).encode() + b"\n" for n in range(start, start + count))


@asynccontextmanager
async def command(server: Server, out: Path, *options: str, stdin: int = PIPE) -> AsyncIterator[Process]:
    """The command, reading stdin."""
    arguments = ["-", str(out), "--base-url", server.url, "--model", "m", "--progress", "none", *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "contextvqa_async", *arguments, stdin=stdin, stdout=DEVNULL, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def feed(process: Process, data: bytes) -> None:
    """Write, and leave the pipe open."""
    assert process.stdin is not None
    process.stdin.write(data)
    await process.stdin.drain()


async def ended(process: Process) -> tuple[int, str]:
    """The exit code and stderr of a process that ends with its stdin still open."""
    assert process.stderr is not None
    told = await asyncio.wait_for(process.stderr.read(), 20)
    return await asyncio.wait_for(process.wait(), 5), told.decode()


def count(path: Path) -> int:
    """How many rows there are."""
    return len(path.read_bytes().splitlines()) if path.exists() else 0


async def until(path: Path, rows: int) -> None:
    """Wait for so many rows."""
    while count(path) < rows:  # noqa: ASYNC110 - another process writes them
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "options", "code"),
    [(WRONG_KEY, (), 3), (ANSWER, ("--price-out", "1000", "--max-cost", "0.001"), 3), (ANSWER, ("--limit", "3"), 0)],
    ids=["wrong key", "max cost", "limit"],
)
async def test_a_run_that_stops_by_itself_ends(
    tmp_path: Path, script: bytes, options: tuple[str, ...], code: int
) -> None:
    """Whatever stops it, and though the next line never comes."""
    async with Server(script) as server, command(server, tmp_path / "o.jsonl", *options) as process:
        await feed(process, lines(3) + b'{"id": "half a li')
        assert (await ended(process))[0] == code


@pytest.mark.parametrize("sent", [0, 3], ids=["before any record", "between two records"])
@pytest.mark.parametrize(
    ("signals", "code"),
    [([signal.SIGTERM], 143), ([signal.SIGINT], 130), ([signal.SIGINT] * 2, 130), ([signal.SIGINT] * 4, 130)],
    ids=["SIGTERM", "Ctrl-C", "Ctrl-C twice", "Ctrl-C four times"],
)
async def test_a_run_that_is_stopped_ends(tmp_path: Path, signals: list[signal.Signals], code: int, sent: int) -> None:
    """Its thread hangs in a read for ever, and the process neither waits for it nor dies of it."""
    out = tmp_path / "o.jsonl"
    async with Server(ANSWER) as server, command(server, out) as process:
        await feed(process, lines(max(sent, 1)))
        await until(out, max(sent, 1))
        if not sent:
            await feed(process, b" \n")
        for number in signals:
            process.send_signal(number)
            await asyncio.sleep(0)
        exit_code, told = await ended(process)
        assert exit_code == code, told
        assert "Fatal" not in told
        assert "Traceback" not in told


async def test_a_non_blocking_stdin_is_read_to_its_end(tmp_path: Path) -> None:
    """Whoever shares a pipe may have made it non-blocking: nothing there yet is not its end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    out = tmp_path / "o.jsonl"
    async with Server(ANSWER) as server, command(server, out, stdin=reader) as process:
        os.close(reader)
        for start in (0, 2):
            os.write(writer, lines(2, start))
            await until(out, start + 2)
        os.close(writer)
        assert (await ended(process))[0] == 0
    assert count(out) == 4
