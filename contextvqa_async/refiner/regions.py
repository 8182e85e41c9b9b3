"""All lines come in; the stretches that hold pairs go out, each with what was read in it.

Rule: look ahead before deciding. A numbered question is a pair's only if an answer follows in the manner of its
neighbours; a heading is one over pairs only if pairs follow; a dialogue quoted in an article is prose.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field

from contextvqa_async.refiner.chatter import closes, opens, remark
from contextvqa_async.refiner.labels import lowered
from contextvqa_async.refiner.languages import words
from contextvqa_async.refiner.lines import ANSWER, ARTICLE, DEFINITION, END, QUESTION, TERM, Line, asks, bulk
from contextvqa_async.refiner.machine import ANSWERED, ASKED, CLOSED, KEYED, Asked, Machine
from contextvqa_async.refiner.splits import answered

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
    apart: bool = False  # answers stood apart from questions


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
        own = _labelled(line)
        ahead.run[at] = own == "answer" and kind == "answer"
        if own:
            kind, gap = own, 0
        elif line.kind != "blank":
            gap += 1
    return ahead


def _mark_lists(lines: list[Line]) -> None:
    """A lone ``Questions:`` in the singular (``问题：``) over a numbered list is a heading."""
    for at, line in enumerate(lines):
        if line.label is None or line.label.kind != "question" or line.rest or line.label.number is not None:
            continue
        following = [later for later in lines[at + 1 : at + 5] if later.kind == "text"]
        if len(following) > 1 and all(later.decor == "item" and later.asks for later in following[:2]):
            lines[at] = copy(line)
            lines[at].pairs_head = True


def _labelled(line: Line) -> str:
    """The kind of label that parts pairs from each other, if the line begins with one."""
    if line.kind == "data":
        return "data"
    if line.sealed:
        return ""
    if line.mark in {QUESTION, TERM}:
        return "question"
    if line.mark in {ANSWER, DEFINITION}:
        return "answer"
    if line.mark == ARTICLE or line.is_label("article") or line.pairs_head:
        return "break"
    if line.label is None:
        return ""
    if line.label.kind in {"question", "answer"}:
        return line.label.kind
    return "key" if line.label.kind == "answers" else ""


class Scanner:
    """Reads stretches of pairs out of lines."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        _mark_lists(lines)
        self.ahead = look_ahead(lines)

    def regions(self) -> list[Region]:
        """Every stretch that could hold pairs, in order."""
        found: list[Region] = []
        at, anchored = 0, False
        while at < len(self.lines):
            line = self.lines[at]
            if (line.pairs_head or (line.is_label("pair") and not line.rest)) and not line.sealed:
                anchored = True
            elif self.starts(at, anchored):
                region, stop = self.scan(at, anchored)
                if region.pairs:
                    found.append(region)
                anchored, at = False, max(stop, at + 1)
                continue
            elif line.kind == "text" and anchored and not self._slight(line):
                anchored = False
            at += 1
        return found

    @staticmethod
    def _slight(line: Line) -> bool:
        """Whether a line may stand between a heading over pairs and the first of them."""
        return len(line.words) < 200

    def starts(self, at: int, anchored: bool) -> bool:
        """Whether a question may begin here."""
        line = self.lines[at]
        if line.kind == "data":
            return True
        if line.kind != "text" or line.mark == ARTICLE or line.sealed:
            return False
        if line.mark in {QUESTION, TERM}:
            return line.mark == QUESTION or line.asks or self.ahead.kind[at] == "answer"
        if line.label is not None:
            if line.label.kind == "question":
                return not line.label.plural or bool(line.rest)
            return line.label.kind == "pair" and len(line.rest) > 8
        return self._asks_bare(at, anchored)

    def _asks_bare(self, at: int, anchored: bool) -> bool:
        """Whether a line without a label looks like a question that an answer follows."""
        line = self.lines[at]
        if len(line.body) > 400 or not line.body:
            return False
        if (
            self.ahead.kind[at] == "answer"
            and not self.ahead.gap[at]
            and (line.asks or line.decor or line.bold or anchored)
        ):
            return True
        if line.asks:
            return line.style != "text" or len(line.body) < LONG
        decorated = line.style != "text"
        split = answered(line, line.body)
        if split and (decorated or anchored) and split[2] in {"sign", "brackets", "space"}:
            return True
        if anchored and split and line.style in {"item", "bullet", "text"}:
            return line.style != "text" or bool(line.bolds)
        return anchored and line.decor == "item" and line.number == 1 and len(line.body) < LONG

    def scan(self, start: int, anchored: bool) -> tuple[Region, int]:
        """Read pairs from ``start`` on, until something ends them; the region, and the line that ended it."""
        first = self.lines[start]
        region = Region(start, start, first.style, anchored=anchored, first=first.number)
        region.labelled = bool(_labelled(first)) or first.is_label("pair")
        region.style = "label" if region.labelled else first.style
        region.key = self._key(first)
        region.quoted = first.quoted
        reader = Stretch(self, region, first)
        at = start
        while at < len(self.lines) and not reader.ends(at):
            if reader.take(at):
                region.end = at + 1
            at += 1
        region.pairs = reader.machine.pairs()
        region.unanswered = reader.machine.unanswered()
        return region, at

    @staticmethod
    def _key(line: Line) -> str:
        """How a question looks: the word of its label, whether that has a number, and its decoration."""
        if line.kind == "data" and line.label is None:
            return "data"
        label = line.label
        return f"{label.word}{'#' if label.number is not None else ''}" if label else line.style


