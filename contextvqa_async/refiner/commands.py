"""Lines come in, some cut in parts; lines that are written as these are, but command instead of ask, are cut as well.

    Q: Who built it? A: Bob            cut at the second label, for the question mark before it
    Q: Name the city. A: Oslo          cut at the same label, for its neighbours

Rule: a command asks without a question mark. It is a question where it stands among questions, begins as they do, and
holds the label that their answers have.
"""

from __future__ import annotations

import itertools

from contextvqa_async.refiner.labels import Label, lowered, read_label
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.quoted_pairs import CutLine
from contextvqa_async.refiner.splits import cut_at

PAIR_LINE_MAX = 600
"""No line with one pair is longer."""


def cut_commands(lines: list[CutLine]) -> list[CutLine]:
    """The lines, with those cut that stand beside lines that were."""
    words = _answers(lines)
    if not words:
        return lines
    return [part for at, line in enumerate(lines) for part in _cut(lines, at, words)]


def _answers(lines: list[CutLine]) -> dict[tuple[str, str], str]:
    """How lines begin that hold a question and an answer, and the word of the answer's label."""
    found: dict[tuple[str, str], str] = {}
    for line, after in itertools.pairwise(lines):
        if isinstance(line, Line) and isinstance(after, Line) and after.form == "cut" and after.is_label("answer"):
            found[_beginning(line)] = after.label.word if after.label else ""
    return {key: word for key, word in found.items() if key[0]}


def _beginning(line: Line) -> tuple[str, str]:
    """How a line begins: with the label of a question, or with a number or a bullet; with nothing."""
    if line.is_label("question") and line.label:
        return "question", line.label.word
    return (line.decor if line.label is None and line.decor in {"item", "bullet"} else ""), ""


def _cut(lines: list[CutLine], at: int, words: dict[tuple[str, str], str]) -> list[CutLine]:
    """One line, cut where its neighbours are."""
    line, after = lines[at], lines[at + 1] if at + 1 < len(lines) else None
    if isinstance(line, list) or line.kind != "text" or line.form == "cut":
        return [line]
    cut_already = isinstance(after, Line) and after.form == "cut"
    word = "" if cut_already else words.get(_beginning(line), "")
    place = _label_at(line, word) if word else None
    return [*cut_at(line, *place)] if place else [line]


def _label_at(line: Line, word: str) -> tuple[int, Label] | None:
    """The last place in a line, after a sentence, where an answer's label stands."""
    low = lowered(line.body)
    at = low.rfind(word) if len(low) < PAIR_LINE_MAX else -1
    while at > 0:
        label = read_label(line.body, line.bolds, at)
        if label and label.kind == "answer" and label.word == word and low[:at].rstrip(" *(")[-1:] in ".!。":
            return at, label
        at = low.rfind(word, 0, at)
    return None
