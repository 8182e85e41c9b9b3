"""Phrases of many languages come in, words of an answer after them; whether the words hold, begin with, or consist of
phrases goes out.

Rule: a phrase stands between words where its script parts them by spaces, and anywhere where it does not. Most words
are answered for by a set; the pattern of all phrases, which takes milliseconds to compile, is for the rest.
"""

from __future__ import annotations

import re
from functools import cached_property

from contextvqa_async.refiner.languages import UNSPACED

WORD = re.compile(r"\w+")


class Phrases:
    """Phrases in lower case, to be looked for in lower-case words.

    >>> phrases = Phrases(frozenset(["question", "the image", "问题"]))
    >>> phrases.found_in("about the image."), phrases.found_in("questions"), phrases.found_in("以下问题")
    (True, False, True)
    >>> phrases.begins("the image shows"), phrases.begins("the images show")
    (True, False)
    >>> phrases.make_up("question, the image"), phrases.make_up("question of the image")
    (True, False)
    """

    def __init__(self, phrases: frozenset[str]) -> None:
        self.phrases = phrases
        self.singles = frozenset(phrase for phrase in phrases if WORD.fullmatch(phrase) and phrase < UNSPACED)
        self.words = frozenset(word for phrase in phrases for word in WORD.findall(phrase))
        self.by_first: dict[str, list[str]] = {}
        for phrase in sorted(phrases, key=len, reverse=True):
            self.by_first.setdefault(_first(phrase), []).append(phrase)

    def found_in(self, low: str) -> bool:
        """Whether words hold a phrase."""
        words = WORD.findall(low)
        if not self.singles.isdisjoint(words):
            return True
        if low.isascii() and self.by_first.keys().isdisjoint(words):
            return False
        return self._anywhere.search(low) is not None

    def begins(self, low: str, at: int = 0) -> bool:
        """Whether words begin with a phrase at a place."""
        found = WORD.match(low, at)
        keys = {low[at : at + 1], found.group() if found else ""}
        return any(self._stands(phrase, low, at) for key in keys for phrase in self.by_first.get(key, ()))

    @staticmethod
    def _stands(phrase: str, low: str, at: int) -> bool:
        """Whether a phrase stands at a place, and a word ends with it."""
        if not low.startswith(phrase, at):
            return False
        after = low[at + len(phrase) :][:1]
        return phrase[0] >= UNSPACED or not phrase[-1].isalpha() or not (after.isalnum() or after == "_")

    def make_up(self, low: str) -> bool:
        """Whether words are phrases from their first letter on, and nothing else."""
        words = WORD.findall(low)
        if words and low.startswith(words[0]) and self.singles.issuperset(words):
            return True
        if low.isascii() and not self.words.issuperset(words):
            return False
        found = self._wholly.match(low)
        return found is not None and found.end() >= len(low)

    @cached_property
    def _spaced(self) -> str:
        return _either(phrase for phrase in self.phrases if phrase[0] < UNSPACED)

    @cached_property
    def _joined(self) -> str:
        return _either(phrase for phrase in self.phrases if phrase[0] >= UNSPACED)

    @cached_property
    def _anywhere(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{self._spaced})(?!\w)|{self._joined}")

    @cached_property
    def _wholly(self) -> re.Pattern[str]:
        return re.compile(rf"(?:(?:(?:{self._spaced})(?!\w)|{self._joined})[\W\d_]*+)+")


def _first(phrase: str) -> str:
    """A phrase's first word, or its first character where its script parts no words, or where it is a sign."""
    found = WORD.match(phrase)
    return phrase[0] if found is None or phrase[0] >= UNSPACED else found.group()


def _either(phrases: object) -> str:
    return "|".join(sorted(map(re.escape, phrases), key=len, reverse=True))  # type: ignore[call-overload]
