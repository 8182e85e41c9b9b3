"""Raw answers come in; megabytes a second go out, ours beside a stack of regular expressions, measured in one run.

    python tests/benchmark/refiner.py

Ordinary answers are this directory's case files in the layouts that models use most; then a megabyte of each family of
texts that parsers are slow on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from refiner_baseline import parse

from contextvqa_async.refiner import refine

TESTS = Path(__file__).parents[1]
RULE = "\n======== expected ========\n"
MEGABYTE = 1_000_000


def answers() -> list[str]:
    """The raw texts of the case files."""
    paths = sorted((TESTS / "cases" / "refiner").glob("*.txt"))
    return [path.read_bytes().decode().rpartition(RULE)[0] for path in paths]


def ordinary(texts: Iterable[str]) -> list[str]:
    """Those that a label-reading parser could read: labels on lines, no data, no tags."""
    return [text for text in texts if ("Q" in text and "A" in text) and not any(sign in text for sign in "{<|")]


def seconds(work: Callable[[str], object], texts: list[str]) -> float:
    """The best of several rounds over all texts."""
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        for text in texts:
            work(text)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Print both rates, and the time of a megabyte of each family."""
    for name, texts in (("ordinary", ordinary(answers())), ("all cases", answers())):
        size = sum(len(text.encode()) for text in texts) / 1e6
        ours, theirs = size / seconds(refine, texts), size / seconds(parse, texts)
        print(
            f"{name:10}{len(texts):4} texts: ours {ours:5.1f} MB/s, baseline {theirs:5.1f} MB/s: {ours / theirs:4.2f}"
        )
    sys.path.insert(0, str(TESTS))
    from test_refiner_growth import FAMILIES

    for name, unit in FAMILIES.items():
        text = unit * (MEGABYTE // len(unit.encode()))
        start = time.perf_counter()
        refine(text)
        print(f"a megabyte of {name:30} {time.perf_counter() - start:6.2f} s")


if __name__ == "__main__":
    main()