class View:
    """What the machine may know of a line and of the lines to come; worked out only where it asks."""

    __slots__ = ("at", "line", "stretch", "words")

    def __init__(self, stretch: Stretch, line: Line, at: int, words: str) -> None:
        self.stretch, self.line, self.at, self.words = stretch, line, at, words

    @property
    def answer_next(self) -> bool:
        waiting = self.stretch.machine.waiting
        return self.stretch.answer_due(self.at) and not (len(waiting) > 1 and self.stretch.ahead.run[self.at])

    @property
    def chatter(self) -> bool:
        return bool(self.words) and self.line.label is None and remark(self.line.body)

    @property
    def asks(self) -> bool:
        return self.line.asks

    @property
    def runs(self) -> bool:
        machine, label = self.stretch.machine, self.line.label
        back = len(machine.waiting) > 1 and label is not None and label.number not in {None, machine.last.number}
        return self.stretch.ahead.run[self.at] or back

    @property
    def torn(self) -> bool:
        lines = self.stretch.lines
        region = self.stretch.region
        if not (region.answers or region.style == "label") or len(self.words) > 14 or len(lines) - self.at > 4:
            return False
        if any(line.kind == "text" for line in lines[self.at + 1 :]):
            return False
        low = lowered(self.words).strip("*_# ")
        return any(word.startswith(low) for word in words("answer") | words("question") if len(word) > 1)

    @property
    def plural(self) -> bool:
        return self.line.is_label("answers") or bool(self.line.label and self.line.label.plural)


