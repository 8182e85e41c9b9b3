"""What displays and meters are fed in tests: time that a test moves, and events."""

from __future__ import annotations

from contextvqa_async.items import Row, Settled


class Clock:
    """Time that goes by when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def rows(count: int) -> Settled:
    """So many rows of 100 tokens each."""
    return Settled(items=[Row(id=n, fields={}, completion_tokens=100) for n in range(count)])
