"""Text with labels that no table knows comes in; the same text with marks in their place goes out.

Rule: a word that begins lines again and again, and is ended as a label is, is one. What it labels follows from its
place: what asks is a question, what follows each question its answer, what follows each answer a remark. A pair of
unknown words counts only where no known one labels a pair: a dialogue in an article has labels, too.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from contextvqa_async.refiner.labels import known_label, lowered
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import QUOTED_ANSWER_MAX
from contextvqa_async.refiner.lines import ANSWER, COUNTED, NOTE, QUESTION
from contextvqa_async.refiner.sentences import ASKING, asks

INNER = r"[^\s:：\d()（）\[\]【】*_?？"
WORD = rf"[^\W\d_]{INNER}.]{{0,19}}+(?:[ \xa0]{INNER}]{{1,14}}+){{0,2}}?"
NUMBER = r"(?:[ \xa0]?[#(（]?(?P<number>\d{1,3}+)[)）]?)?"
COLON = r"[\])】」]?[ \xa0]?[*_]{0,3}[ \xa0]?[:：][ \xa0]?[*_]{0,3}"
END = rf"(?P<end>{COLON}|[.)]?[*_]{{2,3}}|[\])】」]|[.)](?=\s)|[ ][–—-](?=\s)|(?=[ \t]*$))[ \t]*"
LABEL = rf"(?P<word>{WORD}){NUMBER}{END}"
BEGINS = lazy(
    rf"^[ \t>{COUNTED}]*+(?:(?P<decor>\d{{1,3}}[.)]|[-*+•]|\#{{1,6}})[ \t]+){{0,3}}(?P<open>[*_]{{1,3}}|[\[(（【「])?"
    rf"(?:{LABEL})?",
    re.MULTILINE,
)
WITHIN = lazy(
    rf"(?:(?<=[?？؟;])|(?<=[?？؟;]\*\*))[ \t]+(?P<open>[*_(（\[]{{0,3}})(?P<word>{WORD}){NUMBER}(?P<end>{COLON})[ \t]*"
)
WORDS = lazy(
    rf"^[ \t>{COUNTED}\d.)*+•#_\[(（【「-]*+({WORD})(?:[ \xa0]?[#(（]?\d|[\])】」*_:：]|[.)]\s|[ \xa0][*_:：–—-])"
    rf"|[?？؟;](?:\*\*)?[ \t]+[*_(（\[]*({WORD})[ \xa0]?[\d\])】」*_:：#(（]",
    re.MULTILINE,
)
"""A cheap look: all words that may be labels."""
UNLABELLED = "?"
"""The key of a question that a number, a bullet or bold marks, not a word."""
KINDS_MAX = 16
"""More kinds of labels than any layout has."""
MARKS = {"question": QUESTION, "answer": ANSWER, "note": NOTE}
KNOWN = frozenset({"", *MARKS})


@dataclass(slots=True)
class Candidate:
    """What may be a label: where it stands, its word or, where it is known, its kind, and what follows it."""

    start: int
    end: int
    key: str
    letter: str = ""  # which may stand for other words in other languages
    number: int | None = None
    asks: bool = False
    says: bool = False  # words stand on its line
    brief: bool = False  # they are no longer than an answer, and nothing that asks follows them before the next label


def learn_labels(text: str) -> str:
    """The text with marks in the place of labels that it teaches.

    >>> learn_labels("Zork 1: Who?\\nBlim: Bob\\n\\nZork 2: Where?\\nBlim: Oslo") == (
    ...     f"{QUESTION}Who?\\n{ANSWER}Bob\\n\\n{QUESTION}Where?\\n{ANSWER}Oslo"
    ... )
    True
    """
    words = Counter(word or inner for word, inner in WORDS.findall(text))
    if not any(count > 1 and (_key(word) not in KNOWN or _ambiguous(word)) for word, count in words.items()):
        return text
    found = _found(text)
    if _contradict(found):
        for one in found:
            one.key = one.letter or one.key
    counts = Counter(one.key for one in found)
    often = [one for one in found if counts[one.key] > 1]
    kinds = _kinds(often)
    return _marked(text, [(one, kinds[one.key]) for one in often if one.key in kinds])


def _found(text: str) -> list[Candidate]:
    """All that may be labels, in order."""
    starts = [one for one in map(_begins, BEGINS.finditer(text)) if one]
    inner = [_label(match) for match in WITHIN.finditer(text)]
    found = sorted((*starts, *inner), key=lambda one: one.start)
    for one, after in pairwise((*found, Candidate(len(text), len(text), ""))):
        _note_words(one, text[one.end : after.start].lstrip("*_ \t"))
    return [one for one in found if one.key != UNLABELLED or one.asks]


def _note_words(one: Candidate, behind: str) -> None:
    """Note what the words up to the next label are like."""
    one.says = bool(behind) and behind[0] != "\n"
    words, _, more = behind.lstrip().partition("\n\n")
    line = words.partition("\n")[0].rstrip("*_ \t")
    one.asks = asks(line) or (one.key == UNLABELLED and any(map(line.__contains__, ASKING)))
    one.brief = len(words) < QUOTED_ANSWER_MAX and not any(asks(line) for line in more.split("\n"))


def _begins(match: re.Match[str]) -> Candidate | None:
    """What a line begins with: a word that is ended as a label is, or the sign of a question without one."""
    end = match["end"]
    signed = end is not None and (":" in end or "：" in end)
    if match["word"] and (signed or match["number"] or (end and match["open"])):
        return _label(match)
    decorated = match["decor"] or match["open"] in {"**", "***", "__"}
    return Candidate(match.start(), match.start(), UNLABELLED) if decorated else None


def _label(match: re.Match[str]) -> Candidate:
    word, number = match["word"], match["number"]
    letter = lowered(word) if _ambiguous(word) else ""
    return Candidate(match.start(), match.end(), _key(word), letter, int(number) if number else None)


def _ambiguous(word: str) -> bool:
    """Whether a word is a mere letter, which may be known for what it is in another language: ``V``."""
    return len(word) == 1 and word not in "QqAa"


def _contradict(found: list[Candidate]) -> bool:
    """Whether letters known as a question's stand before words that do not ask, and another's before such as do."""
    known = [one.asks for one in found if one.letter and one.key == "question"]
    others = [one.asks for one in found if one.letter and one.key != "question"]
    return bool(known) and sum(known) * 2 < len(known) and sum(others) * 2 > len(others)


def _key(word: str) -> str:
    """A word, or the kind of a known label; nothing for labels of what is no pair's."""
    label = known_label(word)
    if label is None:
        return lowered(word)
    return label.kind if label.kind in MARKS else ""


