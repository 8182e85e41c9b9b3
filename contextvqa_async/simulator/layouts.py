"""An article and its pairs → one of the layouts in which models have been seen to write them.

Rule: a layout is a function of the article and nothing else; LAYOUTS is the table of them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article in paragraphs, and its questions with their answers."""

    paragraphs: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The paragraphs with empty lines between."""
        return "\n\n".join(self.paragraphs)


def _lines(article: Article, form: str) -> str:
    return "\n".join(form.format(n=n, q=q, a=a) for n, (q, a) in enumerate(article.pairs, 1))


def plain(article: Article) -> str:
    """As the default prompt asks for it."""
    return f"Article: {article.text}\n\n" + _lines(article, "Q{n}: {q}\nA{n}: {a}")


def bold(article: Article) -> str:
    """Bold labels, a bold heading each."""
    pairs = _lines(article, "**Question {n}:** {q}\n**Answer {n}:** {a}\n").rstrip()
    return f"**Wikipedia Article**\n\n{article.text}\n\n**Question Answer Pairs**\n\n{pairs}"


def headings(article: Article) -> str:
    """Markdown headings, the pairs as a numbered list."""
    pairs = _lines(article, "{n}. **Q:** {q}\n   **A:** {a}")
    return f"### Wikipedia Article\n\n{article.text}\n\n---\n\n### Question Answer Pairs\n\n{pairs}"


def numbered(article: Article) -> str:
    """As the prompt of the paper is most often answered."""
    pairs = _lines(article, "{n}. Question: {q}\n   Answer: {a}")
    return f"Wikipedia Article:\n{article.text}\n\nQuestion Answer Pairs:\n{pairs}"


def chatty(article: Article) -> str:
    """A preamble before, an offer after."""
    pairs = _lines(article, "**Q{n}: {q}**\nA{n}: {a}\n").rstrip()
    return (
        f"Sure! Here is a Wikipedia article related to the image, followed by question answer pairs.\n\n"
        f"**Wikipedia Article:**\n\n{article.text}\n\n**Question Answer Pairs:**\n\n{pairs}\n\n"
        "Let me know if you would like more questions!"
    )


def fenced(article: Article) -> str:
    """JSON in a code fence."""
    pairs = [{"question": question, "answer": reply} for question, reply in article.pairs]
    data = orjson.dumps({"article": article.text, "qas": pairs}, option=orjson.OPT_INDENT_2).decode()
    return f"```json\n{data}\n```"


def chinese(article: Article) -> str:
    """Chinese labels with full-width colons."""
    return f"文章：{article.text}\n\n" + _lines(article, "问题{n}：{q}\n答案{n}：{a}")


def table(article: Article) -> str:
    """The pairs as the rows of a table."""
    rows = _lines(article, "| {n} | {q} | {a} |")
    return f"## Article\n\n{article.text}\n\n## Questions\n\n| # | Question | Answer |\n|---|---|---|\n{rows}"


def thinking(article: Article) -> str:
    """A block of reasoning before the answer."""
    thought = "The picture is clear. I should not name the object in the questions, and keep the answers short."
    return f"<think>\n{thought}\n</think>\n\n{plain(article)}"


def apart(article: Article) -> str:
    """All questions first, all answers after."""
    questions, answers = _lines(article, "{n}. {q}"), _lines(article, "{n}. {a}")
    return f"Wikipedia Article:\n\n{article.text}\n\nQuestions:\n{questions}\n\nAnswers:\n{answers}"


LAYOUTS: tuple[Callable[[Article], str], ...] = (
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
