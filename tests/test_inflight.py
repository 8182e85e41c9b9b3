"""The byte budget: bounded, fair, and nothing leaks when a waiter is cancelled."""

from __future__ import annotations

import random

import anyio
import pytest
from anyio.lowlevel import checkpoint

from contextvqa_async.inflight import ByteBudget

pytestmark = pytest.mark.anyio


async def test_what_does_not_fit_waits_until_something_is_given_back() -> None:
    """Never more than the capacity, and first come, first served."""
    budget, order = ByteBudget(100), []

    async def load(name: str, size: int, done: anyio.Event) -> None:
        with budget.claim() as claim:
            await claim.take(size)
            order.append(name)
            await done.wait()

    first, rest = anyio.Event(), anyio.Event()
    rest.set()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(load, "a", 80, first)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(load, "b", 60, rest)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(load, "c", 10, rest)
        await anyio.wait_all_tasks_blocked()
        assert order == ["a"], "a small one does not overtake"
        first.set()
    assert order == ["a", "b", "c"]
    assert budget.used == 0


async def test_one_larger_than_all_goes_alone() -> None:
    """It is not refused, and does not wait for ever."""
    budget = ByteBudget(100)
    with budget.claim() as claim:
        await claim.take(10_000)
        assert budget.used == 100
    assert budget.used == 0


@pytest.mark.parametrize("seed", range(20))
async def test_cancelling_at_any_moment_leaks_nothing(seed: int) -> None:
    """After a storm of cancelled claims the whole budget is free again."""
    rng, budget = random.Random(seed), ByteBudget(100)

    async def load() -> None:
        with anyio.CancelScope() as scope, budget.claim() as claim:
            tasks.start_soon(cancel, scope, rng.randrange(8))
            await claim.take(rng.randrange(1, 120))
            assert budget.used <= budget.capacity
            for _ in range(rng.randrange(8)):
                await checkpoint()

    async def cancel(scope: anyio.CancelScope, turns: int) -> None:
        for _ in range(turns):
            await checkpoint()
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        for _ in range(60):
            tasks.start_soon(load)
    assert budget.used == 0
    with budget.claim() as claim:
        await claim.take(100)


async def test_a_claim_gives_back_what_it_does_not_need() -> None:
    """Others go on at once; shrinking below nothing is nothing."""
    budget = ByteBudget(100)
    with budget.claim() as claim:
        await claim.take(100)
        claim.shrink(30)
        assert budget.used == 30
        claim.shrink(50)
        assert budget.used == 30
        with budget.claim() as other:
            await other.take(70)
    assert budget.used == 0
