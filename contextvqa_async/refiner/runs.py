"""Raw lines from the first question on come in; a run of pairs goes out: every pair written in one of the plain ways.

    Q1: Who?        **Question:** Who?         **Q1: Who?**       **Question:** Who? **Answer:** Bob       1. **Who?**
    A1: Bob         **Answer:** Bob            A1: Bob                                                        - Bob

Rule: a line that holds a sign of anything more is read as every line is; where that finds more, there is no run.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from contextvqa_async.refiner.chatter import remark
from contextvqa_async.refiner.labels import UNSPACED, Label, before_colon, heading, lowered, may_begin
from contextvqa_async.refiner.languages import words as words_of
from contextvqa_async.refiner.later import later
from contextvqa_async.refiner.lines import BLANK, PART, read_line
from contextvqa_async.refiner.lines import NUMBERED as ITEM
from contextvqa_async.refiner.splits import SIGNED, WORD, answered, cut, last_words
from contextvqa_async.refiner.stretch import LETTERED, TAIL

Run = tuple[list[tuple[str, str]], str, int]
"""Pairs, how they are written, and the line behind them."""
LABEL = r"[^\W\d_]++(?: [^\W\d_]++)?+ ?\d{0,3}+ ?"
SIGNLESS = r"[^*:：$_~.．)\[\]】）<>》〉］」』»;；=、。،؛`\\|&\n]"
SURE = rf"(?:{SIGNLESS}++|\.(?=\d)|(?<=[^\W\d_][^\W\d_])\.)*+"
"""Words without a mark, or a sign that could end a label in their midst: a stop ends only a letter or a number."""
LABELLED = later(
    rf"[ ]*+(?:\d{{1,3}}[.)][ ]++|[-*+•][ ]++|\#{{2,6}}[ ]++)?+(?P<bold>\*\*)?+(?P<word>{LABEL})"
    rf"(?:(?:[:：](?(bold)\*\*)|(?(bold)\*\*[:：]|(?!)))[ ]*+(?P<words>(?P<sure>{SURE})[^*]*+)"
    rf"(?:(?<=[ ])\*\*(?P<said>{LABEL})(?::\*\*|\*\*:)[ ]*+(?P<answer>[^*]++))?"
    r"|(?(bold)[:：][ ]*+(?P<strong>[^*]++)\*\*[ ]*+|(?!)))\Z"
)
ALL_SURE = later(rf"{SURE}\Z")
DOUBT = later(rf"[:：$_~]|{SIGNED.pattern}")
NUMBERED = later(r"(\d{1,3})[.)] +(\*\*)?([^\W\d_][^*?]*\?)(?(2)\*\*) *\Z")
RULE = later(r"(?:-{3,}|\*{3,}|_{3,}) *\Z")
BARE = later(r" *(?:[-*•] +)?([^*]+?) *\Z")
FULL, BRIEF, LONGEST, VAST = 160, 80, 24, 8000
"""A question that is no prose is shorter; so is an answer that proves nothing against its question, and the first word
of a label. No line is worth reading twice that is longer than the last."""
QUOTES = frozenset('“”"«»「」؟？⁇⁈⁉⸮')
PLAIN = "0123456789£€¥"
MONEY = "£€¥$"


def asks_first(raw: str) -> bool:
    """Whether a line begins as the first question of a run does."""
    found = LABELLED.match(raw)
    if found is None:
        return NUMBERED.match(raw) is not None
    label = known_label(found["word"])
    return label is not None and label.kind == "question"


def run_of_pairs(raws: list[str], at: int) -> Run | None:
    """The run of pairs that begins at a line where ``asks_first`` is true."""
    return (_numbered if NUMBERED.match(raws[at]) else _labelled)(raws, at)


def opens_plainly(words: str) -> bool:
    """Whether words begin with one that begins no label."""
    first = words[:LONGEST].partition(" ")[0]
    if first == "The":
        return words[4:5].isalpha() and words[4:11].lower() != "article"
    return len(first) < LONGEST and _no_label(first.rstrip(",."))


@lru_cache(maxsize=4096)
def _no_label(word: str) -> bool:
    return len(word) > 1 and word.isalpha() and word < UNSPACED and not may_begin(lowered(word))


def is_plain(words: str) -> bool:
    """Whether words are read as they stand: no mark, number or label is in them.

    >>> is_plain("red sandstone"), is_plain("A: red"), is_plain("3. red"), is_plain("1650")
    (True, False, False, True)
    """
    if not words or words[-1] == " " or not ALL_SURE.match(words):
        return False
    if words[0] in PLAIN:
        return not ITEM.match(words)
    return opens_plainly(words) and not ("." in words[:7] and ITEM.match(words)) and not _parts(words)


def _parts(words: str) -> bool:
    """Whether words begin with a part's name."""
    return words[0] in "PpSsTt" and PART.match(words) is not None


@lru_cache(maxsize=4096)
def known_label(word: str) -> Label | None:
    return before_colon(lowered(word) + ":")


def _labelled(raws: list[str], at: int) -> Run | None:
    """Questions and answers by turns, each with its label."""
    pairs: list[tuple[str, str]] = []
    asked, stop = "", at
    for place in range(at, len(raws)):
        raw = raws[place]
        if not raw or raw.isspace() or (not asked and raw[0] in "-*_" and RULE.match(raw)):
            continue
        kind, words, answer = _part(raw)
        if not kind:
            break
        if (kind == "question") == bool(asked) or (kind == "question" and not words[0].isalpha()):
            return None
        if kind == "answer" or answer:
            pairs.append((asked or words, answer or words))
            asked = ""
        else:
            asked = words
        stop = place + 1
    if asked or not pairs or (pairs[-1][0] in raws[stop - 1] and _torn(raws[at], pairs[-1][1])):
        return None
    return pairs, "labels", stop


