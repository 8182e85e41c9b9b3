"""A raw answer comes in; the text meant for the reader goes out: no reasoning, no control tokens, plain line ends.

Rule: only wrapping is taken off here. Every step is skipped by a cheap look when the text holds nothing of its kind.
"""

from __future__ import annotations

import html
import json
import re

from contextvqa_async.refiner.characters import uncommon
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.markup import MARKUPS
from contextvqa_async.refiner.turns import final_answer, own_turn, reply, without_reasoning

BREAKS = lazy("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
INVISIBLE = lazy("[\ufeff\u200b\u2060\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\x00-\x08\x0e-\x1f\ue000-\ue00f]")
ODD = frozenset("\r\x0b\x0c\x85\u2028\u2029\ufeff\u200b\u2060\u200e\u200f\u061c").union(
    map(chr, (*range(9), *range(14, 32), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE000, 0xE010)))
)
ROUNDS = 4
"""Most rounds of escaping observed."""
ENTITY = lazy(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
BRACKET_TAG = lazy(
    r"\[(/?(?:article|context|wikipedia[ _]article|questions?|answers?|q|a|qas?|qa_pairs?|pairs?)\d{0,2})\]",
    re.IGNORECASE,
)
TRIPLE = lazy(r"^([ \t]*\w+[ \t]*[:=][ \t]*)(\"\"\"|''')(.*?)\2", re.MULTILINE | re.DOTALL)
ASKS_IN_UKRAINIAN = lazy(r"^[\W\d_]{0,12}(?:П|З|Питання|Запитання)(?:\s?\d{1,2})?\s?(?:[^\w\s]|$)", re.MULTILINE)
ANSWERS_IN_UKRAINIAN = lazy(r"(?<!\w)В(?=\s?\d{0,2}\s?(?:\*\*)?[:：.)\]])")
ESCAPED_TAG = lazy(r"&lt;/[a-z][\w-]{0,20}&gt;", re.IGNORECASE)
ESCAPED = lazy(r"\\([!-/:-@\[-`{-~])")
FENCE = lazy(r"^[ \t>]*(?:`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*$", re.MULTILINE)


def unwrap(text: str) -> str:
    """The answer without wrapping.

    >>> unwrap("<think>Draft. Q: what?</think>\\r\\nThe owl.<|im_end|>")
    '\\nThe owl.'
    """
    signs = uncommon(text)
    for needed, step in STEPS:
        if not needed or not signs.isdisjoint(needed):
            before, text = text, step(text)
            signs = signs if text == before else uncommon(text)
    return text


def visible(text: str) -> str:
    """A text with plain line ends, and without invisible characters."""
    return INVISIBLE.sub("", BREAKS.sub("\n", text))


def in_tags(text: str) -> str:
    """A text whose tags were escaped, or written in square brackets, with tags."""
    if "[/" in text and len(BRACKET_TAG.findall(text)) > 1:
        text = BRACKET_TAG.sub(r"<\1>", text)
    return html.unescape(text) if "&lt;/" in text and len(ESCAPED_TAG.findall(text)) > 2 else text


def spelled_out(text: str) -> str:
    """A Ukrainian answer's letter as the word: alone it is a Russian question's.

    >>> spelled_out("П: Де це?\\nВ: Київ"), spelled_out("В: Где это?\\nО: Киев")
    ('П: Де це?\\nВідповідь: Київ', 'В: Где это?\\nО: Киев')
    """
    return ANSWERS_IN_UKRAINIAN.sub("Відповідь", text) if ASKS_IN_UKRAINIAN.search(text) else text


def unquote(text: str) -> str:
    """A text without the threefold quotes around a value of several lines."""
    return TRIPLE.sub(r"\1\n\3\n", text) if '"""' in text or "'''" in text else text


def unescape_lines(text: str) -> str:
    r"""A text whose line ends were written as ``\n``: one line that holds several, or a whole JSON string.

    >>> unescape_lines("Article: Owls.\\n\\nQ: Who?\\nA: Owls")
    'Article: Owls.\n\nQ: Who?\nA: Owls'
    """
    bare = text.strip()
    written = bare.count("\\n")
    if bare[:1] in "{[" or written < 2 or bare.count("\n") * 3 > written or "```" in bare[:20]:
        return text
    if bare[0] == bare[-1] == '"':
        try:
            return str(json.loads(bare))
        except ValueError:
            bare = bare[1:-1]
    bare = re.sub(r"\\r\\n|\\n(?![a-z]{2,}\b(?=[\s\\{}^_$]))", "\n", bare)
    return re.sub(r'\\(["\'])', r"\1", bare).replace("\\t", " ")


def unescape_marks(text: str) -> str:
    r"""A text whose markdown was escaped as a whole (``\*\*Q1:\*\*``), with its marks."""
    if "\\*" not in text and "\\#" not in text:
        return text
    escaped = text.count("\\*\\*") + ("\\#" in text and len(re.findall(r"^\s*\\#", text, re.MULTILINE)))
    return ESCAPED.sub(r"\1", text) if escaped > 1 and escaped * 2 > text.count("**") - text.count("\\*\\*") else text


STEPS = (
    (ODD, visible),
    ("\\", unescape_lines),
    ("", reply),
    ("<", own_turn),
    ("<◁[", without_reasoning),
    ("", final_answer),
    ("\\", unescape_marks),
    ("[&", in_tags),
    ("В", spelled_out),
    ("\"'", unquote),
    *MARKUPS,
)
"""Each with the signs without which it has nothing to do."""


def entities(text: str) -> str:
    """A text with ``&amp;`` and other entities as characters, however often they were escaped: ``&amp;amp;``."""
    for _ in range(ROUNDS):
        text, found = ENTITY.subn(lambda entity: html.unescape(entity.group()), text) if "&" in text else (text, 0)
        if not found:
            break
    return text


def unfence(text: str) -> str:
    """A text without the lines that open and close code fences."""
    return FENCE.sub("", text) if "```" in text or "~~~" in text else text
