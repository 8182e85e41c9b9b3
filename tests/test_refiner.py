"""The refiner against cases written by hand: files in ``cases/refiner``, each a raw answer, a rule, and what is in
it.
"""

from __future__ import annotations

import doctest
import importlib
import itertools
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contextvqa_async.refiner as package
from contextvqa_async.items import Refined
from contextvqa_async.refiner import Refiner, refine
from contextvqa_async.refiner.languages import LANGUAGES, Language

CASES = Path(__file__).parent / "cases" / "refiner"
SHARED = Path(__file__).parents[2] / "shared" / "refiner-cases.jsonl"
RULE = "\n======== expected ========\n"


def read_case(path: Path) -> tuple[str, dict[str, Any]]:
    """A case's raw text and what is expected of it."""
    raw, _, expected = path.read_bytes().decode().rpartition(RULE)
    return raw, json.loads(expected)


FILES = sorted(CASES.rglob("*.txt"))
RAWS = [read_case(path)[0] for path in FILES]


def same(refined: Refined, expected: dict[str, Any]) -> None:
    """Assert that article and pairs are exactly the expected ones."""
    assert refined.as_dict()["qas"] == expected["qas"]
    assert " ".join(refined.context.split()) == " ".join(expected["context"].split())


def test_cases_are_there() -> None:
    """The case files are found, and they are many."""
    assert len(FILES) >= 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """The article and every pair of a case are read exactly."""
    raw, expected = read_case(path)
    same(refine(raw), expected)


def shared() -> list[Any]:
    """The answers kept outside this repository, if they are there."""
    if not SHARED.exists():
        reason = "../shared/refiner-cases.jsonl is not here"
        return [pytest.param("", {}, id="shared-cases", marks=pytest.mark.skip(reason=reason))]
    rows = map(json.loads, SHARED.read_text(encoding="utf-8").splitlines())
    return [pytest.param(row["raw"], row["gold"], id=row["id"]) for row in rows]


@pytest.mark.parametrize(("raw", "gold"), shared())
def test_shared_case(raw: str, gold: dict[str, Any]) -> None:
    """The article and every pair of an answer from outside are read exactly."""
    same(refine(raw), gold)


@pytest.mark.parametrize("row", LANGUAGES.values(), ids=list(LANGUAGES))
@pytest.mark.parametrize("colon", [": ", "： ", " : "])
def test_every_language_has_its_labels(row: Language, colon: str) -> None:
    """Each row's words for question and answer are labels, alone and numbered."""
    asked, answer = (field.split("|")[0].capitalize() for field in (row.question, row.answer))
    for number in ("", " 1"):
        pairs = refine(f"{asked}{number}{colon}¿Xyz?\n{answer}{number}{colon}Abc").qas
        assert [(pair.question, pair.answer) for pair in pairs] == [("¿Xyz?", "Abc")]


@pytest.mark.parametrize("row", LANGUAGES.values(), ids=list(LANGUAGES))
def test_every_language_has_its_article_label(row: Language) -> None:
    """Each row's words for an article are dropped where they stand over it."""
    for word in row.article.split("|"):
        assert refine(f"**{word.capitalize()}:**\n\nXyz abc.\n\nQ: Uvw?\nA: rst").context == "Xyz abc.", word


