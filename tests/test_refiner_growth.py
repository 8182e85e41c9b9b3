"""The refiner's time grows with the text's length, and not faster, whatever the text is made of."""

from __future__ import annotations

import time

import pytest

from contextvqa_async.refiner import Refiner, refine

FAMILIES = {
    "blank lines": "\n",
    "spaces": " ",
    "asterisks": "*",
    "spaced asterisks": "* ",
    "emphasis openers": "**a ",
    "underscores": "_a_ ",
    "question labels": "Q:\n",
    "question labels in one line": "Q: ",
    "questions": "Q: Who?\n",
    "questions with numbers": "1. Who?\n",
    "answers": "A: Bob\n",
    "answers in one line": "Q: Who? A: Bob ",
    "braces": "{",
    "objects": '{"a":',
    "object lines": '{"a":\n',
    "brackets": "[",
    "bracket lines": "[\n[",
    "quotes": '["a',
    "keys": '{"question": "',
    "open tags": "<p>",
    "half tags": "<p ",
    "comments": "<!--",
    "scripts": "<script>",
    "thoughts": "<think>",
    "closed thoughts": "</think>",
    "pipes": "|",
    "rows": "| a | b |\n",
    "backticks": "`a",
    "backtick runs": "`` ` ",
    "fences": "```\n",
    "dollars": "$a ",
    "links": "[a](",
    "images": "![a](b",
    "escapes": "\\(",
    "escaped line ends": "\\n",
    "colons": ": ",
    "numbers": "1. ",
    "numbers with words": "1) a ",
    "headings": "# a\n",
    "quote marks": "> ",
    "question marks": "? ",
    "quoted question marks": '"? ',
    "letters": "a",
    "long words": "question ",
    "labels in Chinese": "问：",
    "emoji": "\N{OWL}",
    "rules": "-",
    "rules and text": "---\na\n",
    "entities": "&amp;",
    "commas": "question,answer\n",
    "tabs": "\t",
    "half commas": ",a",
    "bullets": "- Who?\n- Bob\n",
    "titles": "Title: a\n",
    "articles": "Article:\n",
    "details": "<details><summary>think",
    "refs": "<ref a",
    "wiki marks": "'''",
    "waiting questions": "1. Who?\n\n",
    "labels with slashes": "A | ",
    "bold labels in one line": "**Q** a ,*",
    "bold labels and brackets": "__(A)",
    "lists in lists": "\n<ul><li>a",
    "items of one answer": "?\n- ",
    "parts of one answer": "Q: Who?\nA: Bob\nA: Ann, ",
    "wrapped answers": "a <li>|> ",
    "glued answers": "<ul>a<answer>",
    "labels in a list": "- question: ;A. ![~~",
    "lines of one question": "Q: Who\nis it\n" + "and who\n" * 400,
    "rising numbers": "Zork: Who?\nBlim: Bob\n",
}


def seconds(text: str) -> float:
    start = time.perf_counter()
    refine(text)
    return time.perf_counter() - start


@pytest.mark.parametrize("unit", FAMILIES.values(), ids=list(FAMILIES))
def test_time_grows_with_length(unit: str) -> None:
    """Four times the text takes well under eight times the time: quadratic would take sixteen."""
    many = 16_384 // len(unit)
    small, large = unit * many, unit * many * 4
    for _ in range(5):
        before, after = min(seconds(small) for _ in range(3)), min(seconds(large) for _ in range(2))
        if after < before * 8 or after < 0.02:
            return
    pytest.fail(f"{before:.4f} s became {after:.4f} s")


@pytest.mark.parametrize("unit", ["Q: Who? A: Bob\n", "a", "{", '"question": "a", ', "1. Who? Bob "])
def test_feeding_grows_with_length(unit: str) -> None:
    """Counting pairs while a text grows takes time in proportion to its length, too."""

    def fed(size: int) -> float:
        start = time.perf_counter()
        refiner = Refiner()
        for _ in range(size // len(unit)):
            refiner.feed(unit)
        return time.perf_counter() - start

    for _ in range(5):
        before, after = min(fed(16_384) for _ in range(3)), fed(65_536)
        if after < before * 8 or after < 0.02:
            return
    pytest.fail(f"{before:.4f} s became {after:.4f} s")
