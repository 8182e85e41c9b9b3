"""One line of an answer comes in; what it says of itself goes out: its evidence.

Rule: a line is looked at alone. Whether a numbered question is a pair's, or a step of a recipe, is decided where its
neighbours are known (``scanner.py``).
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from typing import Literal, cast

from contextvqa_async.refiner.headings import heads_pairs
from contextvqa_async.refiner.inline import plain
from contextvqa_async.refiner.labels import Label, LabelKind, before_colon, lowered, may_begin, read_label
from contextvqa_async.refiner.languages import UNSPACED
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.numbers import number_of
from contextvqa_async.refiner.sentences import asks

ARTICLE, END, QUESTION, ANSWER, TERM, DEFINITION, HEAD, NOTE = (chr(0xE000 + at) for at in range(8))
BREAK, COUNTED = "\ue008", "\ue009"
"""Marks that tags and data leave at the start of a line, from the private-use area: no model writes them.

``COUNTED`` stands before a number that a list of HTML only implies: it is evidence, and none of the words.
"""

MARKS = lazy("[\ue000-\ue00f]+")
STRUCTURE = lazy(
    r"\s*(?:(?P<quote>>)|(?P<head>#{1,6}(?=[^#\d]|$))|(?P<task>[-*+]\s+\[[ xX✓✔]\]\s)"
    r"|(?P<bullet>[-*+•‣◦▪▫●○◆◇■□►▶▸➤➢➣✦✧★☆⁃∙·–—－](?=\s)|[•‣◦▪▫●▸➤]))"
)
RULE = lazy(
    r"(?:[-*_=~#+]\s?){3,}$|[─━═—–⸻⎯﹏＿\s]+$|(?:[•·∙◦]\s?){3,}$|\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-+:?)?\s*$|[+|](?:[-=]+[+|])+$"
)
DEFINED = lazy(r"\[[^\[\]^]{1,60}\]:\s*<?https?://\S+(?:\s+[\"'(].*)?$")
WIKI_HEAD = lazy(r"(={2,6})\s*([^=].*?)\s*\1$")
NO_HEADS = frozenset({"question", "answer", "article", "title", "note"})
EMOJI = lazy(
    "(?:[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\u2190-\u21ff\u3030\u303d\u3297\u3299\u203c\u2049]"
    "[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]*)+\\s*"
)
NUMBERED = lazy(
    r"(?:(?P<keycap>\d)\ufe0f?\u20e3(?:\ufe0f?\u20e3)?[.):]?|\U0001f51f"
    r"|[(（\[【]\s?(?P<paren>\d{1,3}|[一二三四五六七八九十]{1,3}|[ivxIVX]{1,4}|[a-zA-Z])\s?[)）\]】]"
    r"|(?P<dot>\d{1,3})(?:\s?[.)）\]、．:：/](?=\s|[^\W\d]|[¿\"“'「『*_(]|$)|\s?[-–—](?=\s)|-(?=[^\W\d_]{2,20}\*{0,2}[:：]))[.)]?"
    r"|\#(?P<hash>\d{1,3})[.):]?(?=\s)|(?P<circle>[①-⑳])|(?P<han>[一二三四五六七八九十]{1,3})[、.．)）]"
    r"|(?P<roman>[ivxIVX]{1,5})[.)](?=\s)|(?P<alpha>[a-zA-Z])[.)](?=\s)|№\s?(?P<no>\d{1,3})[.):]?(?=\s))\s*"
)
PART = lazy(
    r"(?:part|step|section|phase|teil|parte|partie|часть|第|部分|أولا|ثانيا)\s?(?:\d|one|two|[abi]{1,3}|[一二三]|)(?:部分|步)?\s?[:.：)–—-]+\s*",
    re.IGNORECASE,
)


Kind = Literal["blank", "rule", "text", "data", "end"]
"""What a line is; ``data``: a pair that a program wrote, ``end``: where a tag ends an article."""
Decor = Literal["", "item", "bullet", "head", "term", "emoji"]
"""What stands before a line's words; ``item``: a number."""
Style = Decor | Literal["bold", "text"]
"""The look by which questions without a label are known: a decoration, or bold, or none (``text``)."""


