"""Tokens of a stretch of pairs come in, one a line; questions with their answers go out.

Rule: everything that decides what a token does to an open question stands in ``TABLE``.

    state \\ token   question   both    answer   text      part     blank    rule     note     key
    idle            open       whole   -        -         -        -        -        -        key
    asked           open       whole   answer   *         *        -        -        -        key
    answered        open       whole   again    more      list     close    close    note     key
    closed          open       whole   again    -         listed   -        -        note     key
    noted           open       whole   again    -         -        -        -        -        key
    keyed           open       whole   keyed    keyed     keyed    -        -        -        -

``*``: the words go on with the question or answer it, by look-ahead (``text_asked``).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Protocol

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import Line

IDLE, ASKED, ANSWERED, CLOSED, NOTED, KEYED = "idle", "asked", "answered", "closed", "noted", "keyed"

TABLE: dict[tuple[str, str], tuple[str, str]] = {
    **{(state, "question"): ("open", ASKED) for state in (IDLE, ASKED, ANSWERED, CLOSED, NOTED, KEYED)},
    **{(state, "both"): ("whole", ANSWERED) for state in (IDLE, ASKED, ANSWERED, CLOSED, NOTED, KEYED)},
    **{(state, "key"): ("key", KEYED) for state in (IDLE, ASKED, ANSWERED, CLOSED, NOTED)},
    **{(KEYED, sort): ("keyed", KEYED) for sort in ("answer", "text", "part")},
    (ASKED, "answer"): ("answer", ANSWERED),
    (ASKED, "text"): ("text_asked", ASKED),
    (ASKED, "part"): ("part_asked", ASKED),
    (ANSWERED, "answer"): ("again", ANSWERED),
    (CLOSED, "answer"): ("again", ANSWERED),
    (NOTED, "answer"): ("again", ANSWERED),
    (ANSWERED, "text"): ("more", ANSWERED),
    (ANSWERED, "part"): ("list", ANSWERED),
    (CLOSED, "part"): ("listed", CLOSED),
    (ANSWERED, "blank"): ("close", CLOSED),
    (ANSWERED, "rule"): ("close", CLOSED),
    (ANSWERED, "note"): ("note", NOTED),
    (CLOSED, "note"): ("note", NOTED),
}


BACK = 64
"""So many answers back an answer is known again: all of them would take time in proportion to the square of their
number."""


LONGEST = 4000
"""Longer than a question of any number of lines: what goes on behind is none of it."""


@dataclass(slots=True)
class Asked:
    """A question, and what has answered it so far."""

    question: str
    number: int | None = None
    answers: list[str] = field(default_factory=list)
    listed: bool = False  # the answer is a list of parts
    gap: bool = False  # a blank line came after the question
    tried: bool = False  # an answer's label came, with nothing behind it

    @property
    def answer(self) -> str:
        """The answer in one line: parts of a list joined by commas, wrapped lines by spaces."""
        if not (self.listed or self._column()):
            return " ".join(part for part in self.answers if part)
        parts = filter(None, (part.strip().rstrip(",;，；、").strip() for part in self.answers))
        return ", ".join(parts).replace(":, ", ": ").replace("：, ", "：")

    def _column(self) -> bool:
        """Whether short lines stand one below another under a label that stands alone: parts, not wrapped words."""
        first, *parts = self.answers or ("",)
        return (
            not first
            and len(parts) > 1
            and all(0 < len(part) < 31 and part[-1] not in ",;，；、" for part in parts)
            and not any(part[0].islower() and before[0].isupper() for before, part in itertools.pairwise(parts))
        )

    @property
    def answered(self) -> bool:
        """Whether words have answered it: the same as a look at ``answer``, without putting it together."""
        return any(self.answers)

    @property
    def done(self) -> bool:
        """Whether it has both."""
        return bool(self.question) and self.answered


class Sight(Protocol):
    """What the machine may know of a line beyond its words, and of the lines to come."""

    @property
    def answer_next(self) -> bool:
        """Whether the next label is an answer's."""

    @property
    def chatter(self) -> bool:
        """Whether the line is chatter, so that it belongs to no answer."""

    @property
    def asks(self) -> bool:
        """Whether the line ends as a question does."""

    @property
    def runs(self) -> bool:
        """Whether this answer's label is followed by another answer's, no question between."""

    @property
    def torn(self) -> bool:
        """Whether the line is the beginning of a label, where the text was cut off."""

    @property
    def plural(self) -> bool:
        """Whether the label is one over several answers."""


