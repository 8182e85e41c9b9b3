"""kill -9, again and again, seen from outside: nothing done is lost, doubled, torn or asked again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web

pytestmark = pytest.mark.anyio

CONCURRENCY = 8
RECORDS = 2500
KILLS = 50


class Endpoint:
    """Answers at once with a pair that names the record, and counts how often each was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answered = 0
        self.base_url = ""
        self._progress = anyio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = body["messages"][-1]["content"].rpartition(" ")[2]
        self.asked[name] += 1
        self.answered += 1
        self._progress.set()
        text = f"Article: On {name}.\n\nQ1: Which one is this?\nA1: {name}"
        chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}], "model": "m"}
        stream = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
        return web.Response(text=stream, content_type="text/event-stream")

    async def until_answered(self, count: int) -> None:
        """Wait until so many answers were given in all."""
        while self.answered < count:
            self._progress = anyio.Event()
            await self._progress.wait()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Endpoint]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()


def write_input(path: Path, count: int) -> None:
    path.write_text(
        "".join(
            json.dumps({"id": f"r{n}", "conversation": [{"from": "human", "value": f"Write about r{n}"}]}) + "\n"
            for n in range(count)
        )
    )


def command(folder: Path, endpoint: Endpoint) -> list[str]:
    options = [
        "--base-url",
        endpoint.base_url,
        "--concurrency",
        str(CONCURRENCY),
        "--progress",
        "none",
        "--no-adaptive",
    ]
    return [sys.executable, "-m", "contextvqa_async", str(folder / "in.jsonl"), str(folder / "out.jsonl"), *options]


def whole_rows(path: Path) -> list[dict[str, Any]]:
    """The rows that a reader finds; a torn tail is no row yet."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines if line.strip(b"\0")]


def tear(path: Path, rng: random.Random) -> None:
    """What a power cut may leave behind the last committed row: half a row, zeros, or both."""
    if not path.exists():
        return
    half = b'{"id":"r7","vqa":"Article: On r7'[: rng.randrange(1, 33)]
    path.write_bytes(path.read_bytes() + rng.choice([half, b"\0" * rng.randrange(1, 9000), half + b"\0" * 512]))


@pytest.mark.timeout(300)
async def test_fifty_kills_at_random_moments(tmp_path: Path) -> None:
    """Each row once, none torn, and at most what was in flight is asked again; the tail torn in half of the kills."""
    rng = random.Random(20261122)
    write_input(tmp_path / "in.jsonl", RECORDS)
    out = tmp_path / "out.jsonl"
    async with Endpoint().serve() as endpoint:
        for kill in range(KILLS):
            process = await anyio.open_process(command(tmp_path, endpoint), stderr=subprocess.PIPE)
            async with process:
                with anyio.move_on_after(30):
                    await endpoint.until_answered(endpoint.answered + rng.randrange(1, 2 * RECORDS // KILLS))
                process.send_signal(signal.SIGKILL)
                await process.wait()
            rows = whole_rows(out)
            assert len({row["id"] for row in rows}) == len(rows), f"doubled after kill {kill}"
            if kill % 2:
                tear(out, rng)
        done_before = {row["id"] for row in whole_rows(out)}
        asked_before = Counter(endpoint.asked)
        result = await anyio.run_process(command(tmp_path, endpoint), check=False)
        assert result.returncode == 0, result.stderr.decode()
    rows = whole_rows(out)
    assert sorted(row["id"] for row in rows) == sorted(f"r{n}" for n in range(RECORDS))
    assert all(row["context_vqa"]["qas"] == [{"question": "Which one is this?", "answer": row["id"]}] for row in rows)
    assert not any(endpoint.asked[done] > asked_before[done] for done in done_before), "asked again though done"
    assert endpoint.asked.total() <= RECORDS + KILLS * CONCURRENCY
    assert out.read_bytes().endswith(b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.skipif(
    sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="run under nohup"
)
async def test_one_signal_drains_and_the_next_run_asks_only_the_rest(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Nothing that was answered is asked again; the exit code names the signal."""
    write_input(tmp_path / "in.jsonl", 400)
    async with Endpoint().serve() as endpoint:
        process = await anyio.open_process(command(tmp_path, endpoint), stderr=subprocess.PIPE)
        async with process:
            await endpoint.until_answered(40)
            os.kill(process.pid, number)
            assert await process.wait() == code
        assert 0 < len(whole_rows(tmp_path / "out.jsonl")) < 400
        assert (await anyio.run_process(command(tmp_path, endpoint), check=False)).returncode == 0
        assert len(whole_rows(tmp_path / "out.jsonl")) == 400
        assert endpoint.asked.total() == 400