@dataclass(slots=True)
class Line:
    """A line and its evidence.

    ``words`` are what an article keeps of it, ``body`` the same without number, emoji or label's decoration.
    """

    kind: Kind
    words: str = ""
    body: str = ""
    decor: Decor = ""
    number: int | None = None
    form: str = ""  # how the number is written
    indent: int = 0
    quoted: bool = False
    bold: bool = False
    bolds: tuple[int, ...] = ()  # where bold ends, in ``body``
    label: Label | None = None
    mark: str = ""
    pair: tuple[str, str] | None = None
    pairs_head: bool = False
    sealed: bool = False  # data says that it is the article's

    @property
    def rest(self) -> str:
        """The words after the label."""
        return self.body[self.label.end :].strip() if self.label else self.body

    @property
    def asks(self) -> bool:
        """Whether the line ends as a question does."""
        return asks(self.body)

    @property
    def style(self) -> Style:
        """The look by which questions without a label are known: its decoration, or bold, or none."""
        return self.decor or ("bold" if self.bold else "text")

    def is_label(self, *kinds: LabelKind) -> bool:
        """Whether the line begins with a label of one of these kinds."""
        return self.label is not None and self.label.kind in kinds


BLANK = Line("blank")


def read_line(raw: str) -> Line:
    """A line's evidence.

    >>> line = read_line("2. **Question:** Who built it?")
    >>> line.decor, line.number, line.label.kind, line.rest
    ('item', 2, 'question', 'Who built it?')
    """
    if not raw or raw.isspace():
        return BLANK
    if COUNTED in raw:
        return _uncounted(raw)
    mark = ""
    if raw[0] >= "\ue000" and (found := MARKS.match(raw)):
        mark, raw = found.group()[-1], raw[found.end() :]
    text = raw.strip()
    if not text:
        return Line("end" if mark == END else "text", mark=mark, decor="head" if mark == HEAD else "")
    if not mark and text[0] in "-*_=~#+|─━═—–⸻⎯•·∙◦:" and RULE.match(text):
        return Line("rule", words=text)
    if text[0] == "[" and DEFINED.match(text):
        return BLANK
    if not mark and (line := _quick(raw, text)):
        return line
    line = Line("text", mark=mark, indent=_indent(raw))
    if mark == END:
        line.kind = "end"
    _structure(line, text)
    return line


def _uncounted(raw: str) -> Line:
    """The evidence of a line with a number that its words do not hold."""
    line = copy(read_line(raw.replace(COUNTED, "")))
    line.words = IMPLIED.sub("", line.words)
    if not line.decor:  # it was not read as a number
        line.body = IMPLIED.sub("", line.body)
    return line


IMPLIED = lazy(r"^\d{1,3}\.\s*")
QUICK = lazy(r"(\d{1,3}[.)] )?(\*\*)?([^\W\d_]+(?: [^\W\d_]+)?)( ?\d{1,3})?:(?(2)\*\*)\s+(?=[^\s*])([^*_`~\\\[<$]+)$")


def _quick(raw: str, text: str) -> Line | None:
    """The commonest lines, by a short cut: a label and plain words, or a paragraph of prose; nothing for all others."""
    if len(text) > 160 and text[0].isalpha() and text[1] not in ".)" and not may_begin(lowered(text[:60])):
        words, _ = plain(text)
        return Line("text", words=words, body=words) if words[0] == text[0] and text[0] < UNSPACED else None
    if ":" not in text[:40] or not (found := QUICK.match(text)):
        return None
    item, _, word, number, rest = found.groups()
    key = f"{word}{number or ''}:"
    label = before_colon(lowered(key))
    if label is None or label.kind not in {"question", "answer"} or label.end != len(key):
        return None
    body = f"{key} {rest}"
    line = Line("text", words=(item or "") + body, body=body, indent=_indent(raw), label=label)
    if item:
        line.decor, line.form, line.number = "item", "dot", int(item[:-2])
    return line


def _indent(raw: str) -> int:
    """Columns of white space before the words; a tab counts four."""
    if not raw[0].isspace():
        return 0
    lead = raw[: len(raw) - len(raw.lstrip())]
    return len(lead) + 3 * lead.count("\t")