class Machine:
    """Collects questions and answers, token by token."""

    def __init__(self) -> None:
        self.state = IDLE
        self.asked: list[Asked] = []
        self.waiting: list[int] = []  # places of questions that have no answer yet
        self.numbers: dict[int, int] = {}  # a question's number, and its place among those that wait
        self.turn = 0  # the next of them to be answered in order

    def take(self, sort: str, line: Line, words: str, sight: Sight, answer: str = "") -> bool:
        """Feed one token; whether it belonged to the pairs."""
        step = TABLE.get((self.state, sort))
        if step is None:
            if sort == "blank" and self.state == ASKED:
                self.asked[-1].gap = True
            return sort == "question"
        action, state = step
        before = self.state
        self.state = state
        done: bool = getattr(self, "_" + action)(line, words, sight, answer)
        if not done and self.state == state and action != "close":
            self.state = before
        return done

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def pairs(self) -> list[Asked]:
        """The questions that were answered."""
        return [asked for asked in self.asked if asked.done]

    def queued(self) -> int:
        """How many questions in a row, up to the last, have no answer."""
        return len(self.waiting)

    def _open(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        number = line.label.number if line.label and line.label.number is not None else line.number
        if self.waiting and self.asked[self.waiting[-1]].tried:
            self.waiting.pop()
        if not self.waiting:
            self.turn, self.numbers = 0, {}
        if number is not None:
            self.numbers.setdefault(number, len(self.waiting))
        self.waiting.append(len(self.asked))
        self.asked.append(Asked(words, number))
        return True

    def _whole(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        self._open(line, words, sight, "")
        return self._answer(line, answer, sight, "")

    def _answer(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        """Answer the open question, or, where several wait and answers come in a row, the one it belongs to."""
        number = line.label.number if line.label else None
        target = self.last
        if len(self.waiting) > 1 and (sight.runs or number is not None or sight.plural):
            if sight.plural and number is None:
                self.state = KEYED
                return self._keyed(line, words, sight, answer) if words else True
            if sight.runs or number != target.number:
                self.state = KEYED
                return self._keyed(line, words, sight, answer)
        target.answers.append(words)
        target.tried = True
        if self.waiting and words:
            self.waiting = []
        return True

    def _text_asked(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        """A line under a question that is not labelled as its answer."""
        asked = self.last
        if not asked.question:
            asked.question = words
            asked.gap = False
            return True
        if sight.chatter or sight.torn or len(asked.question) > LONGEST:
            return False
        if sight.answer_next:
            if not words.startswith(("(", "（", "[")) and (not asked.gap or not _complete(asked.question)):
                asked.question += " " + words
            return True
        if not _complete(asked.question) and sight.asks and not asked.gap:
            asked.question += " " + words
            return True
        asked.answers.append(words)
        self.waiting = []
        self.state = ANSWERED
        return True

    def _part_asked(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        """A bullet under a question: a part of its answer, or, where the answer has a label of its own, an option."""
        asked = self.last
        if not asked.question:
            return self._text_asked(line, words, sight, answer)
        if sight.answer_next or sight.chatter or sight.torn:
            return sight.answer_next and not sight.chatter
        asked.answers.append(words)
        asked.listed = True
        self.waiting = []
        self.state = ANSWERED
        return True

    def _again(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        """One more answer: to a question that waits, or another part of the last one's."""
        if len(self.waiting) > 1 or (self.waiting and self.waiting[-1] != len(self.asked) - 1):
            self.state = KEYED
            return self._keyed(line, words, sight, answer)
        asked = self.last
        if asked.answered and (not words or words in asked.answers[-BACK:]):
            return bool(words)
        asked.listed = asked.listed or asked.answered
        if words or not asked.answers:
            asked.answers.append(words)
        self.waiting = []
        return True

    def _more(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        if (sight.chatter or sight.torn) and self.last.answered:
            return False
        self.last.answers.append(words)
        self.waiting = []
        return True

    def _list(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        if sight.chatter:
            return False
        asked = self.last
        if asked.answered and not asked.listed and not asked.answers[-1].endswith((":", ",", "：", "，", ";")):
            return False
        asked.answers.append(words)
        asked.listed = True
        self.waiting = []
        return True

    def _listed(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        """A bullet after a blank line goes on with a list, or begins it where the label stood alone."""
        if self.last.listed and not sight.chatter:
            self.last.answers.append(words)
            return True
        return False

    def _close(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        if not self.last.answered:
            self.state = ANSWERED
        return False

    def _note(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        return True

    def _key(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        if not self.waiting:
            self.state = CLOSED if self.asked else IDLE
            return False
        self.turn = 0
        if words:
            self._keyed(line, words, sight, answer)
        return True

    def _keyed(self, line: Line, words: str, sight: Sight, answer: str) -> bool:
        """Answers that stand apart from their questions: by number where they have one, else in order."""
        if sight.chatter:
            return False
        number = line.label.number if line.label else None
        number = number if number is not None else line.number
        parts = _parted(words, len(self.waiting) - self.turn) if line.label is None or sight.plural else None
        if number is None and parts:
            done = [self._assign(at, part) for at, part in parts]
            return all(done)
        if not words:
            return True
        return self._assign(number, words)

    def _assign(self, number: int | None, words: str) -> bool:
        """Give an answer to the question of its number, or to the next in order."""
        place = self.turn if number is None else self.numbers.get(number, number - 1 if not self.numbers else self.turn)
        if not 0 <= place < len(self.waiting):
            return False
        asked = self.asked[self.waiting[place]]
        self.turn = place + 1
        if asked.answers:
            return False
        asked.answers.append(words)
        return True


def _complete(question: str) -> bool:
    return Line("text", body=question).asks


ENUMERATED = lazy(r"(?:^|(?<=[\s,;，；、|]))[(（]?(?:[QAqa]\.?\s?)?(\d{1,3})\s?(?:[.):：）、]|\s?[-–—=]\s)\s*")


def _parted(words: str, waiting: int) -> list[tuple[int | None, str]] | None:
    """Several answers in one line: ``1. Toulouse 2. droop nose``, or as many parts as questions wait."""
    starts = list(ENUMERATED.finditer(words))
    if starts and not words[: starts[0].start()].strip() and len(starts) > 1:
        numbers = [int(found[1]) for found in starts]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            stops = [found.start() for found in starts[1:]] + [len(words)]
            bits = [words[found.end() : stop].strip(" ,;|，；") for found, stop in zip(starts, stops, strict=True)]
            return list(zip(numbers, bits, strict=True))
    for sign in ("|", ";", "；", " / ", ",", "，", "、"):
        bits = [bit.strip() for bit in words.split(sign)]
        if len(bits) == waiting > 1 and all(bits):
            return [(None, bit) for bit in bits]
    return None