class Stretch:
    """One stretch while it is read: turns each line into a token for the machine."""

    def __init__(self, scanner: Scanner, region: Region, first: Line) -> None:
        self.lines, self.ahead = scanner.lines, scanner.ahead
        self.region = region
        self.machine = Machine()
        self.indent = first.indent
        self.number: int | None = None
        self.form = first.form

    def ends(self, at: int) -> bool:
        """Whether the stretch ends before this line."""
        line = self.lines[at]
        if line.mark in {ARTICLE, END} or line.is_label("article", "title"):
            return line.mark == ARTICLE or self._leaves(line, at)
        if line.pairs_head:
            return at > self.region.start and not (self.machine.state == ASKED and line.is_label("answers"))
        long = line.kind == "text" and not line.label and not line.mark and bulk(line.words) > LONG
        if long and self._between(at):
            return not self._question(line, at)
        if not self.region.labelled and line.is_label("question") and line.label and line.label.kind == "question":
            return not self.region.answers
        return False

    def _between(self, at: int) -> bool:
        """Whether no answer is due: prose that stands here belongs to no pair."""
        state = self.machine.state
        return state in {CLOSED, KEYED} or (state == ASKED and not self.answer_due(at))

    def _leaves(self, line: Line, at: int) -> bool:
        """Whether a label of an article, or a tag's end, is more than a word inside a stretch."""
        if line.mark == END:
            return False
        return line.is_label("article") and (
            line.decor == "head"
            or line.bold
            or not line.rest
            or bool(line.bolds)
            or self.machine.state in {CLOSED, ASKED}
        )

    def answer_due(self, at: int) -> bool:
        return self.ahead.kind[at] == "answer"

    def take(self, at: int) -> bool:
        """Feed a line to the machine; whether it belonged to the pairs."""
        line = self.lines[at]
        if line.kind == "data" and line.pair:
            self.machine.take("both", line, line.pair[0], View(self, line, at, ""), line.pair[1])
            self.machine.state = CLOSED
            self.region.answers = True
            return True
        sort, words, answer = self._token(line, at)
        if sort == "answer":
            self.region.answers = True
        if sort in {"question", "both"}:
            self.number = line.number if line.number is not None else self.number
        return self.machine.take(sort, line, words, View(self, line, at, words), answer)

    def _token(self, line: Line, at: int) -> tuple[str, str, str]:
        """What a line is to the machine, its words, and, where it holds both, the answer."""
        if line.kind in {"blank", "rule", "end"}:
            return ("blank" if line.kind == "blank" else "rule"), "", ""
        if line.mark in {ANSWER, DEFINITION}:
            return "answer", line.rest if line.is_label("answer") else line.body, ""
        if line.mark == QUESTION or (line.mark == TERM and (line.asks or self.answer_due(at))):
            return "question", line.rest if line.is_label("question") else line.body, ""
        if line.label is not None:
            return self._labelled(line, at)
        return self._bare(line, at)

    def _labelled(self, line: Line, at: int) -> tuple[str, str, str]:
        label = line.label
        if label is None:
            return self._bare(line, at)
        if label.kind == "question":
            keyed = self.machine.state == KEYED and label.number in self.machine.numbers and not line.asks
            return ("answer", line.rest, "") if keyed else self._asked(line, at, line.rest)
        if label.kind == "answer":
            alone = not line.rest and label.number is None and self.machine.state == ASKED
            return ("key", "", "") if alone and len(self.machine.waiting) > 1 else self._answer(line)
        if label.kind == "answers":
            if self.machine.state == ASKED and not line.rest and len(self.machine.waiting) == 1:
                return "answer", "", ""
            return ("key", line.rest, "") if len(self.machine.waiting) > 1 else ("answer", line.rest, "")
        if label.kind == "pair":
            return self._asked(line, at, line.rest) if len(line.rest) > 8 else ("rule", "", "")
        if label.kind == "note":
            return "note", "", ""
        return self._bare(line, at)

    def _answer(self, line: Line) -> tuple[str, str, str]:
        if self.machine.state not in {ASKED, KEYED} and not self.machine.asked:
            return "text", line.body, ""
        if self.machine.state == ANSWERED and line.label and line.label.letter and line.label.sign == "mark":
            return "text", line.body, ""
        return "answer", line.rest, ""

    def _asked(self, line: Line, at: int, words: str) -> tuple[str, str, str]:
        """A labelled question; if no answer's label comes before the next question, its line may hold the answer."""
        inner = answered(line, words) if words and self.ahead.kind[at] != "answer" else None
        if inner and inner[2] == "space" and self._bare_follows(at):
            inner = None
        if inner and inner[2] in {"arrow", "bold"} and self._bare_follows(at):
            inner = None
        return ("both", inner[0], inner[1]) if inner else ("question", words, "")

    def _bare_follows(self, at: int) -> bool:
        """Whether a line without a label, an answer perhaps, stands right under this one."""
        if at + 1 >= len(self.lines):
            return False
        line = self.lines[at + 1]
        return (
            line.kind == "text"
            and line.label is None
            and not line.mark
            and not line.asks
            and (line.style == "text" or (line.decor == "bullet" and line.indent > self.lines[at].indent))
        )

    def _bare(self, line: Line, at: int) -> tuple[str, str, str]:
        """A line without a label: a question by its style, a part of a list, or words."""
        if self._question(line, at):
            return self._asked(line, at, line.body)
        if line.decor == "head":
            return "rule", "", ""
        if line.decor == "item" and self._restarts(line):
            self.machine.take("key", line, "", View(self, line, at, ""))
        if (line.decor in {"bullet", "item"} and not line.body) or self._cut_number(line):
            return "rule", "", ""
        if line.decor in {"bullet", "item"}:
            words = (
                line.words
                if line.decor == "item" and self.machine.state == ASKED and line.number not in {1, None}
                else line.body
            )
            return "part", words, ""
        if (lettered := LETTERED.match(line.body)) and self._lists(lettered[1]):
            return "part", line.body[lettered.end() :], ""
        return "text", line.words if line.number is not None else _led(line.body), ""

    def _cut_number(self, line: Line) -> bool:
        """Whether a line is nothing but the number of a question that was cut off."""
        return self.region.style == "item" and self.number is not None and line.words == str(self.number + 1)

    def _lists(self, letter: str) -> bool:
        """Whether a line that begins with a letter, ``b.``, is the next part of a list under a question."""
        machine = self.machine
        if machine.state == ASKED:
            return letter == "a" and bool(machine.last.question)
        return machine.state == ANSWERED and machine.last.listed and ord(letter) - 97 == len(machine.last.answers)

    def _restarts(self, line: Line) -> bool:
        """Whether an item begins the list of answers to a list of questions."""
        waiting = self.machine.waiting
        return self.machine.state == ASKED and len(waiting) > 1 and line.number == self.machine.asked[waiting[0]].number

    def _question(self, line: Line, at: int) -> bool:
        """Whether a line without a label asks, in the style of this stretch."""
        if not line.body or line.kind != "text" or len(line.body) > 500:
            return False
        state = self.machine.state
        if self.ahead.kind[at] == "answer" and not self.ahead.gap[at]:
            return self._before_answer(line, at, state)
        if self.region.style == "label":
            return False
        if self.region.style == "text" and line.bold:
            return line.asks and state != ASKED
        if line.style != self.region.style or state == KEYED:
            return False
        return self._in_style(line, at, state)

    def _before_answer(self, line: Line, at: int, state: str) -> bool:
        """A line right before an answer's label is its question, unless one is open and this goes on with it."""
        if state == ASKED:
            asked = self.machine.last
            if not asked.question or (line.style == "text" and not asked.gap):
                return False
            if self.region.style == "label":
                return line.asks and line.style == "item" and Line("text", body=asked.question).asks
            return line.style == self.region.style and (line.asks or line.decor == "item")
        if state == ANSWERED and not line.asks and not line.decor and not line.bold:
            return False
        if line.decor == "bullet" and line.indent > self.indent and not line.asks:
            return False
        return state != KEYED

    def _in_style(self, line: Line, at: int, state: str) -> bool:
        style = line.style
        split = answered(line, line.body)
        both = split is not None and split[2] in {"sign", "brackets", "space"}
        if at == self.region.start:
            return True
        if style == "item":
            due = self.number is not None and line.number == self.number + 1 and line.form == self.form
            deeper = line.indent > self.indent + 1
            return (due and not deeper) or ((line.asks or both) and not (deeper and state == ASKED))
        if style == "bullet":
            return (line.asks or both) and not (line.indent > self.indent and state == ASKED)
        if style == "head":
            return line.asks or line.number is not None
        if style == "bold":
            return line.asks or state != ASKED
        if style == "emoji":
            return line.asks or both
        return line.asks or (both and split is not None and split[2] == "sign")