def _structure(line: Line, text: str) -> None:
    """Take quote marks, heading hashes and bullets off the raw text, then inline marks, then numbers and emoji."""
    if text[0] == "=" and (wiki := WIKI_HEAD.match(text)):
        line.decor, text = "head", wiki[2]
    at = 0
    dash = text[0] if text[0] in "—―" and text[1:2] == " " else ""
    while at < len(text) and not text[at].isalpha() and (found := STRUCTURE.match(text, at)):
        kind = found.lastgroup or ""
        if kind == "quote":
            line.quoted = True
        elif not line.decor or kind == "head":
            line.decor = "bullet" if kind == "task" else cast("Decor", kind)
        elif kind in {"bullet", "task"} and line.decor in {"bullet", "head"}:
            pass
        at = found.end()
    text = text[at:].lstrip() if at else text
    if line.decor == "head":
        text = text.rstrip("#").rstrip()
    if line.mark in {HEAD, TERM}:
        line.decor = "head" if line.mark == HEAD else "term"
    line.words, spans = plain(text)
    if not line.words and (line.quoted or not (line.decor or line.mark)):
        line.kind = "blank"
    _body(line, spans)
    if dash:  # which a dialogue in an article begins with, too
        line.words = f"{dash} {line.words}"


def _body(line: Line, spans: tuple[tuple[int, int], ...]) -> None:
    """The words without number and emoji, whether they are bold, and their label."""
    words = line.words
    start = _decorated(line, words) if _may_decorate(words) else 0
    start = _past(PART, words, start) if start < len(words) and words[start] in "PpSsTtпП第部أثЧч" else start
    if start and line.decor != "item":
        start = _decorated(line, words, start)
    line.body = words[start:].rstrip()
    size = len(line.body)
    if spans:
        line.bolds = tuple(sorted(max(0, end - start) for _, end in spans if end > start))
        first, last = spans[0][0], max(end for _, end in spans)
        bare = len(line.body.rstrip(" .:：?？"))
        line.bold = first <= start and last - start >= bare and _covers(spans, start, start + bare)
    if size:
        line.label = label = read_label(line.body, line.bolds)
        if label and line.bolds:
            line.bolds = tuple(place for place in line.bolds if place > label.end + 1)
        line.pairs_head = size < 140 and not (label and label.kind in NO_HEADS) and _heads(line)


def _may_decorate(words: str) -> bool:
    """A cheap look: whether emoji or a number may stand before the words."""
    first = words[:1]
    if not first.isalpha():
        return True
    head = words[1:6]
    return "." in head or ")" in head or first in "一二三四五六七八九十"


def _covers(spans: tuple[tuple[int, int], ...], start: int, end: int) -> bool:
    """Whether bold stretches leave nothing but spaces and signs between them."""
    bold = sum(stop - max(begin, start) for begin, stop in spans)
    return bold * 10 >= (end - start) * 8


def _past(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _decorated(line: Line, text: str, start: int = 0) -> int:
    """Where the words begin after emoji and a number, which are noted on the line."""
    for _ in range(3):
        before = start
        if start < len(text) and text[start] > "\u2000" and (found := EMOJI.match(text, start)):
            start = found.end()
            line.decor = line.decor or "emoji"
        if start < len(text) and (found := NUMBERED.match(text, start)) and _numbers(line, found, text):
            start = found.end()
        while start < len(text) and text[start] in " \t":
            start += 1
        if start == before:
            break
    return start


def _numbers(line: Line, found: re.Match[str], text: str) -> bool:
    """Note an item's number; a lone letter or roman numeral counts only before a question or a label."""
    if line.decor == "item" or line.number is not None:
        return False
    line.decor = "" if line.decor == "emoji" else line.decor
    form = found.lastgroup or "ten"
    value = found.group(form) if form != "ten" else "10"
    rest = text[found.end() :]
    if form in {"alpha", "roman"} or (form == "paren" and value.isascii() and value.isalpha()):
        label = read_label(rest[:120])
        if not (asks(rest) or "? " in rest or label or not rest):
            return False
        if value in "Aa" and form == "alpha" and not (label or rest):
            return False
        if value in "QqAaRrPpFf" and form == "alpha" and not label and value not in "aA":
            return False
        if value == "A" and form != "paren" and not label:
            return False
        if label and label.is_letter and label.word == value.lower():  # "A. A. A. Milne": a label, and initials
            return False
    line.form = form
    line.number = number_of(value.lower()) or (ord(value.lower()) - 96 if value.isalpha() else None)
    if line.decor != "head":
        line.decor = "item"
    return True


def _heads(line: Line) -> bool:
    """Whether the whole line says no more than that questions and answers follow."""
    if line.label and line.label.kind in {"question", "answer", "answers"} and line.rest:
        return False
    if line.label and line.label.kind == "question":
        return False
    low = lowered(line.body).replace("_", " ").strip("\"'([【《<“「 ")
    return heads_pairs(low)
