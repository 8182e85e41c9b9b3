"""The lines outside the pairs come in; the article's prose goes out, as paragraphs.

Rule: where an article carries a label, the article is what stands under one. Where none does, it is the prose
before the pairs, or, if there is none, after them. A preamble, a title, a heading over pairs and a farewell are
no prose.
"""

from __future__ import annotations

import re

from contextvqa_async.refiner.article import article_labels, under_labels, untitled
from contextvqa_async.refiner.chatter import INTERJECTION, apologizes, closes, opens, refuses
from contextvqa_async.refiner.headings import says_pairs
from contextvqa_async.refiner.labels import lowered
from contextvqa_async.refiner.languages import UNSPACED
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import LEAD_MAX
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.regions import Region
from contextvqa_async.refiner.sentences import bulk, ended

UNITS = r"(?:words?|characters|mots|wörter|palabras|palavras|parole|слов|字)"
WORD_COUNT = lazy(
    rf"[(\[（【][^\w\n]*(?:{UNITS}[^\d\n()\[\]]{{0,12}}\d[\d,.–-]*|(?:[^\W\d]+\s){{0,3}}[~≈]?\d[\d,.–-]*\s?{UNITS})\W*$",
    re.IGNORECASE,
)
"""A remark in brackets on an article's length: ``(Word count: 131)``, ``[~150 words]``."""
CRITERION = lazy(r"(?:\d\W{1,3})?(?:each|every|all|the)\s(?:questions?|answers?)\s(?:should|must)\b", re.IGNORECASE)
"""What the prompt asks of pairs, said again before them."""
HEADING_MAX, HEADING_WORDS = 60, 4
"""A line of fewer characters and words than a sentence has is a heading, marked or not."""


def paragraphs(lines: list[Line], regions: list[Region], *, printable: bool = False) -> list[str]:
    """The article's paragraphs, with single spaces.

    ``regions`` are the stretches of pairs, in order; ``printable``: the lines' only white space is known to be plain.
    """
    found = [_collapsed(" ".join(lines), printable) for lines in _article(lines, regions)]
    return [words for words in found if words]


def _collapsed(text: str, printable: bool) -> str:
    """A text with single spaces, and none around it."""
    clean = "  " not in text and text[:1] != " " and text[-1:] != " " and (printable or text.isprintable())
    return text if clean else " ".join(text.split())


def _article(lines: list[Line], regions: list[Region]) -> list[list[str]]:
    """The article's paragraphs, each a list of lines."""
    outside = _outside(lines, regions)
    if not regions and _refusal(lines):
        return _paragraphs(lines)
    labelled = [at for part in outside for at in article_labels(lines, part)]
    if labelled:
        last = outside[-1]
        found = [(block, part is not last) for part in outside for block in under_labels(lines, part, labelled)]
        if any(block for block, _ in found):
            return [paragraph for block, before in found for paragraph in _prose(block, before)]
    for at, (start, stop) in enumerate(outside):
        block = lines[start:stop]
        if at and not _substantial(block):
            continue
        found_prose = _prose(_without_preamble(block, bool(regions)), at < len(outside) - 1)
        if not found_prose and not at and _substantial(block):
            found_prose = _prose(untitled(block), before_pairs=True)
        if found_prose:
            return found_prose
    return [] if regions else _paragraphs([line for line in lines if not _bare_label(line)])


def _bare_label(line: Line) -> bool:
    return line.is_label("article") and not line.rest


def _outside(lines: list[Line], regions: list[Region]) -> list[tuple[int, int]]:
    """The stretches between the pairs."""
    edges = [0, *(edge for region in regions for edge in (region.start, region.end)), len(lines)]
    return [(edges[at], edges[at + 1]) for at in range(0, len(edges), 2)]


def _refusal(lines: list[Line]) -> bool:
    first = next((line for line in lines if line.kind == "text"), None)
    return first is not None and refuses(first.words) and sum(len(line.words) for line in lines) < 1500


def _without_preamble(block: list[Line], pairs: bool) -> list[Line]:
    """A block without the chatter before it."""
    at = 0
    for at, line in enumerate(block):
        if line.kind in {"blank", "rule"}:
            continue
        if line.decor != "head" and (opens(line.words) or apologizes(line.words)) and _more_than(block[at + 1 :]):
            continue
        if line.decor != "head" and _short_chatter(line, pairs):
            continue
        break
    else:
        return []
    rest = block[at:]
    return untitled([_cut_preamble(rest[0]), *rest[1:]])


