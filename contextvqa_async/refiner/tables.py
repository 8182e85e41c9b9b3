"""Raw lines come in; those that are rows of a table of pairs go out as pairs, other tables as words.

Rule: a table holds pairs if its header says so, or if one of its columns asks. Pipes, box drawing, tabs and commas are
all known.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from contextvqa_async.refiner.inline import plain
from contextvqa_async.refiner.labels import read_label
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import BREAK, Line
from contextvqa_async.refiner.sentences import asks

BOX = lazy("[│┃║￨｜]")
CELL = lazy(r"(?<!\\)\|")
SEPARATOR = lazy(r"^[\s|]*:?-{2,}:?[\s|:+-]*$|^[+├┌└╔╠╚┏┣┗][-=─━═┬┼┴+╦╬╩┳╋┻┤┐┘╗╣╝┓┫┛]+$")
LINES = lazy(f"[,;]?\\s*{BREAK}[\\s•-]*")
Rows = list[list[str]]


def read_tables(raws: list[str]) -> Iterator[str | Line]:
    """Lines as they stand, but tables as pairs or as words."""
    at = 0
    while at < len(raws):
        stop = _csv(raws, at)
        if stop > at:
            yield from _commas(raws[at:stop])
            at = stop
            continue
        stop = at
        while stop < len(raws) and _row(raws[stop]):
            stop += 1
        if stop > at and _is_table(raws[at:stop]):
            yield from _table([_bars(line) for line in raws[at:stop]])
            at = stop
            continue
        stop = max(stop, at + 1)
        yield from raws[at:stop]
        at = stop


def _bars(raw: str) -> str:
    return raw if raw.isascii() else BOX.sub("|", raw)


def _row(raw: str) -> bool:
    """A cheap look: whether a line may be a row or a separator of a table."""
    return (
        "|" in raw
        or "│" in raw
        or "┃" in raw
        or "║" in raw
        or "\t" in raw.strip()
        or bool(raw and raw.lstrip()[:1] in "+├┌└╔╠╚┏┣┗" and SEPARATOR.match(raw.strip()))
    )


def _is_table(raws: list[str]) -> bool:
    """Whether a run of lines with bars is a table rather than words with a bar in them."""
    bars = [_bars(raw).strip() for raw in raws]
    if any(bar.startswith("|") and bar.count("|") > 1 for bar in bars):
        return True
    if any(SEPARATOR.match(bar) and "|" in bar for bar in bars):
        return True
    return _header(_cells(bars[0])) is not None and len(bars) > 1


def _cells(row: str) -> list[str]:
    """A row's cells."""
    row = row.strip(" \r\n").lstrip(">").strip(" ")
    if "|" not in row and "\t" in row.strip():
        return [cell.strip() for cell in row.rstrip().split("\t")]  # the first cell may be empty
    row = row.strip()
    row = row.removeprefix("|")
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return [cell.strip().replace("\\|", "|") for cell in CELL.split(row)]


def _header(cells: list[str]) -> tuple[int, int] | None:
    """The columns of questions and answers, if a row names them."""
    asked = answer = -1
    if len(cells) > 20:
        return None
    for at, cell in enumerate(cells):
        words = plain(cell)[0].strip(" :：")
        if len(words) > 60:
            return None
        label = read_label(words + ":")
        if label is None or len(words) + 1 - label.end > 0:
            continue
        if label.kind in {"question", "questions"} and asked < 0:
            asked = at
        elif label.kind in {"answer", "answers"} and answer < 0:
            answer = at
    return (asked, answer) if asked >= 0 and answer >= 0 else None


def _table(bars: list[str]) -> Iterator[str | Line]:
    """A table's rows: pairs where a column asks, labelled lines where cells are labels, else words."""
    rows: Rows = []
    columns: tuple[int, int] | None = None
    header = ""
    for bar in bars:
        if SEPARATOR.match(bar.strip()):
            continue
        cells = _cells(bar)
        found = _header(cells) if columns is None else None
        if found:
            yield from _read_rows(rows, None)
            rows, columns, header = [], found, " ".join(filter(None, cells))
            yield Line("rule")
        else:
            rows.append(cells)
    yield from _under(header, _read_rows(rows, columns))


def _under(header: str, lines: Iterator[str | Line]) -> Iterator[str | Line]:
    """Lines of a table, whose first holds the header's words for an article that the table turns out to be of."""
    for line in lines:
        if header and isinstance(line, Line) and line.words:
            line = replace(line, words=f"{plain(header)[0]} {line.words}")
            header = ""
        yield line


