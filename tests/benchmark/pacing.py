"""How well the pace finds what a server hides: a table of throughput and refusals, from simulated servers.

`PYTHONPATH=tests python -m benchmark.pacing` prints it; tests/test_pacing.py holds every line to its bounds. ``ratio``
is the time of the best fixed concurrency divided by ours; ``refused`` the share of all requests that were refused.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmark.pacing_servers import Result, Server, Simulation, Work, batch, even, heavy, late, share, thrash
from contextvqa_async.config import Limits
from contextvqa_async.pacing import Outcome

Draw = Callable[[random.Random], Work]
Make = Callable[[], Sequence[Server]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One line of the table: who is asked for what, the fixed settings to compare with, and the bounds."""

    name: str
    traits: dict[str, Any]
    levels: tuple[int, ...]
    draw: Draw = even
    records: int = 1000
    concurrency: int = 32
    ratio: float = 0.9
    refused: float = 0.02

    @property
    def title(self) -> str:
        """The name, and what is unusual about the answers."""
        words = [self.name, "" if self.draw is even else self.draw.__name__]
        words += [
            "" if self.traits.get(trait, True) else word
            for trait, word in (("streams", "whole"), ("pieces", "first tokens only"), ("counts", "uncounted"))
        ]
        return ", ".join(filter(None, words))

    def run(self, seed: int = 1) -> Result:
        """The run at our pace."""
        return run(self._make, Limits(concurrency=self.concurrency), self.draw, self.records, seed)

    def best_fixed(self, seed: int = 1) -> Result:
        """The run at the best of the fixed settings."""
        limits = [Limits(concurrency=level, no_adaptive=True) for level in self.levels]
        return min((run(self._make, each, self.draw, self.records, seed) for each in limits), key=lambda r: r.seconds)

    def _make(self) -> Sequence[Server]:
        return [Server(**self.traits)]


def run(make: Make, limits: Limits, draw: Draw, records: int, seed: int = 1) -> Result:
    """Simulate one run; the works are the same for the same seed."""
    rng = random.Random(seed)
    return Simulation(make(), limits, [draw(rng) for _ in range(records)], seed).run()


def steady(k: float) -> Callable[[float], float]:
    """A limit that stays."""
    return lambda t: k


def changing(before: float, after: float, at: float = 300.0) -> Callable[[float], float]:
    """A limit that changes half-way."""
    return lambda t: before if t < at else after


def healthy() -> Iterator[Scenario]:
    """Servers that answer alike at any load: growing must cost less than 2 % of 1,000 records at 32."""
    for draw, streams in product((even, heavy, late), (True, False)):
        yield Scenario(name="healthy", traits={"streams": streams}, draw=draw, levels=(32,), ratio=0.98)
    whole = {"streams": False, "counts": False}
    yield Scenario(name="healthy", traits=whole, draw=heavy, levels=(32,), ratio=0.98)
    for n, records in ((1, 200), (8, 1000), (256, 5000), (1024, 20_000)):
        yield Scenario(
            name="healthy", traits=whole, draw=heavy, concurrency=n, records=records, levels=(n,), ratio=0.95
        )


def refusing() -> Iterator[Scenario]:
    """Servers that answer 429 beyond a hidden limit, or let wait in a queue."""
    for k, streams in product((1, 4, 10, 16, 27), (True, False)):
        traits = {"k": steady(k), "refuses": True, "streams": streams}
        yield Scenario(name=f"429 beyond {k}", traits=traits, levels=(k,))
    for streams in (True, False):
        traits = {"k": steady(16), "refuses": True, "streams": streams}
        yield Scenario(name="429 beyond 16", traits=traits, draw=heavy, levels=(16,))
        yield Scenario(
            name="429 beyond 100",
            traits=traits | {"k": steady(100)},
            records=3000,
            concurrency=1024,
            levels=(100,),
        )
        queueing = {"k": steady(8), "queues": True, "streams": streams}
        yield Scenario(name="queue beyond 8", traits=queueing, levels=(8, 10))


def slowing() -> Iterator[Scenario]:
    """Servers that never refuse, and only slow down: as much gets done beyond the limit, or less and less."""
    for k, streams in product((4, 8, 16), (True, False)):
        traits = {"k": steady(k), "speed": share, "streams": streams}
        yield Scenario(name=f"slower beyond {k}", traits=traits, levels=(k, k + 2))
    yield Scenario(name="slower beyond 8", traits={"k": steady(8), "speed": share}, draw=late, levels=(8, 10))
    for streams in (True, False):
        yield Scenario(name="batching", traits={"k": steady(16), "speed": batch, "streams": streams}, levels=(16, 32))
    for k, records, n in ((4, 1000, 32), (8, 1000, 32), (16, 1000, 32), (40, 4000, 256)):
        falling = {"k": steady(k), "speed": thrash}
        least = 0.9 if k > 4 else 0.85  # eight times too many at first: what is in flight then is paid for
        yield Scenario(
            name=f"falling beyond {k}", traits=falling, records=records, concurrency=n, levels=(k, k + 1), ratio=least
        )
    for speed, name in ((share, "slower"), (thrash, "falling")):
        traits = {"k": steady(8), "speed": speed, "pieces": False}
        yield Scenario(name=f"{name} beyond 8", traits=traits, levels=(8, 9))
    whole = {"k": steady(8), "speed": thrash, "streams": False}
    yield Scenario(name="falling beyond 8", traits=whole, records=3000, levels=(8, 9))


def changed() -> Iterator[Scenario]:
    """Servers whose limit changes half-way."""
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("429", {"refuses": True}),
        ("slower", {"speed": share}),
        ("falling", {"speed": thrash}),
    )
    for (before, after), (name, traits) in product(((8, 24), (24, 8)), kinds):
        yield Scenario(
            name=f"{name} beyond {before}, then {after}",
            traits=traits | {"k": changing(before, after)},
            records=2000,
            levels=(8, 16, 24),
        )


def unlucky() -> Iterator[Scenario]:
    """Servers of which some requests fail whatever the load: a flaky gateway, records that always end in a time-out."""
    for outcome, chance in ((Outcome.RATE, 0.02), (Outcome.AWAY, 0.03), (Outcome.AWAY, 0.2), (Outcome.OVERLOAD, 0.03)):
        traits: dict[str, Any] = {"chance": chance, "chance_outcome": outcome}
        yield Scenario(
            name=f"{chance:.0%} {outcome}",
            traits=traits,
            records=2000,
            concurrency=64,
            levels=(64,),
            ratio=0.55,
            refused=0.05,
        )
    full = {"chance": 0.01, "chance_outcome": Outcome.RATE, "k": steady(16), "refuses": True}
    yield Scenario(name="429 beyond 16, and 1 % rate", traits=full, levels=(16,), ratio=0.8, refused=0.05)


def main() -> None:
    """Print the table."""
    sys.stdout.write(f"{'server':34} {'C':>5} {'records':>7} {'fixed':>8} {'ours':>8} {'ratio':>6} {'refused':>8}\n")
    for scenario in (*healthy(), *refusing(), *slowing(), *changed(), *unlucky()):
        ours, fixed = scenario.run(), scenario.best_fixed()
        sys.stdout.write(
            f"{scenario.title:34} {scenario.concurrency:5} {scenario.records:7} {fixed.seconds:7.0f}s "
            f"{ours.seconds:7.0f}s {fixed.seconds / ours.seconds:6.3f} {ours.refused_share:8.2%}\n"
        )


if __name__ == "__main__":
    main()
