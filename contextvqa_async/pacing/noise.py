"""Whether refusals say anything of a server's limit: recent requests in, yes or no out. Pure.

A server that is full refuses all that come beyond its limit, and nothing below it. Refusals by chance (a flaky gateway,
records that always end in a time-out) are as frequent at a lower level, so that asking for less does not help; TCP's
BBR v2 bears 2 % of loss for the same reason.
"""

from __future__ import annotations

import math
from collections import deque

from contextvqa_async.pacing.outcome import Outcome

NOISE_SHARE = {Outcome.RATE: 0.05, Outcome.OVERLOAD: 0.1, Outcome.AWAY: 0.4}
"""The share of recent requests at a level and above that may end so by chance, or for bad records; a server that limits
the rate answers 429, and is believed soonest."""

RECENT = 64
SURPRISE = {Outcome.RATE: 0.25, Outcome.OVERLOAD: 0.1, Outcome.AWAY: 0.1}
"""Refusals that are less probable than this by chance are no chance."""


class Recent:
    """The newest requests: how many were in flight when each started, and whether it was taken on or refused."""

    def __init__(self) -> None:
        self._requests: deque[tuple[int, bool]] = deque(maxlen=RECENT)

    def note(self, level: int, *, taken_on: bool) -> None:
        """One more, which started when ``level`` were in flight, itself included."""
        self._requests.append((level, taken_on))

    def clear(self) -> None:
        """Forget all: the server is no longer what it was."""
        self._requests.clear()

    def may_be_noise(self, level: int, outcome: Outcome) -> bool:
        """Whether the refusals at a level and above may be chance: few, and no more of them than below."""
        here = [taken_on for at, taken_on in self._requests if at >= level]
        refused = here.count(False)
        refused_in_all = sum(not taken_on for _, taken_on in self._requests)
        if refused > 1 + NOISE_SHARE[outcome] * len(here) or 2 * refused_in_all >= len(self._requests):
            return False
        return _fisher(refused, len(here), refused_in_all, len(self._requests)) > SURPRISE[outcome]


def _fisher(hits: int, tries: int, all_hits: int, all_tries: int) -> float:
    """The probability that ``tries`` of all get so many of the hits or more by chance (Fisher's exact test)."""
    most = min(tries, all_hits)
    ways = sum(math.comb(tries, n) * math.comb(all_tries - tries, all_hits - n) for n in range(hits, most + 1))
    return ways / math.comb(all_tries, all_hits)
