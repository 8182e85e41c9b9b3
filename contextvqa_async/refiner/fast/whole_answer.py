"""A whole answer comes in; if it is written in a common way, what is in it goes out, otherwise nothing.

    a label or a title · paragraphs · a heading · pairs, a question and its answer on lines of their own · a farewell

Rule: nothing is decided here that reading line by line decides otherwise. A line that holds anything unusual is read
as every line is, and an answer that holds anything else is left to the reading line by line.
"""

from __future__ import annotations

from functools import lru_cache

from contextvqa_async.refiner.article import is_section, says_article
from contextvqa_async.refiner.characters import uncommon
from contextvqa_async.refiner.chatter import INTERJECTION, apologizes, opens
from contextvqa_async.refiner.context import paragraphs
from contextvqa_async.refiner.data import may_be_yaml
from contextvqa_async.refiner.fast.pair_runs import run_of_pairs
from contextvqa_async.refiner.fast.pair_template import question_lead
from contextvqa_async.refiner.fast.plain_words import (
    LINE_MAX,
    READ_TWICE_MAX,
    SHORT_LINE_MAX,
    opens_plainly,
    plain_sentence,
)
from contextvqa_async.refiner.inner_labels import last_words
from contextvqa_async.refiner.labels import known_label, lowered
from contextvqa_async.refiner.languages import UNSPACED
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import ANSWER_MAX
from contextvqa_async.refiner.lines import BLANK, Line, read_line
from contextvqa_async.refiner.parsed import Parsed
from contextvqa_async.refiner.regions import Region
from contextvqa_async.refiner.same_line import QMARK
from contextvqa_async.refiner.sentences import bulk
from contextvqa_async.refiner.splits import cut
from contextvqa_async.refiner.tidy import finished, tidy
from contextvqa_async.refiner.turns import begins_with_turn
from contextvqa_async.refiner.unwrap import ENTITY

WRAPPED = frozenset("\\<{[`|│┃║")
"""Signs of wrapping, data or tables, which are read before a text is cut in lines."""
MARKED = "*_$~：`\\[<"
"""Signs by which a line is more than plain prose."""
PLAIN = lazy("(?:a?t?p|bp|A)p*+(?:[ts]p++)*+[hr]*+$")
"""The shapes of what stands before the pairs in which the article is simply the prose, a letter for each line:
``a`` a label of the article alone, ``b`` with a title behind it, ``A`` with the article's beginning behind it, ``t`` a
title or a heading, ``s`` a section's heading, ``p`` a paragraph, ``h`` a heading over pairs, ``r`` a rule. ``x`` is any
other line, and in none of them."""
SENTENCE_MIN = 40
"""A sentence that could be a title, or an answer, is shorter."""
LABEL_WORD_MAX = 32
"""No label's last word is longer, with its number."""
LINES_MAX = 1000
"""More lines than an article has: a text that has them before its first pair is read the long way."""


def read_fast(text: str) -> Parsed | None:
    """What was read in an answer that is written in a common way, with one line in place of all pairs; else nothing.

    >>> seen = read_fast("**Article**\\n\\nOwls live.\\n\\n**Q1:** Who?\\n**A1:** Bob")
    >>> seen.prose, seen.pairs
    (['Owls live.'], (Pair(question='Who?', answer='Bob'),))
    """
    signs = uncommon(text)
    if not _is_unwrapped(text, signs):
        return None
    before = _before(text, "".join(signs.intersection(MARKED)))
    if before is None:
        return None
    lines, at, shape = before
    run = run_of_pairs(text, at)
    after = _after(text[run.end :]) if run else None
    if run is None or after is None:
        return None
    pairs = finished(run.pairs) if run.neat else tidy(run.pairs)
    regions = [Region(len(lines), len(lines) + 1, run.form)]
    plain = PLAIN.match(shape) and _plain_prose(lines, shape)
    lines += [Line("data", form=run.form), *after]
    return Parsed(lines, regions, pairs, plain or paragraphs(lines, regions, printable=True))


def _is_unwrapped(text: str, signs: set[str]) -> bool:
    """Whether a text holds no wrapping, no data and no markup, so that its lines can be read as they stand."""
    if not WRAPPED.isdisjoint(signs) or not "".join(signs).isprintable():
        return False
    if any(sign in signs and sign * 3 in text for sign in "~'\""):
        return False
    return (
        not ("&" in signs and ENTITY.search(text))
        and "=" not in signs
        and not (text[:2] == "; " or "\n; " in text)
        and not (begins_with_turn(text) or may_be_yaml(text))
    )


