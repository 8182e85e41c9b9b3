"""Tokens of a stretch of pairs come in, one a line; questions with their answers go out.

    state \\ token   question   both    answer   text      part         blank    rule     note     key
    idle            open       whole   -        -         -            -        -        -        key
    asked           open       whole   answer   ask_on    part_asked   gap      -        -        key
    answered        open       whole   again    more      list         close    close    note     key
    closed          open       whole   again    -         listed       -        -        note     key
    noted           open       whole   again    -         -            -        -        -        key
    keyed           open       whole   keyed    keyed     keyed        -        -        -        -

Rule: ``TABLE`` names the action for each token in each state, and the state after it. Where an action finds, by
looking ahead, that the table's state is wrong, it sets another; one that refuses its token leaves the state as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from contextvqa_async.refiner.asked import Asked
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.sentences import asks
from contextvqa_async.refiner.tokens import Sort, Token

State = Literal["idle", "asked", "answered", "closed", "noted", "keyed"]
IDLE: State = "idle"
ASKED: State = "asked"
ANSWERED: State = "answered"
CLOSED: State = "closed"
NOTED: State = "noted"
KEYED: State = "keyed"
STATES: tuple[State, ...] = (IDLE, ASKED, ANSWERED, CLOSED, NOTED, KEYED)
KEYED_SORTS: tuple[Sort, ...] = ("answer", "text", "part")

REPEATS_SEEN = 64
"""Repeats are looked for among the last 64 answers only, to stay linear."""
WRAPPED_MAX = 4000
"""Longer than a question of any number of lines: what goes on behind is none of it."""


class Machine:
    """Collects questions and answers, token by token."""

    def __init__(self) -> None:
        self.state: State = IDLE
        self.asked: list[Asked] = []
        self.waiting: list[int] = []  # places of questions that have no answer yet
        self.numbers: dict[int, int] = {}  # a question's number, and its place among those that wait
        self.turn = 0  # the next of them to be answered in order

    def take(self, token: Token) -> bool:
        """Feed one token; whether it belonged to the pairs."""
        step = TABLE.get((self.state, token.sort))
        if step is None:
            return False
        before = self.state
        action, self.state = step
        taken = action(self, token)
        if not taken and self.state == step[1]:
            self.state = before
        return taken

    def close(self) -> None:
        """End the answer: what follows goes on with no pair."""
        self.state = CLOSED

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def pairs(self) -> list[Asked]:
        """The questions that were answered."""
        return [asked for asked in self.asked if asked.done]

    def _open(self, token: Token) -> bool:
        """A question opens, and waits for its answer; one whose answer's label came without words no longer waits."""
        number = token.number
        if self.waiting and self.asked[self.waiting[-1]].tried:
            self.waiting.pop()
        if not self.waiting:
            self.turn, self.numbers = 0, {}
        if number is not None:
            self.numbers.setdefault(number, len(self.waiting))
        self.waiting.append(len(self.asked))
        self.asked.append(Asked(token.words, number))
        return True

    def _whole(self, token: Token) -> bool:
        self._open(token)
        return self._say(token, token.answer)

    def _answer(self, token: Token) -> bool:
        return self._say(token, token.words)

    def _say(self, token: Token, words: str) -> bool:
        """Answer the open question, or, where several wait and answers come in a row, the one it belongs to."""
        target = self.last
        if len(self.waiting) > 1:
            number, plural = token.label_number, token.plural
            in_a_row = token.followed or number not in {None, target.number}
            if in_a_row or (plural and number is None):
                self.state = KEYED
                return True if plural and number is None and not words else self._keyed_by(token, words)
        target.answers.append(words)
        target.tried = True
        if self.waiting and words:
            self.waiting = []
        return True

    def _ask_on(self, token: Token) -> bool:
        """A line under a question that is not labelled as its answer."""
        asked, words = self.last, token.words
        if not asked.question:
            asked.question = words
            asked.gap = False
            return True
        if token.chatter or token.torn or len(asked.question) > WRAPPED_MAX:
            return False
        if self._answer_next(token):
            if not words.startswith(("(", "（", "[")) and (not asked.gap or not asks(asked.question)):
                asked.question += " " + words
            return True
        if not asks(asked.question) and token.asks and not asked.gap:
            asked.question += " " + words
            return True
        asked.answers.append(words)
        self.waiting = []
        self.state = ANSWERED
        return True

    def _part_asked(self, token: Token) -> bool:
        """A bullet under a question: a part of its answer, or, where the answer has a label of its own, an option."""
        asked = self.last
        if not asked.question:
            return self._ask_on(token)
        answer_next = self._answer_next(token)
        if answer_next or token.chatter or token.torn:
            return answer_next and not token.chatter
        asked.answers.append(token.words)
        asked.listed = True
        self.waiting = []
        self.state = ANSWERED
        return True

    def _answer_next(self, token: Token) -> bool:
        """Whether the next label is an answer's, and not the first of several that answer the waiting questions."""
        return token.answer_due and not (len(self.waiting) > 1 and token.followed)

    def _gap(self, token: Token) -> bool:
        self.last.gap = True
        return False

    def _again(self, token: Token) -> bool:
        """One more answer: to a question that waits, or another part of the last one's."""
        words = token.words
        if len(self.waiting) > 1 or (self.waiting and self.waiting[-1] != len(self.asked) - 1):
            self.state = KEYED
            return self._keyed_by(token, words)
        asked = self.last
        if asked.answered and (not words or words in asked.answers[-REPEATS_SEEN:]):
            return bool(words)
        asked.listed = asked.listed or asked.answered
        if words or not asked.answers:
            asked.answers.append(words)
        self.waiting = []
        return True

    def _more(self, token: Token) -> bool:
        """Words under an answer: its next line."""
        if (token.chatter or token.torn) and self.last.answered:
            return False
        self.last.answers.append(token.words)
        self.waiting = []
        return True

    def _list(self, token: Token) -> bool:
        """A bullet under an answer: a part of it, if it is a list or leads to one."""
        if token.chatter:
            return False
        asked = self.last
        if asked.answered and not asked.listed and not asked.answers[-1].endswith((":", ",", "：", "，", ";")):
            return False
        asked.answers.append(token.words)
        asked.listed = True
        self.waiting = []
        return True

    def _listed(self, token: Token) -> bool:
        """A bullet after a blank line goes on with a list, or begins it where the label stood alone."""
        if self.last.listed and not token.chatter:
            self.last.answers.append(token.words)
            return True
        return False

    def _close(self, token: Token) -> bool:
        """A blank line or a rule ends an answer that has begun."""
        if self.last.answered:
            self.close()
        return False

    def _note(self, token: Token) -> bool:
        return True

    def _key(self, token: Token) -> bool:
        """A heading over answers that stand apart from their questions."""
        if not self.waiting:
            self.state = CLOSED if self.asked else IDLE
            return False
        self.turn = 0
        if token.words:
            self._keyed(token)
        return True

    def _keyed(self, token: Token) -> bool:
        return self._keyed_by(token, token.words)

    def _keyed_by(self, token: Token, words: str) -> bool:
        """Answers that stand apart from their questions: by number where they have one, else in order."""
        if token.chatter:
            return False
        number = token.number
        unlabelled = token.line.label is None or token.plural
        parts = _parted(words, len(self.waiting) - self.turn) if unlabelled else None
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


