"""A text comes in; the run of plain labelled pairs at its end is read at a glance, and the rest is left for the others.

Rule: a shortcut, never a judge. What it reads, the line by line reading would read alike (a test compares the two), and
anything unusual, a mark, a second colon, a wrapped answer, ends the run.
"""

from __future__ import annotations

import re
from functools import lru_cache

from contextvqa_async.refiner.labels import Label, before_colon, lowered
from contextvqa_async.refiner.later import later
from contextvqa_async.refiner.lines import Line

LABEL = r"[^\W\d_]+(?: [^\W\d_]+)? ?\d{0,3}"
PLAIN = r"[^*_\n:：|`\\\[\]<>~$→]"
PAIR = later(
    rf"^ *(?:\d{{1,3}}[.)] +|[-*] +)?(?P<bold>\*\*)?(?P<asked>{LABEL})(?P<colon>: ?|：)"
    rf"(?:(?(bold)\*\*) *(?P<question>{PLAIN}+[?？؟])|(?P<whole>{PLAIN}+[?？؟])\*\*)[ ]*(?:\n[ \n]*(?:[-*] +)?| +)"
    rf"(?P<strong>\*\*)?(?P<said>{LABEL})(?:: ?|：)(?(strong)\*\*) *(?P<answer>[^\W_]{PLAIN}*)(?:\n|\Z)",
    re.MULTILINE,
)


@lru_cache(maxsize=4096)
def _label(word: str) -> Label | None:
    return before_colon(lowered(word) + ":")


def glance(text: str) -> tuple[str, list[Line], str] | None:
    """The text before the last run of pairs, the run, and the text after it; None where there is no such run.

    >>> before, lines, after = glance("Owls.\\n\\nQ: Who?\\nA: Bob\\n\\nQ: Where?\\nA: Oslo\\n")
    >>> before, [line.pair for line in lines], after
    ('Owls.\\n\\n', [('Who?', 'Bob'), ('Where?', 'Oslo')], '')
    """
    first = None
    run: list[Line] = []
    start = stop = at = 0
    while found := PAIR.search(text, at):
        line = _read(found)
        if found.start() != at or line is None or first is None:
            run, start = [], found.start()
        first = found
        at = _past_blank(text, found.end())
        if line is None or not (at > found.end() or at >= len(text) or PAIR.match(text, at)):
            run = []
            first = None
            continue
        run.append(line)
        stop = at
    return (text[:start], run, text[stop:]) if len(run) > 1 else None


def _past_blank(text: str, at: int) -> int:
    """Past the blank lines that follow."""
    while text[at : at + 1] == "\n":
        at += 1
    return at


def _read(found: re.Match[str]) -> Line | None:
    """One pair, if its labels are labels."""
    asked, said = _label(found["asked"].strip()), _label(found["said"].strip())
    if asked is None or said is None or asked.kind != "question" or said.kind != "answer":
        return None
    if found["whole"] and not found["bold"]:
        return None
    question = found["question"] or found["whole"]
    return Line("data", pair=(question.strip(), found["answer"].strip()), label=asked, form="labels")
