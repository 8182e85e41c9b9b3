"""What a person sees: rates, an ETA that holds under resume, and a summary that says what to do."""

from __future__ import annotations

import pytest
from watching import Clock, rows

from contextvqa_async.items import Advanced, Failure, FailureClass, Paused, Settled, Started, Summary
from contextvqa_async.progress import Meter, clock_time
from contextvqa_async.summary_text import describe


def started(done: int) -> Started:
    return Started(done=done, model="m", endpoints=("http://h",), concurrency=8)


def test_rates_are_those_of_the_last_minute() -> None:
    """An hour of 10 a second does not hide that it is 1 a second now."""
    clock = Clock()
    meter = Meter(clock)
    for _ in range(600):
        clock.now += 1
        meter(rows(10))
    for _ in range(120):
        clock.now += 1
        meter(rows(1))
    assert meter.rates() == pytest.approx((1.0, 100.0), rel=0.05)


@pytest.mark.parametrize("before", [0, 5000, 9000])
def test_the_eta_holds_under_resume(before: int) -> None:
    """Rows of earlier runs are skipped in no time, met or not yet met; the rest takes the present rate."""
    clock = Clock()
    meter = Meter(clock)
    meter(started(before))
    clock.now += 100
    asked = 500
    met = before // 2
    meter(Advanced(read=met + asked, skipped=met, duplicates=0, fraction=(met + asked) / 10_000))
    meter(rows(asked))
    assert meter.remaining_seconds() == pytest.approx((10_000 - before - asked) / 5.0, rel=0.01)
    assert meter.completed() == pytest.approx((met + asked) / 10_000)


def test_what_is_in_flight_is_not_completed() -> None:
    """A bar at its end means that all is on disk."""
    meter = Meter(Clock())
    meter(Advanced(read=300, skipped=0, duplicates=0, fraction=1.0))
    meter(rows(100))
    assert meter.in_flight == 200
    assert meter.completed() == pytest.approx(1 / 3)


def test_there_is_no_eta_without_a_size_or_a_rate() -> None:
    """Standard input has no end that could be foretold."""
    meter = Meter(Clock())
    assert meter.remaining_seconds() is None
    meter(Advanced(read=10, skipped=0, duplicates=0, fraction=None))
    meter(rows(5))
    assert meter.remaining_seconds() is None
    assert "-:--:--" in meter.line()


def test_the_summary_names_what_failed_and_what_to_do() -> None:
    """Counts, an example, an imperative; empty rows are told loudly."""
    failures = {"bad_image": FailureClass(count=2, example="record 'a': no such file", advice="mend the image")}
    text = describe(
        Summary(
            done=10,
            failed=2,
            empty=4,
            pairs=60,
            prompt_tokens=1234,
            completion_tokens=99,
            cost=0.5,
            seconds=3725,
            failures=failures,
            output="o.jsonl",
            failed_output="o.failed.jsonl",
            duplicates=1,
            changed=1,
            text_only=1,
            simulated=True,
            stopped="Ctrl-C",
        )
    )
    for words in (
        "Stopped: Ctrl-C",
        "10 done (SIMULATED",
        "60 pairs",
        "1,234",
        "cost 0.5",
        "1:02:05",
        "rows without a pair: 4 (40%)",
        "2 × bad_image: mend the image",
        "e.g. record 'a'",
        "o.failed.jsonl",
        "repeat an id",
        "changed",
    ):
        assert words in text


def test_failures_count_too() -> None:
    """A run that only fails still has a rate."""
    clock = Clock()
    meter = Meter(clock)
    clock.now += 10
    meter(Settled(items=[Failure(id=1, type="server", message="m", retryable=True)]))
    assert meter.failed == 1
    assert meter.rates()[0] == pytest.approx(0.1)


def test_times_read_like_a_clock() -> None:
    """Hours, minutes, seconds; rounded."""
    assert [clock_time(t) for t in (0, 59.6, 3725, None)] == ["0:00:00", "0:01:00", "1:02:05", "-:--:--"]


def test_the_line_says_that_the_run_waits_and_how_long() -> None:
    """Zeros alone would look like a hang; when the pause is over, it is gone."""
    clock = Clock()
    meter = Meter(clock)
    meter(Advanced(read=10, skipped=0, duplicates=0, fraction=0.5))
    meter(rows(5))
    meter(Paused(seconds=400))
    clock.now += 100
    assert meter.line().endswith("waits 0:05:00 as asked · ETA -:--:--")
    clock.now += 301
    assert "waits" not in meter.line()
    assert "-:--:--" not in meter.line()


@pytest.mark.parametrize("width", [20, 33, 48, 73, 200])
@pytest.mark.parametrize("pause", [0, 400])
def test_a_narrow_terminal_is_shown_what_matters_most(width: int, pause: int) -> None:
    """What is done, what failed and how long it will take stay; the rest goes, part by part, before a line is cut."""
    clock = Clock()
    meter = Meter(clock)
    meter(Advanced(read=10, skipped=0, duplicates=0, fraction=0.5))
    clock.now += 60
    meter(rows(9))
    meter(Paused(seconds=pause))
    line = meter.line(width)
    assert line.startswith("9 done · 0 failed · ")
    assert ("waits 0:06:40 as asked" if pause else "ETA 0:01:13") in line
    assert ("records/s" in line) >= ("skipped" in line) >= ("tokens/s" in line)
    assert len(line) <= max(width, len("9 done · 0 failed · waits 0:06:40 as asked"))
    assert width < 200 or line == meter.line()
