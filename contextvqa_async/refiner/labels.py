"""The start of a line's words comes in; the label that stands there goes out: ``Question 1:``, ``**A.**``,
``问题一：``.

Rule: this is the grammar around the words of ``languages.py``: brackets, plural, number, remark, and what ends
a label. A word is a label only if something ends it: a colon, a bracket, a dash, the end of bold, or the end of
the line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal, cast

from contextvqa_async.refiner.languages import UNSPACED, column
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.numbers import NTH, ORDINAL, number_of

LabelKind = Literal["note", "title", "article", "answers", "questions", "answer", "question", "pair"]
LabelSign = Literal["colon", "mark", "dash", "last", "brackets", "bold", "number"]
"""What ends a label; ``last``: the end of the line, ``mark``: another sign than a colon or a dash."""
KINDS: tuple[LabelKind, ...] = ("note", "title", "article", "answers", "questions", "answer", "question", "pair")
"""Columns of the table that label something; a later one wins where two hold the same word."""

NAME_LINE_MIN = 200
"""What begins like ``A-1 Skyraider`` and is longer than a question is prose."""
BRACKET = lazy(r"[(\[]")
HYPHENED = lazy(r"\w[-#_]\d+$")
"""``J-2``: a name rather than a label, where nothing follows."""
WIDE = lazy("[\uff21-\uff5a]")
NARROW = {0xFF21 + at: 0x41 + at for at in range(58)}
OPEN = r"(?:[(\[【「『<《«〈（［〔{]\s?)"
CLOSE = r"(?:\s?[)\]】」』>》»〉）］〕}])"
NUMBER = (
    r"(?:(?:\d{1,3}(?:\.\d{1,2})?[a-c]?|[一二三四五六七八九十]{1,3}|[①-⑳]|[ivx]{1,5}(?!\w)|(?:"
    + "|".join(sorted(ORDINAL, key=len, reverse=True))
    + r")(?!\w))(?:\ufe0f?\u20e3)?)"
)
ENDS = lazy(
    r"\s{0,2}(?P<colon>[:：﹕︰∶︓፦៖])[\s:：]*"
    r"|(?P<mark>\s?[.．)\]】」』>》»〉）］|=、。،؛;။។።։]+)(?=\s|$|[^\W\d]|[¿\"“「']|(?<=．)\d)\s*"
    r"|(?P<dash>\s?(?:[-–—~→➜➔➡⇒]|->|=>){1,2})(?=\s)\s*"
    r"|(?P<last>\s*$)"
)


@dataclass(frozen=True, slots=True)
class Label:
    """What stands before the words: ``kind`` is a column's name, ``end`` where words begin, ``sign`` what ended it."""

    kind: LabelKind
    word: str
    end: int
    sign: LabelSign
    number: int | None = None
    plural: bool = False

    @property
    def is_letter(self) -> bool:
        """Whether the label is a mere ``Q`` or ``A``, which alone proves little."""
        return len(self.word) == 1 and self.word < "\u2e80"

    @property
    def may_be_initial(self) -> bool:
        """Whether the label may be a name's initial, as in ``J. W. Pepper``."""
        return self.is_letter and self.sign == "mark" and self.number is None


@cache
def kinds() -> dict[str, LabelKind]:
    """Every label's word, and the column it stands in."""
    return {word: kind for kind in KINDS for word in column(kind)}


@cache
def grammar() -> re.Pattern[str]:
    """A label up to, and without, what ends it; to be matched on lower-case text."""
    every = "|".join(map(re.escape, sorted(kinds(), key=len, reverse=True)))
    return re.compile(
        rf"{OPEN}?(?:第\s?(?P<nth>{NUMBER})\s?[个個]?|(?P<ordinal>{NTH})\s)?(?P<word>{every})(?P<plural>\s?[(（](?:s|es|en|n|e|r)[)）])?"
        rf"(?P<qual0>\s?[(（][^()（）\d]{{1,24}}[)）])?"
        rf"(?:\s?[#№.＃_-]{{0,2}}\s?(?:no\.?|nr\.?|n[°º.]|number|num\.?|số|رقم|номер|№)?\s?{OPEN}?(?P<n>{NUMBER}){CLOSE}?"
        rf"(?:\s?(?:/|of|von|de|из)\s?\d{{1,3}})?)?"
        rf"(?P<qual>\s?(?:[-–—]\s)?[(\[（【][^()\[\]（）【】]{{1,40}}[)\]）】])?{CLOSE}?"
    )


