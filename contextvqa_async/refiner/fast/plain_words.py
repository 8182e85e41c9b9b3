"""Words of a question, an answer or a paragraph come in; whether they are no more than that goes out.

Rule: a yes is certain; a no only means that the words are to be read as every line is.
"""

from __future__ import annotations

from functools import lru_cache

from contextvqa_async.refiner.chatter import may_begin_chatter, remark
from contextvqa_async.refiner.headings import heading
from contextvqa_async.refiner.inner_labels import SIGN_ENDED, last_words
from contextvqa_async.refiner.labels import LabelKind, lowered, may_begin
from contextvqa_async.refiner.languages import UNSPACED
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import BLANK, NUMBERED, PART, read_line
from contextvqa_async.refiner.same_line import split_question
from contextvqa_async.refiner.splits import cut
from contextvqa_async.refiner.stretch import LETTERED

SIGNLESS = r"[^*:：$_~.．)\[\]】）<>》〉］」』»;；=、。،؛`\\|&\n]"
STOP = r"(?:\.(?=\d)|(?<=[^\W\d_][^\W\d_])\.)"
"""Words without a mark, or a sign that could end a label in their midst: a stop ends only a letter or a number."""
SURE = lazy(rf"(?:{SIGNLESS}++|{STOP})*+\Z")
DOUBT = lazy(rf"[:：$_~`\\\[<>|→]|{SIGN_ENDED}")
LINE_MAX = 160
"""A question that is no prose is shorter."""
SHORT_LINE_MAX = 80
"""An answer without a label is shorter; so are most lines that come again in other answers."""
FIRST_WORD_MAX = 24
"""The first word of a label is shorter."""
READ_TWICE_MAX = 8000
"""A longer line is not worth reading twice: by the fast path, and again line by line."""
QUOTES = lazy('[“”"«»「」؟？⁇⁈⁉⸮]')
NUMERIC = "0123456789£€¥"
MONEY = "£€¥$"


def opens_plainly(words: str) -> bool:
    """Whether words begin with one that begins no label."""
    first = words[:FIRST_WORD_MAX].partition(" ")[0]
    if first in {"The", "A"}:
        rest = words[len(first) + 1 :][:7]
        return rest[:1].isalpha() and rest.lower() != "article"
    return len(first) < FIRST_WORD_MAX and _no_label(first.rstrip(",."))


@lru_cache(maxsize=4096)
def _no_label(word: str) -> bool:
    return len(word) > 1 and word.isalpha() and word < UNSPACED and not may_begin(lowered(word))


def is_plain(words: str, *, sure: bool = False) -> bool:
    """Whether words are read as they stand: no mark, number or label is in them; ``sure``: no mark is.

    >>> is_plain("red sandstone"), is_plain("A: red"), is_plain("3. red"), is_plain("1650")
    (True, False, False, True)
    """
    if not sure and (not words or words[-1] == " " or not SURE.match(words)):
        return False
    if words[0] in NUMERIC:
        return not NUMBERED.match(words)
    return opens_plainly(words) and not ("." in words[:7] and NUMBERED.match(words)) and not _parts(words)


def _parts(words: str) -> bool:
    """Whether words begin with a part's name."""
    return words[0] in "PpSsTt" and PART.match(words) is not None


def behind_label(words: str) -> bool:
    """Whether the words behind a label are all that its line holds."""
    return not DOUBT.search(words)


def in_bold(words: str, *, sure: bool = False) -> bool:
    """Whether words up to the end of bold hold no label that the bold might end."""
    last = words.rstrip(" ?!").rpartition(" ")[2]
    sure = sure or SURE.match(words) is not None
    return sure and words.isascii() and last.isalpha() and last.lower() not in last_words()[0]


def plain_question(words: str, *, sure: bool = False) -> bool:
    """Whether the words behind a number are a question, and nothing else."""
    if sure and _ordinary(words.partition(" ")[0]):
        return len(words) < LINE_MAX and not QUOTES.search(words)
    return len(words) < LINE_MAX and is_plain(words, sure=sure) and not QUOTES.search(words) and not _heads(words)


def plain_answer(words: str, *, sure: bool = False) -> bool:
    """Whether the words of a line without a label are an answer, and nothing else."""
    ended = words[-1].isalnum() and words[-1] < UNSPACED
    if sure and ended and _ordinary(first := words.partition(" ")[0].rstrip(",")) and not may_begin_chatter(first):
        return True
    return ended and is_plain(words, sure=sure) and not _heads(words) and not remark(words)


def plain_sentence(words: str) -> bool:
    """Whether a short line is a sentence, and neither a question nor a heading nor chatter.

    >>> plain_sentence("Owls hunt by night, in the woods of the north."), plain_sentence("Here are the questions.")
    (True, False)
    """
    if words[-1] != "." or ":" in words or "?" in words:
        return False
    first = words.partition(" ")[0].rstrip(",")
    if may_begin_chatter(first) or not opens_plainly(words):
        return False
    return first.lower() not in heading().by_first or not _heads(words)


def closely(raw: str, *kinds: LabelKind) -> tuple[str, ...]:
    """The words after each label of a line, read as every line is; none where its labels are not of these kinds.

    >>> closely("**Q: Who?** A: Bob", "question", "answer")
    ('Who?', 'Bob')
    """
    parts = cut(read_line(raw)) if len(raw) < READ_TWICE_MAX else []
    labels = tuple([part.label.kind for part in parts if part.label and part.rest])
    return tuple([part.rest for part in parts]) if labels == kinds and len(parts) == len(kinds) else ()


def close_question(raw: str) -> str:
    """The words of a numbered line, read as every line is; none where it holds more than a question."""
    line = read_line(raw) if len(raw) < LINE_MAX else BLANK
    plain = line.decor == "item" and line.label is None and not line.pairs_head and line.asks
    return line.body if plain and split_question(line, line.body) is None and len(cut(line)) == 1 else ""


def close_answer(raw: str) -> str:
    """The words of a line without a label, read as every line is; none where it could be more than an answer."""
    line = read_line(raw) if len(raw) < LINE_MAX else BLANK
    words = line.body
    plain = line.kind == "text" and line.label is None and not line.pairs_head and not line.mark and not line.quoted
    if not plain or line.number is not None or line.decor not in {"", "bullet"} or line.asks or not words:
        return ""
    unusual = not (words[0].isalnum() or words[0] in MONEY) or words[-1] in ",;，；、" or remark(words)
    return "" if unusual or LETTERED.match(words) or len(cut(line)) > 1 else words


@lru_cache(maxsize=4096)
def _ordinary(word: str) -> bool:
    """Whether a first word begins neither a label nor a heading nor a part's name."""
    return _no_label(word) and word.lower() not in heading().by_first and not _parts(word)


def _heads(words: str) -> bool:
    """Whether words may be a heading over pairs."""
    return heading().make_up(lowered(words))
