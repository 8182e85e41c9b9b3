"""Simulated servers for the pace: what they hide in, requests' starts and ends out, in simulated time.

A server works on its requests by processor sharing: each advances at ``speed(n, k)`` of what it would alone, so that a
hidden limit k can refuse, queue, or only slow everybody down. No clock, no sockets: the same numbers on every machine.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contextvqa_async.config import Limits
from contextvqa_async.pacing import Ended, Fleet, Outcome

TRIP = 0.03
"""Seconds there and back: what a refusal takes."""


@dataclass(slots=True)
class Work:
    """One record's answer, in seconds on an unloaded server."""

    first: float
    tokens: int
    gap: float

    @property
    def seconds(self) -> float:
        return self.first + self.tokens * self.gap


def even(rng: random.Random) -> Work:
    """Answers of much the same length: 5 s, 10 % of it to the first token."""
    return Work(0.5 * rng.uniform(0.8, 1.2), round(225 * rng.uniform(0.8, 1.2)), 0.02)


def heavy(rng: random.Random) -> Work:
    """Lengths and first tokens with a heavy tail (log-normal, sigma 0.8 and 0.5)."""
    tokens = min(4000, max(20, round(225 * rng.lognormvariate(-0.32, 0.8))))
    return Work(0.5 * rng.lognormvariate(-0.125, 0.5), tokens, 0.02 * rng.lognormvariate(0, 0.1))


def late(rng: random.Random) -> Work:
    """Half of the time passes before the first token."""
    return Work(2.5 * rng.uniform(0.9, 1.1), round(125 * rng.uniform(0.8, 1.2)), 0.02)


@dataclass
class Server:
    """``speed(n, k)``: of each of n requests; ``k(t)``: the hidden limit, beyond which it refuses, queues, or slows.

    ``streams``, ``pieces``: first tokens are told, and what follows; ``counts``: it tells tokens; ``hint``: what its
    refusals ask to wait; ``chance``: the share of requests that end in ``chance_outcome`` whatever the load;
    ``slower``: than its fellows; ``per_second``, ``burst``: a leaky bucket at the door, as nginx's limit_req.
    """

    k: Callable[[float], float] = lambda t: math.inf
    speed: Callable[[int, float], float] = lambda n, k: 1.0
    refuses: bool = False
    queues: bool = False
    down: Callable[[float], bool] = lambda t: False
    streams: bool = True
    pieces: bool = True
    counts: bool = True
    per_second: float = math.inf
    burst: float = 1.0
    drops: float = 0.0
    hint: float | None = None
    chance: float = 0.0
    chance_outcome: Outcome = Outcome.AWAY
    absence: Outcome = Outcome.GONE
    slower: float = 1.0
    virtual: float = 0.0
    dripped: float = 0.0
    at: float = 0.0
    active: int = 0
    steps: list[tuple[float, int, Any]] = field(default_factory=list)
    waiting: deque[Any] = field(default_factory=deque)

    def rate(self) -> float:
        return self.speed(self.active, self.k(self.at)) / self.slower if self.active else 1.0

    def advance(self, now: float) -> None:
        self.virtual += (now - self.at) * self.rate()
        self.at = now

    def next_at(self) -> float:
        return self.at + max(0.0, self.steps[0][0] - self.virtual) / self.rate() if self.steps else math.inf

    def over_rate(self, now: float) -> bool:
        """Whether the bucket at the door is full; a request that gets in is a drop."""
        self.drops = max(0.0, self.drops - (now - self.dripped) * self.per_second) if self.drops else 0.0
        self.dripped = now
        if self.drops + 1 > self.burst:
            return True
        self.drops += 1
        return False

    def full(self) -> bool:
        return (self.refuses or self.queues) and self.active >= self.k(self.at)


def share(n: int, k: float) -> float:
    """Beyond k everybody slows down, and as much gets done as with k."""
    return min(1.0, k / n)


def thrash(n: int, k: float) -> float:
    """Beyond k less and less gets done."""
    return 1.0 if n <= k else k / n / (1 + 0.5 * (n / k - 1))


def batch(n: int, k: float) -> float:
    """A batching server: each is slowed by all, yet more gets done with each."""
    return 1 / (1 + n / k)


@dataclass(slots=True)
class Ask:
    """One request on its way."""

    server: int
    flight: Any
    work: Work
    record: int


@dataclass
class Result:
    """What a run came to."""

    seconds: float = 0.0
    done: int = 0
    refused: int = 0
    asked: int = 0
    failed: int = 0
    tokens: list[tuple[float, int]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    peak: int = 0
    trace: list[tuple[float, float, int]] = field(default_factory=list)
    notices: list[tuple[float, str]] = field(default_factory=list)

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.asked)


