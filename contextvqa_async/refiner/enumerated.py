"""A line that holds a numbered list of questions comes in; its items go out, a line each.

Rule: numbers must run from 1, each item must ask, and nothing but a heading over pairs, or an article that ends in
one, may stand before them.
"""

from __future__ import annotations

import re
from itertools import pairwise

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import Line, read_line
from contextvqa_async.refiner.splits import headed

COUNT = lazy(r"(?:^|(?<=\s))[(（]?(?P<n>\d{1,2})[.)）、]\s*(?=\D)")
QUESTION_MARK = lazy("[?？؟]")


def enumerated(line: Line) -> list[Line]:
    """The items of a line, behind what stands before them; the line alone, if it holds none.

    >>> [part.body for part in enumerated(read_line("Questions: 1. Who? Bob 2. Where? - Oslo"))]
    ['Questions:', 'Who? Bob', 'Where? - Oslo']
    """
    if line.kind != "text" or len(QUESTION_MARK.findall(line.words)) < 2:
        return [line]
    starts = _starts(line.words)
    if len(starts) < 2:
        return [line]
    stops = [*(found.start() for found in starts[1:]), len(line.words)]
    items = [line.words[found.start() : stop].strip() for found, stop in zip(starts, stops, strict=True)]
    before = line.words[: starts[0].start()].rstrip()
    parts = headed(read_line(before)) if before else []
    if not all(QUESTION_MARK.search(item) for item in items) or (parts and not parts[-1].pairs_head):
        return [line]
    return [*parts, *map(read_line, items)]


def _starts(words: str) -> list[re.Match[str]]:
    """The numbers that run from 1."""
    found: list[re.Match[str]] = []
    for start in COUNT.finditer(words):
        if int(start["n"]) == len(found) + 1:
            found.append(start)
    return found if all(one.end() < other.start() for one, other in pairwise(found)) else []
