"""A line of a stretch comes in; what the state machine takes goes out: a token, which knows what lies ahead of it.

Rule: what a token knows of the lines to come is worked out only where the machine asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contextvqa_async.refiner.chatter import remark
from contextvqa_async.refiner.labels import lowered
from contextvqa_async.refiner.languages import column
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.regions import Ahead, Region, next_words

Sort = Literal["question", "both", "answer", "text", "part", "blank", "rule", "note", "key"]
"""What a line is to the machine; ``both``: a question with its answer; ``part``: an item of a list; ``key``: a heading
over answers that stand apart from their questions."""


class View:
    """What stands around each line of a stretch."""

    __slots__ = ("ahead", "lines", "region")

    def __init__(self, lines: list[Line], ahead: Ahead, region: Region) -> None:
        self.lines, self.ahead, self.region = lines, ahead, region

    def answer_due(self, at: int) -> bool:
        """Whether the next label is an answer's."""
        return self.ahead.kind[at] == "answer"

    def ends_text(self, at: int) -> bool:
        """Whether no words follow this line."""
        return not any(line.kind == "text" for line in self.lines[at + 1 : at + 9])

    def next_words(self, at: int) -> Line | None:
        """The next line of words, three lines on at the most."""
        return next_words(self.lines, at)

    def torn(self, at: int, words: str) -> bool:
        """Whether words are the beginning of a label, where the text was cut off."""
        region = self.region
        if not (region.answers or region.style == "label") or len(words) > 14 or len(self.lines) - at > 4:
            return False
        if not self.ends_text(at):
            return False
        low = lowered(words).strip("*_# \\([（【").rstrip(" 0123456789#.:：*-")
        return bool(low) and any(
            word.startswith(low) for word in column("answer") | column("question") if len(word) > 1
        )


@dataclass(slots=True)
class Token:
    """What a line is to the machine, its words, and, where it holds both, the answer."""

    line: Line
    at: int
    view: View
    sort: Sort = "text"
    words: str = ""
    answer: str = ""

    def read_as(self, sort: Sort, words: str = "", answer: str = "") -> Token:
        """Note what the line is to the machine; the token."""
        self.sort, self.words, self.answer = sort, words, answer
        return self

    @property
    def label_number(self) -> int | None:
        """The number of the line's label, if it has one."""
        return self.line.label.number if self.line.label else None

    @property
    def number(self) -> int | None:
        """The number of the line's label, or else the line's own."""
        label = self.line.label
        return label.number if label is not None and label.number is not None else self.line.number

    @property
    def asks(self) -> bool:
        """Whether the line ends as a question does."""
        return self.line.asks

    @property
    def plural(self) -> bool:
        """Whether the label is one over several answers."""
        return self.line.is_label("answers") or bool(self.line.label and self.line.label.plural)

    @property
    def chatter(self) -> bool:
        """Whether the line is chatter, so that it belongs to no answer."""
        return bool(self.words) and self.line.label is None and remark(self.line.body)

    @property
    def torn(self) -> bool:
        """Whether the line is the beginning of a label, where the text was cut off."""
        return self.view.torn(self.at, self.words)

    @property
    def answer_due(self) -> bool:
        """Whether the next label is an answer's."""
        return self.view.answer_due(self.at)

    @property
    def followed(self) -> bool:
        """Whether this answer's label is followed by another answer's, no question between."""
        return self.view.ahead.run[self.at]
