"""The first pair of a run comes in; how every pair of the run is written goes out: its template.

Q1: Who?        **Question:** Who?         **Q1: Who?**       **Question:** Who? **Answer:** Bob       1. **Who?**
A1: Bob         **Answer:** Bob            A1: Bob                                                        - Bob
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from contextvqa_async.refiner.fast.plain_words import SIGNLESS, STOP
from contextvqa_async.refiner.labels import Label, LabelKind, known_label
from contextvqa_async.refiner.lazy import lazy

LABEL = (
    r"(?P<bold>\*\*)?+(?P<word>[^\W\d_]++(?: [^\W\d_]++)?+ ?\d{0,3}+ ?)"
    r"(?:[:：](?P<closed>(?(bold)\*\*)?)|(?(bold)\*\*[:：]|(?!))(?P<after>))[ ]*+"
)
LABELLED = lazy(rf"[ ]*+(?:\d{{1,3}}[.)][ ]++|[-*+•][ ]++|\#{{2,6}}[ ]++)?+{LABEL}")
NUMBERED = lazy(r"\d{1,3}[.)][ ]++(?P<bold>\*\*)?(?=[^\W\d_][^*?]*\?(?(bold)\*\*)[ ]*\Z)")
INSIDE = lazy(rf"(?:(?<=[?？؟])[ ]++(?:- )?+|[ ]++(?=\*\*)){LABEL}")
BARE = lazy(r"[ ]*+(?:[-*•][ ]++)?+(?=[^*])")
RULE = r"(?:(?:-{3,}|\*{3,}|_{3,})[ ]*\n+)?"
NEAT_QUESTION = rf"[^\W\d_]{SIGNLESS}*(?:{STOP}{SIGNLESS}*)*(?<=[\w.!?？])"
NEAT_ANSWER = rf"(?:[^\W_]|[£€¥]){SIGNLESS}*(?:{STOP}{SIGNLESS}*)*(?<=[\w.%])"
"""Words that are read as they stand, and need no tidying: no sign in them could wrap them, or end a label."""
ROUGH = r"[^\n*]*?[^\s*]"


@dataclass(frozen=True, slots=True)
class Lead:
    """What stands before the words of a question or an answer, and the sign that ends bold behind them."""

    text: str
    closing: str
    label: Label | None


@dataclass(frozen=True, slots=True)
class PairTemplate:
    """How a pair is written; ``joined``: the answer stands on its question's line."""

    asked: Lead
    said: Lead
    joined: bool

    @property
    def plain(self) -> bool:
        """Whether labels alone say what is what."""
        return bool(self.asked.label and self.said.label and not self.asked.closing and not self.said.closing)

    def find(self) -> Callable[[str, int], list[tuple[str, ...]]]:
        """What finds all pairs from a place on: a tuple each of the question's line, its words, the answer's line, its
        words, and the rest of the text.

        Words come twice, and one is empty: the first are neat, the second any others. The last tuple may hold nothing
        but the rest.
        """
        asked, said = self.asked, self.said
        return _pattern(asked.text, asked.closing, said.text, said.closing, joined=self.joined).findall


@lru_cache(maxsize=256)
def _pattern(asked: str, asked_end: str, said: str, said_end: str, *, joined: bool) -> re.Pattern[str]:
    between = ("[ ]+" if "*" in said else "(?<=[?？؟])[ ]+") if joined else r"[ ]*\n+"
    question = rf"(?=([^\n]*)){_any(asked)}(?:({NEAT_QUESTION})|({ROUGH})){re.escape(asked_end)}"
    answer = rf"(?=([^\n]*)){_any(said)}(?:({NEAT_ANSWER})|({ROUGH})){re.escape(said_end)}"
    return re.compile(rf"\n*{RULE}{question}{between}{answer}[ ]*(?=\n|\Z)|([\s\S]+)")


def _any(lead: str) -> str:
    """The pattern of what stands before words, with any number, and any number of spaces."""
    literal = re.sub(r"\d+", r"\\d{1,3}+", re.escape(lead.strip(" ")))
    start = "[ ]*" if lead[:1] == " " or not literal else ""
    return start + literal.replace(r"\ ", "[ ]+") + "[ ]*"


def template_at(text: str, at: int) -> PairTemplate | None:
    """How the pair that begins at a place is written, if it is written in one of the plain ways."""
    raw, below = _two_lines(text, at)
    asked = question_lead(raw)
    if asked is None:
        return None
    inside = _answering(INSIDE.search(raw, len(asked.text))) if asked.label else None
    if inside:
        return None if inside.closing or asked.closing else PairTemplate(asked, inside, joined=True)
    said = answer_lead(below)
    if said is None and asked.label is None and (bare := BARE.match(below)):
        said = Lead(bare.group(), "", None)
    return PairTemplate(asked, said, joined=False) if said else None


def _two_lines(text: str, at: int) -> tuple[str, str]:
    """The line at a place, and the next that is not blank."""
    end = text.find("\n", at)
    if end < 0:
        return text[at:], ""
    start = end
    while text[start : start + 1] == "\n":
        start += 1
    below = text.find("\n", start)
    return text[at:end], text[start : below if below >= 0 else len(text)]


def question_lead(raw: str) -> Lead | None:
    """What stands before the question that a line begins with."""
    found = LABELLED.match(raw)
    if found is not None:
        return _lead(found, "question")
    numbered = NUMBERED.match(raw)
    return Lead(numbered.group(), numbered["bold"] or "", None) if numbered else None


def answer_lead(raw: str) -> Lead | None:
    """What stands before the answer that a line begins with."""
    return _answering(LABELLED.match(raw))


def _answering(found: re.Match[str] | None) -> Lead | None:
    return _lead(found, "answer") if found else None


def _lead(found: re.Match[str], kind: LabelKind) -> Lead | None:
    """A label of one kind, and what stands around it."""
    label = known_label(found["word"])
    if label is None or label.kind != kind:
        return None
    closed = found["closed"] or found["after"] is not None
    return Lead(found.group(), "" if closed or not found["bold"] else "**", label)
