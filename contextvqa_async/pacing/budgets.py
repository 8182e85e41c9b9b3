"""How many requests and tokens a minute may cost: spends in, the time of the next start out. Pure.

Rule: requests are exact over any sliding minute, by a log of the starts; tokens are charged by estimate when a
request starts, and corrected by what it used. Both are spread over the minute (GCRA, ITU-T I.371: a theoretical
arrival time instead of a bucket), because a burst at the start of each minute is what servers refuse.
"""

from __future__ import annotations

import math
from collections import deque

MINUTE = 60.0
GUARD_SECONDS = 0.75
"""Added to the minute of requests: they reach the server a little unevenly (a first connection, a big image)."""

CATCH_UP_SECONDS = 3.0
"""How much of a pause in the demand may be made good by asking more closely."""

PRIOR_TOKENS = 1_500.0
"""What a request costs before any has told: an image of some 900 tokens, and an article with its pairs."""


UNKNOWN = 4
"""Requests in flight while none has told yet what one costs: so much can be made good within the first minute."""


class RequestBudget:
    """At most ``rpm`` starts in any 60 seconds; a fraction is kept by spacing (1.5: one every 40 s)."""

    def __init__(self, rpm: float) -> None:
        self._spacing = (MINUTE + GUARD_SECONDS) / rpm
        self._behind = CATCH_UP_SECONDS if self._spacing < CATCH_UP_SECONDS else 0.0
        self._starts: deque[float] = deque(maxlen=math.ceil(rpm))
        self._due = float("-inf")

    def ready(self) -> float:
        """When the next request may start; a time that has come means at once."""
        full = len(self._starts) == self._starts.maxlen
        return max(self._due, self._starts[0] + MINUTE + GUARD_SECONDS) if full else self._due

    def spend(self, now: float) -> None:
        """A request starts."""
        self._starts.append(now)
        self._due = max(self._due, now - self._behind) + self._spacing


class TokenBudget:
    """At most ``tpm`` tokens a minute, on the average of what requests turned out to use."""

    def __init__(self, tpm: float) -> None:
        self._seconds_per_token = MINUTE / tpm
        self._due = float("-inf")
        self._told = 0
        self._unknown = 0
        self.estimate = min(PRIOR_TOKENS, tpm)

    def ready(self) -> float:
        """When the next request may start; a time that has come means at once, infinity when one has told its cost."""
        return math.inf if self._unknown >= UNKNOWN else self._due

    def spend(self, now: float) -> float:
        """A request starts; returns what was charged for it, to be handed to :meth:`settle`."""
        self._unknown += self._told == 0
        self._due = max(self._due, now - CATCH_UP_SECONDS) + self.estimate * self._seconds_per_token
        return self.estimate

    def settle(self, charged: float, used: int | None) -> None:
        """Correct a charge by what the request used, and the estimate with it; None: it told nothing."""
        self._unknown = 0
        if used is None:
            return
        self._told += 1
        self._due += (used - charged) * self._seconds_per_token
        self.estimate += (used - self.estimate) / min(self._told, 64)
