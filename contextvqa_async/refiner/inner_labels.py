"""A line comes in; the labels in its middle that make it more than one line go out.

Rule: cheap looks come first, for most lines hold no second label; labels are taken in an order that makes sense only:
an answer follows a question.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from typing import Literal

from contextvqa_async.refiner.headings import says_pairs
from contextvqa_async.refiner.labels import Label, LabelKind, first_words, kinds, lowered, read_label
from contextvqa_async.refiner.languages import UNSPACED
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import QUESTION_MAX
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.sentences import ASKING, asks

Before = LabelKind | Literal["none"]
"""The label before a place in a line: one of a pair's, or none."""
BETWEEN = frozenset(" \t\xa0:：|/;；，。?？؟）)]】→•·>”»」…")
OPENING = frozenset("([（【「<")
WORD = lazy(r"[^\W\d_]+")
BEFORE = lazy(r"([^\W\d_]+)[\s\d#.(]*[a-z)]?[)\]\s*]*$")
CLOSED = frozenset(")]）】0123456789０１２３４５６７８９")
NUMERALS = " \t0123456789#.("
SIGN_ENDED = r"\b[AaQqRr]\d{0,3}\s?[.)\]]|[\]】)](?=\s)"
SIGNED = lazy(SIGN_ENDED)
REPETITIVE, PIECE = 4000, 160
"""A line longer than the first often repeats itself: it is looked at in pieces of the second length, which hold every
label, and each piece once."""


@cache
def last_words() -> tuple[frozenset[str], frozenset[str]]:
    """The last word of every label that may stand inside a line; of scripts without spaces, the last character."""
    inside = [word for word, kind in kinds().items() if kind in {"question", "answer", "note"}]
    spaced = {re.split(r"[\W\d_]+", word)[-1] for word in inside if word < UNSPACED}
    spaced |= {word.rpartition(" ")[2] for word in inside if word < UNSPACED}  # vowel signs are no letters to ``re``
    return frozenset(spaced - {""}), frozenset(word[-1] for word in inside if word >= UNSPACED)


def _holds_label(line: Line, body: str) -> bool:
    """A cheap look: whether a word before a colon, or a letter before a stop, could be a label inside the line."""
    at = line.label.end if line.label else 0
    spaced, joined = last_words()
    wide = "：" in body
    heads = {head for colon in (":：" if wide else ":") for head in _before_colons(body, colon, at)}
    if any(_may_label(lowered(head).rstrip(), spaced, joined) for head in heads):
        return True
    short = len(body) < QUESTION_MAX or line.label is not None
    return short and bool(line.label or line.decor) and bool(SIGNED.search(body, at))


def _before_colons(body: str, colon: str, at: int) -> Iterator[str]:
    """What stands before each colon; models that repeat themselves repeat it, too."""
    place = body.find(colon, at)
    while place > 0:
        yield body[max(at, place - 24) : place]
        place = body.find(colon, place + 1)


def _may_label(head: str, spaced: frozenset[str], joined: frozenset[str]) -> bool:
    """Whether words end in one that could be a label, and its number."""
    found, word = BEFORE.search(head), head.rstrip(NUMERALS).rpartition(" ")[2]
    signed = not word[-1:].isalpha() and word in spaced  # it ends in a vowel sign
    return bool(found and found[1] in spaced) or signed or word[-1:] in joined or head[-1:] in CLOSED


def _starts(low: str, at: int) -> Iterator[int]:
    """Places from ``at`` on where a label may begin: at a word that begins one, after a space or a sign."""
    firsts = first_words()
    for found in WORD.finditer(low, at):
        word, start = found.group(), found.start()
        if word not in firsts and not (word[0] >= UNSPACED and (word[0] in firsts or word[0] == "第")):
            continue
        opened = start > 0 and low[start - 1] in OPENING
        if opened or not start or low[start - 1] in BETWEEN:
            yield start - opened


def inner_labels(line: Line) -> list[tuple[int, Label]]:
    """The labels in a line's middle at which it is cut, each with its place; their ends are counted from there."""
    first = line.label
    body = line.body
    if line.mark or len(body) < 8:
        return []
    if not line.bolds and not _holds_label(line, body):
        return []
    may_ask = "?" in body or "？" in body or "؟" in body
    known = first is not None and first.kind in {"question", "answer", "questions", "pair", "answers"}
    if not (known or may_ask or line.pairs_head or _head_before(line) or _is_brief_item(line)):
        return []
    state = _state(first)
    if state == "none" and not (_may_ask(body) or _is_brief_item(line)):
        return []
    return _cuts(line, state)


@cache
def _asking_words() -> frozenset[str]:
    """The first word of each label of a question."""
    words = (WORD.match(word) for word, kind in kinds().items() if kind == "question")
    return frozenset(word.group() for word in words if word)