Action = Callable[[Machine, Token], bool]
TABLE: dict[tuple[State, Sort], tuple[Action, State]] = {
    **{(state, "question"): (Machine._open, ASKED) for state in STATES},
    **{(state, "both"): (Machine._whole, ANSWERED) for state in STATES},
    **{(state, "key"): (Machine._key, KEYED) for state in STATES if state != KEYED},
    **{(KEYED, sort): (Machine._keyed, KEYED) for sort in KEYED_SORTS},
    (ASKED, "answer"): (Machine._answer, ANSWERED),
    (ASKED, "text"): (Machine._ask_on, ASKED),
    (ASKED, "part"): (Machine._part_asked, ASKED),
    (ASKED, "blank"): (Machine._gap, ASKED),
    (ANSWERED, "answer"): (Machine._again, ANSWERED),
    (CLOSED, "answer"): (Machine._again, ANSWERED),
    (NOTED, "answer"): (Machine._again, ANSWERED),
    (ANSWERED, "text"): (Machine._more, ANSWERED),
    (ANSWERED, "part"): (Machine._list, ANSWERED),
    (CLOSED, "part"): (Machine._listed, CLOSED),
    (ANSWERED, "blank"): (Machine._close, ANSWERED),
    (ANSWERED, "rule"): (Machine._close, ANSWERED),
    (ANSWERED, "note"): (Machine._note, NOTED),
    (CLOSED, "note"): (Machine._note, NOTED),
}
"""What a token does in a state, and the state after it."""
