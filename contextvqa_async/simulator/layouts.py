"""An article and its pairs → one of the layouts in which models have been seen to write them.

Rule: a layout is a function of what is told and nothing else; LAYOUTS is the table of them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An article in paragraphs, and its questions with their answers."""

    paragraphs: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def article(self) -> str:
        """The paragraphs with empty lines between."""
        return "\n\n".join(self.paragraphs)


def _lines(told: Told, form: str) -> str:
    return "\n".join(form.format(n=n, q=q, a=a) for n, (q, a) in enumerate(told.pairs, 1))


def plain(told: Told) -> str:
    """As the default prompt asks for it."""
    return f"Article: {told.article}\n\n" + _lines(told, "Q{n}: {q}\nA{n}: {a}")


def bold(told: Told) -> str:
    """Bold labels, a bold heading each."""
    pairs = _lines(told, "**Question {n}:** {q}\n**Answer {n}:** {a}\n").rstrip()
    return f"**Wikipedia Article**\n\n{told.article}\n\n**Question Answer Pairs**\n\n{pairs}"


def headings(told: Told) -> str:
    """Markdown headings, the pairs as a numbered list."""
    pairs = _lines(told, "{n}. **Q:** {q}\n   **A:** {a}")
    return f"### Wikipedia Article\n\n{told.article}\n\n---\n\n### Question Answer Pairs\n\n{pairs}"


def numbered(told: Told) -> str:
    """As the prompt of the paper is most often answered."""
    pairs = _lines(told, "{n}. Question: {q}\n   Answer: {a}")
    return f"Wikipedia Article:\n{told.article}\n\nQuestion Answer Pairs:\n{pairs}"


def chatty(told: Told) -> str:
    """A preamble before, an offer after."""
    pairs = _lines(told, "**Q{n}: {q}**\nA{n}: {a}\n").rstrip()
    return (
        f"Sure! Here is a Wikipedia article related to the image, followed by question answer pairs.\n\n"
        f"**Wikipedia Article:**\n\n{told.article}\n\n**Question Answer Pairs:**\n\n{pairs}\n\n"
        "Let me know if you would like more questions!"
    )


def fenced(told: Told) -> str:
    """JSON in a code fence."""
    pairs = [{"question": question, "answer": reply} for question, reply in told.pairs]
    data = orjson.dumps({"article": told.article, "qas": pairs}, option=orjson.OPT_INDENT_2).decode()
    return f"```json\n{data}\n```"


def chinese(told: Told) -> str:
    """Chinese labels with full-width colons."""
    return f"文章：{told.article}\n\n" + _lines(told, "问题{n}：{q}\n答案{n}：{a}")


def table(told: Told) -> str:
    """The pairs as the rows of a table."""
    rows = _lines(told, "| {n} | {q} | {a} |")
    return f"## Article\n\n{told.article}\n\n## Questions\n\n| # | Question | Answer |\n|---|---|---|\n{rows}"


def thinking(told: Told) -> str:
    """A block of reasoning before the answer."""
    thought = "The picture is clear. I should not name the object in the questions, and keep the answers short."
    return f"<think>\n{thought}\n</think>\n\n{plain(told)}"


def apart(told: Told) -> str:
    """All questions first, all answers after."""
    questions, answers = _lines(told, "{n}. {q}"), _lines(told, "{n}. {a}")
    return f"Wikipedia Article:\n\n{told.article}\n\nQuestions:\n{questions}\n\nAnswers:\n{answers}"


LAYOUTS: tuple[Callable[[Told], str], ...] = (
    plain,
    bold,
    headings,
    numbered,
    chatty,
    fenced,
    chinese,
    table,
    thinking,
    apart,
)
