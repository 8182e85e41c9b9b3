"""Lines come in, some with the parts that they were cut in; for each of those either the parts or the whole go out.

Rule: prose may quote pairs (``a page lists "Q: What? A: That." in plain text``). Where labels begin lines, such
a line before or behind them is prose and stays whole, unless its pairs go on in theirs.
"""

from __future__ import annotations

from collections.abc import Iterator

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import QUOTED_ANSWER_MAX
from contextvqa_async.refiner.lines import QUESTION, Line

CutLine = Line | list[Line]
"""A line, or, where it could be prose, a list of the line as it stood and its parts."""

SENTENCE = lazy(r"[.!。！\"“”]\s*\S")
TOLD = lazy(r"[.!?\"”]\s+\S|[.\"”。][」』”]?$|[。！？]\S")


def may_be_prose(parts: list[Line], line: Line) -> bool:
    """Whether a line that was cut could be prose: it begins with words, not with a label of pairs."""
    if len(parts) < 2 or line.decor or line.pairs_head or line.is_label("question", "answer", "questions", "pair"):
        return False
    if any(part.pairs_head and not SENTENCE.search(part.body) for part in parts):
        return False
    return bool(SENTENCE.search(parts[0].body))


def keep_prose_whole(lines: list[CutLine], *, labelled: bool) -> Iterator[Line]:
    """Lines with the parts of those that hold pairs, and the whole of those that are prose.

    ``labelled``: lines that begin with labels follow behind these.
    """
    if not any(isinstance(line, list) for line in lines):
        yield from (line for line in lines if isinstance(line, Line))
        return
    asked = [at for at, line in enumerate(lines) if _asks(line)]
    if not asked:
        bare = [at for at, line in enumerate(lines) if _bare(line)]
        asked = bare if len(bare) > 2 else []
    first, last = (asked[0], asked[-1]) if asked else (len(lines), -1)
    number = _number(lines[first]) if asked else None
    for at, line in enumerate(lines):
        if isinstance(line, Line):
            yield line
        elif (labelled and not asked) or (asked and not first < at < last):
            yield from line[:1] if _tells(line[1:], number) else line[1:]
        else:
            yield from line[1:]


def _number(line: CutLine) -> int | None:
    return line.label.number if isinstance(line, Line) and line.label else None


def _asks(line: CutLine) -> bool:
    """Whether a line begins with the label of a question, or is a pair of data."""
    if isinstance(line, list):
        return False
    return line.kind == "data" or line.mark == QUESTION or (line.is_label("question") and line.form != "cut")


def _bare(line: CutLine) -> bool:
    """Whether a line without a label asks, by its number, bullet or bold."""
    if isinstance(line, list):
        return False
    return line.asks if line.bold or line.decor == "head" else _decorated(line)


def _decorated(line: Line) -> bool:
    return line.decor in {"item", "bullet"} and any(sign in line.body for sign in "?？؟")


def _tells(parts: list[Line], number: int | None) -> bool:
    """Whether the words behind its labels go on as prose does, and no pair goes on in the lines that follow."""
    for part in parts:
        label = part.label
        if label and label.kind == "question" and label.number is not None and number is not None:
            return label.number >= number
    said = [part.rest for part in parts if part.is_label("answer")]
    return any(len(words) > QUOTED_ANSWER_MAX or TOLD.search(words) for words in said)
