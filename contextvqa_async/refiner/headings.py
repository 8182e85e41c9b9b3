"""Words of many languages come in; the phrases that headings over pairs are made of go out.

Rule: a heading over pairs (``**Questions and answers:**``) consists of such phrases alone, and holds one at least that
speaks of questions or pairs.
"""

from __future__ import annotations

from functools import cache

from contextvqa_async.refiner.languages import column
from contextvqa_async.refiner.phrases import Phrases


@cache
def heading() -> Phrases:
    """What a heading over pairs is made of: words for questions, answers and pairs, and those between them."""
    return Phrases(frozenset().union(*map(column, ("question", "questions", "answer", "answers", "heads"))))


@cache
def cores() -> Phrases:
    """What makes a heading a heading over pairs."""
    asking = {word for word in column("question") if len(word) > 1 or word >= "\u2e80"}
    return Phrases(column("questions") | column("pairs") | asking)


def says_pairs(low: str) -> bool:
    """Whether lower-case words speak of questions or of pairs.

    >>> says_pairs("here are the questions:"), says_pairs("here is the article:")
    (True, False)
    """
    return cores().found_in(low)


def heads_pairs(low: str) -> bool:
    """Whether lower-case words are a heading over pairs, and nothing else.

    >>> heads_pairs("questions and answers"), heads_pairs("questions of taste")
    (True, False)
    """
    return heading().make_up(low) and says_pairs(low)