def lowered(text: str) -> str:
    """Lower case, character by character where the whole would change its length (``İ``)."""
    if not text.isascii() and WIDE.search(text):
        text = text.translate(NARROW)
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def read_label(text: str, bold: tuple[int, ...] = (), at: int = 0) -> Label | None:
    """The label at ``at``, if one stands there; ``bold`` are the places where bold ends, in order.

    >>> read_label("Question 2 (easy): Who?")
    Label(kind='question', word='question', end=18, sign='colon', number=2, plural=False)
    >>> read_label("Questions were raised about it.") is None
    True
    """
    colon = text.find(":", at, at + 48)
    if colon > 0 and not at and (label := before_colon(lowered(text[: colon + 1]))):
        return label
    found = _found(text, at)
    return (_also(text, bold, at, found) or _label(text, bold, at, found)) if found else None


def _found(text: str, at: int) -> re.Match[str] | None:
    """A label, which may go on."""
    head = lowered(text[at : at + 120])
    return grammar().match(head) if may_begin(head) else None


def _label(text: str, bold: tuple[int, ...], at: int, found: re.Match[str]) -> Label | None:
    """The label that the grammar found, if something ends it."""
    number = _number(found)
    ended = _ended(text, at + found.end(), found, number, bold)
    if ended and ended[1] in {"last", "number"} and _stopped(found):  # "Answer. 927"
        ended = None
    if not ended and found["n"]:  # "A. 2,467 metres": the number is no label's but the words' own
        number = None
        ended = _ended(text, at + max(found.end("plural"), found.end("word")), found, None, bold)
    elif not ended and found["qual"]:  # "A1 (Paris)": the bracket is no remark but the words themselves
        ended = _ended(text, at + found.start("qual"), found, number, bold)
    if not ended or (ended[1] == "last" and HYPHENED.match(found.group())):
        return None
    word = found["word"]
    if len(word) == 1 and number is None and ended[1] == "last" and (found["qual"] or found["qual0"]):
        return None  # "Q (James Bond)", a title
    small = len(word) == 1 and text[at + found.start("word")] == word and word.isascii()
    if small and number is None and ended[1] not in {"colon", "bold", "brackets"}:
        return None
    label = Label(kinds()[word], word, *ended, number=number, plural=bool(found["plural"]))
    return label if _credible(label, text[label.end : label.end + 3]) else None


def _also(text: str, bold: tuple[int, ...], at: int, found: re.Match[str]) -> Label | None:
    """A label that is said again in a second language, behind a slash: ``问题 1 / Question 1:``."""
    slash = SLASH.match(text, at + found.end())
    other = _found(text, slash.end()) if slash else None
    label = _label(text, bold, slash.end(), other) if slash and other else None
    if label is None or label.kind != kinds()[found["word"]] or len(label.word) == 1:
        return None
    return replace(label, number=_number(found) or label.number)


def _number(found: re.Match[str]) -> int | None:
    return number_of(found["n"] or found["nth"] or found["ordinal"])


SLASH = lazy(r"\s?[/|／]\s?")
INITIAL = lazy(r"[^\W\d_]\.\s")


def _stopped(found: re.Match[str]) -> bool:
    """Whether a full stop and a space part an answer's label from a number, which then is the answer."""
    if not found["n"] or kinds()[found["word"]] != "answer":
        return False
    between = found.string[found.end("word") : found.start("n")]
    return "." in between and between[-1] == " "


FIRST = lazy(r"[(\[【「『<《«〈（［〔{]?\s?([^\W\d_]+)")


@cache
def first_words() -> frozenset[str]:
    """The first word of every label, and, where a script has no spaces, its first character."""
    firsts = (re.match(r"[^\W\d_]+", word) for word in kinds())
    return frozenset(word if word < UNSPACED else word[0] for word in (found.group() for found in firsts if found))


