"""All lines come in; what a stretch of pairs is, and which labels lie ahead of each line, go out.

Rule: values and one pass from the end; nothing is decided here, and no line is changed (``relabel.py`` has done that).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from contextvqa_async.refiner.asked import Asked
from contextvqa_async.refiner.labels import LabelKind
from contextvqa_async.refiner.lines import ANSWER, ARTICLE, DEFINITION, QUESTION, TERM, Line

Parting = Literal["", "break", "question", "answer", "key", "data"]
"""How a line parts pairs from each other: by a label of theirs, or, ``break``, because other things begin there."""
KINDS: dict[LabelKind, Parting] = {"article": "break", "question": "question", "answer": "answer", "answers": "key"}


@dataclass(slots=True)
class Region:
    """Lines ``start`` to ``end`` (exclusive), the pairs in them, and how they were written."""

    start: int
    end: int
    style: str
    pairs: list[Asked] = field(default_factory=list)
    unanswered: int = 0
    labelled: bool = False  # questions or answers carry labels
    answers: bool = False  # answers carry labels
    anchored: bool = False  # a heading over pairs stands before it
    quoted: bool = False
    first: int | None = None
    key: str = ""  # the look of its first question

    def lead_with(self, asked: Asked, start: int) -> None:
        """Take in a pair before the first, which begins in an earlier line."""
        self.start = start
        self.pairs.insert(0, asked)


@dataclass(slots=True)
class Ahead:
    """For each line, the next label after it, and how many filled lines lie between."""

    kind: list[Parting]
    gap: list[int]
    run: list[bool]


def look_ahead(lines: list[Line]) -> Ahead:
    """One pass from the end."""
    size = len(lines)
    ahead = Ahead([""] * size, [0] * size, [False] * size)
    kind: Parting = ""
    gap = 0
    for at in range(size - 1, -1, -1):
        ahead.kind[at], ahead.gap[at] = kind, gap
        line = lines[at]
        own = label_kind(line)
        ahead.run[at] = own == "answer" and kind == "answer"
        if own:
            kind, gap = own, 0
        elif line.kind != "blank":
            gap += 1
    return ahead


def next_words(lines: list[Line], at: int) -> Line | None:
    """The next line of words, three lines on at the most."""
    return next((line for line in lines[at + 1 : at + 4] if line.kind == "text"), None)


def speaks(line: Line) -> bool:
    """Whether a line begins a person's turn in a dialogue: a question of a pair only if all questions begin so."""
    return line.label is not None and line.label.word in {"user", "human"}


def label_kind(line: Line) -> Parting:
    """The kind of label that parts pairs from each other, if the line begins with one."""
    if line.kind == "data":
        return "data"
    if line.sealed:
        return ""
    if line.mark:
        if line.mark in {QUESTION, TERM}:
            return "question"
        if line.mark in {ANSWER, DEFINITION}:
            return "answer"
    if line.mark == ARTICLE or line.pairs_head:
        return "break"
    return KINDS.get(line.label.kind, "") if line.label is not None else ""
