"""The lines of one stretch of pairs come in, one by one; each goes to the machine as a token, with what lies ahead.

Rule: what a line is depends on the style of the stretch and on the labels to come, not on what the machine makes of it.
"""

from __future__ import annotations

from contextvqa_async.refiner.chatter import remark
from contextvqa_async.refiner.labels import Label, lowered
from contextvqa_async.refiner.languages import column
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import ANSWER, ARTICLE, DEFINITION, END, NOTE, QUESTION, TERM, Line
from contextvqa_async.refiner.machine import ANSWERED, ASKED, CLOSED, KEYED, Machine
from contextvqa_async.refiner.regions import LONG, Ahead, Region, next_words, speaks
from contextvqa_async.refiner.same_line import split_command, split_question
from contextvqa_async.refiner.sentences import bulk

LETTERED = lazy(r"([a-z])[.)]\s+(?=\S)")
TWICE = lazy(r"([^?？؟]+[?？؟])\s+([^?？؟]{1,60}[?？؟])$")
TAIL = lazy(r"\s[*_]{0,3}(?P<word>[^\W\d_]{1,14})\s?\d{0,2}[:：]?[*_]{0,3}$")
WORDY = lazy(r"[^\W_]")
NUMBER = lazy(r"\d{1,2}[.:)]?")
LED = lazy(r"(?:[-=]+>|>>|»|[⇒➜➔⟶]|[:：](?=\s))\s*(?=\S)")


def _led(words: str) -> str:
    """An answer without the arrow that led to it."""
    found = LED.match(words)
    return words[found.end() :] if found else words


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
        if not self.stretch.ends_text(self.at):
            return False
        low = lowered(self.words).strip("*_# \\([（【").rstrip(" 0123456789#.:：*-")
        return bool(low) and any(
            word.startswith(low) for word in column("answer") | column("question") if len(word) > 1
        )

    @property
    def plural(self) -> bool:
        return self.line.is_label("answers") or bool(self.line.label and self.line.label.plural)


