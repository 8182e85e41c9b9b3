"""A summary in; the closing lines that a person reads out: what was done, what failed, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from contextvqa_async.items import Summary
from contextvqa_async.progress import clock_time


def describe(summary: Summary) -> str:
    """The closing summary, as lines of text."""
    return "\n".join(_lines(summary))


def _lines(summary: Summary) -> Iterator[str]:
    if summary.stopped:
        yield f"Stopped: {summary.stopped}"
    simulated = " (SIMULATED: no model was asked)" if summary.simulated else ""
    yield f"{summary.done:,} done{simulated}, {summary.failed:,} failed, {summary.skipped:,} skipped → {summary.output}"
    tokens = f"{summary.prompt_tokens:,} prompt + {summary.completion_tokens:,} completion tokens"
    cost = "" if summary.cost is None else f", cost {summary.cost:,.4f}"
    rate = (summary.done + summary.failed) / summary.seconds if summary.seconds else 0.0
    yield f"{summary.pairs:,} pairs, {tokens}{cost}, {clock_time(summary.seconds)} ({rate:,.1f} records/s)"
    yield from _oddities(summary)
    for kind, failures in summary.failures.items():
        yield f"  {failures.count:,} × {kind}: {failures.advice}"
        yield f"      e.g. {failures.example}"
    if summary.failures:
        yield f"The failed records are in {summary.failed_output}; the same command asks again what may pass now."


def _oddities(summary: Summary) -> Iterator[str]:
    if summary.empty:
        share = summary.empty / max(summary.done, 1)
        yield f"LOOK: rows without a pair: {summary.empty:,} ({share:.0%}); read their raw answers, or --retry-empty."
    if summary.duplicates:
        yield f"Records that repeat an id of this input: {summary.duplicates:,}; the first of each stands."
    if summary.changed:
        yield f"Records changed since their row was made: {summary.changed:,}; the old rows stand (--overwrite renews)."
    if summary.text_only:
        yield f"Records sent as text alone, for want of an image: {summary.text_only:,} (--require-image fails them)."
