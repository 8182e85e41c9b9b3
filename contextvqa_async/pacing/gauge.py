"""Whether a time swells: single measurements in, how much longer they have become out. Pure.

Rule: the first eight tell the floor, and the newest eight count as swollen only where they are at least twice as long,
by 25 ms or more, and by more than chance (three standard errors of the logarithms, which tame a heavy tail).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import fmean, pvariance

SIZE = 6
TWICE = math.log(2)
SURE = 3.0
LEAST_ERROR = 0.05
NOTICEABLE_SECONDS = 0.025


class Gauge:
    """One kind of time, watched while concurrency grows."""

    def __init__(self) -> None:
        self._floor: list[float] = []
        self._newest: deque[float] = deque(maxlen=SIZE)

    @property
    def floor(self) -> float:
        """The typical time among the first (0: none yet)."""
        return math.exp(fmean(self._floor)) if self._floor else 0.0

    @property
    def full(self) -> bool:
        """Whether the floor is known."""
        return len(self._floor) == SIZE

    def swelling_with(self, seconds: float) -> float:
        """Take a measurement; return how many times longer such times have become, 1 where that is not certain."""
        value = math.log(max(seconds, 1e-6))
        if not self.full:
            self._floor.append(value)
            return 1.0
        self._newest.append(value)
        if len(self._newest) < SIZE:
            return 1.0
        longer = fmean(self._newest) - fmean(self._floor)
        certain = longer > max(TWICE, SURE * _error(self._floor, self._newest))
        noticeable = math.exp(fmean(self._newest)) - self.floor > NOTICEABLE_SECONDS
        return math.exp(longer) if certain and noticeable else 1.0


def _error(floor: Sequence[float], newest: Sequence[float]) -> float:
    return max(LEAST_ERROR, math.sqrt((pvariance(floor) + pvariance(newest)) / SIZE))
