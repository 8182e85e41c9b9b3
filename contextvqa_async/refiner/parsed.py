"""What was read in an answer, before it is put together: a value, made by the fast path and by line-by-line reading."""

from __future__ import annotations

from dataclasses import dataclass

from contextvqa_async.items import Pair
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.regions import Region


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read in an answer: its lines, the stretches of pairs among them, the pairs, and the article's prose as
    paragraphs of words with single spaces."""

    lines: list[Line]
    regions: list[Region]
    pairs: tuple[Pair, ...]
    prose: list[str]