def _read_rows(rows: Rows, columns: tuple[int, int] | None) -> Iterator[str | Line]:
    """Rows as pairs, as labelled lines, or as words."""
    named, columns = columns is not None, columns or _asking(rows)
    labelled = not columns and next((kind for kind in map(_labels, rows) if kind), "answer") != "answer"
    for cells in rows:
        if columns and (named or asks(plain("".join(cells[columns[0] : columns[0] + 1]))[0])):
            yield from _pair(cells, *columns)
        elif labelled and _labels(cells):
            yield f"{cells[0].strip('*_: ')}: {' '.join(cells[1:]).strip()}"
        else:
            yield " ".join(filter(None, cells)).replace(BREAK, " ")


def _labels(cells: list[str]) -> str:
    """What a row's first cell labels, if it is one of the kinds that a table may hold a row each of."""
    label = read_label(plain(cells[0])[0] + ":") if len(cells) > 1 else None
    return label.kind if label and label.kind in {"question", "answer", "article"} else ""


def _asking(rows: Rows) -> tuple[int, int] | None:
    """The first column most of whose cells ask, and the one after it."""
    if len(rows) < 1:
        return None
    for at in range(min(12, max(map(len, rows))) - 1):
        asking = sum(len(cells) > at + 1 and (asks(plain(cells[at])[0])) for cells in rows)
        if (
            asking
            and asking * 2 >= len(rows)
            and not all(asks(plain(cells[at + 1])[0]) for cells in rows if len(cells) > at + 1)
        ):
            return at, at + 1
    return None


def _pair(cells: list[str], asked: int, answer: int) -> Iterator[Line]:
    question = cells[asked] if asked < len(cells) else ""
    line = _pair_of_cells(question, cells[answer] if answer < len(cells) else "", " ".join(filter(None, cells)))
    if line:
        yield line


@lru_cache(maxsize=256)
def _pair_of_cells(question: str, answer: str, words: str) -> Line | None:
    """A pair of two cells, if one asks; models that repeat themselves repeat whole rows."""
    question, answer = plain(question)[0].strip(), plain(answer)[0].strip()
    label = read_label(question)
    question = question[label.end :] if label and label.kind == "question" else question
    label = read_label(answer)
    if label and label.kind == "answer" and label.is_letter and not label.may_be_initial:
        answer = answer[label.end :] or answer
    question, answer = question.replace(BREAK, " "), LINES.sub(", ", answer.lstrip("• ") if BREAK in answer else answer)
    return Line("data", words=words, pair=(question, answer), form="table") if question.strip("-—– ") else None


def may_be_commas(raw: str) -> bool:
    """A cheap look: whether a line may be the header of comma-separated pairs."""
    return ("," in raw or ";" in raw) and len(raw) < 80 and _in_columns(raw)


def _in_columns(raw: str) -> bool:
    """Whether a line holds no spaces but those behind its commas or semicolons."""
    return " " not in raw.replace(", ", ",").replace("; ", ";")


def _csv(raws: list[str], at: int) -> int:
    """Where a run of comma-separated pairs ends, if a header begins one here."""
    head = raws[at].strip()
    if len(head) > 80 or not ("," in head or ";" in head) or not _in_columns(head):
        return at
    cells = [cell.strip("\"' ") for cell in re.split("[,;]", head)]
    if _header(cells) is None:
        return at
    stop = at + 1
    while stop < len(raws) and raws[stop].strip() and not raws[stop].startswith("```"):
        stop += 1
    return stop


def _commas(raws: list[str]) -> Iterator[Line]:
    """The pairs of comma-separated rows, whose first is the header; commas in the last column are the answer's own."""
    sign = ";" if raws[0].count(";") > raws[0].count(",") else ","
    try:
        rows = list(csv.reader(raws, delimiter=sign, skipinitialspace=True))
    except csv.Error:  # a cell longer than the module allows
        rows = [[cell.strip() for cell in raw.split(sign)] for raw in raws]
    columns = _header([cell.strip() for cell in rows[0]])
    if columns is None:
        return
    for cells in rows[1:]:
        extra = len(cells) - len(rows[0])
        if extra > 0 and columns[1] == len(rows[0]) - 1:
            cells = [*cells[: columns[1]], (sign + " ").join(cell.strip() for cell in cells[columns[1] :])]
        yield from _pair(cells, *columns)


def row_pairs(raw: str) -> int:
    """How many pairs a table's row holds by itself: one if a cell asks and a later one says something."""
    cells = _cells(_bars(raw))
    asked = next((at for at, cell in enumerate(cells) if asks(plain(cell)[0])), None)
    return int(asked is not None and any(cells[asked + 1 :]))
