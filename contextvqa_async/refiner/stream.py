"""An answer comes in piece by piece; after each piece, how many complete pairs it holds goes out, and at the end
the whole.

Rule: counting looks at each line once, when the line is complete, so that it costs a fraction of reading and
stays linear. The end is read from the whole text, so no cut can change it. The last pair counts once something
follows it.
"""

from __future__ import annotations

import re

from contextvqa_async.items import Refined
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import ANSWER_MAX, QUESTION_MAX
from contextvqa_async.refiner.lines import ANSWER, NOTE, QUESTION, Line, read_line
from contextvqa_async.refiner.quoted_pairs import may_be_prose
from contextvqa_async.refiner.refinement import refine
from contextvqa_async.refiner.same_line import split_question
from contextvqa_async.refiner.splits import cut
from contextvqa_async.refiner.tables import row_pairs
from contextvqa_async.refiner.tags import untag
from contextvqa_async.refiner.turns import THINK_CLOSE, THINK_OPEN

ANSWERS = (
    r"a|answers?|ans|response|答案|回答|答|답변|답|réponse|antwort|respuesta|resposta|risposta|ответ|जवाब|उत्तर|cevap|yanıt"
    r"|jawaban|đáp án|trả lời|الإجابة|الجواب|answer_?\d+|a\d+"
)
"""The commonest keys of answers in data, for the count while a text grows; what is read at its end knows all of
``languages.py``'s."""
VALUE = r"""(?:"(?:[^"\\]|\\.)++"|'(?:[^'\\]|\\.)++'|\[[^\[\]]*+\]|-?[\d.]+(?=\s*[,}\n]))"""
KEYED = lazy(rf"""["'](?:{ANSWERS})["']\s*:\s*{VALUE}""", re.IGNORECASE)
JSON_LINE = lazy(r"\s*[\[{}\]\"']")


class Refiner:
    """A text that grows.

    >>> refiner = Refiner()
    >>> [refiner.feed(piece) for piece in ("Owls.\\n\\nQ: Who", "?\\nA: owls\\n", "Q: Where?\\nA: No", "rway\\n")]
    [0, 1, 1, 2]
    >>> refiner.close().qas[-1].answer
    'Norway'
    """

    def __init__(self, *, keep_paragraphs: bool = False) -> None:
        self.keep_paragraphs = keep_paragraphs
        self.pieces: list[str] = []
        self.counter = PairCounter()

    def feed(self, piece: str) -> int:
        """Take the next piece; how many complete pairs there are so far."""
        self.pieces.append(piece)
        return self.counter.feed(piece)

    def close(self) -> Refined:
        """The article and the pairs of all pieces."""
        return refine("".join(self.pieces), keep_paragraphs=self.keep_paragraphs)


class PairCounter:
    """Counts pairs in a growing text, a line at a time."""

    def __init__(self) -> None:
        self.count = 0
        self.parts: list[str] = []  # of the line that is not complete yet
        self.size = 0
        self.looked = 256  # the size at which a long open line is looked at
        self.extra = 0  # pairs seen in the open line
        self.asked = False
        self.labelled = False
        self.thinking = False

    def feed(self, piece: str) -> int:
        """Take the next piece; how many complete pairs there are so far."""
        if "\n" not in piece:
            self._hold(piece)
            return self.count + self.extra
        first, *middle, last = piece.split("\n")
        self.parts.append(first)
        self._line("".join(self.parts))
        for raw in middle:
            self._line(raw)
        self.parts, self.size, self.looked, self.extra = [], 0, 256, 0
        self._hold(last)
        return self.count + self.extra

    def _hold(self, piece: str) -> None:
        """Keep a part of an open line; look into it each time it has doubled."""
        self.parts.append(piece)
        self.size += len(piece)
        if self.size < self.looked or self.thinking:
            return
        whole = "".join(self.parts)
        self.parts, self.looked = [whole], self.size * 2
        self.extra = max(0, self._inside(whole) - 1) if not JSON_LINE.match(whole) else len(KEYED.findall(whole))

    def _line(self, raw: str) -> None:
        """Count what a complete line adds."""
        if "<" in raw or "◁" in raw or "THINK]" in raw:
            if THINK_CLOSE.search(raw):
                self.count, self.labelled, self.asked, self.thinking = 0, False, False, False
                return
            self.thinking = self.thinking or bool(THINK_OPEN.search(raw))
        if self.thinking or not raw or raw.isspace():
            return
        keyed = len(KEYED.findall(raw)) if JSON_LINE.match(raw) else 0
        if keyed:
            self.count += keyed
            return
        found = self._inside(raw)  # which may set the count back
        self.count += found

    def _inside(self, raw: str) -> int:
        """Pairs that end in one line."""
        if "|" in raw and raw.lstrip().startswith("|"):
            return row_pairs(raw)
        found = 0
        for part in untag(raw).split("\n") if "<" in raw else [raw]:
            line = read_line(part)
            pieces = cut(line) if line.kind == "text" and line.body else [line]
            for piece in [line] if may_be_prose(pieces, line) else pieces:
                found += self._take(piece)
        return found

    def _take(self, line: Line) -> int:
        """Count what one line adds: whether it completes a pair."""
        if line.kind != "text" or line.mark == NOTE or (line.decor == "head" and not line.label and not line.asks):
            return 0
        if line.is_label("question") or line.mark == QUESTION:
            if not self.labelled:  # what looked like pairs before the first label was the article's
                self.labelled, self.count = True, 0
            self.asked = True
            return self._whole(line, line.rest)
        if line.is_label("answer") or line.mark == ANSWER:
            said = self.asked and bool(line.rest)
            self.asked = self.asked and not said
            return int(said)
        if (
            not self.labelled
            and line.label is None
            and line.style != "text"
            and (line.asks or split_question(line, line.body))
            and len(line.body) < QUESTION_MAX
        ):
            self.asked = True
            return self._whole(line, line.body)
        if self.asked and line.label is None and len(line.body) < ANSWER_MAX and not line.asks:
            self.asked = False
            return 1
        if line.label is None and line.asks and len(line.body) < ANSWER_MAX and not line.quoted:
            self.asked = True
        return 0

    def _whole(self, line: Line, words: str) -> int:
        """A question's line may hold its answer."""
        split = split_question(line, words) if words else None
        if split and split[2] in {"sign", "brackets", "space"}:
            self.asked = False
            return 1
        return 0