LETTERED = re.compile(r"([a-z])[.)]\s+(?=\S)")
LED = re.compile(r"(?:[-=]+>|>>|»|[⇒➜➔⟶])\s*(?=\S)")


def _led(words: str) -> str:
    """An answer without the arrow that led to it."""
    found = LED.match(words)
    return words[found.end() :] if found else words


def choose(regions: list[Region], lines: list[Line]) -> list[Region]:
    """The stretches that hold the pairs, without decoys."""
    real = [region for region in regions if _credible(region, lines)]
    anchored = [region for region in real if region.anchored]
    if anchored:
        return _behind_heading(real, anchored, lines)
    labelled = [region for region in real if region.labelled or region.answers]
    kept = labelled or real
    if len(kept) < 2:
        return kept
    main = max(kept, key=lambda region: (not region.quoted, len(region.pairs)))
    kept = [region for region in kept if region is main or not _amid(region, main, lines)]
    return [region for region in kept if _like(region, main) or len(region.pairs) * 2 > len(main.pairs)]


def _behind_heading(real: list[Region], anchored: list[Region], lines: list[Line]) -> list[Region]:
    """Where a heading stands over pairs, what looks like pairs in the prose before it is prose."""
    first = anchored[0]
    kept: list[Region] = []
    for region in real:
        if region.start < first.start:
            if (region.labelled and not _prose(lines, region.end, first.start) and not region.quoted) or (
                _like(region, first) and not _prose(lines, 0, region.start)
            ):
                kept.append(region)
        elif (
            region.anchored
            or _like(region, first)
            or region.labelled
            or (not any(kept_region.labelled for kept_region in kept) and not _prose(lines, kept[-1].end, region.start))
        ):
            kept.append(region)
    return kept


