"""Blocking calls beside the loop: bounded, timed, and never in the way of each other or of the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from contextvqa_async import threads as module
from contextvqa_async.threads import Threads, TooManyHungError


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nobody writes to: reading it hangs, as a dead mount does."""
    read, write = os.pipe()
    yield read, write
    os.close(write)
    os.close(read)


async def test_results_and_errors_come_back() -> None:
    """A call's value is returned, its exception raised, and a thread is used again."""
    threads = Threads()
    first = await threads.run(threading.get_ident, time_limit=5)
    assert first != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0, time_limit=5)
    assert await threads.run(threading.get_ident, time_limit=5) == first


async def test_a_hanging_call_does_not_starve_the_next(pipe: tuple[int, int]) -> None:
    """With one place, and a call that hangs in it, the next call still runs."""
    threads = Threads(brisk=1, patience=0.01)
    hanging = asyncio.create_task(threads.run(lambda: os.read(pipe[0], 1), time_limit=30))
    await asyncio.sleep(0)
    assert await threads.run(lambda: "done", time_limit=5) == "done"
    os.write(pipe[1], b"x")
    assert await hanging == b"x"


async def test_a_call_past_its_limit_is_abandoned(pipe: tuple[int, int]) -> None:
    """The caller is told in time; the thread goes on, and its late answer disturbs nobody."""
    threads = Threads()
    with pytest.raises(TimeoutError):
        await threads.run(lambda: os.read(pipe[0], 1), time_limit=0.01)
    os.write(pipe[1], b"x")
    assert await threads.run(lambda: 1, time_limit=5) == 1


async def test_too_many_hanging_calls_are_told(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hanging call holds a thread, so that their number has a bound."""
    monkeypatch.setattr(module, "MAX_HUNG", 2)
    threads = Threads()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await threads.run(lambda: os.read(pipe[0], 1), time_limit=0.01)
    with pytest.raises(TooManyHungError):
        await threads.run(lambda: 1, time_limit=5)
    os.write(pipe[1], b"xx")


async def test_a_hanging_call_that_comes_back_is_counted_no_more(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount that recovers gives its threads back."""
    monkeypatch.setattr(module, "MAX_HUNG", 1)
    threads, back = Threads(), asyncio.Event()
    settle = threads._settle

    def note(*settled: Any) -> None:
        settle(*settled)
        back.set()

    monkeypatch.setattr(threads, "_settle", note)
    with pytest.raises(TimeoutError):
        await threads.run(lambda: os.read(pipe[0], 1), time_limit=0.01)
    os.write(pipe[1], b"x")
    await back.wait()
    assert await threads.run(lambda: 1, time_limit=5) == 1


async def test_heavy_calls_are_few_at_a_time() -> None:
    """Decoding holds its place until it is done, since it costs memory."""
    threads, at_once, most = Threads(heavy=2), 0, 0
    lock, both = threading.Lock(), threading.Event()

    def decode() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            if at_once == 2:
                both.set()
        both.wait(5)
        with lock:
            at_once -= 1

    await asyncio.gather(*(threads.run(decode, time_limit=10, heavy=True) for _ in range(8)))
    assert most == 2


def test_a_hanging_call_does_not_keep_the_interpreter() -> None:
    """A process ends though a thread of it hangs for ever."""
    code = """
import asyncio, os
from contextvqa_async.threads import Threads
async def main():
    try:
        await Threads().run(lambda: os.read(os.pipe()[0], 1), time_limit=0.01)
    except TimeoutError:
        print("told")
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "told\n"
    assert ended.stderr == ""
