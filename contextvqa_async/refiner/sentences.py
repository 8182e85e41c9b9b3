"""Words come in; how they end, and how much they say, goes out.

Rule: no marks and no labels are known here, only words.
"""

from __future__ import annotations

from functools import lru_cache

from contextvqa_async.refiner.lazy import lazy

ASKING = "?？؟\u037e⁇⁈⁉⸮՞፧"
CLOSING = "\"”»’'〉)]」』）* \t"
SPOKEN = lazy(r"(?:[かの]|ますか|ですか)[。.]?$|(?:니까|는가|인가|한가|은가|을까|나요|까요)\.?$")
ENDS = frozenset(".!?。！？।॥؟…:：;；")
CLOSERS = "\"”»’')]」』）"


def asks(text: str) -> bool:
    """Whether words end as a question does."""
    return _asks(text[-24:])


@lru_cache(maxsize=4096)
def _asks(tail: str) -> bool:
    """`asks` of the last characters, cached: many steps ask it of one line."""
    bare = tail.rstrip(CLOSING)
    if bare[-1:] and bare[-1] in ASKING:
        return True
    return not bare[-3:].isascii() and bool(SPOKEN.search(bare[-6:]))


def bulk(words: str) -> int:
    """How much words say: a character of Chinese, Japanese or Korean counts three."""
    return len(words) * 3 if words[:1] >= "\u2e80" else len(words)


def ended(words: str) -> bool:
    """Whether words end as a sentence does."""
    return words.rstrip(CLOSERS)[-1:] in ENDS
