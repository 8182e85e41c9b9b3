"""The pace against a real server on loopback that hides a limit; the simulations in test_pacing.py go further."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import anyio
import pytest
from aiohttp import web

from contextvqa_async.admission import Admission
from contextvqa_async.config import Limits
from contextvqa_async.pacing import Ended, Outcome, wait_hint

ANSWER_SECONDS = 0.05
HIDDEN = 8
RECORDS = 400


@dataclass
class Counter:
    """What a server saw."""

    active: int = 0
    most: int = 0
    refused: int = 0
    served: int = 0


async def answer(request: web.Request, seconds: Callable[[], float]) -> web.StreamResponse:
    """A stream of four pieces."""
    response = web.StreamResponse()
    await asyncio.sleep(seconds() / 5)
    await response.prepare(request)
    for _ in range(4):
        await response.write(b"data: piece\n\n")
        await asyncio.sleep(seconds() / 5)
    return response


@asynccontextmanager
async def server(counter: Counter, *, refuses: bool) -> AsyncIterator[str]:
    """Answers HIDDEN at once; beyond that it refuses, or slows everybody down."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if refuses and counter.active >= HIDDEN:
            counter.refused += 1
            return web.Response(status=429)
        counter.active += 1
        counter.most = max(counter.most, counter.active)
        try:
            response = await answer(request, lambda: ANSWER_SECONDS * max(1.0, counter.active / HIDDEN))
            counter.served += 1
            return response
        finally:
            counter.active -= 1

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def ask(session: aiohttp.ClientSession, admission: Admission, url: str) -> None:
    """One record: until it is answered."""
    again = False
    while True:
        async with admission.slot(again=again) as slot, session.post(url) as response:
            if response.status == 429:
                wait = wait_hint(response.headers, await response.text(), time.time())
                slot.settle(Ended(Outcome.RATE, wait=wait))
                again = True
                continue
            pieces = 0
            async for _ in response.content.iter_any():
                pieces += 1
                slot.progress(pieces)
            slot.settle(Ended(Outcome.OK, headers=response.headers, completion_tokens=4))
            return


async def seconds_of_a_run(url: str, limits: Limits) -> float:
    """How long RECORDS take."""
    admission = Admission([url], limits)
    began = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        left = iter(range(RECORDS))

        async def work() -> None:
            for _ in left:
                await ask(session, admission, url)

        async with anyio.create_task_group() as tasks:
            for _ in range(limits.concurrency):
                tasks.start_soon(work)
    return time.monotonic() - began


@pytest.mark.parametrize("refuses", [True, False], ids=["429", "slower"])
async def test_the_hidden_limit_of_a_real_server_is_found(refuses: bool) -> None:
    """As fast as with the limit known, but for a tenth (and the noise of a busy machine); less than 2 % refused."""
    ours, fixed = Counter(), Counter()
    async with server(fixed, refuses=refuses) as url:
        known = await seconds_of_a_run(url, Limits(concurrency=HIDDEN, no_adaptive=True))
    async with server(ours, refuses=refuses) as url:
        found = await seconds_of_a_run(url, Limits(concurrency=64))
    assert ours.served == fixed.served == RECORDS
    assert ours.refused < 0.02 * (RECORDS + ours.refused)
    assert ours.most < 64
    assert known / found >= 0.85
