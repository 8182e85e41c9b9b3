"""A raw answer comes in; the article and its pairs go out.

    text ─ read_fast, or else read ─► Parsed ─► Refined

Rule: the common ways of writing an answer take a fast path (``fast/``), all others are read line by line
(``reading.py``), and where both can read an answer they read it alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from contextvqa_async.items import Pair, Refined
from contextvqa_async.refiner.chatter import refuses
from contextvqa_async.refiner.fast import read_fast
from contextvqa_async.refiner.parsed import Parsed
from contextvqa_async.refiner.reading import read

ESCAPED = "\\u"
"""Where JSON escapes a character it may do so by halves, of which one may be missing."""
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
    return refined(text, read_fast(text) or read(text), keep_paragraphs=keep_paragraphs)


def refined(text: str, seen: Parsed, *, keep_paragraphs: bool = False) -> Refined:
    """What was seen in a raw answer, put together."""
    context, pairs = ("\n\n" if keep_paragraphs else " ").join(seen.prose), seen.pairs
    if ESCAPED in text:
        context = _whole(context)
        pairs = tuple(Pair(question=_whole(pair.question), answer=_whole(pair.answer)) for pair in pairs)
    return Refined(context=context, qas=pairs, layout=_layout(seen), warnings=tuple(_warnings(text, seen)))


def _whole(text: str) -> str:
    """Text that any reader of JSON takes: the halves of a character, which JSON may escape, joined, or a replacement.

    >>> _whole("\\ud83e\\udd89 \\ud83e") == "\N{OWL} \ufffd"
    True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _layout(seen: Parsed) -> str:
    """How the pairs were written."""
    if not seen.regions:
        return "no pairs" if any(line.kind == "text" for line in seen.lines) else "empty"
    main = max(seen.regions, key=lambda region: len(region.pairs))
    if seen.lines[main.start].kind == "data":
        return next(line.form for line in seen.lines[main.start : main.end] if line.kind == "data")
    return STYLES.get(main.style, main.style)


def _warnings(text: str, seen: Parsed) -> Iterator[str]:
    """What was odd about the answer, in words that a run can count."""
    pairs, regions = seen.pairs, seen.regions
    if not pairs:
        yield "no_pairs"
    if not seen.prose:
        yield "no_context"
    if not pairs and seen.prose and refuses(seen.prose[0]):
        yield "refusal"
    if any(region.unanswered for region in regions):
        yield "unanswered_question"
    if regions and any(line.kind == "text" for line in seen.lines[regions[-1].end :]):
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