class Stretch:
    """One stretch while it is read: turns each line into a token for the machine."""

    def __init__(self, lines: list[Line], ahead: Ahead, region: Region, first: Line) -> None:
        self.lines, self.ahead = lines, ahead
        self.region = region
        self.machine = Machine()
        self.indent = first.indent
        self.number: int | None = None
        self.form = first.form
        self.split = 0  # questions that stood on one line with their answers

    def ends(self, at: int) -> bool:
        """Whether the stretch ends before this line."""
        line = self.lines[at]
        if line.mark in {ARTICLE, END} or line.is_label("article", "title"):
            return line.mark == ARTICLE or self._leaves(line, at)
        if speaks(line) and not speaks(self.lines[self.region.start]):
            return True
        if line.pairs_head:
            return at > self.region.start and not (self.machine.state == ASKED and line.is_label("answers"))
        most = LONG if self.region.style != "text" else LONG // 2  # what has no look of its own is sooner prose
        long = line.kind == "text" and not line.label and not line.mark and bulk(line.words) > most
        if long and self._between(at):
            return not self._question(line, at)
        return not self.region.labelled and line.is_label("question") and self.machine.state != KEYED

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

    def ends_text(self, at: int) -> bool:
        """Whether no words follow this line."""
        return not any(line.kind == "text" for line in self.lines[at + 1 : at + 9])

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
            return "answer", line.body, ""
        if line.mark == NOTE:
            return "note", "", ""
        if line.mark == QUESTION or (line.mark == TERM and (line.asks or self.answer_due(at))):
            return "question", line.rest if line.is_label("question") else line.body, ""
        if line.label is not None:
            return self._labelled(line, line.label, at)
        return self._bare(line, at)

    def _labelled(self, line: Line, label: Label, at: int) -> tuple[str, str, str]:
        if label.kind == "question":
            keyed = self.machine.state == KEYED and label.number in self.machine.numbers and not line.asks
            words = "" if label.number is None and NUMBER.fullmatch(line.rest) else line.rest
            return ("answer", words, "") if keyed else self._asked(line, at, words)
        if label.kind == "answer" and not line.rest and self._says_name(line, at):
            return "text", line.body, ""
        if label.kind == "answer":
            alone = not line.rest and label.number is None and self.machine.state == ASKED
            return ("key", "", "") if alone and len(self.machine.waiting) > 1 else self._answer(line, at)
        if label.kind == "answers":
            if self.machine.state == ASKED and not line.rest and len(self.machine.waiting) == 1:
                return "answer", "", ""
            return ("key", line.rest, "") if len(self.machine.waiting) > 1 else ("answer", line.rest, "")
        if label.kind == "pair":
            return self._asked(line, at, line.rest) if len(line.rest) > 8 else ("rule", "", "")
        if label.kind == "note":
            return "note", "", ""
        return self._bare(line, at)

    def _answer(self, line: Line, at: int) -> tuple[str, str, str]:
        if self.machine.state not in {ASKED, KEYED} and not self.machine.asked:
            return "text", line.body, ""
        if self.machine.state == ANSWERED and line.label and line.label.is_letter and line.label.sign == "mark":
            return "text", line.body, ""
        return "answer", self._untorn(line, at) if line.form == "cut" and self.ends_text(at) else line.rest, ""

    def _says_name(self, line: Line, at: int) -> bool:
        """Whether what looks like a label alone, ``A4``, is an answer: no words of an answer follow."""
        label = line.label
        if label is None or not label.is_letter or label.number is None or label.sign != "last" or line.bold:
            return False
        after = next_words(self.lines, at)
        bare = self.machine.state == ASKED and not (self.region.answers or self.region.labelled)
        return bare and (after is None or after.asks or after.decor == "item")

    def _untorn(self, line: Line, at: int) -> str:
        """The words of the last answer of a run, without the beginning of a label that was cut off behind them."""
        found = TAIL.search(line.rest)
        first = self.lines[self.region.start]
        if not found or first.label is None or not first.body.lstrip("([（【").startswith(found["word"]):
            return line.rest
        return line.rest[: found.start()]

    def _asked(self, line: Line, at: int, words: str) -> tuple[str, str, str]:
        """A labelled question; if no answer's label comes before the next question, its line may hold the answer."""
        inner = self._inner(line, words) if words and self.ahead.kind[at] != "answer" else None
        inner = inner or self._asking(at, words)
        if inner and inner[2] == "space" and self._bare_follows(at):
            inner = None
        if inner and inner[2] in {"arrow", "bold"} and self._bare_follows(at):
            inner = None
        if inner and View(self, line, at, inner[1]).torn:
            return "question", inner[0], ""
        self.split += inner is not None
        return ("both", inner[0], inner[1]) if inner else ("question", words, "")

    def _inner(self, line: Line, words: str) -> tuple[str, str, str] | None:
        """A question and an answer on one line, for the signs between them, or as all before it were."""
        inner = split_question(line, words)
        return split_command(line, words) if inner is None and not line.asks and self._on_one_line() else inner

    def _on_one_line(self) -> bool:
        """Whether every question so far stood on one line with its answer."""
        return 0 < len(self.machine.asked) <= self.split

    def answer_first(self) -> None:
        """Part the first question from its answer, if it is a command, and all others stood on one line with theirs."""
        asked = self.machine.asked
        if len(asked) < 2 or asked[0].answers or self.split < len(asked) - 1:
            return
        if split := split_command(self.lines[self.region.start], asked[0].question):
            asked[0].question, asked[0].answers = split[0], [split[1]]

    def _asking(self, at: int, words: str) -> tuple[str, str, str] | None:
        """A question and an answer that asks as well, where every pair so far stood on one line."""
        if self.machine.state != ANSWERED or not self._on_one_line() or self._bare_follows(at):
            return None
        found = TWICE.match(words)
        return (found[1], found[2], "space") if found else None

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
        if line.decor == "head" or (self.ends_text(at) and not WORDY.search(line.words)):
            return "rule", "", ""
        if line.decor == "item" and self._restarts(line):
            self.machine.take("key", line, "", View(self, line, at, ""))
        if (line.decor in {"bullet", "item"} and not line.body) or self._cut_number(line, at):
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

    def _cut_number(self, line: Line, at: int) -> bool:
        """Whether a line is nothing but the number of a question that was cut off."""
        counted = self.number is not None and line.words == str(self.number + 1)
        after = next_words(self.lines, at)
        if after is not None and after.number == (self.number or 0) + 1:
            return False
        return counted and (self.region.style == "item" or self.ends_text(at))

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
        if at == self.region.start:
            return True
        if style == "item":
            due = self.number is not None and line.number == self.number + 1 and line.form == self.form
            deeper = line.indent > self.indent + 1
            return (due and not deeper) or (not (deeper and state == ASKED) and (line.asks or bool(self._both(line))))
        if style == "bullet":
            return not (line.indent > self.indent and state == ASKED) and (line.asks or bool(self._both(line)))
        if style == "head":
            return line.asks or line.number is not None or line.body.endswith(".")
        if style == "bold":
            return line.asks or state != ASKED
        if style == "emoji":
            return line.asks or bool(self._both(line))
        return line.asks or self._both(line) in {"sign", "arrow"}

    def _both(self, line: Line) -> str:
        """The sign between a question and its answer, if a line surely holds both."""
        split = self._inner(line, line.body)
        sure = {"sign", "brackets", "space"} | ({"bold", "arrow"} if self._on_one_line() else set())
        return split[2] if split and split[2] in sure else ""
