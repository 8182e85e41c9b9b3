"""An answer that is written in no common way comes in; its lines, its stretches of pairs, its pairs and its prose go
out.

    text ─ unwrap ─ read_data ─ untag ─ taught ─ read_tables ─ read_line ─ cut ─► lines ─ Scanner ─ choose ─► regions
                                                                                    └───── paragraphs, tidy ──► Parsed

Rule: each step takes what the one before it made, and none looks back.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

from contextvqa_async.items import Pair
from contextvqa_async.refiner.choices import without_choices
from contextvqa_async.refiner.commands import cut_commands
from contextvqa_async.refiner.context import paragraphs
from contextvqa_async.refiner.data import read_data, whole_value
from contextvqa_async.refiner.enumerated import enumerated
from contextvqa_async.refiner.fast import is_plain, is_prose, last_run, read_fast
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.learned_labels import learn_labels
from contextvqa_async.refiner.lines import ARTICLE, END, MARKS, Line, read_line
from contextvqa_async.refiner.parsed import Parsed
from contextvqa_async.refiner.quoted_pairs import CutLine, keep_prose_whole, may_be_prose
from contextvqa_async.refiner.regions import Region
from contextvqa_async.refiner.scanner import Scanner, choose
from contextvqa_async.refiner.splits import cut
from contextvqa_async.refiner.tables import may_be_commas, read_tables
from contextvqa_async.refiner.tags import untag
from contextvqa_async.refiner.tidy import tidy
from contextvqa_async.refiner.unwrap import entities, unfence, unwrap
from contextvqa_async.refiner.values import Value

SEALED_BLANK = Line("blank", sealed=True)
VOID = "\n" * 40
VOIDS = lazy("\n{41,}")


def read(text: str, *, fast: bool = True) -> Parsed:
    """Read any answer line by line.

    ``fast=False`` switches the shortcuts off, for tests: the result is equal.
    """
    value = whole_value(text)
    bare = text if value else unwrap(text)
    seen = read_fast(bare) if fast and bare != text else None
    if seen:
        return seen
    pieces: list[str | Value] = [value] if value else read_data(bare)
    alone = _alone(pieces) if fast else None
    if alone and (seen := _all_data(alone)):
        return seen
    lines = without_choices(list(_piece_lines(pieces, fast=fast)))
    regions = choose(Scanner(lines).regions(), lines)
    pairs = tidy([(asked.question, asked.answer) for region in regions for asked in region.pairs])
    return _seen(lines, regions if pairs else [], pairs)


def _seen(lines: list[Line], regions: list[Region], pairs: tuple[Pair, ...]) -> Parsed:
    return Parsed(lines, regions, pairs, [_unmarked(words) for words in paragraphs(lines, regions)])


def _unmarked(text: str) -> str:
    return text if text.isascii() else MARKS.sub("", text)


def _alone(pieces: list[str | Value]) -> Value | None:
    """A value with an article and pairs, beside which there is nothing."""
    found = [piece for piece in pieces if not isinstance(piece, str) or piece.strip()]
    alone = found[0] if len(found) == 1 else None
    return alone if isinstance(alone, Value) and alone.articles and alone.pairs else None


def _all_data(found: Value) -> Parsed | None:
    """Read an answer that is one value with an article and pairs; nothing, if one of the pairs is not whole."""
    data = list(_pairs(found))
    pairs = tidy([line.pair for line in data if line.pair and all(line.pair)])
    if len(pairs) < len(data):
        return None
    prose = [part for text in found.articles for part in text.split("\n\n") if part]
    if all(map(_untouched, prose)):
        return Parsed(data, [Region(0, len(data), "label")], pairs, prose)
    lines = [line for text in found.articles for line in _sealed(text)]
    return _seen([*lines, *data], [Region(len(lines), len(lines) + len(data), "label")], pairs)


def _untouched(raw: str) -> bool:
    """Whether a paragraph is read as it stands."""
    return is_prose(raw) and raw.isprintable() and "&" not in raw and "=" not in raw and "  " not in raw


def read_lines(text: str, *, fast: bool = True) -> Iterator[Line]:
    """All lines of an unwrapped answer, with their evidence; ``fast=False`` switches the shortcut for pairs off."""
    return _piece_lines(read_data(text), fast=fast)


def _piece_lines(pieces: list[str | Value], *, fast: bool) -> Iterator[Line]:
    for piece in pieces:
        if isinstance(piece, Value):
            yield from _data_lines(piece)
        elif piece.strip():
            yield from _text_lines(piece, fast=fast)


def _text_lines(text: str, *, fast: bool) -> Iterator[Line]:
    """The lines of a text that holds no data, with pairs that the fast path has read in place of theirs."""
    text = learn_labels(entities(untag(unfence(text))))
    if VOID in text:  # tags leave many blank lines, and no look ahead is that long
        text = VOIDS.sub(VOID, text)
    found = last_run(text) if fast else None
    if found is None:
        yield from _lines(text)
        return
    start, run = found
    yield from _lines(text[:start], labelled=True)
    label = read_line(text[start:].partition("\n")[0]).label
    yield from (Line("data", pair=pair, label=label, form=run.form) for pair in run.pairs)
    if run.end < len(text):
        yield from _lines(text[run.end :])


def _lines(text: str, *, labelled: bool = False) -> Iterator[Line]:
    """Each line of a text, or the lines that one holds; ``labelled``: labelled lines are known to follow."""
    return keep_prose_whole(cut_commands(list(_cut_lines(text))), labelled=labelled)


def _cut_lines(text: str) -> Iterator[CutLine]:
    """Each line of a text, or the lines that one holds; both, where it could be prose."""
    raws = text.split("\n")
    tabular = "|" in text or "\t" in text or any(box in text for box in "│┃║") or any(map(may_be_commas, raws))
    seen: dict[str, list[Line]] = {}  # models that repeat themselves repeat whole lines
    bare = ""  # a label alone, which says no more when it comes again at once
    for raw in read_tables(raws) if tabular else raws:
        if isinstance(raw, Line):
            yield raw
            continue
        if raw and raw == bare:
            continue
        if raw not in seen:
            line, seen[raw] = _parts(raw)
            if len(seen[raw]) > 1 and may_be_prose(seen[raw], line):
                yield [line, *seen[raw]]
                continue
        yield from seen[raw]
        if raw:
            bare = raw if _says_nothing(seen[raw]) else ""


def _says_nothing(parts: list[Line]) -> bool:
    """Whether a line is a label without words."""
    return len(parts) == 1 and parts[0].is_label("question", "answer") and not parts[0].rest


def _parts(raw: str) -> tuple[Line, list[Line]]:
    """A line, and the lines that it holds."""
    line = read_line(raw)
    if line.kind != "text" or not line.body:
        return line, [line]
    parts = cut(line)
    if len(parts) == 1 and "2" in raw and ("?" in raw or "？" in raw):
        parts = [part for item in enumerated(line) for part in (cut(item) if item.body else [item])]
    return line, parts


def _data_lines(found: Value) -> Iterator[Line]:
    """What a JSON value holds, as lines."""
    if not found.pairs:
        for text in (*found.articles, *found.texts):
            yield Line("text", mark=ARTICLE) if text in found.articles else Line("blank")
            yield from read_lines(unwrap(text))
            yield Line("blank")
    else:
        for text in found.articles:
            yield from _sealed(text)
    yield from _pairs(found)


def _pairs(found: Value) -> Iterator[Line]:
    for question, answer in found.pairs:
        yield Line("data", pair=(_plain(question), _plain(answer)), form=found.form)


def _sealed(text: str) -> Iterator[Line]:
    """An article that data names as such: its lines hold no pairs."""
    yield Line("text", mark=ARTICLE)
    for raw in entities(untag(unwrap(text))).split("\n"):
        if not raw:
            yield SEALED_BLANK
            continue
        line = Line("text", words=raw, body=raw) if is_prose(raw) else copy(read_line(raw))
        line.sealed = True
        yield line
    yield Line("end", mark=END)


def _plain(text: str) -> str:
    """A datum in words: several lines as one, without marks."""
    if is_plain(text):
        return text
    parts = [read_line(raw) for raw in entities(untag(text)).split("\n")]
    if len(parts) == 1:
        line = parts[0]
        labelled = line.label is not None and line.label.is_letter and not line.label.may_be_initial
        return line.rest or line.words if labelled else line.words
    sign = ", " if all(part.decor == "bullet" for part in parts if part.kind == "text") else " "
    return sign.join(part.words for part in parts if part.words)
