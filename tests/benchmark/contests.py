"""A contest in (how the server answers, how many records), every contender's runs out, taken in turn.

Rule: A B C, A B C, …: whatever the machine does meanwhile, it does to all. A slow contender runs once, lest the
benchmark be about it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.contenders.entries import Contender, Run
from benchmark.material import Material
from benchmark.measure import RunFailedError, Server, Usage, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One table: what is asked of everyone, or of the ``entrants`` named; ``rounds`` unless the user says otherwise."""

    name: str
    title: str
    manner: str
    concurrency: int
    records: int
    rounds: int = 3
    image_bytes: int = 300_000
    entrants: tuple[str, ...] = ()


_STREAMING = ("ours", "events-asyncio", "events-uvloop", "aiohttp", "openai")

CONTESTS = (
    Contest(name="burst", title="whole answers at once, 32 in flight", manner="burst", concurrency=32, records=1000),
    Contest(
        name="paced-128",
        title="a token each 10 ms, 128 streams",
        manner="paced-10",
        concurrency=128,
        records=1024,
        rounds=1,
        entrants=(*_STREAMING, "httpx"),
    ),
    Contest(
        name="paced-1024",
        title="a token each 10 ms, 1,024 streams",
        manner="paced-10",
        concurrency=1024,
        records=1024,
        rounds=1,
        entrants=_STREAMING,
    ),
    Contest(
        name="big",
        title="whole answers at once, images of 5 MB, 16 in flight",
        manner="burst",
        concurrency=16,
        records=300,
        image_bytes=5_000_000,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every measurement needs: the server, the core for clients, the material, the peers' interpreter."""

    server: Server
    core: int | None
    material: Material
    peers: str

    def measure(self, contender: Contender, records: int, manner: str, concurrency: int, size: int = 300_000) -> Usage:
        """Run one contender on ``records`` records and check its rows."""
        with tempfile.TemporaryDirectory(prefix="cvqa-bench-") as folder:
            out = Path(folder) / "out.jsonl"
            work = Run(
                records=self.material.records(records, size),
                out=out,
                base_url=self.server.base_url(manner),
                concurrency=concurrency,
            )
            usage = run(contender.command(work, self.peers), core=self.core, server=self.server)
            contender.check(out, records)
            return usage


def hold(contest: Contest, contenders: Sequence[Contender], bench: Bench) -> Iterator[tuple[Contender, Usage | None]]:
    """Yield each run as it ends; None for one that failed, which is told on stderr."""
    bench.material.records(contest.records, contest.image_bytes)
    entrants = [each for each in contenders if not contest.entrants or each.name in contest.entrants]
    for number in range(contest.rounds):
        for contender in entrants:
            if not (contender.slow and number):
                yield contender, _try(contest, contender, bench)


def _try(contest: Contest, contender: Contender, bench: Bench) -> Usage | None:
    try:
        return bench.measure(contender, contest.records, contest.manner, contest.concurrency, contest.image_bytes)
    except RunFailedError as error:
        print(f"{contest.name} {contender.name}: {error}", file=sys.stderr, flush=True)
        return None
