"""All lines come in; what a stretch of pairs is, and which labels lie ahead of each line, go out.

Rule: values and one pass from the end; nothing is decided here.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field

from contextvqa_async.refiner.labels import Label
from contextvqa_async.refiner.lines import ANSWER, ARTICLE, DEFINITION, QUESTION, TERM, Line
from contextvqa_async.refiner.machine import Asked

KINDS = {"article": "break", "question": "question", "answer": "answer", "answers": "key"}
LONG = 240
"""Longer than any answer seen; prose that stands between pairs and is longer ends a stretch."""


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

    kind: list[str]
    gap: list[int]
    run: list[bool]


def look_ahead(lines: list[Line]) -> Ahead:
    """One pass from the end."""
    size = len(lines)
    ahead = Ahead([""] * size, [0] * size, [False] * size)
    kind, gap = "", 0
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


def put_behind(lines: list[Line]) -> None:
    """Answers that stand before their questions, each of them, change places with them."""
    places = [at for at, line in enumerate(lines) if line.is_label("question", "answer") and not line.mark]
    if len(places) < 4 or len(places) % 2 or not lines[places[0]].is_label("answer"):
        return
    pairs = list(zip(places[::2], places[1::2], strict=True))
    if all(_answers(lines[said], lines[asked]) and _apart(lines, said, asked) for said, asked in pairs):
        for said, asked in pairs:
            lines[said], lines[asked] = lines[asked], lines[said]


def _answers(said: Line, asked: Line) -> bool:
    """Whether a line is the answer to the question on another, for their labels."""
    numbers = [line.label.number for line in (said, asked) if line.label]
    labels = said.is_label("answer") and asked.is_label("question")
    return labels and bool(said.rest and asked.rest) and numbers[0] == numbers[1]


def _apart(lines: list[Line], said: int, asked: int) -> bool:
    """Whether nothing stands between two lines."""
    return all(line.kind == "blank" for line in lines[said + 1 : asked])


def next_words(lines: list[Line], at: int) -> Line | None:
    """The next line of words, three lines on at the most."""
    return next((line for line in lines[at + 1 : at + 4] if line.kind == "text"), None)


def mark_lists(lines: list[Line]) -> None:
    """A lone ``Questions:`` in the singular (``问题：``) over a numbered list is a heading."""
    for at, line in enumerate(lines):
        if line.label is None or line.label.kind != "question" or line.rest or line.label.number is not None:
            continue
        if _listed(lines[at + 1 : at + 5]):
            lines[at] = copy(line)
            lines[at].pairs_head = True


def _listed(lines: list[Line]) -> bool:
    """Whether the first two lines of words are items that ask."""
    items = 0
    for line in lines:
        if line.kind == "text":
            if line.decor != "item" or not line.asks:
                return False
            items += 1
            if items > 1:
                return True
    return False


def mark_lone(lines: list[Line]) -> None:
    """A lone ``Answer:`` among many questions that carry no label is the words of an answer or of the article."""
    labelled = [at for at, line in enumerate(lines) if line.is_label("question", "answer", "answers")]
    if not labelled or len(labelled) > 2 or not all(_lone(lines[at]) for at in labelled):
        return
    if sum(line.kind == "text" and "?" in line.body[-LONG:] for line in lines) > len(labelled) * 2 + 1:
        for at in labelled:
            lines[at] = copy(lines[at])
            lines[at].label = None


def mark_names(lines: list[Line]) -> None:
    """What could be a label, alone between two questions, is the answer of the first: ``A``, ``Notes``, ``Article 5``.

    Only where no answer carries a label.
    """
    if any(line.is_label("answer", "answers") and line.label and not _nameable(line.label) for line in lines):
        return
    for at in range(1, len(lines) - 1):
        label = lines[at].label
        if label is None or not _nameable(label) or not _asks(lines[at - 1]):
            continue
        after = next_words(lines, at)
        if after is not None and _asks(after):
            lines[at] = copy(lines[at])
            lines[at].label, lines[at].pairs_head = None, False


def _nameable(label: Label) -> bool:
    """Whether nothing but its word makes a label, so that it could be a name or an initial."""
    return label.sign in {"last", "mark"} and not label.plural


def _asks(line: Line) -> bool:
    return line.kind == "text" and line.label is None and line.asks


def _lone(line: Line) -> bool:
    return line.kind == "text" and not line.mark and line.is_label("answer") and bool(line.rest) and line.form != "cut"


def speaks(line: Line) -> bool:
    """Whether a line begins a person's turn: a pair's question only where all are told so."""
    return line.label is not None and line.label.word in {"user", "human"}


def label_kind(line: Line) -> str:
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
