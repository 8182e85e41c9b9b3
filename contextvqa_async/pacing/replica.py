"""One endpoint's leave to be asked: its window, the pauses it asked for, its allowances, its health. Pure.

    pause    a refusal stops the whole endpoint, for as long as it says (and up to a tenth more, so that those who wait
             do not come back as one); where it says nothing, for a moment while answers are still coming, and
             exponentially longer while none come
    quota    x-ratelimit-remaining-requests counts down to 0, and then holds until its reset
    rest     nothing but failures: the endpoint rests, half as long as it has been away (1 s to 30 s), and is probed by
             one request at a time

Rule: a rest is for servers, not for records. By itself an endpoint is put to rest only where nobody can connect to it,
or where it worked before and now tells several records that it is away; a 500, a cut or a stall is charged to its
record, so that a run of bad records ends. After a minute and a half of "away" the records are charged again. Beside
others that do answer, one that does nothing but fail is outperformed, however it fails: the fleet suspends it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from contextvqa_async.pacing.hints import Quota, backoff
from contextvqa_async.pacing.outcome import Ended, Outcome
from contextvqa_async.pacing.rounds import Flight
from contextvqa_async.pacing.window import Window

JITTER = 0.1
LONGEST_PAUSE = 600.0
"""A longer pause ends the run: nobody waits for it beside a terminal."""

FAILURES = 3
"""Consecutive failures, without a success in between, that put an endpoint to rest."""

LONGEST_REST = 30.0
AWAY_RECORDS = 3
"""Records that are told "away" before that counts as the endpoint's state."""

AWAY_PATIENCE = 90.0
"""Seconds that "away" is believed: a restart behind a gateway takes about as long at most."""


