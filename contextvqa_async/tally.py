"""What became of the records, counted: rows and failures in, the summary out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from contextvqa_async.config import Cost
from contextvqa_async.errors import ADVICE, Kind
from contextvqa_async.items import Failure, FailureClass, Row, Summary

MAX_NOTICES = 100


class Tally:
    """Counts of one run. Rows and failures are counted once they are on disk, tokens once they are paid for."""

    def __init__(self, cost: Cost, clock: Callable[[], float] = time.monotonic) -> None:
        self._cost = cost
        self._clock = clock
        self._began = clock()
        self._failures: dict[str, tuple[int, str]] = {}
        self._notices: list[str] = []
        self.done = self.failed = self.empty = self.pairs = 0
        self.prompt_tokens = self.completion_tokens = 0
        self.text_only = 0
        self._missed = False

    def count(self, items: Sequence[Row | Failure]) -> None:
        """Count what was written."""
        for item in items:
            if isinstance(item, Row):
                self.done += 1
                self.pairs += item.pairs
                self.empty += not item.pairs
            else:
                self._count_failure(item)

    def _count_failure(self, failure: Failure) -> None:
        self.failed += 1
        where = f"line {failure.line}" if failure.id is None else f"record {failure.id!r:.80}"
        count, example = self._failures.get(failure.type, (0, f"{where}: {failure.message}"))
        self._failures[failure.type] = (count + 1, example)

    def pay(self, prompt_tokens: int | None, completion_tokens: int | None) -> bool:
        """Count an answer's tokens, good or not; return whether ``--max-cost`` now misses some for the first time."""
        self.prompt_tokens += prompt_tokens or 0
        self.completion_tokens += completion_tokens or 0
        missing = None in (prompt_tokens, completion_tokens) and self._cost.max_cost is not None
        first = missing and not self._missed
        if missing:
            self._missed = True
        return first

    @property
    def cost(self) -> float | None:
        """What the run has cost so far, or None where no price is known."""
        return self._cost.of(self.prompt_tokens, self.completion_tokens)

    @property
    def overspent(self) -> bool:
        """Whether ``--max-cost`` is reached."""
        return self._cost.max_cost is not None and (self.cost or 0) >= self._cost.max_cost

    def notice(self, message: str) -> None:
        """Keep a notice for the summary."""
        if len(self._notices) < MAX_NOTICES:
            self._notices.append(message)

    def summary(self) -> Summary:
        """The counts so far; what others count (skipped records, duplicates) is for the caller to add."""
        failures = {
            kind: FailureClass(count=count, example=example, advice=ADVICE[Kind(kind)])
            for kind, (count, example) in sorted(self._failures.items(), key=lambda item: -item[1][0])
        }
        return Summary(
            done=self.done,
            failed=self.failed,
            empty=self.empty,
            pairs=self.pairs,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            text_only=self.text_only,
            cost=self.cost,
            seconds=self._clock() - self._began,
            failures=failures,
            notices=tuple(self._notices),
        )
