"""How many requests may be in flight at one endpoint: starts, first tokens and ends in, a limit out. Pure.

The algorithm is TCP's, because the question is: a hidden capacity, found by asking, and shared with strangers.

    slow start   from 4, one more for each request that the server took on (its first token, its end, or a while without
                 refusal: 0.15 s where answers do not stream; 0.5 s until first tokens come), so that it doubles a round
                 trip (Jacobson 1988); starts are paced to overshoot a hidden limit by little (Linux fq pacing).
                 Ends at the most allowed, at a refusal, or where first tokens or token gaps swell (HyStart, 2008)
    refused      the limit falls to what the server still holds (BBR's inflight, instead of half: each refusal names the
                 capacity), to 85 and 70 % of that where refusals follow each other; once an episode: requests started
                 before the cut do not cut again. A limit below 1 is a rate: one request, then a rest
    noise        refusals that have nothing to do with load do not cut: a few among many requests that were taken on
                 at the same level or above, see noise.py; they are a reason to start slowly once more
    hold         back to the level that held by one a round (AIMD, Chiu & Jain 1989), then stay: one more is tried after
                 a hundred answers, and ever more while they are taken on (CUBIC's convex probe): about 1 % is refused
    climb        servers that never refuse: the limit at which most gets done, see climb.py

Rule: growth needs demand. A limit that nobody fills, or that a budget or a pause keeps empty, does not move.
"""

from __future__ import annotations

import math
from collections import deque

from contextvqa_async.pacing.climb import Climb
from contextvqa_async.pacing.gauge import Gauge
from contextvqa_async.pacing.noise import NOISE_SHARE, Recent
from contextvqa_async.pacing.outcome import Outcome
from contextvqa_async.pacing.rounds import FILLED, Flight, Round

START = 4.0
TAKEN_ON_SECONDS = 0.15
"""A request that is not refused within this was taken on: refusals are told at the door."""

TAKEN_ON_SILENTLY_SECONDS = 0.5
"""The same where first tokens are to come: they tell more, and are waited for a little longer."""

LEAST = 0.1
"""The smallest limit: a request, then a rest of ten times its length."""

PATIENCE = 100
"""Answers between two trials of more than what was refused: each may cost a refusal, and 2 % are allowed."""

STRETCH = 4
"""Tokens of an answer between two looks at the gap between them."""

SOON = 32
"""A refusal within so many answers of the last shows that the cut was too small."""

FACTORS = (1.0, 0.85, 0.7)
PACED = 1.25
"""After a cut or a pause, requests start at most so much faster than answers came (Linux TCP: 120 %)."""


