"""A raw answer comes in; pairs go out, as a stack of regular expressions reads them: what the refiner is measured
against.

It is written anew for the comparison and does the steps of a common parser of such answers, no more and no less: one
search for a heading over pairs (or else for a first label), the article's label and last rule taken off, white space
collapsed; the rest split at the labels of questions, an answer's label searched in each part, asterisks removed. It is
right only on ``Q:``/``A:`` under a heading.
"""

from __future__ import annotations

import re

OPENED, CLOSED = r"(?:###|\*\*|---)?", r"(?::|\*\*|---)?"
HEADS = r"Question[-–—\s]*Answer\s*Pairs|Q&A|QA|Questions?"
LEADS = {"heading": rf"{OPENED}\s*", "first": r"(?:-\s*)?", "pair": r"(?:\d+[.)]\s*|[-•*]\s*)?"}
ASKED, SAID, COLON = "(?:Question|Q)", "(?:Answer|A)", r"\s*[:：]"
HEADING = re.compile(rf"(?:\n|^)\s*{LEADS['heading']}(?:{HEADS})\s*{CLOSED}", re.IGNORECASE)
FIRST = re.compile(rf"(?:\n|^)\s*{LEADS['first']}{ASKED}{COLON}", re.IGNORECASE)
QUESTION = re.compile(rf"^\s*{LEADS['pair']}{ASKED}{COLON}?", re.MULTILINE)
ANSWER = re.compile(rf"(?:\n|^|\s+){LEADS['first']}{SAID}{COLON}\s*(.*)", re.IGNORECASE | re.DOTALL)
ARTICLE = re.compile(rf"^\s*{OPENED}\s*(?:Wikipedia\s*)?Article\s*{CLOSED}", re.IGNORECASE)
LAST_RULE = re.compile(r"\s*-{3,}\s*$")
STARS, SPACE = re.compile(r"\*+"), re.compile(r"\s+")


def parse(text: str) -> dict[str, object]:
    """The article, and the pairs of the plain layouts."""
    found = HEADING.search(text)
    first = found or FIRST.search(text)
    if first is None:
        return {"context": _collapse(text), "qas": []}
    body = text[found.end() if found else first.start() :]
    context = LAST_RULE.sub("", ARTICLE.sub("", text[: first.start()]).strip())
    pairs = (_pair(block) for block in QUESTION.split(body))
    return {"context": _collapse(context), "qas": [pair for pair in pairs if pair]}


def _pair(block: str) -> dict[str, str] | None:
    """The question and the answer in one part of the text behind the heading."""
    found = ANSWER.search(block) if block.strip() else None
    if not found:
        return None
    question, answer = (_collapse(STARS.sub("", words)) for words in (block[: found.start()], found[1]))
    return {"question": question, "answer": answer} if question and answer else None


def _collapse(words: str) -> str:
    return SPACE.sub(" ", words).strip()
