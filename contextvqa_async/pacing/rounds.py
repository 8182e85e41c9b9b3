"""How much a level of concurrency gets done: finished requests in, one measurement a round out. Pure.

A round watches a cohort: the next requests to start at an unchanged limit, until three in four of them are answered.
By Little's law the work done a second is the requests in flight divided by the time one takes, so that two levels
compare as logarithms: ``work = log(in flight) - log(time a unit)``. The time is the cohort's median, and is taken a
token where tokens are known: neither a heavy tail of long answers nor a few stragglers look like a slow server. Every
round leaves out the slowest quarter alike, so that the bias of not waiting for them cancels in a comparison.

Rule: a round that was not filled by its limit (too few records, a budget, a pause) says nothing, and is thrown away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

LEAST, MOST = 8, 64
FILLED = 0.8
"""The share of the limit that must have been in flight for a round to count."""

LEAST_ERROR = 0.01

_MAD_TO_SIGMA = 1.4826
_MEDIAN_ERROR = 1.2533  # a median's standard error is that of a mean times this, for a normal distribution


@dataclass(slots=True)
class Flight:
    """One request in flight; its first fields are facts, the others the notes of those who pace it."""

    serial: int
    started: float
    again: bool = False
    probe: bool = False
    first: float | None = None
    credited: bool = False
    topmost: bool = False
    level: int = 0
    tokens: float = 0.0
    mark: float = 0.0
    marked: float = 0.0
    charged: float = 0.0
    asked: int = 0
    """Requests that had started at this endpoint when the answer began: later ones are not in its headers' counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a round measured: the level, the work done there, and the error of both (log units)."""

    level: float
    work: float
    error: float
    first: float
    """The median time to the first token (0: not told)."""

    def gain_over(self, other: Sample) -> float:
        """How much more work gets done here than there."""
        return self.work - other.work

    def doubt(self, other: Sample) -> float:
        """The standard error of a comparison."""
        return math.hypot(self.error, other.error)

    def if_unloaded(self, other: Sample) -> float:
        """The gain expected of a server whose answers take the same time at either level."""
        return math.log(self.level / other.level)


@dataclass(slots=True)
class Round:
    """One cohort: the ``size`` requests that start first."""

    size: int
    serial: int
    began: float
    area: float
    _units: list[float] = field(default_factory=list)
    _firsts: list[float] = field(default_factory=list)
    lost: int = 0

    @classmethod
    def of(cls, limit: float, serial: int, began: float, area: float) -> Round:
        """A round at ``limit``, whose first request has the number ``serial``."""
        return cls(min(MOST, max(LEAST, int(limit / 2))), serial, began, area)

    def has(self, flight: Flight) -> bool:
        """Whether the request is of the cohort."""
        return self.serial <= flight.serial < self.serial + self.size

    def add(self, seconds_per_unit: float, first: float | None) -> None:
        """One of the cohort was answered."""
        self._units.append(math.log(max(seconds_per_unit, 1e-9)))
        self._firsts.append(first or 0.0)

    @property
    def over(self) -> bool:
        """Whether three in four are answered (or lost: refused, cancelled)."""
        return 4 * (len(self._units) + self.lost) >= 3 * self.size

    def sample(self, limit: float, now: float, area: float) -> Sample | None:
        """The measurement, or None where too few answered, or the limit was not what held them back."""
        level = (area - self.area) / max(now - self.began, 1e-9)
        if len(self._units) < LEAST // 2 or level < FILLED * limit:
            return None
        middle, error = _median(self._units)
        return Sample(level=level, work=math.log(level) - middle, error=error, first=_median(self._firsts)[0])


def _median(values: list[float]) -> tuple[float, float]:
    """The median and its standard error, from the median absolute deviation."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    spread = sorted(abs(value - middle) for value in ordered)[len(ordered) // 2]
    return middle, max(LEAST_ERROR, _MEDIAN_ERROR * _MAD_TO_SIGMA * spread / math.sqrt(len(ordered)))
