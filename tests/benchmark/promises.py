"""Ours alone: what the line promises beside being cheap. Each function measures one promise and returns its table.

``flat``: a record costs the same with 32 or 2,048 in flight, and as one of 1,000 or of many. ``slots``: with answers
of constant latency no slot is ever idle. ``startup``: the command is there at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmark.contenders.entries import CONTENDERS
from benchmark.contests import Bench
from benchmark.measure import Usage, run
from benchmark.tables import draw_table

_OURS = CONTENDERS[0]
_HELD_RATE = 200
"""Records a second that a held run asks for: well below what one core can do, at any number in flight."""


def measure_streams(bench: Bench, rounds: int, counts: Sequence[int] = (32, 256, 2048)) -> str:
    """Cost a record by the number in flight, a one-record run subtracted: answers held, and answers paced."""
    ways = [(f"{count:,}", f"held-{1000 * count / _HELD_RATE:g}", max(1000, 4 * count), count) for count in counts]
    ways += [(f"{count:,}, a token each 10 ms", "paced-10", max(2 * count, 128), count) for count in counts]
    rows = [[name, *_net(bench, rounds, records, manner, concurrency)] for name, manner, records, concurrency in ways]
    return draw_table(["in flight", "records", "CPU ms a record", "peak memory", "wall", "most at once"], rows)


def measure_length(bench: Bench, rounds: int, most: int) -> str:
    """Cost a record by the length of the run, a one-record run subtracted."""
    counts = [count for count in (1000, 10_000, 100_000) if count < most] + [most]
    rows = [[f"{count:,}", *_net(bench, rounds if count == 1000 else 1, count, "burst", 32)] for count in counts]
    return draw_table(["run", "records", "CPU ms a record", "peak memory", "wall", "most at once"], rows)


def _net(bench: Bench, rounds: int, records: int, manner: str, concurrency: int) -> list[str]:
    one = median(bench.measure(_OURS, 1, "burst", concurrency).cpu for _ in range(3))
    uses = [bench.measure(_OURS, records, manner, concurrency) for _ in range(rounds)]
    cost = (median(use.cpu for use in uses) - one) / (records - 1) * 1000
    peak, wall = median(use.peak_mb for use in uses), median(use.wall for use in uses)
    most = max(use.server["peak"] for use in uses)
    return [f"{records:,}", f"{cost:.2f}", f"{peak:.0f} MB", f"{wall:.1f} s", f"{most:,.0f}"]


def measure_slots(bench: Bench, rounds: int) -> str:
    """How much longer a run takes than latency x records / slots; ``net``: with what one record takes subtracted.

    Answers of constant latency come in waves, and one core works through each wave: hence few slots or long waits.
    """
    rows = []
    for slots, waves, latency in ((8, 20, 1.0), (32, 6, 4.0)):
        manner = f"held-{latency * 1000:g}"
        one = median(bench.measure(_OURS, 1, manner, slots).wall for _ in range(rounds))
        uses = [bench.measure(_OURS, slots * waves, manner, slots) for _ in range(rounds)]
        wall, ideal = median(use.wall for use in uses), waves * latency
        over = [f"{wall / ideal - 1:+.1%}", f"{(wall - one) / (ideal - latency) - 1:+.1%}"]
        words = [f"{slots}", f"{slots * waves:,}", f"{latency:g} s", f"{ideal:.0f} s", f"{wall:.2f} s", *over]
        rows.append([*words, f"{max(use.server['peak'] for use in uses):.0f}"])
    return draw_table(["slots", "records", "latency", "ideal", "wall", "over", "net", "most at once"], rows)


def measure_startup(bench: Bench, rounds: int) -> str:
    """``--help`` and a one-record run, beside an interpreter that imports click and httpx and ends."""
    command = str(Path(sys.executable).with_name("cvqa-async"))
    ways: dict[str, Callable[[], Usage]] = {
        'python -c ""': lambda: run([sys.executable, "-c", ""], core=bench.core),
        'python -c "import click, httpx"': lambda: run([sys.executable, "-c", "import click, httpx"], core=bench.core),
        "cvqa-async --help": lambda: run([command, "--help"], core=bench.core),
        "one record": lambda: bench.measure(_OURS, 1, "burst", 32),
    }
    taken: dict[str, list[Usage]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            taken[name].append(way())
    rows = [
        [
            name,
            *(f"{median(getattr(use, what) for use in uses[1:]):.3f} s" for what in ("wall", "cpu")),
            f"{median(use.peak_mb for use in uses):.0f} MB",
        ]
        for name, uses in taken.items()
    ]
    return draw_table(["", "wall", "CPU", "peak memory"], rows)
