"""What endpoints tell of waiting (wire quirks E-30 to E-33)."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contextvqa_async.pacing.hints import Quota, backoff, quotas, wait_hint

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT

TOLD = [
    ({"retry-after-ms": "1500"}, "", 1.5),
    ({"Retry-After": "2"}, "", 2.0),
    ({"retry-after": "1.5"}, "", 1.5),
    ({"retry-after": " 7 "}, "", 7.0),
    ({"retry-after": "20s"}, "", 20.0),
    ({"Retry-After": "Tue, 14 Nov 2023 22:13:30 GMT"}, "", 10.0),
    ({}, "Rate limit reached. Please try again in 18.642s. Visit", 18.642),
    ({}, "Please try again in 644ms.", 0.644),
    ({}, "Please try again in 6m0s", 360.0),
    ({}, "Please try again in 1h2m3s.", 3723.0),
    ({}, "please retry after 2 seconds", 2.0),
    ({}, "Please retry in 55.576865699s.", 55.576865699),
    ({}, '{"details": [{"retryDelay": "34s"}]}', 34.0),
    ({}, '{\\"retryDelay\\": \\"34s\\"}', 34.0),
    ({}, '{"retry_after": 7}', 7.0),
    ({}, "next_flush_time: 2023-11-14 22:20:00", 400.0),
    ({}, '{"next_flush_time": 1700000060000}', 60.0),
    ({"x-ratelimit-reset-requests": "12ms"}, "", 0.012),
    ({"x-ratelimit-reset-tokens": "6m0s"}, "", 360.0),
    ({"x-ratelimit-reset-requests": "2m59.56s"}, "", 179.56),
    ({"x-ratelimit-reset-tokens_usage_based": "3"}, "", 3.0),
    ({"X-RateLimit-Reset": "1700000010000"}, "", 10.0),
    ({"x-ratelimit-reset": "1700000010"}, "", 10.0),
    ({"anthropic-ratelimit-requests-reset": "2023-11-14T22:13:30Z"}, "", 10.0),
    ({"ratelimitbysize-reset": "38"}, "", 38.0),
]

UNBELIEVABLE = ["", " ", "-3", "nan", "inf", "-inf", "0", "0.0", "soon", "1e999", "Tue, 14 Nov 2023 22:13:10 GMT", "²"]


@pytest.mark.parametrize(("headers", "message", "seconds"), TOLD)
def test_each_form_of_a_hint_is_read(headers: dict[str, str], message: str, seconds: float) -> None:
    """E-30, E-32, E-33: what the endpoint asks is what we wait."""
    assert wait_hint(headers, message, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("name", ["retry-after-ms", "retry-after", "x-ratelimit-reset-requests"])
@pytest.mark.parametrize("value", UNBELIEVABLE)
def test_what_cannot_be_is_no_hint(name: str, value: str) -> None:
    """E-30: negative, endless, empty, past and unreadable values are ignored, and zero means the own back-off."""
    assert wait_hint({name: value}, "", NOW) is None
    assert wait_hint({name: value}, "try again in 5s", NOW) == 5.0


def test_the_order_of_trust() -> None:
    """E-30: retry-after-ms, retry-after, the words, the resets."""
    headers = {"x-ratelimit-reset-requests": "9s", "retry-after": "7", "retry-after-ms": "6000"}
    message = "try again in 8s"
    assert wait_hint(headers, message, NOW) == 6.0
    assert wait_hint({**headers, "retry-after-ms": "x"}, message, NOW) == 7.0
    assert wait_hint({"x-ratelimit-reset-requests": "9s"}, message, NOW) == 8.0
    assert wait_hint({"x-ratelimit-reset-requests": "9s"}, "", NOW) == 9.0


def test_the_reset_of_what_is_short_counts() -> None:
    """All that is used up has to be renewed; else what has the smallest share left, or else comes first."""
    resets = {"x-ratelimit-reset-requests": "6h1m0s", "x-ratelimit-reset-tokens": "40s"}

    def wait(**told: str) -> float | None:
        return wait_hint(
            resets | {f"x-ratelimit-{name.replace('_', '-')}": value for name, value in told.items()}, "", NOW
        )

    assert wait() == 40.0
    assert wait(remaining_requests="14002", remaining_tokens="150") == 40.0
    limits = {"limit_requests": "14400", "limit_tokens": "30000"}
    assert wait(remaining_requests="14002", remaining_tokens="150", **limits) == 40.0
    assert wait(remaining_requests="3", remaining_tokens="29000", **limits) == 21_660.0
    assert wait(remaining_requests="0", remaining_tokens="150", **limits) == 21_660.0
    assert wait(remaining_requests="500", remaining_tokens="0") == 40.0
    assert wait(remaining_requests="0", remaining_tokens="0") == 21_660.0
    assert wait(remaining_requests="-1", remaining_tokens="0", limit_requests="0") == 40.0
    assert wait(remaining_requests="14002", **limits) == 40.0
    assert wait(remaining_requests="144", **limits) == 21_660.0
    anthropic = {
        "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:20Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:13:30Z",
    }
    assert wait_hint(anthropic, "", NOW) == 10.0


@pytest.mark.parametrize("skew", [-900, -30, 0, 30, 900])
@pytest.mark.parametrize(
    "told",
    [
        {"Retry-After": "Tue, 14 Nov 2023 22:13:23 GMT"},
        {"x-ratelimit-reset": "1700000003"},
        {"X-RateLimit-Reset": "1700000003000"},
        {"anthropic-ratelimit-requests-reset": "2023-11-14T22:13:23Z"},
    ],
)
def test_a_moment_is_held_against_the_clock_of_its_server(told: dict[str, str], skew: float) -> None:
    """This machine's clock may be off: 3 seconds stay 3 seconds."""
    date = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    assert wait_hint(told | date, "", NOW + skew) == 3.0
    assert wait_hint(date, "next_flush_time: 2023-11-14 22:13:23", NOW + skew) == 3.0
    reset = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1700000003"}
    assert quotas(reset | date, NOW + skew) == [Quota(scope="requests", remaining=0, reset=3)]
    assert wait_hint(told | {"Date": "today"}, "", NOW) == 3.0


