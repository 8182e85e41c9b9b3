"""Answers rendered from a grammar of layouts: whatever the layout, the article and the pairs that went in come
back out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from contextvqa_async.refiner import refine
from contextvqa_async.refiner.languages import LANGUAGES
from contextvqa_async.refiner.lines import Line
from contextvqa_async.refiner.reading import read_lines
from contextvqa_async.refiner.scanner import Scanner, choose
from contextvqa_async.refiner.unwrap import unwrap

PROSE = (
    "The lighthouse was built in 1812 by Robert Stevenson, and it stands 35.3 metres above the reef. "
    "Its lamp was lit on 1 February.",
    "Early keepers rowed eleven miles for supplies; in winter they could be cut off for weeks (the record is 73 days). "
    "Bread was baked twice.",
    "Questions were raised about its cost, which came to £61,331, and about the stone, a grey granite from Aberdeen. "
    "None was answered.",
    "Q&A sessions are held at the Signal Tower Museum in Arbroath each May. "
    "Visitors ask how 2,835 blocks were dovetailed without mortar.",
    "Answer Bay, a cove named after a ship, lies to the north. "
    "The light can be seen for 18 nautical miles, as a rule: one flash in 5 s.",
)
QUESTIONS = (
    "Who built the tower in the image?",
    "Which stone was used for the structure shown?",
    "How many blocks does the pictured tower have?",
    "What does the light in this photo do every 5 seconds?",
    "How far can the lamp of the building shown be seen?",
    "At which museum are sessions on the landmark held?",
    "What was the cost of the tower pictured here?",
    "When was the lamp of this lighthouse first lit?",
)
SAID = (
    "Robert Stevenson|granite|2,835|flash, turn|18 nautical miles|£61,331|1 February 1812|35.3 metres|St. Abb's Head"
    "|5 s|bread, water, oil|snake_case|10:30 a.m.|the Signal Tower|no one|3/4"
)
ANSWERS = SAID.split("|")


@dataclass(slots=True)
class Layout:
    """How one answer is written."""

    asked: str = "Question"
    said: str = "Answer"
    article: str = "Article"
    numbered: bool = True
    bold: str = "none"  # none, label, line
    item: str = ""  # what stands before each question: "1. ", "- "
    sign: str = ": "
    between: str = "\n"
    gap: str = "\n\n"
    label: str = "bold"  # how the article's label is written
    head: str = "**Question-Answer Pairs**"
    wrapper: str = ""
    opening: str = ""
    closing: str = ""
    shape: str = "labels"  # labels, numbered, key, table, json, bold, xml, arrows
    breaks: str = "\n"


ROWS = [row for name, row in LANGUAGES.items() if name != "Thai"]  # no spaces: capitals and colons differ


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """A layout drawn at random."""
    row = draw(st.sampled_from(ROWS))
    english = LANGUAGES["English"]
    words = draw(st.sampled_from([row, english, english]))
    return Layout(
        asked=words.question.split("|")[0].capitalize() if draw(st.booleans()) or words is not english else "Q",
        said=words.answer.split("|")[0].capitalize() if words is not english else "",
        article=draw(st.sampled_from(words.article.split("|")[:4])).capitalize(),
        numbered=draw(st.booleans()),
        bold=draw(st.sampled_from(["none", "label", "line"])),
        item=draw(st.sampled_from(["", "", "N. ", "N) ", "- ", "* ", "### "])),
        sign=draw(st.sampled_from([": ", ": ", " : ", "："])),
        between=draw(st.sampled_from(["\n", "\n", "\n\n", " ", "\n   ", "  \n"])),
        gap=draw(st.sampled_from(["\n\n", "\n\n", "\n", "\n\n\n", "\n\n---\n\n"])),
        label=draw(st.sampled_from(["bold", "head", "plain", "none", "titled"])),
        head=draw(
            st.sampled_from(["**Question-Answer Pairs**", "## Questions and Answers", "Q&A:", "### QA Pairs", ""])
        ),
        wrapper=draw(st.sampled_from(["", "", "", "fence", "think", "close", "box"])),
        opening=draw(
            st.sampled_from(["", "", "Sure! Here is the article and the question-answer pairs you asked for:"])
        ),
        closing=draw(
            st.sampled_from(["", "", "Let me know if you need more questions!", "I hope these pairs are helpful."])
        ),
        shape=draw(
            st.sampled_from(["labels"] * 6 + ["numbered", "key", "table", "json", "bold", "xml", "arrows", "bullets"])
        ),
        breaks=draw(st.sampled_from(["\n", "\n", "\r\n"])),
    )


def labelled(layout: Layout, at: int, question: str, answer: str) -> str:
    """One pair with labels."""
    said = layout.said or ("A" if layout.asked == "Q" else "Answer")
    number = f"{'' if layout.asked == 'Q' else ' '}{at}" if layout.numbered else ""
    item = layout.item.replace("N", str(at))
    asked, told = f"{layout.asked}{number}{layout.sign}", f"{said}{number}{layout.sign}"
    if layout.bold == "label":
        asked, told = (f"**{word.rstrip()}** " for word in (asked, told))
    between = "\n" if item == "### " and layout.between == " " else layout.between
    if layout.bold == "line":
        return f"{item}**{asked}{question}**{between}{told}{answer}"
    return f"{item}{asked}{question}{between}{told}{answer}"


def render_pairs(layout: Layout, pairs: list[tuple[str, str]]) -> str:
    """All pairs, in the shape of the layout."""
    numbered = list(enumerate(pairs, 1))
    match layout.shape:
        case "numbered":
            return "\n\n".join(f"{at}. {question}\n{answer}" for at, (question, answer) in numbered)
        case "arrows":
            return "\n".join(f"{at}. {question} → {answer}" for at, (question, answer) in numbered)
        case "bullets":
            return "\n\n".join(f"{at}. **{question}**\n   - {answer}" for at, (question, answer) in numbered)
        case "bold":
            return "\n\n".join(f"**{question}**\n{answer}" for question, answer in pairs)
        case "key":
            asked = "\n".join(f"{at}. {question}" for at, (question, _) in numbered)
            return f"{asked}\n\n### Answers\n\n" + "\n".join(f"{at}. {answer}" for at, (_, answer) in numbered)
        case "table":
            rows = "\n".join(f"| {at} | {question} | {answer} |" for at, (question, answer) in numbered)
            return f"| # | Question | Answer |\n|---|---|---|\n{rows}"
        case "xml":
            return "\n".join(
                f"<qa><question>{question}</question><answer>{answer}</answer></qa>" for question, answer in pairs
            )
    return layout.gap.join(labelled(layout, at, *pair) for at, pair in numbered)


def render(layout: Layout, prose: list[str], pairs: list[tuple[str, str]]) -> str:
    """The whole answer."""
    if layout.shape == "json":
        qas = [{"question": question, "answer": answer} for question, answer in pairs]
        text = json.dumps({"article": "\n\n".join(prose), "qa_pairs": qas}, indent=2, ensure_ascii=False)
        return wrap(layout, f"```json\n{text}\n```" if layout.wrapper == "fence" else text)
    label = {
        "bold": f"**{layout.article}:**\n\n",
        "head": f"## {layout.article}\n\n",
        "plain": f"{layout.article}:\n\n",
        "none": "",
        "titled": "# The Bell Rock Lighthouse\n\n",
    }[layout.label]
    bare = layout.shape in {"numbered", "bold", "arrows", "bullets", "key"} and not layout.head
    head = "## Questions" if bare else layout.head
    parts = [layout.opening, label + "\n\n".join(prose), head, render_pairs(layout, pairs), layout.closing]
    return wrap(layout, "\n\n".join(part for part in parts if part))


def wrap(layout: Layout, text: str) -> str:
    """The answer in what models put around it."""
    if layout.wrapper == "fence" and layout.shape != "json":
        text = f"```markdown\n{text}\n```"
    elif layout.wrapper == "think":
        text = f"<think>\nI draft.\n\nQ: what?\nA: no\n</think>\n\n{text}"
    elif layout.wrapper == "close":
        text = f"Let me think. Q1: is it a tower?\n</think>\n{text}"
    elif layout.wrapper == "box":
        text = f"<|begin_of_box|>{text}<|end_of_box|>"
    return text.replace("\n", layout.breaks)


PAIRS = st.lists(
    st.tuples(st.sampled_from(QUESTIONS), st.sampled_from(ANSWERS)),
    min_size=2,
    max_size=7,
    unique_by=lambda pair: pair[0],
)
ARTICLES = st.lists(st.sampled_from(PROSE), min_size=2, max_size=4, unique=True)


@settings(max_examples=500, deadline=None)
@given(layouts(), ARTICLES, PAIRS)
def test_what_is_rendered_is_read(layout: Layout, prose: list[str], pairs: list[tuple[str, str]]) -> None:
    """The article and the pairs of an answer in any layout come back, word for word."""
    raw = render(layout, prose, pairs)
    refined = refine(raw)
    assert [(pair.question, pair.answer) for pair in refined.qas] == pairs, raw
    assert refined.context == " ".join(prose), raw


@settings(max_examples=200, deadline=None)
@given(layouts(), ARTICLES, PAIRS, st.floats(0, 1))
def test_a_cut_answer_keeps_its_complete_pairs(
    layout: Layout, prose: list[str], pairs: list[tuple[str, str]], share: float
) -> None:
    """An answer cut anywhere holds the first of its pairs, the last of them perhaps with a part of its answer."""
    if layout.shape in {"key", "xml"} or layout.wrapper in {"think", "close"}:
        return
    raw = render(layout, prose, pairs)
    start = max(raw.find(question) for question, _ in pairs[:1])
    refined = refine(raw[: start + int((len(raw) - start) * share)])
    read = [(pair.question, pair.answer) for pair in refined.qas]
    whole = read[:-1]
    assert whole == pairs[: len(whole)], raw
    if read:
        question, answer = pairs[len(whole)] if len(whole) < len(pairs) else ("", "")
        assert read[-1][0] == question
        assert answer.startswith(read[-1][1].rstrip("*_ `")), raw


@settings(max_examples=200, deadline=None)
@given(layouts(), ARTICLES, PAIRS)
def test_the_fast_path_reads_what_reading_line_by_line_does(
    layout: Layout, prose: list[str], pairs: list[tuple[str, str]]
) -> None:
    """The shortcut for plain labelled pairs changes nothing."""
    text = unwrap(render(layout, prose, pairs))
    found = [pairs_of(list(read_lines(text, fast=fast))) for fast in (True, False)]
    assert found[0] == found[1]


def pairs_of(lines: list[Line]) -> list[tuple[str, str]]:
    """Questions and answers in lines."""
    regions = choose(Scanner(lines).regions(), lines)
    return [(asked.question, asked.answer) for region in regions for asked in region.pairs]