def _may_ask(body: str) -> bool:
    """A cheap look: whether prose holds a question's mark or label, without which it holds no pair."""
    if any(map(body.__contains__, ASKING)) or (not body.isascii() and max(body) >= UNSPACED):
        return True
    return not _asking_words().isdisjoint(WORD.findall(lowered(body)))


def _is_brief_item(line: Line) -> bool:
    """Whether a line is a brief item of a list, which may command instead of ask."""
    return line.decor in {"item", "bullet"} and len(line.body) < QUESTION_MAX


def _head_before(line: Line) -> bool:
    return len(line.body) > 40 and bool(re.match(r"[^:：.]{3,60}[:：]", line.body)) and "1" in line.body[:140]


def _state(label: Label | None) -> Before:
    if label and label.kind in {"question", "answer"}:
        return label.kind
    return "none"


def _cuts(line: Line, state: Before) -> list[tuple[int, Label]]:
    """The labels in the middle of a line, in an order that makes sense: an answer follows a question.

    The end of each is counted from its place.
    """
    body, low = line.body, lowered(line.body)
    labels = _Labels(line)
    found: list[tuple[int, Label]] = []
    at = line.label.end if line.label else 0
    if not body[at:]:
        return []
    last = body.rfind("?")
    for opened in _starts(low, at):
        if opened < at or (opened == at and not found and state != "none"):
            continue
        label = labels.at(opened)
        if label is None or not _fits(
            label, state, body[max(at, opened - QUESTION_MAX) : opened], line, before_asking=opened < last
        ):
            continue
        found.append((opened, label))
        state, at = label.kind, opened + label.end
    return _agreed(line, found)


class _Labels:
    """The labels in a line; a long one often says the same again and again."""

    def __init__(self, line: Line) -> None:
        self.body, self.bolds = line.body, line.bolds
        self.known: dict[tuple[str, tuple[int, ...]], Label | None] = {}
        self.repeats = len(line.body) > REPETITIVE

    def at(self, place: int) -> Label | None:
        """The label at a place, its end counted from there."""
        if not self.repeats:
            return self._read(place)
        head = self.body[place : place + PIECE], within(self.bolds, place, place + PIECE)
        if head not in self.known:
            self.known[head] = self._read(place)
        return self.known[head]

    def _read(self, place: int) -> Label | None:
        label = read_label(self.body, self.bolds, place)
        return label and ending_at(label, label.end - place)


def within(places: tuple[int, ...], start: int, stop: int) -> tuple[int, ...]:
    """The places behind one place up to another, counted from the first."""
    if not places:
        return ()
    return tuple([place - start for place in places[bisect_right(places, start) : bisect_right(places, stop)]])


def ending_at(label: Label, end: int) -> Label:
    """A label that ends at another place."""
    if label.end == end:
        return label
    return Label(label.kind, label.word, end, label.sign, label.number, label.plural)


def _fits(label: Label, state: Before, before: str, line: Line, *, before_asking: bool) -> bool:
    """Whether a label in the middle of a line may stand after what came before it;
    ``before_asking``: a question mark comes behind it."""
    if label.sign not in {"colon", "bold"} and not (
        label.sign == "mark" and (label.is_letter or label.number is not None)
    ):
        return False
    if label.kind == "answer":
        if state == "question":
            return bool(before.strip()) and (not label.is_letter or label.sign in {"colon", "bold", "mark"})
        if state == "none":
            asked = asks(before.rstrip(" |/-–—([（【*→•"))
            decorated = bool(line.decor or line.bold or line.bolds) or line.is_label("pair")
            commanded = _is_brief_item(line) and len(label.word) > 1 and label.sign == "colon" and bool(before.strip())
            return commanded or (
                asked and (not label.is_letter or decorated or len(before) < 160) and len(before) < QUESTION_MAX
            )
        return False
    if label.kind == "question":
        if state == "answer" or state == "note":
            if label.is_letter and label.number is None and label.sign not in {"colon", "bold"}:
                return label.word == "q" and before_asking
            return bool(before.strip()) or label.number is not None
        return state == "none" and label.sign in {"colon", "bold", "mark"}
    if label.kind == "note":
        return state == "answer" and bool(before.strip()) and label.sign in {"colon", "bold"}
    return False


def _agreed(line: Line, found: list[tuple[int, Label]]) -> list[tuple[int, Label]]:
    """Drop what proves nothing: questions in the middle of prose count only as a run, or behind a heading."""
    if not found:
        return []
    if line.label and line.label.kind in {"question", "answer"}:
        return found
    first = found[0][1]
    if first.kind == "question":
        answers = sum(label.kind == "answer" for _, label in found)
        lead = line.body[: found[0][0]].strip()
        headed = len(lead) < 120 and (
            line.is_label("questions", "pair") or says_pairs(lowered(lead)) or not re.search(r"\w", lead)
        )
        if not answers or (answers < 2 and not headed and not line.is_label("pair")):
            return []
        if lead.endswith(("“", '"', "«", "「")):
            return []
    return found
