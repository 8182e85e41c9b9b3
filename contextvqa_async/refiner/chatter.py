"""A line that belongs to no article comes in; whether it is chatter goes out.

Rule: a line is chatter for how it begins and what it speaks of (the request, the questions, the image), not for
one word.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from contextvqa_async.refiner.labels import lowered
from contextvqa_async.refiner.languages import column
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import FAREWELL_MAX, PREAMBLE_MAX
from contextvqa_async.refiner.phrases import Phrases
from contextvqa_async.refiner.sentences import bulk

INTERJECTION = lazy(
    r"(?:sure|certainly|of course|absolutely|okay|ok|alright|great|got it|understood|claro|bien sûr|natürlich"
    r"|好的|当然|當然|はい|もちろん|네|물론|конечно|certo|tabii|elbette|tentu|vâng|oczywiście|natuurlijk|بالتأكيد|بالطبع|ज़रूर|जरूर"
    r"|certamente|hello|hi)\w{0,8}"
    r"(?:[!.,，。！:：]|\s*$)[^.!?。！？:：]{0,120}[.!。！:：]?"
)


EXCLAMATION = lazy(r"[^.!?。！？:：\n]{2,80}[!！]\s*(?=\S)")
"""What may stand before a preamble: "What a great picture!"."""

INSTEAD = lazy(r"\b(?:however|instead|but|here)\b", re.IGNORECASE)


@cache
def _phrases(name: str) -> Phrases:
    return Phrases(column(name))


def _low(text: str) -> str:
    return lowered(text[:600]).lstrip("([（【*_ \"“'«¡•-–—")


def opens(text: str) -> bool:
    """Whether a paragraph before the article is a preamble.

    >>> opens("Sure! Here is the article you asked for:"), opens("Okay is a village in Nigeria.")
    (True, False)
    """
    if len(text) > PREAMBLE_MAX:
        return False
    low = _low(text)
    if not _phrases("opens").begins(low):
        exclaimed = EXCLAMATION.match(text)
        return exclaimed is not None and opens(text[exclaimed.end() :])
    last = text.rstrip()[-1:]
    if len(text) < 90 and last in "!！:：":
        return True
    return (bulk(text) < 200 or last in ":：" or bool(INTERJECTION.match(low))) and _phrases("meta").found_in(low)


def closes(text: str) -> bool:
    """Whether a paragraph after the work is a farewell, an offer, or a remark on the pairs.

    >>> closes("Let me know if you need more!"), closes("I hope is a hamlet.")
    (True, False)
    """
    return len(text) <= FAREWELL_MAX and _closes(text)


@lru_cache(maxsize=512)
def _closes(text: str) -> bool:
    """`closes`, cached: the scanner, the context and the fast path all ask it of one line."""
    low = _low(text)
    if not _phrases("closes").begins(low):
        return False
    return _phrases("meta").found_in(low) or (text.rstrip()[-1:] in "!！?？:：" and len(text) < 120)


def refuses(text: str) -> bool:
    """Whether an answer begins by refusing."""
    low = _low(text)
    cut = INTERJECTION.match(low)
    return _phrases("refuses").begins(low) or (cut is not None and _phrases("refuses").begins(low, cut.end()))


def apologizes(text: str) -> bool:
    """Whether a paragraph refuses one thing and goes on to another, which follows.

    >>> apologizes("I'm sorry, I can't name the people in the image. However, here is an article.")
    True
    """
    return (
        len(text) < PREAMBLE_MAX
        and refuses(text)
        and INSTEAD.search(text) is not None
        and _phrases("meta").found_in(_low(text))
    )


@lru_cache(maxsize=4096)
def may_begin_chatter(word: str) -> bool:
    """A cheap look: whether any sentence of chatter begins with a word.

    >>> may_begin_chatter("Surely"), may_begin_chatter("Paris")
    (True, False)
    """
    low = lowered(word)
    if low in _phrases("opens").by_first or low in _phrases("closes").by_first:
        return True
    return INTERJECTION.match(low) is not None or INTERJECTION.match(f"{low}!") is not None


def remark(text: str) -> bool:
    """Whether a line under an answer is a remark in brackets, or chatter."""
    if text[:1] in "([（【" and text.rstrip()[-1:] in ")]）】" and len(text) > 2:
        return _phrases("meta").found_in(_low(text)) or ":" in text or "：" in text
    return closes(text) or (len(text) > 24 and opens(text))
