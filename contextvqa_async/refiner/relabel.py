"""All lines come in; where a line's label is contradicted by its neighbours, it is taken off or read as another.

Rule: lines are changed in their list, never in place: others may share them.
"""

from __future__ import annotations

from copy import copy

from contextvqa_async.refiner.labels import Label
from contextvqa_async.refiner.limits import ANSWER_MAX
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.regions import next_words


def relabel(lines: list[Line]) -> None:
    """Correct what the lines' labels say, by what stands around them."""
    _put_answers_behind(lines)
    _mark_headings(lines)
    _unmark_lone_answers(lines)
    _unmark_names(lines)


def _put_answers_behind(lines: list[Line]) -> None:
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


def _mark_headings(lines: list[Line]) -> None:
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


def _unmark_lone_answers(lines: list[Line]) -> None:
    """A lone ``Answer:`` among many questions that carry no label is the words of an answer or of the article."""
    labelled = [at for at, line in enumerate(lines) if line.is_label("question", "answer", "answers")]
    if not labelled or len(labelled) > 2 or not all(_lone(lines[at]) for at in labelled):
        return
    if sum(line.kind == "text" and "?" in line.body[-ANSWER_MAX:] for line in lines) > len(labelled) * 2 + 1:
        for at in labelled:
            lines[at] = copy(lines[at])
            lines[at].label = None


def _unmark_names(lines: list[Line]) -> None:
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
