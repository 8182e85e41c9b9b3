"""Raw answers come in; megabytes a second go out, ours beside a stack of regular expressions, measured in one run.

    PYTHONPATH=tests python -m benchmark.refiner

Ordinary answers in the layouts that models use most, then all case files; then the seconds for a megabyte of each
family of texts that parsers are slow on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from test_refiner_growth import FAMILIES

from benchmark.refiner_answers import ordinary
from benchmark.refiner_baseline import parse
from contextvqa_async.refiner import refine

CASES = Path(__file__).parents[1] / "cases" / "refiner"
RULE = "\n======== expected ========\n"
MEGABYTE = 1_000_000


def main() -> None:
    """Print both rates of each kind of answer, and the time of a megabyte of each family."""
    print(f"{'MB/s':28} ours baseline ratio")
    for name, texts in _texts():
        size = sum(len(text.encode()) for text in texts) / 1e6
        ours, theirs = _seconds(refine, parse, texts)
        print(f"{name:27}{size / ours:6.1f}{size / theirs:9.1f}{theirs / ours:6.2f}")
    for name, unit in FAMILIES.items():
        text = unit * (MEGABYTE // len(unit.encode()))
        start = time.perf_counter()
        refine(text)
        print(f"a megabyte of {name:30} {time.perf_counter() - start:6.2f} s")


def _texts() -> Iterator[tuple[str, list[str]]]:
    layouts = ordinary()
    yield "ordinary answers", [text for texts in layouts.values() for text in texts]
    for name, texts in layouts.items():
        yield f"  {name}", texts
    yield "case files", [path.read_bytes().decode().rpartition(RULE)[0] for path in sorted(CASES.glob("*.txt"))]


def _seconds(ours: Callable[[str], object], theirs: Callable[[str], object], texts: list[str]) -> tuple[float, float]:
    """The best of several rounds of each, by turns, so that both run under the same load."""
    best = [float("inf"), float("inf")]
    for _ in range(9):
        for at, work in enumerate((ours, theirs)):
            start = time.perf_counter()
            for text in texts:
                work(text)
            best[at] = min(best[at], time.perf_counter() - start)
    return best[0], best[1]


if __name__ == "__main__":
    main()
