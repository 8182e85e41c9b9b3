"""`python -m benchmark`: hold the contests and measure the promises; tables on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmark import promises
from benchmark.contenders.entries import CONTENDERS, Contender
from benchmark.contests import CONTESTS, Bench, Contest, hold
from benchmark.material import Material
from benchmark.measure import Usage, cores, running_server
from benchmark.tables import describe_machine, draw_contest

PROMISES = ("slots", "startup", "streams", "length")
MODES = (*(contest.name for contest in CONTESTS), *PROMISES)
DEFAULT_MODES = MODES[:-2]
"""All but the two that take many minutes."""


def main() -> int:
    """Read the arguments, measure, print; return 1 where a run failed, so that no gap passes for a result."""
    options = _parse(sys.argv[1:])
    print(f"Measured on {describe_machine()}.\n")
    failed: list[Contender] = []
    with _bench(options) as bench:
        for contest in CONTESTS:
            if contest.name in options.modes:
                failed += _print_contest(contest, _entrants(options.only, bench.peers), bench, options)
        for name in PROMISES:
            if name in options.modes:
                print(f"### {name}\n\n{_measure(name, bench, options)}\n", flush=True)
    return 1 if failed else 0


@contextmanager
def _bench(options: argparse.Namespace) -> Iterator[Bench]:
    client, server = cores()
    with tempfile.TemporaryDirectory(prefix="cvqa-bench-", dir=options.data) as folder, running_server(server) as at:
        yield Bench(server=at, core=client, material=Material(Path(folder)), peers=options.peers)


def _entrants(only: Sequence[str], peers: str) -> list[Contender]:
    """Those who were asked for; without the peers' environment, ours alone."""
    chosen = [each for each in CONTENDERS if not only or each.name in only]
    if Path(peers).exists():
        return chosen
    print(f"{peers} does not exist: `make bench` installs the peers; ours runs alone.", file=sys.stderr)
    return [each for each in chosen if not each.peer]


def _print_contest(
    contest: Contest, entrants: list[Contender], bench: Bench, options: argparse.Namespace
) -> list[Contender]:
    """Print the contest's table; return those of whose runs one failed."""
    records, rounds = max(1, int(contest.records * options.scale)), options.rounds or contest.rounds
    contest = replace(contest, records=records, rounds=rounds)
    runs: dict[Contender, list[Usage]] = {}
    failed: list[Contender] = []
    for contender, usage in hold(contest, entrants, bench):
        uses = runs.setdefault(contender, [])
        if usage is None:
            failed.append(contender)
        else:
            uses.append(usage)
            _tell(contest, contender, usage)
    print(f"### {contest.name}: {contest.title}, {records:,} records\n", flush=True)
    print(draw_contest(runs, records) + "\n", flush=True)
    return failed


def _tell(contest: Contest, contender: Contender, usage: Usage) -> None:
    cost = usage.cpu / contest.records * 1000
    told = f"{contest.name} {contender.name}: {cost:.2f} ms, {usage.wall:.1f} s, server {usage.server_busy:.0%}"
    print(told, file=sys.stderr, flush=True)
    if usage.server_busy > 0.9:
        print("  the server was the bottleneck of this run", file=sys.stderr, flush=True)


def _measure(name: str, bench: Bench, options: argparse.Namespace) -> str:
    if name == "streams":
        return promises.measure_streams(bench, options.rounds or 1)
    if name == "length":
        return promises.measure_length(bench, options.rounds or 3, options.long_records)
    if name == "slots":
        return promises.measure_slots(bench, options.rounds or 1)
    return promises.measure_startup(bench, 3 * (options.rounds or 3))


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmark", description=main.__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of records (default 1)")
    parser.add_argument("--rounds", type=int, help="turns that everyone takes (default: 1 to 3, by the mode)")
    parser.add_argument(
        "--modes",
        nargs="+",
        choices=MODES,
        default=DEFAULT_MODES,
        help="what to measure (default: not streams, length)",
    )
    names = [each.name for each in CONTENDERS]
    parser.add_argument("--only", nargs="+", choices=names, default=[], help="contenders (default: all)")
    parser.add_argument("--long-records", type=int, default=100_000, help="records of the mode length")
    parser.add_argument("--peers", default=".venv-bench/bin/python", help="the interpreter that has the peers")
    parser.add_argument("--data", help="where to put 1 GB of pictures (default: the temporary folder)")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