def may_begin(head: str) -> bool:
    """A cheap look: whether a text's first word begins any label."""
    found = FIRST.match(head)
    if not found:
        return False
    word = found[1]
    if word[0] >= UNSPACED:
        return word[0] in first_words() or word[0] == "第"
    if (
        word in ("the", "a")
        and head[found.end() : found.end() + 1] == " "
        and head[found.end() + 1 : found.end() + 2].isalpha()
    ):
        return head.startswith(
            ("the article", "the answer is", "the correct answer")
        )  # prose begins so too often to look closer
    return (
        word in first_words()
        or (word in ORDINAL and head.startswith("question", found.end() + 1))
        or (not word.isascii() and max(word) >= UNSPACED)
        or (word[-1] == "s" and word[:-1] in first_words())
    )


SIMPLE = lazy(r"([^\W\d_]+(?: [^\W\d_]+)?) ?(\d{1,3})?:\Z")


@lru_cache(maxsize=4096)
def before_colon(head: str) -> Label | None:
    """The label that a colon ends; the same few stand before every question of a run."""
    simple = SIMPLE.match(head)
    if simple and (kind := kinds().get(simple[1])):
        return Label(kind, simple[1], len(head), "colon", number=int(simple[2]) if simple[2] else None)
    found = grammar().match(head) if may_begin(head) else None
    if not found:
        return None
    number = _number(found)
    ended = _ended(head, found.end(), found, number, ())
    if not ended or ended != (len(head), "colon"):
        return None
    word = found["word"]
    label = Label(kinds()[word], word, *ended, number=number, plural=bool(found["plural"]))
    return label if _credible(label) else None


@lru_cache(maxsize=4096)
def known_label(word: str) -> Label | None:
    """The label that a word before a colon is."""
    return before_colon(lowered(word) + ":")


def _ended(
    text: str, stop: int, found: re.Match[str], number: int | None, bold: tuple[int, ...]
) -> tuple[int, LabelSign] | None:
    """Where the words begin after a label that stops at ``stop``, and the sign that ended it."""
    closed = found.group().rstrip()[-1:] in ")]】」』>》»〉）］〕}" and found.group()[:1] in "([【「『<《«〈（［〔{"
    end = ENDS.match(text, stop)
    if end and end.lastgroup:
        sign = cast("LabelSign", end.lastgroup)
        return end.end(), "brackets" if closed and sign == "last" else sign
    if bold and _near(bold, stop):
        return stop, "bold"
    if closed:
        return stop, "brackets"
    if found.group()[-1:] in ")]" and text[stop : stop + 1].isspace() and not BRACKET.search(found.group()):
        return stop + 1, "mark"
    if number is not None and text[stop : stop + 1].isspace() and found["n"] and _joined(text, found):
        return stop, "number"
    return None


def _near(places: tuple[int, ...], stop: int) -> bool:
    """Whether one of many places, in order, lies at most a character away."""
    at = bisect_left(places, stop - 1)
    return at < len(places) and places[at] <= stop + 1


def _joined(text: str, found: re.Match[str]) -> bool:
    """Whether nothing but a sign stands between a mere letter and its number, ``Q.1``; a word may have a space."""
    if len(found["word"]) > 1:
        return True
    between = found.string[found.end("word") : found.start("n")]
    return not between or (between in {".", "-", "#", "_"} and len(text) < NAME_LINE_MIN)


def _credible(label: Label, after: str = "") -> bool:
    """A lone letter needs a colon, a number, brackets or bold, or no initial ``after`` it; an article's label needs
    more than a full stop."""
    if label.may_be_initial and label.word not in "qa" and INITIAL.match(after):  # "J. K. Rowling"
        return False
    if label.is_letter:
        return (
            label.sign in {"colon", "bold", "brackets"}
            or label.number is not None
            or (label.sign == "mark" or label.word in "qa")
        )
    if label.kind in {"article", "title", "note", "pair"}:
        stopped = label.sign == "mark" and label.kind == "article" and label.number is None and len(label.word) > 5
        return (
            stopped
            or label.sign in {"colon", "bold", "last", "dash", "brackets"}
            or (label.kind == "pair" and label.number is not None)
        )
    return True