def _prose(lines: list[Line], start: int, stop: int) -> bool:
    return any(line.kind == "text" and bulk(line.words) > 80 and not _slight(line) for line in lines[start:stop])


def _slight(line: Line) -> bool:
    """Whether a line announces, rather than tells."""
    return len(line.words) < 200 and (opens(line.words) or closes(line.words) or line.words.endswith((":", "：")))


def _amid(region: Region, main: Region, lines: list[Line]) -> bool:
    """Whether a stretch stands in the middle of the prose before the main one: a dialogue that the article quotes."""
    before, after = lines[: region.start], lines[region.end : main.start]
    labelled = any(line.mark == ARTICLE or line.is_label("article") for line in after)
    return (
        region.start < main.start and not labelled and _prose(before, 0, len(before)) and _prose(after, 0, len(after))
    )


def _like(one: Region, other: Region) -> bool:
    return one.key == other.key and one.quoted == other.quoted


def _credible(region: Region, lines: list[Line]) -> bool:
    """Whether a stretch proves itself: labels do, a heading does, bare questions must be several and answers short."""
    if not region.pairs:
        return False
    if region.labelled and (region.answers or region.key == "data"):
        return True
    sizes = sorted(bulk(asked.answer) for asked in region.pairs)
    if sizes[len(sizes) // 2] > (400 if region.labelled else LONG):
        return False
    if region.anchored or region.answers:
        return True
    if region.labelled:
        return sum(asks(asked.question) for asked in region.pairs) * 2 > len(region.pairs)
    if region.style == "item" and region.first not in {0, 1, None}:
        return False
    return len(region.pairs) >= (3 if region.style == "text" else 2) or (
        region.style != "text" and len(lines) < 12 and sizes[0] < 60
    )