class Replica:
    """One server; its ``window`` counts what is in flight there."""

    def __init__(self, label: str, window: Window, rng: random.Random) -> None:
        self.label = label
        self.last_fault = ""
        """What went wrong with the last request that ended, in a sentence; empty where nothing did."""
        self.window = window
        self.paused_until = -math.inf
        self.succeeded_at: float | None = None
        self.down = False
        self.believes_away = True
        """Whether "away" may count as the endpoint's state: False once the input has ended, as the last records may
        simply fail."""
        self.failing_since = math.inf
        self.probes = 0
        self.faults = 0
        """Requests that failed, in whatever way, since the last that did not."""
        self.faulty_since = math.inf
        self.outperformed = False
        """Whether it is down because it fails while others answer."""
        self.suspensions = 0
        self._rng = rng
        self._starts = 0
        self._failures, self._records, self._gone = 0, 0, 0
        self._failed_at = -math.inf
        self._away_too_long = False
        self._probing = False
        self._refusals = 0
        self._refused_at = -math.inf
        self._quota: Quota | None = None
        self._quota_written = -math.inf
        self._stop_until = -math.inf

    # may it be asked

    def ready(self, now: float) -> float:
        """When a request may start here: ``now`` or earlier, a later time, or never (until something ends)."""
        if self.down:
            return math.inf if self._probing else self.paused_until
        return max(self.window.ready(now), self.paused_until, self._allowance(now))

    def paused_for(self, now: float) -> float:
        """Seconds that nobody may ask here, whatever ends meanwhile."""
        return max(0.0, self.paused_until - now, self._allowance(now) - now)

    @property
    def load(self) -> float:
        """How busy it would be with one more, relative to its limit."""
        return (self.window.in_flight + 1) / max(self.window.limit, 1.0)

    def _allowance(self, now: float) -> float:
        if self._quota and self._quota.remaining < 1 and self._quota_written + self._quota.reset > now:
            return max(self._stop_until, self._quota_written + self._quota.reset)
        return self._stop_until

    # what happens

    def start(self, now: float, *, again: bool = False) -> Flight:
        """A request starts."""
        flight = self.window.start(now)
        flight.again = again
        self._starts += 1
        if self.down:
            flight.probe = self._probing = True
        if self._quota:
            self._quota = Quota(scope="requests", remaining=self._quota.remaining - 1, reset=self._quota.reset)
        return flight

    def progress(self, flight: Flight, tokens: float, now: float) -> None:
        """An answer begins, or has come as far as ``tokens``."""
        if flight.first is None:
            flight.asked = self._starts
        self.window.progress(flight, tokens, now)

    def end(self, flight: Flight, ended: Ended, now: float) -> bool:
        """A request ended; return whether its record may be charged for it."""
        outcome, self.last_fault = ended.outcome, ended.fault
        self._probing = self._probing and not flight.probe
        self.window.end(flight, outcome, now, ended.completion_tokens)
        if outcome is Outcome.VOID:
            return True
        if outcome is Outcome.OK:
            self._succeed(flight, now)
        elif outcome is Outcome.RATE:
            self._recover(flight, now)
        else:
            self.faulty_since = min(self.faulty_since, now)
            self.faults += 1
            if self.down or outcome in (Outcome.GONE, Outcome.AWAY):
                self._fail(flight, outcome, now)
        if outcome is Outcome.RATE or (outcome is not Outcome.OK and ended.wait is not None):
            self._pause(flight, now, ended.wait)
        return outcome is not Outcome.RATE and not (outcome is not Outcome.OK and self.down)

    def _succeed(self, flight: Flight, now: float) -> None:
        self.succeeded_at = now
        self._away_too_long = False
        self._refusals = 0
        self._recover(flight, now)

    def _recover(self, flight: Flight, now: float) -> None:
        """It answers, be it with a refusal; where nobody was there, only a request that started since can tell."""
        if self.down and not self.outperformed and flight.started < self.failing_since:
            return
        if self.down:
            self.paused_until = min(self.paused_until, now)
            if flight.probe or not self.outperformed:
                self.window.restart()
        self.down = self.outperformed = False
        self._failures = self._records = self._gone = self.probes = self.faults = 0
        self.failing_since = self.faulty_since = math.inf

    # pauses

    def _pause(self, flight: Flight, now: float, wait: float | None) -> None:
        if wait is None:
            if flight.started < self._refused_at:
                return  # of the burst that is being waited for already
            wait = self._default_pause()
            self._refusals += 1
        else:
            wait = wait * (1 + self._rng.uniform(0, JITTER)) + 0.001
        self._refused_at = now
        self.paused_until = max(self.paused_until, now + wait)
        self.window.pause()

    def _default_pause(self) -> float:
        """How long to wait where the server does not say: answers still in flight are the better clock (TCP's too)."""
        if self._refusals == 0 and self.window.in_flight:
            return self._rng.uniform(0.5, 1.0) * min(1.0, 0.1 * self.window.seconds or 0.25)
        return backoff(max(0, self._refusals - 1), self._rng)

    # allowances

    def update_quotas(self, flight: Flight, told: Sequence[Quota], now: float) -> None:
        """Take in the allowances of a response's headers, which were written when its answer began."""
        written = flight.first if flight.first is not None else now
        since = self._starts - flight.asked if flight.first is not None else 0
        for quota in told:
            if written + quota.reset <= now or quota.reset > LONGEST_PAUSE:
                continue
            if quota.remaining == 0:
                self._stop_until = max(self._stop_until, written + quota.reset)
            if quota.scope == "requests" and written >= self._quota_written:
                self._quota = Quota(scope="requests", remaining=quota.remaining - since, reset=quota.reset)
                self._quota_written = written

    # health

    @property
    def reachable(self) -> bool:
        """Whether someone was there at the last request."""
        return self._gone == 0

    def suspend(self, now: float) -> None:
        """Rest, because others answer while nothing but failures comes from here."""
        self.down = self.outperformed = True
        self.suspensions += 1
        self.probes = 0
        self.failing_since = self.faulty_since
        self._postpone_probe(now)

    def treat_as_away(self, now: float) -> None:
        """No other answers any more: an outperformed endpoint counts from now on as one that says that it is away."""
        if self.outperformed:
            self.outperformed, self.failing_since = False, now

    def _fail(self, flight: Flight, outcome: Outcome, now: float) -> None:
        if self._failures == 0:
            self.failing_since = now
        self._records += not flight.again or flight.started < self._failed_at
        self._failures += 1
        self._failed_at = now
        self._gone = self._gone + 1 if outcome is Outcome.GONE else 0
        if self.down:
            self.probes += flight.probe
            self._rest(flight, now)
        elif self._is_down():
            self.down = True
            self.probes = 0
            self._rest(flight, now)

    def _is_down(self) -> bool:
        if self._gone >= FAILURES:
            return True
        worked = self.believes_away and self.succeeded_at is not None and not self._away_too_long
        return worked and self._records >= AWAY_RECORDS and self.window.in_flight == 0

    def _rest(self, flight: Flight, now: float) -> None:
        believed = self.outperformed or (self.believes_away and now - self.failing_since <= AWAY_PATIENCE)
        if self.reachable and not believed:
            self.down, self._away_too_long = False, True
            self.window.restart()
        elif flight.probe or self.probes == 0:
            self._postpone_probe(now)

    def _postpone_probe(self, now: float) -> None:
        rest = min(LONGEST_REST, max(1.0, (now - self.failing_since) / 2)) * self._rng.uniform(0.5, 1.0)
        self.paused_until = max(self.paused_until, now + rest)
