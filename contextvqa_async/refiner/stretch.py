"""The lines of one stretch of pairs come in, one by one; each goes to the machine as a token, with what lies ahead.

Rule: what a line is to the machine depends on three things: the style of the stretch, the labels ahead, and the
machine's state.
"""

from __future__ import annotations

from typing import Literal

from contextvqa_async.refiner.labels import Label
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import ANSWER_MAX
from contextvqa_async.refiner.lines import ANSWER, ARTICLE, DEFINITION, END, NOTE, QUESTION, TERM, Line
from contextvqa_async.refiner.machine import ANSWERED, ASKED, CLOSED, KEYED, Machine, State
from contextvqa_async.refiner.regions import Ahead, Region, speaks
from contextvqa_async.refiner.same_line import Split, SplitSign, split_command, split_question
from contextvqa_async.refiner.sentences import asks, bulk
from contextvqa_async.refiner.tokens import Token, View

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


class Stretch:
    """One stretch while it is read: turns each line into a token for the machine."""

    def __init__(self, lines: list[Line], ahead: Ahead, region: Region, first: Line) -> None:
        self.lines, self.ahead = lines, ahead
        self.region = region
        self.view = View(lines, ahead, region)
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
        most = (
            ANSWER_MAX if self.region.style != "text" else ANSWER_MAX // 2
        )  # what has no look of its own is sooner prose
        long = line.kind == "text" and not line.label and not line.mark and bulk(line.words) > most
        if long and self._between(at):
            return not self._question(line, at)
        return not self.region.labelled and line.is_label("question") and self.machine.state != KEYED

    def _between(self, at: int) -> bool:
        """Whether no answer is due: prose that stands here belongs to no pair."""
        state = self.machine.state
        return state in {CLOSED, KEYED} or (state == ASKED and not self.view.answer_due(at))

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

    def take(self, at: int) -> bool:
        """Feed a line to the machine; whether it belonged to the pairs."""
        line = self.lines[at]
        token = Token(line, at, self.view)
        if line.kind == "data" and line.pair:
            self.machine.take(token.read_as("both", *line.pair))
            self.machine.close()
            self.region.answers = True
            return True
        self._read(token)
        if token.sort == "answer":
            self.region.answers = True
        if token.sort in {"question", "both"}:
            self.number = line.number if line.number is not None else self.number
        return self.machine.take(token)

    def _read(self, token: Token) -> Token:
        """A token whose line is read."""
        line = token.line
        if line.kind in {"blank", "rule", "end"}:
            return token.read_as("blank" if line.kind == "blank" else "rule")
        if line.mark in {ANSWER, DEFINITION}:
            return token.read_as("answer", line.body)
        if line.mark == NOTE:
            return token.read_as("note")
        if line.mark == QUESTION or (line.mark == TERM and (line.asks or token.answer_due)):
            return token.read_as("question", line.rest if line.is_label("question") else line.body)
        if line.label is not None:
            return self._labelled(token, line.label)
        return self._bare(token)

    def _labelled(self, token: Token, label: Label) -> Token:
        """A line with a label: what the label says, unless the stretch knows better."""
        line, waiting = token.line, self.machine.waiting
        if label.kind == "question":
            keyed = self.machine.state == KEYED and label.number in self.machine.numbers and not line.asks
            words = "" if label.number is None and NUMBER.fullmatch(line.rest) else line.rest
            return token.read_as("answer", words) if keyed else self._asked(token, words)
        if label.kind == "answer" and not line.rest and self._says_name(token, label):
            return token.read_as("text", line.body)
        if label.kind == "answer":
            alone = not line.rest and label.number is None and self.machine.state == ASKED
            return token.read_as("key") if alone and len(waiting) > 1 else self._answer(token, label)
        if label.kind == "answers":
            if self.machine.state == ASKED and not line.rest and len(waiting) == 1:
                return token.read_as("answer")
            return token.read_as("key" if len(waiting) > 1 else "answer", line.rest)
        if label.kind == "pair":
            return self._asked(token, line.rest) if len(line.rest) > 8 else token.read_as("rule")
        if label.kind == "note":
            return token.read_as("note")
        return self._bare(token)

    def _answer(self, token: Token, label: Label) -> Token:
        """A line with an answer's label."""
        line = token.line
        if self.machine.state not in {ASKED, KEYED} and not self.machine.asked:
            return token.read_as("text", line.body)
        if self.machine.state == ANSWERED and label.is_letter and label.sign == "mark":
            return token.read_as("text", line.body)
        torn = line.form == "cut" and self.view.ends_text(token.at)
        return token.read_as("answer", self._untorn(line) if torn else line.rest)

    def _says_name(self, token: Token, label: Label) -> bool:
        """Whether what looks like a label alone, ``A4``, is an answer: no words of an answer follow."""
        if not label.is_letter or label.number is None or label.sign != "last" or token.line.bold:
            return False
        after = self.view.next_words(token.at)
        bare = self.machine.state == ASKED and not (self.region.answers or self.region.labelled)
        return bare and (after is None or after.asks or after.decor == "item")

    def _untorn(self, line: Line) -> str:
        """The words of the last answer of a run, without the beginning of a label that was cut off behind them."""
        found = TAIL.search(line.rest)
        first = self.lines[self.region.start]
        if not found or first.label is None or not first.body.lstrip("([（【").startswith(found["word"]):
            return line.rest
        return line.rest[: found.start()]

    def _asked(self, token: Token, words: str) -> Token:
        """A question; if no answer's label comes before the next question, its line may hold the answer."""
        at = token.at
        inner = self._inner(token.line, words) if words and self.ahead.kind[at] != "answer" else None
        inner = inner or self._asking(at, words)
        if inner and inner[2] in {"space", "arrow", "bold"} and self._bare_follows(at):
            inner = None
        if inner and self.view.torn(at, inner[1]):
            return token.read_as("question", inner[0])
        self.split += inner is not None
        return token.read_as("both", inner[0], inner[1]) if inner else token.read_as("question", words)

    def _inner(self, line: Line, words: str) -> Split | None:
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

    def _asking(self, at: int, words: str) -> Split | None:
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

    def _bare(self, token: Token) -> Token:
        """A line without a label: a question by its style, a part of a list, or words."""
        line, at = token.line, token.at
        if self._question(line, at):
            return self._asked(token, line.body)
        if line.decor == "head" or (self.view.ends_text(at) and not WORDY.search(line.words)):
            return token.read_as("rule")
        if line.decor == "item" and self._restarts(line):
            self.machine.take(token.read_as("key"))
        if (line.decor in {"bullet", "item"} and not line.body) or self._cut_number(token):
            return token.read_as("rule")
        if line.decor in {"bullet", "item"}:
            numbered = line.decor == "item" and self.machine.state == ASKED and line.number not in {1, None}
            return token.read_as("part", line.words if numbered else line.body)
        if (lettered := LETTERED.match(line.body)) and self._lists(lettered[1]):
            return token.read_as("part", line.body[lettered.end() :])
        return token.read_as("text", line.words if line.number is not None else _led(line.body))

    def _cut_number(self, token: Token) -> bool:
        """Whether a line is nothing but the number of a question that was cut off."""
        counted = self.number is not None and token.line.words == str(self.number + 1)
        if not counted:
            return False
        after = self.view.next_words(token.at)
        if after is not None and after.number == (self.number or 0) + 1:
            return False
        return self.region.style == "item" or self.view.ends_text(token.at)

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

    def _before_answer(self, line: Line, at: int, state: State) -> bool:
        """A line right before an answer's label is its question, unless one is open and this goes on with it."""
        if state == ASKED:
            asked = self.machine.last
            if not asked.question or (line.style == "text" and not asked.gap):
                return False
            if self.region.style == "label":
                return line.asks and line.style == "item" and asks(asked.question)
            return line.style == self.region.style and (line.asks or line.decor == "item")
        if state == ANSWERED and not line.asks and not line.decor and not line.bold:
            return False
        if line.decor == "bullet" and line.indent > self.indent and not line.asks:
            return False
        return state != KEYED

    def _in_style(self, line: Line, at: int, state: State) -> bool:
        """Whether a line of the stretch's style is a question, and not a part of an answer in the same style."""
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

    def _both(self, line: Line) -> SplitSign | Literal[""]:
        """The sign between a question and its answer, if a line surely holds both."""
        split = self._inner(line, line.body)
        sure = {"sign", "brackets", "space"} | ({"bold", "arrow"} if self._on_one_line() else set())
        return split[2] if split and split[2] in sure else ""
