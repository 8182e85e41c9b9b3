"""All lines come in; the same lines without the options to choose from, and answers without their letter, go out.

Rule: options stand between a question and a labelled answer, run from A, and are at least two; a list of lettered
parts that no labelled answer follows is an answer itself.
"""

from __future__ import annotations

import re
from copy import copy

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import BLANK, Line

OPTION = lazy(r"[(（\[]?([A-Ha-h])[)）.\]:：、．]\s*\S")
ROW = lazy(r"[(（\[]?[Aa][)）.\]:：、．]\s*\S.*?[\s,;|][(（\[]?[Bb][)）.\]:：、．]\s*\S")
CHOSEN = lazy(r"(?:option\s+)?[(（\[]?[A-Ha-h][)）.\]:：、．]{1,2}\s+(?=\S)", re.IGNORECASE)


def without_choices(lines: list[Line]) -> list[Line]:
    """The lines, which are changed, without options.

    >>> from contextvqa_async.refiner.lines import read_line
    >>> raws = ("Q: Who?", "A) Ann", "B) Bob", "Answer: B) Bob")
    >>> [line.body for line in without_choices([read_line(raw) for raw in raws])]
    ['Q: Who?', '', '', 'Answer: Bob']
    """
    for at, line in enumerate(lines):
        if line.kind == "text" and line.body[:2].strip("(（[")[:1] in ("A", "a") and OPTION.match(line.body):
            stop = _stop(lines, at) if _asked(lines, at) else 0
            if stop:
                lines[at : stop + 1] = [*([BLANK] * (stop - at)), _chosen(lines[stop])]
    return lines


def _stop(lines: list[Line], at: int) -> int:
    """The place of the labelled answer behind options that begin at ``at``; 0 if they are none."""
    letter, many = "a", bool(ROW.match(lines[at].body))
    for place in range(at, min(at + 24, len(lines))):
        line = lines[place]
        found = OPTION.match(line.body) if line.kind == "text" else None
        if found and found[1].lower() == letter:
            many, letter = many or letter > "a", chr(ord(letter) + 1)
        elif line.kind != "blank":
            return place if many and line.is_label("answer") else 0
    return 0


def _asked(lines: list[Line], at: int) -> bool:
    """Whether the line before options asks."""
    before = next((line for line in reversed(lines[max(0, at - 3) : at]) if line.kind == "text"), None)
    return before is not None and (before.is_label("question") or before.asks)


def _chosen(line: Line) -> Line:
    """An answer without the letter of its option."""
    found = CHOSEN.match(line.rest)
    if not found or line.label is None:
        return line
    changed = copy(line)
    changed.body = f"{line.body[: line.label.end].rstrip()} {line.rest[found.end() :]}"
    return changed
