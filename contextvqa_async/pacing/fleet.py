"""Whom to ask now, or when to look again: all endpoints of a run, under one cap and one budget. Pure.

    next_start(now) ─► (endpoint, now)        ask it: start() spends the budgets
                       (None, later)          look again then (inf: when something ends)
    start, first, progress, end               what happens; end() says whether the record is charged
    fatal_error(now) ─► RunError or None      no waiting helps any more
    long_pause(now) ─► seconds and why        each long pause once
    notices                                   what a person should be told: an endpoint went away, or is back

Rule: the least busy endpoint first, relative to its limit, so that each gets what it can do; but a retry goes where
least has failed, and an endpoint that only fails while another answers rests. An outage is the run's,
not the records': while every endpoint is down the run waits and probes, for ever, or as long as --max-downtime says.
Only an address that never answered at all, most likely a wrong one, ends the run after half a minute.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from contextvqa_async.config import Limits
from contextvqa_async.errors import Kind, RunError
from contextvqa_async.pacing.budgets import RequestBudget, TokenBudget
from contextvqa_async.pacing.hints import quotas
from contextvqa_async.pacing.outcome import Ended, Outcome
from contextvqa_async.pacing.replica import FAILURES, LONGEST_PAUSE, Replica
from contextvqa_async.pacing.rounds import Flight
from contextvqa_async.pacing.window import Window

NEVER_ANSWERED_PROBES = 5
NEVER_ANSWERED_SECONDS = 20.0
LONG_PAUSE = 20.0
"""Seconds; a shorter pause passes before people wonder."""


class Fleet:
    """The endpoints named by ``labels``, asked at most as ``limits`` allow; ``streams``: first tokens will be told."""

    def __init__(self, labels: Sequence[str], limits: Limits, rng: random.Random, *, streams: bool = True) -> None:
        self._limits = limits
        self.replicas = [
            Replica(label, Window(limits.concurrency, fixed=limits.no_adaptive, streams=streams), rng)
            for label in labels
        ]
        self._requests = RequestBudget(limits.rpm) if limits.rpm else None
        self._tokens = TokenBudget(limits.tpm) if limits.tpm else None
        self.in_flight = 0
        self.notices: list[str] = []
        self._no_success_since = math.inf
        """Since when who wants to ask has waited, and nothing has succeeded."""
        self._announced_until = -math.inf

    def next_start(self, now: float, *, again: bool = False) -> tuple[int | None, float]:
        """The endpoint to ask now, or None and the time to look again; ``again``: it is for a retry."""
        if self.in_flight >= self._limits.concurrency:
            return None, self._deadline()
        budget = self._budget()
        best, soonest, load = None, math.inf, math.inf
        fewest = self._fewest_faults(now) if again else math.inf
        for index, replica in enumerate(self.replicas):
            if replica.faults > fewest:
                continue
            ready = max(replica.ready(now), budget)
            soonest = min(soonest, ready)
            if ready <= now and replica.load < load:
                best, load = index, replica.load
        if best is not None:
            return best, now
        if not self.in_flight and all(each.down or each.paused_for(now) > 0 for each in self.replicas):
            self._no_success_since = min(self._no_success_since, now)
        return None, min(soonest, self._deadline())

    def _fewest_faults(self, now: float) -> float:
        """Of the endpoints that may be asked, or will be once something ends there."""
        open_ = (each.faults for each in self.replicas if not each.down and each.paused_for(now) <= 0)
        return min(open_, default=math.inf)

    def _budget(self) -> float:
        requests = self._requests.ready() if self._requests else -math.inf
        return max(requests, self._tokens.ready() if self._tokens else -math.inf)

    # what happens

    def start(self, index: int, now: float, *, again: bool = False) -> Flight:
        """A request starts at an endpoint."""
        flight = self.replicas[index].start(now, again=again)
        self.in_flight += 1
        if self._requests:
            self._requests.spend(now)
        if self._tokens:
            flight.charged = self._tokens.spend(now)
        return flight

    def end_of_records(self) -> None:
        """No new records come: those that fail from now on may be all that is left, and are charged."""
        for replica in self.replicas:
            replica.believes_away = False

    def progress(self, index: int, flight: Flight, tokens: float, now: float) -> None:
        """An answer begins, or has come as far as ``tokens``."""
        self.replicas[index].progress(flight, tokens, now)

    def end(self, index: int, flight: Flight, ended: Ended, now: float, *, epoch: float = 0.0) -> bool:
        """A request ended; return whether its record may be charged for it. ``epoch``: now, for headers with dates."""
        replica = self.replicas[index]
        was_down, was_outperformed = replica.down, replica.outperformed
        self.in_flight -= 1
        if ended.outcome is Outcome.OK:
            self._no_success_since = math.inf
        if self._tokens:
            refused = ended.outcome is Outcome.RATE and ended.tokens is None
            self._tokens.settle(flight.charged, 0 if refused else ended.tokens)
        charged = replica.end(flight, ended, now)
        if ended.headers:
            replica.update_quotas(flight, quotas(ended.headers, epoch), now)
        if self._fails_alone(replica):
            replica.suspend(now)
        again = (was_outperformed or replica.outperformed) and replica.suspensions > 1  # now and then well: told once
        if replica.down != was_down and not again:
            self._notice(replica, now)
        if self.outage:
            for each in self.replicas:
                each.treat_as_away(now)
        return charged

    def _fails_alone(self, replica: Replica) -> bool:
        """Whether it has done nothing but fail while another answered, and so may rest."""
        others = (each for each in self.replicas if each is not replica and not each.down)
        answered = any(each.succeeded_at is not None and each.succeeded_at >= replica.faulty_since for each in others)
        return not replica.down and replica.faults >= FAILURES and answered

    def _notice(self, replica: Replica, now: float) -> None:
        if not replica.down:
            self.notices.append(f"{replica.label} answers again; the run goes on.")
            return
        since = replica.failing_since if replica.succeeded_at is None else replica.succeeded_at
        what = "the run waits and probes" if self.outage else "the others go on, and it is probed"
        fault = "does not answer"
        if replica.reachable:
            fault = "keeps failing" if replica.outperformed else "says that it is away"
        self.notices.append(f"{replica.label} {fault} (no success for {now - since:.0f} s){_why(replica)}; {what}.")

    def long_pause(self, now: float) -> tuple[float, str] | None:
        """How long nobody may ask, and who wants it so; None where that is short or was told already."""
        if self.outage:
            return None
        first = min((each for each in self.replicas if not each.down), key=lambda each: each.paused_for(now))
        pause = first.paused_for(now)
        if (
            pause < LONG_PAUSE or now + pause <= self._announced_until + pause / 4
        ):  # refusals of one burst differ a little
            return None
        self._announced_until = now + pause
        return pause, f"{first.label} asks to wait {pause:.0f} s{_why(first)}"

    # when no waiting helps

    @property
    def outage(self) -> bool:
        """Whether every endpoint is down."""
        return all(replica.down for replica in self.replicas)

    def fatal_error(self, now: float) -> RunError | None:
        """Why the run has to stop, or None."""
        if min(replica.paused_until for replica in self.replicas) - now > LONGEST_PAUSE:
            return self._paused_too_long(now)
        if now >= self._deadline():
            return self._out_too_long(now) if self.outage else self._refused_too_long(now)
        return None

    def _deadline(self) -> float:
        """When an outage, or with --max-downtime any wait, ends the run; what is in flight may end a mere pause."""
        since = max(replica.failing_since for replica in self.replicas) if self.outage else math.inf
        if self._limits.max_downtime is not None:
            return min(since, math.inf if self.in_flight else self._no_success_since) + self._limits.max_downtime
        if not self.outage:
            return math.inf
        never = all(replica.succeeded_at is None and not replica.reachable for replica in self.replicas)
        probed = min(replica.probes for replica in self.replicas) >= NEVER_ANSWERED_PROBES
        return since + NEVER_ANSWERED_SECONDS if never and probed else math.inf

    def _paused_too_long(self, now: float) -> RunError:
        wait = min(replica.paused_until for replica in self.replicas) - now
        return RunError(
            f"{self._names} asks to wait {wait / 60:.0f} minutes, more than the {LONGEST_PAUSE / 60:.0f} that a run "
            "waits: run the same command again then, or with a lower --rpm or --tpm; what is done is kept.",
            kind=Kind.RATE,
        )

    def _refused_too_long(self, now: float) -> RunError:
        why = next((_why(replica) for replica in self.replicas if replica.last_fault), "")
        return RunError(
            f"{self._names} asks to wait, and nothing has succeeded for {now - self._no_success_since:.0f} s "
            f"(--max-downtime){why}; run the same command again later; what is done is kept.",
            kind=Kind.RATE,
        )

    def _out_too_long(self, now: float) -> RunError:
        since = max(replica.failing_since for replica in self.replicas)
        if all(replica.succeeded_at is None for replica in self.replicas):
            told = (
                f"{self._names} never answered, in {now - since:.0f} s{_why(self.replicas[0])}; check --base-url, the "
                "network, and the server."
            )
        else:
            told = (
                f"{self._names} has not answered for {now - since:.0f} s (--max-downtime): run the same command again "
                "when it does; what is done is kept."
            )
        return RunError(told, kind=Kind.CONNECTION)

    @property
    def _names(self) -> str:
        return " and ".join(replica.label for replica in self.replicas)


def _why(replica: Replica) -> str:
    """What went wrong at an endpoint, to stand behind a sentence's beginning."""
    return f": {replica.last_fault.rstrip('.')}" if replica.last_fault else ""
