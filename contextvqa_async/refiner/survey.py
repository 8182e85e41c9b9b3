"""A whole answer comes in; where it is written in a common way, its lines, its stretch and its pairs go out at once.

    a label or a title · paragraphs · a heading · pairs, a question and its answer on lines of their own · a farewell

Rule: a shortcut, never a judge. It says what reading line by line says (a test compares the two): a line that holds
anything unusual is read by the others, and an answer that holds anything else is left to them.
"""

from __future__ import annotations

from functools import lru_cache

from contextvqa_async.items import Pair
from contextvqa_async.refiner.labels import UNSPACED
from contextvqa_async.refiner.later import later
from contextvqa_async.refiner.lines import BLANK, Line, bulk, read_line
from contextvqa_async.refiner.regions import LONG, Region
from contextvqa_async.refiner.runs import BRIEF, FULL, VAST, asks_first, known_label, opens_plainly, run_of_pairs
from contextvqa_async.refiner.splits import QMARK, cut
from contextvqa_async.refiner.tidy import tidy
from contextvqa_async.refiner.unwrap import ENTITY

Survey = tuple[list[Line], list[Region], tuple[Pair, ...]]

WRAPPED = "\\<{[`|│┃║"
"""Signs of what is unwrapped, or read as data or as a table, before lines are lines."""
MARKED = "*_$~：`\\[<"
"""Signs of what makes prose more."""
HEADED = 64
"""A heading before a colon is shorter."""


def survey(text: str) -> Survey | None:
    """The lines, with one in place of all pairs; the stretch that it stands for; and the pairs.

    >>> lines, _, pairs = survey("**Article**\\n\\nOwls live.\\n\\n**Q1:** Who?\\n**A1:** Bob")
    >>> [line.words for line in lines if line.words], pairs
    (['Article', 'Owls live.'], (Pair(question='Who?', answer='Bob'),))
    """
    if not _bare(text):
        return None
    raws = text.split("\n")
    before = _before(raws, "".join([sign for sign in MARKED if sign in text]))
    if before is None:
        return None
    at = len(before)
    run = run_of_pairs(raws, at)
    after = run and _after(raws[run[2] :])
    if run is None or after is None:
        return None
    pairs, form, _ = run
    return [*before, Line("data", form=form), *after], [Region(at, at + 1, form)], tidied(pairs)


def _bare(text: str) -> bool:
    """Whether there is nothing to unwrap."""
    if any(map(text.__contains__, WRAPPED)) or "~~~" in text or "'''" in text or '"""' in text:
        return False
    return text.replace("\n", " ").isprintable() and not ("&" in text and ENTITY.search(text))


def _before(raws: list[str], signs: str) -> list[Line] | None:
    """The lines before the first question, if no other stretch of pairs can begin in them."""
    lines: list[Line] = []
    headed = False
    for raw in raws:
        if raw and len(raw) <= FULL and asks_first(raw):
            return lines
        line = _line(raw, signs) if raw else BLANK
        if line is None or (headed and line.kind == "text"):
            return None
        headed = headed or line.pairs_head or (line.label is not None and line.label.kind == "pair")
        lines.append(line)
    return None


def _line(raw: str, signs: str) -> Line | None:
    """A line outside the pairs, if it can be no part of any."""
    if len(raw) > FULL:
        return _prose(raw, signs)
    return _short(raw) if len(raw) < BRIEF else _innocent(read_line(raw))


def _prose(raw: str, signs: str) -> Line | None:
    if is_prose(raw, signs):
        return Line("text", words=raw, body=raw)
    if raw.startswith("Article: ") and is_prose(raw[9:], signs):
        return _innocent(Line("text", words=raw, body=raw, label=known_label("Article")))
    return _innocent(read_line(raw)) if len(raw) < VAST else None


def is_prose(raw: str, signs: str = MARKED) -> bool:
    """Whether a line is a paragraph that holds nothing that could make it more; ``signs`` are those to look for."""
    if len(raw) <= FULL or raw[-1] not in ".,;" or raw[-2] >= UNSPACED or any(map(raw.__contains__, signs)):
        return False
    colon = raw.find(":")
    headed = colon >= 0 and ("?" in raw or (colon < HEADED and "." not in raw[:colon]))
    return not headed and opens_plainly(raw)


@lru_cache(maxsize=512)
def _short(raw: str) -> Line | None:
    return _innocent(read_line(raw))


def _innocent(line: Line) -> Line | None:
    """The line, if it can be no part of pairs, for what it says itself."""
    if line.kind != "text":
        return line if line.kind in {"blank", "rule"} else None
    if line.mark or line.quoted or len(cut(line)) > 1:
        return None
    if line.label is not None:
        headed = line.label.kind in {"questions", "pair"} and (line.pairs_head or not line.rest)
        return line if headed or line.label.kind in {"article", "title"} else None
    asking = line.asks or (line.style != "text" and not line.pairs_head and QMARK.search(line.body))
    return None if asking else line


def _after(raws: list[str]) -> list[Line] | None:
    """The lines behind the pairs, if they are none of them: a blank line, and words."""
    lines: list[Line] = []
    for raw in raws:
        line = read_line(raw)
        if line.kind == "text":
            strange = line.label is not None or line.style != "text" or line.mark or line.pairs_head or line.quoted
            if strange or not lines or bulk(line.words) > LONG or len(cut(line)) > 1:
                return None
        lines.append(line)
    return lines


NEAT = later(r"[^\W\d_][\w ,.;'’/%°–&!?-]*[\w.!?？]\n(?:[^\W_]|[£€¥$])[\w ,.;'’/%°–&!?£€¥$-]*(?<=[\w.%])\Z")
"""A pair, a word on either line's ends, and no sign that could wrap it, or stand between a label and its words."""


def tidied(pairs: list[tuple[str, str]]) -> tuple[Pair, ...]:
    """Finished pairs; where nothing wraps them or stands behind them, there is nothing to tidy."""
    for asked, said in pairs:
        if not NEAT.match(f"{asked}\n{said}") or "  " in asked or "  " in said:
            return tidy(pairs)
    return tuple([Pair(question=asked, answer=said) for asked, said in pairs])
