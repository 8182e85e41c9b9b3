"""Requests and tokens a minute."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contextvqa_async.pacing.budgets import RequestBudget, TokenBudget


def spend_all(budget: RequestBudget, demand: list[float], until: float = math.inf) -> list[float]:
    """When requests start that come in at ``demand``, one after the other."""
    starts, now = [], 0.0
    for comes in demand:
        now = max(now, comes, budget.ready())
        if now > until:
            break
        budget.spend(now)
        starts.append(now)
    return starts


def most_in_a_minute(starts: list[float]) -> int:
    """The most starts in any closed window of 60 seconds."""
    most, first = 0, 0
    for last, start in enumerate(starts):
        while start - starts[first] > 60:
            first += 1
        most = max(most, last - first + 1)
    return most


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(st.integers(1, 400), st.floats(0.2, 90)),
    st.lists(st.floats(0, 30), min_size=1, max_size=500),
)
def test_no_minute_holds_more_than_its_requests(rpm: float, pauses: list[float]) -> None:
    """Whatever the demand, no sliding minute has more starts than allowed (a fraction counts as one, once)."""
    demand = [sum(pauses[:n]) for n in range(len(pauses))]
    assert most_in_a_minute(spend_all(RequestBudget(rpm), demand)) <= math.ceil(rpm)


@pytest.mark.parametrize("rpm", [0.5, 1, 1.5, 7, 60, 60.5, 1000])
def test_little_of_the_allowed_rate_is_lost(rpm: float) -> None:
    """Where requests always wait, at least 97 % of the rate is used, and never more than all."""
    minutes = 20 if rpm > 5 else 200
    starts = spend_all(RequestBudget(rpm), [0.0] * int(rpm * minutes * 2), until=minutes * 60.0)
    assert 0.97 * rpm * minutes - 1 <= len(starts) <= rpm * minutes + 1 + 3 * rpm / 60


def test_requests_are_spread() -> None:
    """A minute's requests do not come in its first seconds."""
    starts = spend_all(RequestBudget(60), [0.0] * 60)
    assert starts[30] > 25


@pytest.mark.parametrize("tokens", [100, 1500, 6000])
@pytest.mark.parametrize("seconds", [0.5, 20.0])
def test_tokens_a_minute_are_kept_within_a_tenth(tokens: int, seconds: float) -> None:
    """Once the first minute has passed, each minute uses 90 to 110 % of the tokens, whatever a request costs."""
    tpm, rng = 60_000.0 if tokens < 6000 else 240_000.0, random.Random(1)
    budget = TokenBudget(tpm)
    now, running, used = 0.0, list[tuple[float, float, int]](), dict[int, int]()
    while now < 600:
        now = max(now, min([budget.ready(), *(end for end, _, _ in running)]))
        for end, charged, cost in [each for each in running if each[0] <= now]:
            budget.settle(charged, cost)
            running.remove((end, charged, cost))
        if budget.ready() <= now:
            cost = round(tokens * rng.uniform(0.5, 1.5))
            running.append((now + seconds, budget.spend(now), cost))
            used[int(now // 60)] = used.get(int(now // 60), 0) + cost
    for minute in range(1, 10):
        assert 0.9 * tpm <= used[minute] <= 1.1 * tpm + 1.5 * tokens  # the last may be the dearest


def test_a_request_dearer_than_a_minute_still_starts() -> None:
    """One request may cost more than a minute has; the next waits for it."""
    budget = TokenBudget(100)
    assert budget.ready() <= 0
    budget.settle(budget.spend(0.0), 300)
    assert budget.ready() == pytest.approx(177)
