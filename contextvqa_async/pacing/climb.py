"""Which level of concurrency gets the most done: measured rounds in, the next limit out. Pure.

A server that never refuses only grows slower. Whether it is asked for too much shows in the work done at a lower and a
higher limit: hill climbing, as in Netflix's concurrency-limits (gradient) and PCC Vivace (Dong et al., NSDI 2018), and
Little's law instead of the latency alone, because a batching server answers each request somewhat slower while it gets
more done of all of them (a fixed bound on latency, TCP Vegas's, would leave half of such a server idle).

    hold ──suspicion, or patience spent──► try less ──as much done──► less still, bolder
      └────patience spent, room above────► try more ──more done─────► more still, bolder
                                              └──otherwise: back, and a smaller step if it was a bold one;
                                                 then hold, with twice the patience

Rule: health is presumed. Less is kept only where the measurement excludes a server that answers alike at every level;
noise alone, such as a heavy tail of long answers, leaves the limit as high as it may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from contextvqa_async.pacing.rounds import LEAST_ERROR, Sample

SURE = 2.5
"""Standard errors that a difference must have to count as one."""

AS_MUCH = math.log(0.97)
"""Less concurrency is kept where at least this much of the work still gets done."""

WORTH = 0.25
"""More concurrency is kept where it brings at least this share of what it would bring an unloaded server."""

SWOLLEN = math.log(1.35)
"""Answers slower than the fastest round's by so much call for a trial at once."""

CLEAR = 0.1
"""The largest error at which a trial of less, without suspicion, could show anything."""

DOWN = (0.85, 0.5, 0.5)
UP = (1.15, 1.35, 1.7, 2.0)
LEAST_TO_TRY_LESS = 4
UP_PATIENCE, MOST_UP_PATIENCE, DOWN_PATIENCE, MOST_DOWN_PATIENCE = 4, 8, 32, 512
"""Answers to wait before a trial, in multiples of the limit: a trial of less costs an unloaded server a fifth of it."""


@dataclass(slots=True)
class Climb:
    """The level held, and the trial under way, if any (``trying``: -1 less, 0 none, 1 more)."""

    best: Sample | None = None
    trying: int = 0
    bold: int = 0
    up_patience: int = UP_PATIENCE
    down_patience: int = DOWN_PATIENCE
    up_at: float = 0.0
    down_at: float = 0.0
    noise: float = 0.0
    suspect: bool = False
    bottomed: bool = False
    fastest: float = math.inf
    quickest_first: float = math.inf

    def forget(self) -> None:
        """The server refused, or was away: what was measured no longer holds."""
        self.best, self.trying, self.bold = None, 0, 0

    def next_limit(self, sample: Sample, limit: float, top: float, answers: int) -> float:
        """Return the limit after a round at ``limit``; ``top``: the most there may be; ``answers``: so far."""
        self.noise += (sample.error - self.noise) / 4 if self.noise else sample.error
        sample = replace(sample, error=max(sample.error, self.noise))
        if self.best is None or not self.trying:
            return self._hold(sample, limit, top, answers)
        if self._kept(sample, self.best):
            self.best = sample
            self._note(sample)
            return self._bolder(limit, top)
        if self.bold:
            self.bold = 0
            return self._step(round(self.best.level), top)
        return self._back(self.best, answers, falling=sample.gain_over(self.best) < AS_MUCH)

    def _hold(self, sample: Sample, limit: float, top: float, answers: int) -> float:
        self.best = sample
        suspect, self.suspect = self.suspect, self._swollen(sample)
        swollen = suspect and self.suspect  # twice: one slow round is chance
        self._note(sample)
        if limit >= LEAST_TO_TRY_LESS and (swollen or (answers >= self.down_at and sample.error < CLEAR)):
            self.trying, self.bold = -1, 1 if swollen else 0
        elif limit < top and answers >= self.up_at:
            self.trying, self.bold = 1, 0
        return self._step(limit, top)

    def _kept(self, sample: Sample, best: Sample) -> bool:
        """Whether a trial did well enough to stay."""
        gain, alike, doubt = sample.gain_over(best), sample.if_unloaded(best), SURE * sample.doubt(best)
        if self.trying < 0:
            return gain >= max(AS_MUCH, alike + doubt)
        return gain >= WORTH * alike or gain >= alike - doubt

    def _bolder(self, limit: float, top: float) -> float:
        self.bold += 1
        self.up_patience, self.down_patience, self.bottomed = UP_PATIENCE, UP_PATIENCE, False
        if (self.trying < 0 and limit < LEAST_TO_TRY_LESS) or (self.trying > 0 and limit >= top):
            self.trying = 0
        return self._step(limit, top)

    def _step(self, limit: float, top: float) -> float:
        if self.trying == 0:
            return limit
        steps = DOWN if self.trying < 0 else UP
        wanted = limit * steps[min(self.bold, len(steps) - 1)]
        return max(1.0, min(limit - 1, math.ceil(wanted))) if self.trying < 0 else min(top, math.ceil(wanted))

    def _back(self, best: Sample, answers: int, *, falling: bool) -> float:
        back = max(1.0, round(best.level))
        if self.trying < 0:
            self.bottomed = True
            self.down_at = answers + self.down_patience * back
            self.down_patience = min(2 * self.down_patience, MOST_DOWN_PATIENCE)
            self.fastest, self.quickest_first = self._time(best), best.first or math.inf
            self.up_at = answers
        else:
            self.up_at = answers + self.up_patience * back
            self.up_patience = min(2 * self.up_patience, MOST_UP_PATIENCE)
            if falling and not self.bottomed:  # more got less done: perhaps less gets more
                self.down_at = answers
        self.trying = 0
        return back

    def _swollen(self, sample: Sample) -> bool:
        surely = self._time(sample) - max(SWOLLEN, SURE * sample.error)
        return surely > self.fastest or sample.first > 3 * self.quickest_first + 0.05

    def _note(self, sample: Sample) -> None:
        self.fastest = min(self.fastest, self._time(sample) + SURE * max(0.0, sample.error - LEAST_ERROR))
        self.quickest_first = min(self.quickest_first, sample.first or math.inf)

    @staticmethod
    def _time(sample: Sample) -> float:
        return math.log(sample.level) - sample.work
