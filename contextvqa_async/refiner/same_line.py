"""A question and its answer on one line come in; both go out, and the sign between them.

Rule: a question mark that no quotation holds, and what stands behind it; without one, an arrow or the end of bold.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import QUESTION_MAX
from contextvqa_async.refiner.lines import EMOJI, Line
from contextvqa_async.refiner.sentences import asks as ends_asking

QMARK = lazy(r"[?？؟⁇⁈⁉⸮](?:[\"”»’'」』〉]*)|[\"“”«»「」]")
SIGN = lazy(r"\s*(?:→|⇒|➜|➔|➡\ufe0f?|⟶|➤|»|=+>|-+>|>{2}|—+|–+|-+(?=\s)|:+|：|=+(?=\s)|\||~(?=\s)|/{2}|\u2014)\s*(?=\S)")
ARROW = lazy(r"\s(?:→|⇒|➜|➔|➡\ufe0f?|⟶|=+>|-+>|—|–|-|\|)\s+(?=\S)")
STOP = lazy(r"[^\W_]{2}[.!。！](?=[\s(（\[【])")
CLOSED = lazy(r"\s*[(（\[【](?P<inside>.+)[)）\]】]\s*[.。]?\s*$")


SplitSign = Literal["sign", "brackets", "space", "bold", "arrow"]
Split = tuple[str, str, SplitSign]
"""A question, its answer, and what parts them; ``space``: nothing does, ``bold``: the question alone is bold."""


def split_question(line: Line, text: str) -> Split | None:
    """A question and the answer on its line, and the sign between them: ``Who? → Bob``, ``Who? (Bob)``, ``Who? Bob``.

    >>> from contextvqa_async.refiner.lines import read_line
    >>> split_question(read_line("x"), 'Who sang "Why?" here? — Bob')
    ('Who sang "Why?" here?', 'Bob', 'sign')
    """
    if line.bolds or len(text) > QUESTION_MAX:
        return _answered(line.bolds, line.bold, len(line.body) - len(text), text)
    return _looked_up(text)


@lru_cache(maxsize=1024)
def _looked_up(text: str) -> Split | None:
    """`split_question` of words without bold, cached: many steps ask it of one line."""
    return _answered((), False, 0, text)


def _answered(bolds: tuple[int, ...], bold: bool, offset: int, text: str) -> Split | None:
    marks = _marks(text)
    return _at(marks, text) or (
        None if marks else _unasked(() if bold else tuple(place - offset for place in bolds), text)
    )


def split_command(line: Line, text: str) -> Split | None:
    """A command, the answer on its line, and the sign between them; for lines among questions that hold their answers.

    >>> from contextvqa_async.refiner.lines import read_line
    >>> split_command(read_line("x"), "Name the city shown. (Oslo)")
    ('Name the city shown.', 'Oslo', 'brackets')
    """
    stops = [found.end() for found in STOP.finditer(text)]
    offset = len(line.body) - len(text)
    ends = [place - offset for place in line.bolds if place - offset in stops]
    return _at(ends or stops, text) if len(ends or stops) == 1 else None


def _at(marks: list[int], text: str) -> Split | None:
    """The answer behind one of the places where a question may end."""
    for end in marks:
        sign = SIGN.match(text, end)
        if sign and not MINUS.match(text, sign.end() - 1):
            return text[:end].strip(), _bare(text[sign.end() :]), "sign"
    for end in reversed(marks[-20:]) if text.rstrip(" .。")[-1:] in ")）]】" else ():
        closed = CLOSED.match(text, end)
        if closed and _balanced(closed["inside"]):
            return text[:end].strip(), closed["inside"].strip(), "brackets"
    if not ends_asking(text):
        for end in reversed(marks):
            rest = _bare(text[end:])
            if rest and (text[end : end + 1].isspace() or ord(text[end]) > 0x2E80 or EMOJI.match(text, end)):
                return text[:end].strip(), rest, "space"
    return None


def _unasked(ends: tuple[int, ...], text: str) -> Split | None:
    """An answer after an arrow or after the end of bold, where the question has no question mark."""
    for inside in ends:
        if 3 < inside < len(text) and text[:inside].strip():
            rest = _bare(text[inside:].lstrip(":： "))
            return (text[:inside].strip(" :："), rest, "bold") if rest else None
    arrow = ARROW.search(text)
    return (text[: arrow.start()].strip(), _bare(text[arrow.end() :]), "arrow") if arrow and arrow.start() else None


def _marks(text: str) -> list[int]:
    """Places right after each question mark that no quotation holds; all of them where quotes do not close."""
    outside: list[int] = []
    every: list[int] = []
    depth = opened = 0
    for found in QMARK.finditer(text):
        sign = found.group()
        if sign[0] in "“«「":
            depth, opened = depth + 1, opened + 1
        elif sign[0] in "”»」":
            depth = max(0, depth - 1)
        elif sign == '"':
            depth, opened = (0, opened) if depth else (1, opened + 1)
        else:
            closes = depth and sign[1:].strip("'’")
            whole = opened == 1 and text[:1] in '"“«「'
            every.append(found.end())
            if not depth or (closes and whole):
                outside.append(found.end())
            depth = 0 if closes else depth
    return outside or ([] if depth == 0 else every)


MINUS = lazy(r"[-–−]\d")
DOT = lazy(r"[•▪◦·]\s*")


def _bare(text: str) -> str:
    """An answer without the signs, bullets and emoji that led to it."""
    text = text.strip()
    at = 0
    while at < len(text):
        found = EMOJI.match(text, at) or SIGN.match(text, at) or DOT.match(text, at)
        if not found or not at < found.end() < len(text) or MINUS.match(text, at):
            break
        at = found.end()
    return text[at:].lstrip()


def _balanced(text: str) -> bool:
    """Whether brackets open before they close, so that the outer ones belong together."""
    depth = 0
    for char in text:
        depth += (char in "([（【") - (char in ")]）】")
        if depth < 0:
            return False
    return depth == 0