def _torn(first: str, answer: str) -> bool:
    """Whether the last answer, on its question's line, may end in the beginning of the first line's label."""
    found, tail = LABELLED.match(first), TAIL.search(answer)
    label = known_label(found["word"]) if found else None
    return tail is not None and (label is None or label.word.startswith(lowered(tail["word"])))


NOTHING = ("", "", "")


def _part(raw: str) -> tuple[str, str, str]:
    """What a labelled line is, its words, and the answer on a question's line."""
    found = LABELLED.match(raw)
    label = known_label(found["word"]) if found else None
    if found is None or label is None or label.kind not in {"question", "answer"}:
        return NOTHING
    _, _, words, sure, said, _, strong = found.groups()
    if said or strong:
        return _marked(raw, found, label)
    if len(sure) < len(words) and DOUBT.search(words):
        return _read(raw)
    return (label.kind, words, "") if (words := words.strip()) else NOTHING


def _marked(raw: str, found: re.Match[str], label: Label) -> tuple[str, str, str]:
    """A line with more bold in it than its label."""
    words, said, answer, strong = found["words"], found["said"], found["answer"], found["strong"]
    if strong:
        last = strong.rstrip(" ?!").rpartition(" ")[2]
        sure = strong.isascii() and ALL_SURE.match(strong) and last.isalpha() and last.lower() not in last_words()[0]
        return (label.kind, strong.strip(), "") if sure and strong.strip() else _read(raw)
    other = known_label(said)
    sure = len(found["sure"]) == len(words) and ALL_SURE.match(answer) and other is not None and other.kind == "answer"
    asked, told = words.strip(), answer.strip()
    return ("question", asked, told) if sure and asked and told and label.kind == "question" else _read(raw)


def _read(raw: str) -> tuple[str, str, str]:
    """The same from a line that is to be read closely."""
    parts = cut(read_line(raw)) if len(raw) < VAST else []
    kinds = [part.label.kind for part in parts if part.label]
    if len(kinds) == len(parts) and all(part.rest for part in parts):
        if kinds in (["question"], ["answer"]):
            return kinds[0], parts[0].rest, ""
        if kinds == ["question", "answer"]:
            return "question", parts[0].rest, parts[1].rest
    return NOTHING


def _numbered(raws: list[str], at: int) -> Run | None:
    """Numbered questions, each with a line under it that answers: all with a label, or none."""
    pairs: list[tuple[str, str]] = []
    asked, stop, number, labelled = "", at, 0, None
    for place in range(at, len(raws)):
        raw = raws[place]
        if not raw or raw.isspace() or (not asked and raw[0] in "-*_" and RULE.match(raw)):
            continue
        if not asked:
            asked, number = _asked(raw)
            if not asked:
                break
            continue
        kind, words, _ = _part(raw)
        if labelled not in {None, kind == "answer"} or kind == "question":
            return None
        labelled = kind == "answer"
        words = words or _said(raw)
        if not words or len(words) >= BRIEF or words == str(number + 1):
            return None
        pairs.append((asked, words))
        asked, stop = "", place + 1
    proven = labelled or (len(pairs) > 1 and raws[at][:2] in {"1.", "1)"})
    return (pairs, "numbered", stop) if proven and not asked else None


def _asked(raw: str) -> tuple[str, int]:
    """A numbered question's words, and its number."""
    found = NUMBERED.match(raw)
    if found and len(raw) < FULL and is_plain(found[3]) and QUOTES.isdisjoint(found[3]) and not _heads(found[3]):
        return found[3], int(found[1])
    line = read_line(raw) if found and len(raw) < FULL else BLANK
    plain = line.decor == "item" and line.label is None and not line.pairs_head and line.asks
    simple = plain and answered(line, line.body) is None and len(cut(line)) == 1
    return (line.body, line.number or 0) if simple else ("", 0)


@cache
def _heading_words() -> frozenset[str]:
    """The words that begin each part of a heading over pairs."""
    columns = ("question", "questions", "answer", "answers", "heads")
    return frozenset(re.split(r"[\W\d_]", part)[0] for column in columns for part in words_of(column))


def _heads(words: str) -> bool:
    """Whether words may be a heading over pairs."""
    first = WORD.match(words)
    if first and first.group().lower() not in _heading_words():
        return False
    found = heading().match(lowered(words))
    return found is not None and found.end() >= len(words)


def _said(raw: str) -> str:
    """The words of a line that answers without a label."""
    found = BARE.match(raw)
    if found and is_plain(found[1]) and found[1][-1].isalnum() and found[1][-1] < UNSPACED and not _heads(found[1]):
        return "" if remark(found[1]) else found[1]
    line = read_line(raw)
    words = line.body
    plain = line.kind == "text" and line.label is None and not line.pairs_head and not line.mark and not line.quoted
    if not plain or line.number is not None or line.decor not in {"", "bullet"} or line.asks or not words:
        return ""
    unusual = not (words[0].isalnum() or words[0] in MONEY) or words[-1] in ",;，；、" or remark(words)
    return "" if unusual or LETTERED.match(words) or len(cut(line)) > 1 else words
