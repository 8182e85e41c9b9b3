"""A line that holds more than one thing comes in; its parts go out: question and answer, or a run of labelled parts.

Rule: a line is cut only at evidence: a label in its middle, a sign after the question mark, the end of bold.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from copy import copy
from dataclasses import replace

from contextvqa_async.refiner.headings import heads_pairs, says_pairs
from contextvqa_async.refiner.inner_labels import ending_at, inner_labels, within
from contextvqa_async.refiner.labels import Label, lowered
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import EMOJI, Line

TRIM = " \t|/;；→⇒➜•·*–—-=>~"
COUNTING = frozenset(".)、")
COUNT = lazy(r"(?:^|\s)\d{1,3}[.)、]$")


def cut(line: Line) -> list[Line]:
    """A line with labels in its middle, as one line each: ``Q: … A: … Q: …``."""
    labels = inner_labels(line)
    return _parts(line, labels) if labels else [line]


def _parts(line: Line, found: list[tuple[int, Label]]) -> list[Line]:
    """The line's pieces, each a line of its own with its label."""
    head = _head(line, *found[0])
    parts = headed(head) if head.body else []
    made: dict[tuple[str, str], Line] = {}
    for (start, label), (stop, follows) in itertools.pairwise(found):
        body = _trim(line.body[start:stop], follows)
        if line.bolds or (body, label.kind) not in made:
            made[body, label.kind] = _part(line, start, label, body)
        parts.append(made[body, label.kind])
    start, label = found[-1]
    return [*parts, _part(line, start, label, line.body[start:])]


def _head(line: Line, start: int, follows: Label) -> Line:
    """What stands before the first label in the middle."""
    head = copy(line)
    head.words = _trim(line.words[: len(line.words.rstrip()) - len(line.body) + start], follows)
    head.body = _trim(line.body[:start], follows)
    if head.label and head.label.end > len(head.body):
        head.label = replace(head.label, end=len(head.body))
    head.bolds = line.bolds[: bisect_right(line.bolds, len(head.body))]
    head.bold = False if line.label is None and not head.body else line.bold or (len(head.body) in head.bolds)
    if head.label and head.label.kind in {"questions", "answers"} and not head.rest:
        head.pairs_head = head.label.kind == "questions"
    if line.label is None and follows.kind == "question" and says_pairs(lowered(head.body)):
        head.pairs_head = True
    return head


def _part(line: Line, start: int, label: Label, body: str) -> Line:
    """A label in the middle and the words behind it, as a line."""
    own = ending_at(label, min(label.end, len(body)))
    bolds = within(line.bolds, start, start + len(body))
    return Line("text", words=body, body=body, label=own, indent=line.indent, bolds=bolds, form="cut")


def cut_at(line: Line, start: int, label: Label) -> list[Line]:
    """A line cut at a label that stands at a place in it, and ends at another."""
    return _parts(line, [(start, ending_at(label, label.end - start))])


TAIL = lazy(r"(?:(?<=[.!?。！？…])|(?<=[.!?]\"))\s*(?P<tail>[^.!?。！？…]{3,90})$")


def headed(head: Line) -> list[Line]:
    """Prose that ends in a heading over pairs, as two lines."""
    found = TAIL.search(head.body[-200:])
    if not found or head.is_label("question", "answer"):
        return [head]
    tail = found["tail"].strip()
    low = lowered(tail)
    if not heads_pairs(low):
        return [head]
    size = len(found.group())
    head.body, head.words, head.bold = head.body[:-size], head.words[:-size], False
    return [head, Line("text", words=tail, body=tail, pairs_head=True)]


def _trim(text: str, follows: Label) -> str:
    """Words before a label in the middle, without the dash, bar or number that led to it."""
    text = text.rstrip()
    opened = text.endswith(("(", "[", "（", "【")) and text[:-1].rstrip()
    text = opened or text
    trimmed = text.rstrip(TRIM)
    if text[len(trimmed) :][:1] == ";" and "\u0370" <= trimmed[-1:] <= "\u03ff":
        trimmed += ";"  # which asks, in Greek
    if trimmed[-1:] in COUNTING and (found := COUNT.search(trimmed[-6:])):
        trimmed = trimmed[: len(trimmed) - len(found.group())].rstrip(TRIM)
    while trimmed[-1:] > "\u2000" and (found := EMOJI.search(trimmed[-8:])) and found.end() == len(trimmed[-8:]):
        trimmed = trimmed[: len(trimmed) - len(found.group())].rstrip()
    return trimmed if follows.kind != "answer" or trimmed else text