def _short_chatter(line: Line, pairs: bool) -> bool:
    return (
        pairs
        and len(line.words) < LEAD_MAX
        and (opens(line.words) or (line.words.endswith((":", "：")) and says_pairs(lowered(line.words))))
    )


def _more_than(block: list[Line]) -> bool:
    return any(line.kind == "text" for line in block)


def _cut_preamble(line: Line) -> Line:
    """A first line without the ``Sure! Here is the article:`` before its prose."""
    found = INTERJECTION.match(lowered(line.words[:400]))
    if not found or len(line.words) < 200 or not opens(line.words[: found.end()]):
        return line
    words = line.words[found.end() :].lstrip()
    return Line("text", words=words, body=words)


def _substantial(block: list[Line]) -> bool:
    """Whether what stands after the pairs is more than chatter: a labelled article, or long prose."""
    long = [line for line in block if line.kind == "text" and bulk(line.words) > 140 and not closes(line.words)]
    return bool(long)


def _prose(block: list[Line], before_pairs: bool) -> list[list[str]]:
    """A block's paragraphs, without what leads over to the pairs or says farewell."""
    stop = len(block)
    while stop and (
        block[stop - 1].kind in {"blank", "rule", "end"}
        or _leads(block[stop - 1])
        or (before_pairs and _introduces(block, stop - 1))
        or WORD_COUNT.match(block[stop - 1].words)
        or CRITERION.match(block[stop - 1].words)
        or (_empty_section(block, stop - 1) if before_pairs else _says_farewell(block, stop))
    ):
        stop -= 1
    return _paragraphs(block[:stop])


def _introduces(block: list[Line], at: int) -> bool:
    """Whether a line under a heading over pairs speaks of them."""
    line = block[at]
    over = next((other for other in reversed(block[:at]) if other.kind == "text"), None)
    if over is None or not over.pairs_head or line.kind != "text" or len(line.words) > LEAD_MAX:
        return False
    return line.style == "text" and says_pairs(lowered(line.words)) and _substantial(block[:at])


def _empty_section(block: list[Line], at: int) -> bool:
    """Whether a line right before the pairs is a heading over nothing but them: marked as one, or short and alone."""
    line = block[at]
    if line.kind != "text" or len(line.words) >= 100:
        return False
    if line.decor == "head":
        return True
    announces = line.words.endswith((":", "："))
    if line.bold or announces or line.decor == "emoji":
        return announces or line.decor == "emoji" or not ended(line.words)
    over = next((other for other in reversed(block[:at]) if other.kind == "text"), None)
    announced = over is not None and over.words.endswith((":", "："))
    alone = at > 0 and block[at - 1].kind in {"blank", "rule"} and not announced
    brief = bulk(line.words) < HEADING_MAX and line.words.count(" ") < HEADING_WORDS
    return alone and brief and not (line.decor or ended(line.words))


def _says_farewell(block: list[Line], stop: int) -> bool:
    line = block[stop - 1]
    over = next((other for other in reversed(block[: stop - 1]) if other.kind == "text"), None)
    if over is not None and over.decor == "head":
        return False  # all that stands under a section's heading
    alone = stop < 2 or block[stop - 2].kind in {"blank", "rule"} or (stop > 2 and closes(block[stop - 2].words))
    return line.kind == "text" and stop > 1 and alone and closes(line.words)


def _leads(line: Line) -> bool:
    """Whether a line at the end of a block announces pairs."""
    if line.kind != "text" or len(line.words) > LEAD_MAX:
        return False
    if line.pairs_head or (line.is_label("questions", "pair") and not line.rest):
        return True
    marked = line.decor == "head" or line.bold or line.words.endswith((":", "："))
    if not (marked and len(line.words) < 160) and not (bulk(line.words) < 100 and opens(line.words)):
        return False
    return says_pairs(lowered(line.words))


def _paragraphs(lines: list[Line]) -> list[list[str]]:
    """Lines as paragraphs: blank lines, rules and headings part them."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.kind in {"blank", "rule", "end"}:
            found.append([])
        elif line.decor == "head":
            found.extend(([line.words], []))
        elif line.words and line.form == "cut" and found[-1] and found[-1][-1][-1] >= UNSPACED <= line.words[0]:
            found[-1][-1] += line.words
        elif line.words:
            found[-1].append(line.words)
    return [paragraph for paragraph in found if paragraph]
