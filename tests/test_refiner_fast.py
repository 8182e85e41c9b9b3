"""The refiner's fast path against its reading line by line: where it answers at all, it answers alike."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from benchmark.refiner_answers import LAYOUTS, ordinary
from hypothesis import given, settings
from hypothesis import strategies as st
from test_refiner import FILES, RAWS, shared
from test_refiner_grammar import ARTICLES, PAIRS, Layout, layouts, render

import contextvqa_async.refiner as package
from contextvqa_async.items import Refined
from contextvqa_async.refiner.fast import read_fast
from contextvqa_async.refiner.reading import read
from contextvqa_async.refiner.refinement import refined
from contextvqa_async.refiner.unwrap import unwrap

ROOT = Path(package.__file__).parent


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.stem)
def test_the_fast_path_has_one_door(path: Path) -> None:
    """No file of the refiner imports from the fast path's modules, but only from the package."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
    assert not [node.module for node in nodes if "refiner.fast." in (node.module or "")]


def both(text: str) -> tuple[Refined | None, Refined]:
    """What the fast path reads in a text, and what reading it line by line, without any shortcut, does."""
    seen = read_fast(text) or (read(text) if "{" in text else read_fast(unwrap(text)))
    slowly = read(text, fast=False)
    if seen:
        assert refined(text, seen, keep_paragraphs=True) == refined(text, slowly, keep_paragraphs=True), text
    return refined(text, seen) if seen else None, refined(text, slowly)


def alike(text: str) -> bool:
    """Assert that the fast path, if it answers, reads what reading line by line does; whether it answered."""
    seen, read_slowly = both(text)
    assert seen in {None, read_slowly}, text
    return seen is not None


@pytest.mark.parametrize("raw", RAWS, ids=[path.stem for path in FILES])
def test_cases(raw: str) -> None:
    """A case file is read alike both ways."""
    alike(raw)


@pytest.mark.parametrize(("raw", "gold"), shared())
def test_shared_cases(raw: str, gold: object) -> None:
    """An answer from outside is read alike both ways."""
    alike(raw)


@pytest.mark.parametrize("name", LAYOUTS)
def test_ordinary_answers(name: str) -> None:
    """An ordinary answer takes the fast path, and is read alike both ways."""
    assert name == "JSON" or all(list(map(alike, ordinary(2)[name])))


@settings(max_examples=300, deadline=None)
@given(layouts(), ARTICLES, PAIRS)
def test_layouts(layout: Layout, prose: list[str], pairs: list[tuple[str, str]]) -> None:
    """An answer in any layout is read alike both ways."""
    alike(render(layout, prose, pairs))


ORDINARY = [text for texts in ordinary(3).values() for text in texts[:3]]
SPLINTERS = [
    *(": ", ": A. ", "Q. ", "question 3. ", ": 10", "*", "**", "_", "$5 ", "(a) ", ") ", "? ", "?", "！", "\n", "\n\n"),
    *("\n---\n", "A: ", "Q: ", "Answer ", "Questions\n", "## ", " - ", "- ", "1. ", "2) ", "→ ", "|", ", ", "“", '"'),
    *(
        "'",
        ".",
        ";",
        "：",
        "问",
        "答：",
        "the answer",
        "Article: ",
        "Note: ",
        "The article ",
        "Sure! ",
        "A ",
        "Step 1: ",
    ),
    *(
        "I hope ",
        "é",
        "\u202f",
        "\t",
        "  ",
        "**Q&A**\n",
        "Q&A",
        "&amp;",
        "The ",
        '"""',
        "\\",
        "Bob",
        "99 ",
        '"""',
        "\\",
        "Article: ",
    ),
]


@settings(max_examples=1000, deadline=None)
@given(
    st.sampled_from(ORDINARY + RAWS),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(SPLINTERS), st.integers(0, 3)), min_size=1, max_size=4),
)
def test_splinters(text: str, splinters: list[tuple[float, str, int]]) -> None:
    """An answer with splinters of marks, labels and words anywhere in it is read alike both ways."""
    for where, splinter, over in splinters:
        at = int(where * len(text))
        text = text[:at] + splinter + text[at + over :]
    alike(text)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(ORDINARY),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(SPLINTERS), st.integers(0, 3)), min_size=1, max_size=3),
)
def test_splintered_lines(text: str, splinters: list[tuple[int, str, int]]) -> None:
    """An answer with splinters where lines begin, and where they end, is read alike both ways."""
    for line, splinter, over in splinters:
        starts = [at for at, char in enumerate(text) if char == "\n" and at + 1 < len(text)]
        at = starts[-(line // 2) % len(starts)] + (line % 2)
        text = text[:at] + splinter + text[at + over * (line % 2) :]
    alike(text)
