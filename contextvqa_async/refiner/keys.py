"""A key of an object comes in; what its value is goes out.

Rule: keys are labels without spaces and signs, and a few words that only data use.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal

from contextvqa_async.refiner.labels import LabelKind, kinds
from contextvqa_async.refiner.languages import split_words

ARTICLES = split_words(
    "article|context|wikipediaarticle|wiki|content|text|body|passage|wikipedia|document|background|wikiarticle"
    "|articletext|articlecontent|wikipediatext|wikipediacontent|paragraph|paragraphs|summary|description"
    "|sections|section|intro|introduction|lead|wikiarticletext"
)
TITLES = split_words("title|heading|name|header|articletitle|topic|subject|language|id|category|标题|题目")
QUESTIONS = split_words("questiontext|questionen|human|user|instruction|input|prompt")
ANSWERS = split_words("answertext|answeren|gpt|assistant|output|shortanswer|response|value|answerlist|finalanswer")
BODIES = ("content", "text", "body", "article", "paragraphs", "sections", "context")


PART = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")


@cache
def _names() -> dict[str, LabelKind]:
    """Labels as they look in keys: without spaces and signs."""
    return {re.sub(r"[\W_]+", "", name): kind for name, kind in kinds().items()}


@lru_cache(maxsize=1024)
def kind_of(key: str) -> LabelKind | Literal[""]:
    """What a key says its value is: question, answer, article, title, or nothing."""
    word = re.sub(r"[\W_~]+|\d+$", "", key.lower().split("~")[0])
    word = re.sub(r"\d+", "", word)
    if word in QUESTIONS:
        return "question"
    if word in ANSWERS:
        return "answer"
    if word in ARTICLES or (word.endswith("article") and len(word) < 30):
        return "article"
    if word in TITLES:
        return "title"
    return _names().get(word, "") or _last_part(key)


def _last_part(key: str) -> LabelKind | Literal[""]:
    """What the last of several words in a key says: ``image_question``, ``vqaAnswer``."""
    parts = PART.findall(key)
    kind = _names().get(parts[-1].lower()) if len(parts) > 1 and len(parts[-1]) > 3 else None
    return kind if kind and kind in {"question", "answer"} else ""


def number_in(key: str) -> str:
    """The number in a key, as ``2`` in ``question_02``; empty where there is none."""
    found = re.search(r"\d+", key)
    return found.group().lstrip("0") if found else ""