class Simulation:
    """A run of ``records`` through a Fleet, against ``servers``."""

    def __init__(
        self,
        servers: Sequence[Server],
        limits: Limits,
        works: Sequence[Work],
        seed: int = 1,
    ) -> None:
        self.servers, self.works = list(servers), works
        self.fleet = Fleet(
            [f"http://replica-{n}" for n in range(len(servers))],
            limits,
            random.Random(seed),
            streams=servers[0].streams,
        )
        self.rng = random.Random(seed)
        self.todo = deque(range(len(works)))
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.count = itertools.count()
        self.now = 0.0
        self.woken = math.inf
        self.result = Result()

    def run(self, most_seconds: float = 1e6) -> Result:
        self.ask()
        while self.result.done < len(self.works) and self.now < most_seconds:
            server = min(range(len(self.servers)), key=lambda n: self.servers[n].next_at())
            at, event_at = self.servers[server].next_at(), self.events[0][0] if self.events else math.inf
            if min(at, event_at) == math.inf:
                raise AssertionError("the run hangs")
            self.now = min(at, event_at)
            if event_at <= at:
                heapq.heappop(self.events)[2]()
            else:
                self.step(server)
            self.notices()
            self.ask()
        self.result.seconds = self.now
        return self.result

    def notices(self) -> None:
        self.result.notices += [(self.now, notice) for notice in self.fleet.notices]
        self.fleet.notices.clear()
        if error := self.fleet.fatal_error(self.now):
            raise error

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.count), do))

    def ask(self) -> None:
        while self.todo:
            index, at = self.fleet.next_start(self.now)
            if index is None:
                if at < math.inf and (at < self.woken or self.woken <= self.now):
                    self.woken = at
                    self.after(at - self.now, lambda: None)
                return
            record = self.todo.popleft()
            ask = Ask(index, self.fleet.start(index, self.now), self.works[record], record)
            self.result.asked += 1
            self.result.starts.append(self.now)
            self.after(TRIP / 2, partial(self.arrive, ask))

    def arrive(self, ask: Ask) -> None:
        server = self.servers[ask.server]
        server.advance(self.now)
        if server.down(self.now):
            self.after(TRIP / 2, lambda: self.end(ask, server.absence))
        elif server.chance and self.rng.random() < server.chance:
            self.after(TRIP / 2, lambda: self.end(ask, server.chance_outcome))
        elif (server.full() and server.refuses) or (server.per_second < math.inf and server.over_rate(self.now)):
            self.after(TRIP / 2, lambda: self.end(ask, Outcome.RATE, server.hint))
        elif server.full():
            server.waiting.append(ask)
        else:
            self.serve(server, ask)

    def serve(self, server: Server, ask: Ask) -> None:
        server.active += 1
        self.result.peak = max(self.result.peak, server.active)
        work, base = ask.work, server.virtual

        def push(offset: float, what: Any) -> None:
            heapq.heappush(server.steps, (base + offset, next(self.count), (what, ask)))

        if server.streams:
            for done in range(0, work.tokens if server.pieces else 1, 5):
                push(work.first + done * work.gap, done)
        push(work.seconds, None)

    def step(self, index: int) -> None:
        server = self.servers[index]
        server.advance(self.now)
        _, _, (what, ask) = heapq.heappop(server.steps)
        if what is not None:
            self.after(TRIP / 2, lambda: self.fleet.progress(index, ask.flight, what, self.now))
        else:
            server.active -= 1
            while server.waiting and not server.full():
                self.serve(server, server.waiting.popleft())
            self.after(TRIP / 2, lambda: self.end(ask, Outcome.OK))

    def end(self, ask: Ask, outcome: Outcome, wait: float | None = None) -> None:
        tokens = ask.work.tokens if outcome is Outcome.OK and self.servers[ask.server].counts else None
        ended = Ended(outcome, wait=wait, prompt_tokens=0, completion_tokens=tokens)
        charged = self.fleet.end(ask.server, ask.flight, ended, self.now)
        self.result.trace.append((self.now, self.fleet.replicas[ask.server].window.limit, self.fleet.in_flight))
        if outcome is Outcome.OK:
            self.result.done += 1
            self.result.tokens.append((self.now, ask.work.tokens))
            return
        self.result.refused += outcome is Outcome.RATE
        self.result.failed += outcome is Outcome.GONE and charged
        self.todo.appendleft(ask.record)