class Window:
    """One endpoint's limit. ``fixed``: it stays at ``most``; ``streams``: first tokens will be told."""

    def __init__(self, most: int, *, fixed: bool = False, streams: bool = True) -> None:
        self.most = float(most)
        self.fixed = fixed
        self.limit = self.most if fixed else min(START, self.most)
        self.in_flight = 0
        self.answers = 0
        self._serial = 0
        self._slow = not fixed and self.limit < self.most
        self._patience = TAKEN_ON_SILENTLY_SECONDS if streams else TAKEN_ON_SECONDS
        self._new: deque[Flight] = deque()
        self._watching = self._slow
        self._served = 0
        self._area, self._area_at = 0.0, 0.0
        self._due = -math.inf
        self._gentle = 0
        self.seconds = 0.0
        self._tokens = 0.0
        self._firsts, self._gaps = Gauge(), Gauge()
        self._recent = Recent()
        self._sound = START
        """The last limit that held for a while."""
        self._cut_serial = 0
        self._base = self.limit
        self._strikes = 0
        self._quiet = PATIENCE
        self._held = math.inf
        self._comfort = math.inf
        self._step, self._step_serial = 0, 0
        self._climb = Climb()
        self._round: Round | None = None

    # what may be asked

    def ready(self, now: float) -> float:
        """When the next request may start: ``now`` or earlier, a later time, or never (until one ends)."""
        self._age(now)
        if self.in_flight < max(1.0, math.floor(self.limit + 1e-9)):
            return self._due
        return self._new[0].started + self._patience if self._growing and self._new else math.inf

    @property
    def _growing(self) -> bool:
        return (self._slow or self._step > 0) and self.limit < self.most

    @property
    def _top(self) -> float:
        return min(self.most, self._held, self._comfort)

    # what happens

    def start(self, now: float) -> Flight:
        """A request starts."""
        self._integrate(now)
        flight = Flight(serial=self._serial, started=now)
        self._serial += 1
        self.in_flight += 1
        flight.level = self.in_flight
        flight.topmost = self.in_flight >= math.floor(self.limit)
        self._due = now + self._spacing()
        self._gentle = max(0, self._gentle - 1)
        if self._growing:
            self._new.append(flight)
        elif self._round is None and not self.fixed and self._settled():
            self._round = Round.of(self.limit, self._serial, now, self._area)
        return flight

    def progress(self, flight: Flight, tokens: float, now: float) -> None:
        """A request's answer has come as far as ``tokens``, about; the first call tells of its first token."""
        flight.tokens = tokens
        if flight.first is None:
            flight.mark, flight.marked = now, tokens
            self._first(flight, now)
        elif self._watching and tokens >= flight.marked + STRETCH:
            self._watch_gap(flight, now)

    def _first(self, flight: Flight, now: float) -> None:
        flight.first = now
        self._served += 1
        self._patience = math.inf if self._firsts.full else self._patience
        self._take_on(flight)
        if self._slow and self._firsts.swelling_with(now - flight.started) > 1:
            self._leave_slow_start(float(self._served))

    def _watch_gap(self, flight: Flight, now: float) -> None:
        swelling = self._gaps.swelling_with((now - flight.mark) / (flight.tokens - flight.marked))
        flight.mark, flight.marked = now, flight.tokens
        if swelling > 1:
            self._leave_slow_start(self.in_flight / swelling)
            self._watching = False

    def end(self, flight: Flight, outcome: Outcome, now: float, tokens: int | None = None) -> None:
        """A request ended; ``tokens``: of its answer, where the endpoint told them (else what came is the measure)."""
        self._integrate(now)
        self.in_flight -= 1
        self._served -= flight.first is not None
        if outcome is Outcome.OK:
            self._answered(flight, now, tokens or flight.tokens)
        elif self._round and self._round.has(flight):
            self._round.lost += 1
        if outcome in NOISE_SHARE and not self.fixed:
            self._recent.note(flight.level, taken_on=False)
            if self._recent.may_be_noise(flight.level, outcome):
                self._doubt_last_cut()
            else:
                self._cut(flight, least=LEAST if outcome is Outcome.RATE else 1.0)
        flight.credited = True
        if self._round and self._round.over:
            self._measure(self._round, now)

    def pause(self) -> None:
        """The endpoint is left alone for a while: what follows starts gently."""
        self._gentle = max(self._gentle, math.ceil(self.limit))
        self._round = None

    def restart(self) -> None:
        """The endpoint was away: find its limit anew, up to what it held before."""
        if self.fixed:
            return
        self._held = max(self._sound, START)
        self.limit = min(START, self.most)
        self._slow = self.limit < self.most
        self._recent.clear()
        self._forget()

    # slow start and trials of more

    def _age(self, now: float) -> None:
        while self._new and (self._new[0].credited or self._new[0].started + self._patience <= now):
            self._take_on(self._new.popleft())

    def _take_on(self, flight: Flight) -> None:
        """The server took a request on: there may be room for one more."""
        if flight.credited:
            return
        flight.credited = True
        self._recent.note(flight.level, taken_on=True)
        if self._slow:
            if 2 * self.in_flight >= self.limit:
                self._grow_to(self.limit + 1)
            if self.limit >= self._top:
                self._reach()
        elif self._step and flight.topmost and flight.serial >= self._step_serial:
            self._try_more(math.ceil(1.5 * self._step))

    def _try_more(self, step: int) -> None:
        """Lift the level that held; while the request at the top is taken on, by half as much again each time."""
        self._held, self._round = math.inf, None
        self._gentle = max(self._gentle, math.ceil(2 * self.limit))
        self._step, self._step_serial = step, self._serial
        self._grow_to(self.limit + step)
        if self.limit >= self._top:
            self._step = 0

    def _grow_to(self, limit: float) -> None:
        self.limit = max(self.limit, min(limit, self._top))

    def _reach(self) -> None:
        self._slow = False
        if self._gaps.floor:  # the floor was seen, and nothing swelled: no reason to try less soon
            self._climb.down_at = self._climb.down_patience * self.limit

    def _leave_slow_start(self, carried: float) -> None:
        self._slow = False
        self.limit = self._comfort = min(self.limit, max(START, math.floor(carried)))
        self._climb.down_at = self.answers + self._climb.down_patience * self.limit

    # refusals and answers

    def _doubt_last_cut(self) -> None:
        """Refusals are noise here, and so may have been the one that the limit fell for: start slowly once more."""
        if not self._slow and self.limit >= self._held:
            self._slow, self._step, self._held = True, 0, math.inf
            self._forget()

    def _cut(self, flight: Flight, least: float) -> None:
        """Fall to what the server still holds, and remember it as the level that held."""
        if flight.serial >= self._cut_serial:
            self._strikes = self._strikes + 1 if self._quiet < SOON and not (self._slow or self._step) else 0
            self._cut_serial, self._quiet, self._base = self._serial, 0, self.limit
            self._gentle = 4 * PATIENCE if self._strikes else 0
        wanted = self.in_flight * FACTORS[min(self._strikes, len(FACTORS) - 1)]
        self.limit = max(least, min(self.limit, max(self._base / 2, wanted)))
        self._held = max(1.0, min(self.limit if self._strikes > 1 else math.inf, self.in_flight))
        self._slow, self._step = False, 0
        self._forget()

    def _answered(self, flight: Flight, now: float, tokens: float) -> None:
        self._take_on(flight)
        self.answers += 1
        self._quiet += 1
        self._sound = self.limit if self._quiet >= SOON else self._sound
        seconds = now - flight.started
        self.seconds += (seconds - self.seconds) / min(self.answers, 32)
        if tokens > 0:
            self._tokens += (tokens - self._tokens) / min(self.answers, 256)
        if self._round and self._round.has(flight):
            first = flight.first - flight.started if flight.first is not None else None
            self._round.add(self._a_unit(seconds, first, tokens), first)
        if not self.fixed and not self._slow:
            self._increase()

    def _a_unit(self, seconds: float, first: float | None, tokens: float) -> float:
        """The time that a unit of work took: a token where they are told (its share of the first's wait included)."""
        if tokens <= 0 or self._tokens <= 0:
            return seconds
        if first is None:
            return seconds / tokens
        return first / self._tokens + (seconds - first) / tokens

    def _increase(self) -> None:
        """Additive increase to what held before; then patience; then trials of more."""
        filled = self.in_flight + 1 >= math.floor(self.limit)
        if self.limit < self._top and filled:
            self._grow_to(self.limit + (1 / self.limit if self.limit >= 1 else 0.02))
        elif filled and self._held < self.most and not self._step and self._quiet >= max(PATIENCE, self.limit):
            self._try_more(1)

    # rounds

    def _settled(self) -> bool:
        """Whether the limit is where it is to stay, and filled: then a round may begin."""
        return not self._step and self.limit >= self._top and FILLED * self.limit <= self.in_flight <= self.limit

    def _measure(self, over: Round, now: float) -> None:
        self._watching = False
        sample = over.sample(self.limit, now, self._area)
        self._round = None
        if sample is None:
            return
        top = min(self.most, self._held)
        self.limit = self._climb.next_limit(sample, self.limit, top, self.answers)
        self._comfort = self.limit if self.limit < top else math.inf

    def _forget(self) -> None:
        self._round = None
        self._climb.forget()

    def _integrate(self, now: float) -> None:
        self._area += self.in_flight * (now - self._area_at)
        self._area_at = now

    def _spacing(self) -> float:
        """The least time between two starts."""
        if self.limit < 1:
            return self.seconds / self.limit
        if self._slow and self.in_flight >= START:
            trip = min(TAKEN_ON_SECONDS, self._firsts.floor or self.seconds or TAKEN_ON_SECONDS)
            return trip / (2 * self.limit)
        return self.seconds / (PACED * self.limit) if self._gentle else 0.0