def test_allowances_are_read_and_garbage_is_not() -> None:
    """E-33: Azure's -1 means unknown, and an allowance without a reset says nothing."""
    headers = {
        "X-RateLimit-Remaining-Requests": "3",
        "x-ratelimit-reset-requests": "1.5s",
        "x-ratelimit-remaining-tokens": "-1",
        "x-ratelimit-reset-tokens": "6s",
    }
    assert quotas(headers, NOW) == [Quota(scope="requests", remaining=3, reset=1.5)]
    assert quotas({"x-ratelimit-remaining-requests": "0"}, NOW) == []


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset"]), st.text()), st.text())
def test_no_text_breaks_the_reader(headers: dict[str, str], message: str) -> None:
    """Whatever comes: a positive, finite number of seconds, or None."""
    wait = wait_hint(headers, message, NOW)
    assert wait is None or (0 < wait < math.inf)


@given(st.from_regex(r"(try again in|retryDelay\": \"|retry after|next_flush_time) ?[-0-9.:hmsTZ+ ]{0,40}"))
def test_no_time_breaks_the_reader(message: str) -> None:
    """The same for texts that look like times."""
    wait = wait_hint({"retry-after": message[-20:]}, message, NOW)
    assert wait is None or (0 < wait < math.inf)


@given(st.integers(min_value=-1, max_value=10_000), st.integers())
def test_backoff_doubles_within_bounds(attempt: int, seed: int) -> None:
    """Half to all of 1, 2, 4, … 60 seconds."""
    most = min(60.0, 2.0 ** min(max(attempt, 0), 10))
    assert most / 2 <= backoff(attempt, random.Random(seed)) <= most