def _kinds(found: list[Candidate]) -> dict[str, str]:
    """What each unknown word labels, where its place among the others shows it."""
    found = [one for one in found if one.key]
    places = _Places(found)
    asked = next((key for key in ("question", UNLABELLED) if places.count[key] > 1), "")
    said = "answer" if places.count["answer"] > 1 else ""
    kinds: dict[str, str] = {}
    if not said and (said := places.after(asked) if asked else ""):
        kinds[said] = "answer"
    elif not asked and said:
        asked = places.before(said)
        kinds[asked] = "question"
    elif not asked and (pair := places.pair()):
        asked, said = pair
        kinds |= {asked: "question", said: "answer"}
    return {key: kind for key, kind in kinds.items() if key} | dict.fromkeys(places.remarks(asked, said), "note")


class _Places:
    """Which labels follow which, and how often."""

    def __init__(self, found: list[Candidate]) -> None:
        self.found = found
        self.count = Counter(one.key for one in found)
        self.follows = Counter((one.key, after.key) for one, after in pairwise(found))
        self.asking = Counter(one.key for one in found if one.asks)
        self.brief = Counter(one.key for one in found if one.brief)
        self.unknown = [key for key, _ in self.count.most_common(KINDS_MAX) if key not in MARKS and key != UNLABELLED]

    def after(self, asked: str) -> str:
        """The unknown word that follows most questions."""
        most = [key for key in self.unknown if self.follows[asked, key] * 2 > self.count[asked]]
        return next((key for key in most if self.asking[key] * 2 <= self.count[key]), "")

    def before(self, said: str) -> str:
        """The unknown word that stands before most answers."""
        return next((key for key in self.unknown if self.follows[key, said] * 2 > self.count[said]), "")

    def pair(self) -> tuple[str, str] | None:
        """Two unknown words by turns, of which the first asks, or is counted, and the other is brief."""
        for asked in self.unknown:
            said = self.after(asked)
            asking = self.asking[asked] * 2 > self.count[asked] or self._counted(asked)
            if said and said != asked and asking and self.brief[said] == self.count[said]:
                return asked, said
        return None

    def _counted(self, key: str) -> bool:
        """Whether a word's numbers run from one."""
        numbers = [one.number for one in self.found if one.key == key]
        return numbers == list(range(1, len(numbers) + 1))

    def remarks(self, asked: str, said: str) -> list[str]:
        """Unknown words that follow most answers, or each other behind them."""
        known = {asked, said}
        answered = Counter(after.key for one, after in pairwise(self.found) if one.key == said and one.says)
        remarks: list[str] = []
        for key in self.unknown:
            behind = answered[key] + sum(self.follows[remark, key] for remark in (*remarks, "note"))
            if key not in known and said and behind * 2 > self.count[key]:
                remarks.append(key)
        return remarks


def _marked(text: str, labels: list[tuple[Candidate, str]]) -> str:
    """The text with marks in the place of labels; one within a line begins a line of its own."""
    out: list[str] = []
    at = 0
    for one, kind in labels:
        first = not one.start or text[one.start - 1] == "\n"
        out.extend((text[at : one.start], MARKS[kind] if first else "\n" + MARKS[kind]))
        at = one.end
    return "".join((*out, text[at:]))
