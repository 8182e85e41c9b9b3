"""A raw answer comes in; the article and its pairs go out.

    text ─ unwrap ─ untag ─ read_data ─ read_tables ─ read_line ─ cut ─► lines ─ Scanner ─ choose ─► regions
                                                                          └─────── article, tidy ──────► Refined

Rule: each step takes what the one before it made, and none looks back.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

from contextvqa_async.items import Pair, Refined
from contextvqa_async.refiner.chatter import refuses
from contextvqa_async.refiner.context import article
from contextvqa_async.refiner.data import Found, read_data
from contextvqa_async.refiner.enumerated import enumerated
from contextvqa_async.refiner.later import later
from contextvqa_async.refiner.lines import ARTICLE, END, MARKS, Line, read_line
from contextvqa_async.refiner.options import without_options
from contextvqa_async.refiner.plain import is_plain
from contextvqa_async.refiner.regions import Region
from contextvqa_async.refiner.runs import last_run
from contextvqa_async.refiner.scanner import Scanner, choose
from contextvqa_async.refiner.splits import cut
from contextvqa_async.refiner.survey import Survey, is_prose, survey
from contextvqa_async.refiner.tables import may_be_commas, read_tables
from contextvqa_async.refiner.tags import untag
from contextvqa_async.refiner.tidy import tidy
from contextvqa_async.refiner.told import Cut, may_tell, whole
from contextvqa_async.refiner.unwrap import entities, unfence, unwrap

SEALED_BLANK = Line("blank", sealed=True)
VOID = "\n" * 40
VOIDS = later("\n{41,}")
LEFT = "".join(map(chr, range(0xE000, 0xE009)))
STYLES = {
    "item": "numbered",
    "bullet": "bullets",
    "head": "headings",
    "bold": "bold",
    "text": "plain",
    "term": "terms",
    "label": "labels",
}


def refine(text: str, *, keep_paragraphs: bool = False) -> Refined:
    """Read one raw answer: the article's prose, and every complete pair in order.

    ``keep_paragraphs`` keeps a blank line between the article's paragraphs; without it the prose is one line.

    >>> refined = refine("**Article**\\n\\nOslo is in Norway.\\n\\n**Q1:** Where is the city shown?\\n**A1:** Norway")
    >>> refined.context
    'Oslo is in Norway.'
    >>> refined.qas
    (Pair(question='Where is the city shown?', answer='Norway'),)
    >>> refine("问：图中是哪座城市？\\n答：奥斯陆").qas
    (Pair(question='图中是哪座城市？', answer='奥斯陆'),)
    """
    seen = survey(text)
    return refined(text, seen or read(text), keep_paragraphs=keep_paragraphs, printable=seen is not None)


def refined(text: str, seen: Survey, *, keep_paragraphs: bool = False, printable: bool = False) -> Refined:
    """What was seen in a raw answer, put together; ``printable``: its only white space is known to be plain."""
    lines, regions, pairs = seen
    prose = filter(None, [_collapsed(" ".join(paragraph), printable) for paragraph in article(lines, regions)])
    context = ("\n\n" if keep_paragraphs else " ").join(prose)
    return Refined(
        context=context if printable else _unmarked(context),
        qas=pairs,
        layout=_layout(regions, lines),
        warnings=tuple(_warnings(text, lines, regions, pairs, context)),
    )


def read(text: str, *, glancing: bool = True) -> Survey:
    """The lines of any answer, the stretches of pairs among them, and the pairs."""
    bare = unwrap(text)
    seen = survey(bare) if glancing and bare != text else None
    if seen:
        return seen
    lines = without_options(list(read_lines(bare, glancing=glancing)))
    if glancing and lines and lines[-1].kind == "data" and (seen := _all_data(lines)):
        return seen
    regions = choose(Scanner(lines).regions(), lines)
    pairs = tidy([(asked.question, asked.answer) for region in regions for asked in region.pairs])
    return lines, regions if pairs else [], pairs


def _collapsed(text: str, printable: bool) -> str:
    """A text with single spaces, and none around it."""
    clean = "  " not in text and text[:1] != " " and text[-1:] != " " and (printable or text.isprintable())
    return text if clean else " ".join(text.split())


def _unmarked(text: str) -> str:
    return MARKS.sub("", text) if any(map(text.__contains__, LEFT)) else text


def _all_data(lines: list[Line]) -> Survey | None:
    """The same, where there is nothing but an article and pairs that data name as such."""
    at = next(at for at, line in enumerate(lines) if line.kind == "data")
    pairs = [line.pair for line in lines[at:] if line.pair and line.pair[0] and line.pair[1]]
    sealed = all(line.sealed or line.kind == "blank" or line.mark in {ARTICLE, END} for line in lines[:at])
    if not sealed or len(pairs) < len(lines) - at:
        return None
    done = tidy(pairs)
    return lines, [Region(at, len(lines), "label")] if done else [], done


def read_lines(text: str, *, glancing: bool = True) -> Iterator[Line]:
    """All lines of an unwrapped answer, with their evidence; ``glancing`` allows the shortcut for plain pairs."""
    for piece in read_data(text):
        if isinstance(piece, Found):
            yield from _data_lines(piece)
        elif isinstance(piece, str) and piece.strip():
            yield from _text_lines(piece, glancing=glancing)


def _text_lines(text: str, *, glancing: bool) -> Iterator[Line]:
    text = entities(untag(unfence(text)))
    if VOID in text:  # tags leave many blank lines, and no look ahead is that long
        text = VOIDS.sub(VOID, text)
    found = last_run(text) if glancing else None
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
    return whole(list(_cut_lines(text)), labelled=labelled)


def _cut_lines(text: str) -> Iterator[Cut]:
    """Each line of a text, or the lines that one holds; both, where it could be prose."""
    raws = text.split("\n")
    tabular = "|" in text or "\t" in text or any(box in text for box in "│┃║") or any(map(may_be_commas, raws))
    seen: dict[str, list[Line]] = {}  # models that repeat themselves repeat whole lines
    for raw in read_tables(raws) if tabular else raws:
        if isinstance(raw, Line):
            yield raw
            continue
        if raw not in seen:
            line, seen[raw] = _parts(raw)
            if len(seen[raw]) > 1 and may_tell(seen[raw], line):
                yield [line, *seen[raw]]
                continue
        yield from seen[raw]


def _parts(raw: str) -> tuple[Line, list[Line]]:
    """A line, and the lines that it holds."""
    line = read_line(raw)
    if line.kind != "text" or not line.body:
        return line, [line]
    parts = cut(line)
    if len(parts) == 1 and "2" in raw and ("?" in raw or "？" in raw):
        parts = [part for item in enumerated(line) for part in (cut(item) if item.body else [item])]
    return line, parts


def _data_lines(found: Found) -> Iterator[Line]:
    """What a JSON value holds, as lines."""
    texts = found.texts
    if not found.articles and found.pairs:
        long = max(texts, key=len, default="")
        found.articles.extend([long] if len(long) > 160 else [])
    if not found.pairs:
        for text in (*found.articles, *texts):
            yield Line("text", mark=ARTICLE) if text in found.articles else Line("blank")
            yield from read_lines(unwrap(text))
            yield Line("blank")
    else:
        for text in found.articles:
            yield from _sealed(text)
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
        return line.rest or line.words if line.label and line.label.letter else line.words
    sign = ", " if all(part.decor == "bullet" for part in parts if part.kind == "text") else " "
    return sign.join(part.words for part in parts if part.words)


def _layout(regions: list[Region], lines: list[Line]) -> str:
    """How the pairs were written."""
    if not regions:
        return "no pairs" if any(line.kind == "text" for line in lines) else "empty"
    main = max(regions, key=lambda region: len(region.pairs))
    if lines[main.start].kind == "data":
        return next(line.form for line in lines[main.start : main.end] if line.kind == "data")
    return STYLES.get(main.style, main.style)


def _warnings(
    text: str, lines: list[Line], regions: list[Region], pairs: tuple[Pair, ...], context: str
) -> Iterator[str]:
    """What was odd about the answer, in words that a run can count."""
    if not pairs:
        yield "no_pairs"
    if not context:
        yield "no_context"
    if not pairs and refuses(context):
        yield "refusal"
    if any(region.unanswered for region in regions):
        yield "unanswered_question"
    if regions and any(line.kind == "text" for line in lines[regions[-1].end :]):
        yield "text_after_pairs"
    if len({pair.question for pair in pairs}) < len(pairs) > len(set(pairs)):
        yield "repeated_pairs"
    if _cut(text):
        yield "truncated"


def _cut(text: str) -> bool:
    """Whether a text visibly ends in the middle: inside a value, a fence, reasoning, or prose."""
    if text.lstrip()[:1] in "{[" and (end := text.rstrip()[-1:]) not in "}]":
        return bool(end)
    fenced = "`" in text and text.count("```") % 2 == 1
    return fenced or ("<think>" in text and text.count("<think>") > text.count("</think>"))