def test_paragraphs_are_kept_on_demand() -> None:
    """keep_paragraphs keeps a blank line between paragraphs, and only there."""
    text = "## Article\n\nOne\nline.\n\nTwo lines.\n\nQ: Who?\nA: Bob"
    assert refine(text, keep_paragraphs=True).context == "One line.\n\nTwo lines."
    assert refine(text).context == "One line. Two lines."


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("Just prose about owls.", "no_pairs"),
        ("Q: Who?\nA: Bob", "no_context"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("Owls.\n\nQ: Who?\nA: Bob\n\nQ: Where?", "unanswered_question"),
        ("Owls.\n\nQ: Who?\nA: Bob\n\nI hope this helps!", "text_after_pairs"),
        ("Owls.\n\nQ: Who?\nA: Bob\n\nQ: Who?\nA: Bob", "repeated_pairs"),
        ('{"article": "Owls are', "truncated"),
    ],
)
def test_warnings(text: str, warning: str) -> None:
    """What was odd about an answer is told in words that can be counted."""
    assert warning in refine(text).warnings


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("Q: Who?\nA: Bob", "labels"),
        ("**Questions**\n\n1. Who?\nBob", "numbered"),
        ("**Questions**\n\n- Who? Bob", "bullets"),
        ("**Who is it?**\nBob\n\n**Where is it?**\nOslo", "bold"),
        ("| Question | Answer |\n|---|---|\n| Who? | Bob |", "table"),
        ('[{"question": "Who?", "answer": "Bob"}]', "json"),
        ("Owls.", "no pairs"),
        ("", "empty"),
    ],
)
def test_layout_is_named(text: str, layout: str) -> None:
    """Refined tells how the pairs were written."""
    assert refine(text).layout == layout


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RAWS), st.lists(st.integers(0, 4000), max_size=12))
def test_cuts_change_nothing(raw: str, cuts: list[int]) -> None:
    """Feeding in any cuts gives what feeding the whole gives."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    refiner = Refiner()
    for start, stop in itertools.pairwise(edges):
        refiner.feed(raw[start:stop])
    assert refiner.close() == refine(raw)


@pytest.mark.parametrize("tail", ["", ","])  # the second is no valid JSON, and read leniently
def test_halves_of_characters_are_joined_or_replaced(tail: str) -> None:
    """What is read out of JSON can be written as JSON again."""
    owl, half = "\\ud83e\\udd89", "\\ud83e"
    pair = f'{{"question": "Who {owl}?", "answer": "Bob {half}"}}'
    refined = refine(f'{{"context": "The owl {owl} lives {half} here.", "qas": [{pair}{tail}]}}')
    assert refined.context == "The owl \N{OWL} lives \ufffd here."
    assert [(pair.question, pair.answer) for pair in refined.qas] == [("Who \N{OWL}?", "Bob \ufffd")]


def test_stream_counts_pairs() -> None:
    """While an answer grows, the count does not run ahead of it, but where the article quotes pairs of its own, and
    misses no more than the pair still open."""
    ahead = behind = 0
    for raw in RAWS:
        refiner = Refiner()
        counts = [refiner.feed(char) for char in raw]
        pairs = len(refiner.close().qas)
        ahead += bool(counts) and counts[-1] > pairs + 1
        behind += bool(counts) and counts[-1] < pairs - 1
    assert ahead <= len(RAWS) * 0.01
    assert behind <= len(RAWS) * 0.15


SIGNS = (
    '\n|\n\n|**|*|_|Q: |A: |**Q1:** |Answer: |1. |- |# |`|```|{|}|[|]|"|\\|<think>|</think>|<q>|</q>|?|？'
    "|问：|答：|$|(|)"
    '|&amp;|:|---\n|Questions\n|Article:\n|, |{"question": "|", "answer": "|word |Who is it? |\t|\r\n|\u200f|１．|①'
    "|<details>|<li>|</a>|<ol><li>|</ol>|\nZork: |\nBlim 1: |\nSnark: |\n; |A | "
)
MARKS = st.sampled_from(SIGNS.split("|"))
PIPES = st.sampled_from(["|", "| a | b |\n", "<!--"])


@settings(max_examples=400, deadline=None)
@given(st.lists(MARKS | PIPES | st.text(max_size=6), max_size=60).map("".join))
def test_no_text_raises(text: str) -> None:
    """Whatever the text, an article and pairs come out, and every pair has both its parts."""
    refined = refine(text)
    assert all(pair.question and pair.answer and "\n" not in pair.question + pair.answer for pair in refined.qas)


WORDS = st.lists(
    st.sampled_from(
        [
            *("Q:", "A:", "1.", "who", "is", "it?", "Bob", "**", "-", "\n", "\n\n", "Answer:", "Questions", ":"),
            *("Zork:", "Blim:", "\nZork 1:", "\nBlim 1:", "\nSnark:", "<ol>", "<li>", "</ol>", "<note>", "</note>"),
        ]
    ),
    max_size=50,
)


@settings(max_examples=400, deadline=None)
@given(WORDS.map(" ".join))
def test_nothing_is_invented(text: str) -> None:
    """The words of the article, and of each pair's parts, stand in the raw text, in order."""
    refined = refine(text)
    for words in (refined.context, *(part for pair in refined.qas for part in (pair.question, pair.answer))):
        rest = iter(text.split())
        bare = [word.strip(",*") for word in words.split()]
        assert all(any(word in raw for raw in rest) for word in bare if re.search(r"\w", word)), (
            words,
            text,
        )


def test_docstrings_are_true() -> None:
    """The examples in the refiner's docstrings run."""
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert not result.failed, module.name
    assert not doctest.testmod(package).failed
