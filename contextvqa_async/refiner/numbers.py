"""A number comes in as it is written, in digits or in words; its value goes out.

Rule: whole numbers only, as labels and lists carry them; words are lower case.
"""

from __future__ import annotations

import re

from contextvqa_async.refiner.languages import LANGUAGES, column

DIGITS = {char: at for at, char in enumerate("零一二三四五六七八九十") if at}
ORDINAL = {word: at for row in column("ordinals") for at, word in enumerate(row.split(), 1)}
NTH = "|".join(LANGUAGES["English"].ordinals.rpartition("|")[2].split())
ROMANS = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
ROMAN = {word: at for at, word in enumerate(ROMANS.split(), 1)}


def number_of(word: str | None) -> int | None:
    """A label's number, however it is written.

    >>> [number_of(word) for word in ("12", "１", "十二", "②", "two", "iv")]
    [12, 1, 12, 2, 2, 4]
    """
    if not word:
        return None
    word = word.rstrip("\ufe0f\u20e3")
    digits = re.match(r"\d+", word)
    if digits:
        return int(digits.group())
    if "①" <= word <= "⑳":
        return ord(word) - ord("①") + 1
    if word[0] in DIGITS:
        return _chinese(word)
    return ORDINAL.get(word) or ROMAN.get(word)


def _chinese(word: str) -> int | None:
    tens, ten, ones = word.rpartition("十")
    return (DIGITS.get(tens, 1) * 10 if ten else 0) + DIGITS.get(ones, 0)