def _before(text: str, signs: str) -> tuple[list[Line], int, str] | None:
    """The lines before the first question, if no other stretch of pairs can begin in them; where it begins; and the
    shape of the lines, a letter for each that is not blank."""
    lines: list[Line] = []
    shape = letter = raw_before = ""
    headed = False
    at = 0
    for raw in text.split("\n"):
        if len(lines) > LINES_MAX:
            return None
        if not raw:
            lines.append(BLANK)
        elif is_prose(words := raw.strip(" "), signs):
            lines.append(Line("text", words=words, body=words))
            letter = "x" if raw_before and letter in "pAx" else "p"
        elif len(raw) <= LINE_MAX and question_lead(raw):
            return lines, at, shape
        elif line := _line(raw, signs):
            lines.append(line)
            letter = _shape(line)
        else:
            return None
        headed = headed or letter == "h"
        if headed and letter not in "hr":
            return None
        shape += letter if raw else ""
        raw_before = raw
        at += len(raw) + 1
    return None


def _shape(line: Line) -> str:
    """A line in a letter: rule, heading over pairs, label of an article, title or section; or any other."""
    if line.kind != "text":
        return "r" if line.kind == "rule" else ""
    label = line.label
    if line.pairs_head or (label is not None and label.kind in {"pair", "questions"}):
        return "h"
    if label is not None and says_article(line):
        titled = line.decor == "head" or line.bold
        return "a" if not line.rest else "b" if titled else "A" if len(line.rest) > LINE_MAX else "x"
    if label is not None or line.decor != "head" or line.mark:
        return "x"
    return "s" if len(line.words) > SHORT_LINE_MAX or is_section(line) else "t"


def _plain_prose(lines: list[Line], shape: str) -> list[str] | None:
    """The words of all paragraphs, if the first is no preamble."""
    filled = [line for line in lines if line.kind != "blank"]
    first = 1 if shape[0] == "A" else shape.find("p")
    if shape[0] != "A" and _prefaced(filled[first].words):
        return None
    prose = [filled[0].rest] if shape[0] == "A" else []
    prose += [line.words for at, line in enumerate(filled) if at >= first and shape[at] in "pts" and line.words]
    return prose if not any("  " in words for words in prose) else [" ".join(words.split()) for words in prose]


def _prefaced(words: str) -> bool:
    """Whether the first paragraph is, or begins with, a preamble."""
    return opens(words) or apologizes(words) or INTERJECTION.match(lowered(words[:400])) is not None


def _line(raw: str, signs: str) -> Line | None:
    """A line before the pairs, if it certainly belongs to none."""
    if len(raw) > LINE_MAX:
        return _prose(raw, signs)
    return _short(raw) if len(raw) < SHORT_LINE_MAX else _outside_pairs(read_line(raw))


def _prose(raw: str, signs: str) -> Line | None:
    if raw.startswith("Article: ") and is_prose(raw[9:], signs):
        return Line("text", words=raw, body=raw, label=known_label("Article"))
    return _outside_pairs(read_line(raw)) if len(raw) < READ_TWICE_MAX else None


def is_prose(raw: str, signs: str = MARKED) -> bool:
    """Whether a line is a paragraph that holds nothing that could make it more; ``signs`` are those to look for."""
    if len(raw) < SENTENCE_MIN or raw[-1] not in ".,;" or raw[-2] >= UNSPACED or any(map(raw.__contains__, signs)):
        return False
    if len(raw) <= LINE_MAX:
        return plain_sentence(raw)
    return opens_plainly(raw) and not (":" in raw and _labels(raw))


def _labels(raw: str) -> bool:
    """Whether a word before a colon may be a label."""
    return "?" in raw or any(_may_label(head) for head in raw.split(":")[:-1])


def _may_label(head: str) -> bool:
    """Whether words end in one that may be a label, before its number."""
    word = head[-LABEL_WORD_MAX:].rstrip(" .#(0123456789").rpartition(" ")[2]
    return not word.isalpha() or word.lower() in last_words()[0]


@lru_cache(maxsize=512)
def _short(raw: str) -> Line | None:
    return _outside_pairs(read_line(raw))


def _outside_pairs(line: Line) -> Line | None:
    """The line if it certainly belongs to no pair."""
    if line.kind != "text":
        return line if line.kind in {"blank", "rule"} else None
    if line.mark or line.quoted or len(cut(line)) > 1:
        return None
    if line.label is not None:
        headed = line.label.kind in {"questions", "pair"} and (line.pairs_head or not line.rest)
        return line if headed or line.label.kind in {"article", "title"} else None
    asking = line.asks or (line.style != "text" and not line.pairs_head and QMARK.search(line.body))
    return None if asking else line


def _after(rest: str) -> list[Line] | None:
    """The lines behind the pairs, if they are none of them: a blank line, and words."""
    lines: list[Line] = []
    for raw in rest.split("\n")[1:]:
        line = read_line(raw)
        if line.kind == "text":
            strange = line.label is not None or line.style != "text" or line.mark or line.pairs_head or line.quoted
            if strange or not lines or bulk(line.words) > ANSWER_MAX or len(cut(line)) > 1:
                return None
        lines.append(line)
    return lines
