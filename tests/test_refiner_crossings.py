"""The refiner against crossings: each way of writing pairs with each odd question, answer, language and article."""

from __future__ import annotations

import itertools
import re

import pytest

from contextvqa_async.refiner import refine
from contextvqa_async.refiner.languages import LANGUAGES, Language

PROSE = (
    "The lighthouse was lit in 1811 by the keepers of the northern lights, who rowed eleven miles for every supply, "
    "and it stands on the reef to this day. Its walls are of red granite."
)

ONE_LINE = (
    *("Q: {q} A: {a}", "Question: {q} Answer: {a}", "**Q:** {q} **A:** {a}", "{n}. Q: {q} A: {a}", "{n}. {q} A: {a}"),
    *(
        "{n}. {q} **{a}**",
        "- **{q}** {a}",
        "{n}. {q} ({a})",
        "{n}. {q} → {a}",
        "{n}. {q} - {a}",
        "- {q} **Answer:** {a}",
    ),
)
TWO_LINES = ("Q{n}: {q}\nA{n}: {a}", "{n}. {q}\n   {a}", "{n}. **{q}**\n- {a}", "**{q}**\n{a}", "### {q}\n{a}")


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("written", ONE_LINE + TWO_LINES)
def test_a_command_among_questions_is_a_question(written: str, place: int) -> None:
    """A question without a question mark is told by how its neighbours are written, wherever it stands."""
    pairs = [("Who built it?", "Bob Ray"), ("Where is it?", "Norway"), ("When was it lit?", "1811")]
    pairs.insert(place, ("Name the stone used for its walls.", "red granite"))
    text = "\n".join(written.format(n=at, q=asked, a=said) for at, (asked, said) in enumerate(pairs, 1))
    read = refine(f"{PROSE}\n\n**Question-Answer Pairs:**\n\n{text}")
    assert [(pair.question, pair.answer) for pair in read.qas] == pairs
    assert read.context == PROSE


ODD_ANSWERS = (
    *("A", "Q", "3", "I", "Answer", "Notes", "Article 5", "Part 2", "S.O.S.", "U.S.", "Dr. No", "J. K. Rowling"),
    *("10:30 a.m.", "–40 °C", "$5 million", "3.5 km", "1,200", "Who's Who", "Question Time", '"The Reef"', "R&D"),
    *("C++", "http://a.org/b", "24 (two dozen)", "Yes", "None", "左右"),
)


@pytest.mark.parametrize("answer", ODD_ANSWERS)
@pytest.mark.parametrize("written", ONE_LINE + TWO_LINES)
def test_an_answer_may_look_like_something_else(written: str, answer: str) -> None:
    """Words that are labels, numbers, initials or signs elsewhere are an answer where one is due."""
    pairs = [("Who built it?", "Bob Ray"), ("What is written there?", answer), ("When was it lit?", "1811")]
    text = "\n\n".join(written.format(n=at, q=asked, a=said) for at, (asked, said) in enumerate(pairs, 1))
    read = refine(f"{PROSE}\n\n**Question-Answer Pairs:**\n\n{text}")
    assert [(pair.question, pair.answer) for pair in read.qas] == pairs


@pytest.mark.parametrize(
    "written", ["{q}: {ask} {a}: {say}", "{q}: {ask}\n{a}: {say}", "### {q} 1\n{ask}\n\n**{a}:** {say}"]
)
@pytest.mark.parametrize("row", LANGUAGES.values(), ids=list(LANGUAGES))
def test_every_label_of_a_language_is_read(row: Language, written: str) -> None:
    """Each word for a question, with each for an answer, labels a pair on one line, on two, and under a heading."""
    for asked, said in itertools.product(row.question.split("|"), row.answer.split("|")):
        if asked in {"user", "human", "prompt question"} or said == "assistant" or said.endswith(" is"):
            continue
        pair = written.format(q=asked.capitalize(), a=said.capitalize(), ask="Who built it?", say="Bob Ray")
        read = refine("\n\n".join((PROSE, pair, pair, pair)))
        assert [(pair.question, pair.answer) for pair in read.qas] == [("Who built it?", "Bob Ray")] * 3, pair


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
@pytest.mark.parametrize("written", ["A{n}: {a}\nQ{n}: {q}", "**Answer:** {a}\n**Question:** {q}"])
def test_answers_before_their_questions(written: str, gap: str) -> None:
    """Where every answer stands before its question, none goes to the question before it."""
    pairs = [("Who built it?", "Bob Ray"), ("Where is it?", "Norway"), ("When was it lit?", "1811")]
    text = gap.join(written.format(n=at, q=asked, a=said) for at, (asked, said) in enumerate(pairs, 1))
    read = refine(f"{PROSE}\n\n**Question-Answer Pairs:**\n\n{text}")
    assert [(pair.question, pair.answer) for pair in read.qas] == pairs
    assert read.context == PROSE


UNKNOWN = (
    *("Zork: {q}\nBlim: {a}", "**Zork:** {q}\n**Blim:** {a}", "*   **Z:** {q}\n    *   **B:** {a}"),
    *("Zork {n}: {q}\nBlim {n}: {a}", "**Zork {n}:** {q}\n**Blim {n}:** {a}", "**Zork {n}**: {q}\n**Blim**: {a}"),
    *(
        "**Zork {n}.** {q}\n**Blim.** {a}",
        "Z{n}: {q}\nB{n}: {a}",
        "Z{n}. {q}\nB{n}. {a}",
        "Zork {n}) {q}\nBlim {n}) {a}",
    ),
    *("Zork la {n}: {q}\nBlim: {a}", "Zork č. {n}: {q}\nBlim: {a}", "Zork {n} – {q}\nBlim {n} – {a}"),
    *("[Zork {n}] {q}\n[Blim {n}] {a}", "【Zork】{q}\n【Blim】{a}", "Zork({n}): {q}\nBlim({n}): {a}"),
    *("**Zork {n}:**\n{q}\n\n**Blim {n}:**\n{a}", "### Zork {n}\n{q}\n\n**Blim:** {a}"),
    *(
        "{n}. Zork: {q}\n   Blim: {a}",
        "{n}. {q}\n   Blim: {a}",
        "{n}. {q}\nBlim: {a}",
        "{n}. **{q}**\n   **Blim:** {a}",
    ),
    *("- {q}\n- Blim: {a}", "{n}. {q} Blim: {a}", "{n}. {q} (Blim: {a})", "Zork: {q} Blim: {a}"),
    *("**Zork {n}:** {q} **Blim {n}:** {a}", "Question {n}: {q}\nBlim {n}: {a}", "Zork {n}: {q}\nAnswer {n}: {a}"),
    *("Question {n}: {q}\nAnswer: {a}\nSnark: easy", "Zork {n}: {q}\nBlim: {a}\nSnark: easy"),
)
"""Ways of writing pairs in a language of which no table here has a word."""


@pytest.mark.parametrize(
    "heading", ["", "## Zorks en Blims", "**Zorks en Blims:**", "Zorks en Blims", "Zorks en Blims:"]
)
@pytest.mark.parametrize("written", UNKNOWN)
def test_an_unknown_language_teaches_its_labels(written: str, heading: str) -> None:
    """What labels a question, an answer or a remark is told by its place where its word is unknown."""
    pairs = [("Who built it?", "Bob Ray"), ("Where is it?", "Norway"), ("When was it lit?", "1811")]
    text = "\n\n".join(written.format(n=at, q=asked, a=said) for at, (asked, said) in enumerate(pairs, 1))
    read = refine("\n\n".join(filter(None, (PROSE, heading, text))))
    assert [(pair.question, pair.answer) for pair in read.qas] == pairs
    assert read.context == PROSE


def test_remarks_that_turn_out_to_be_prose_keep_their_words_and_get_no_others() -> None:
    """What is taken for a label and is none is the article's, word for word but for the label's."""
    pairs = "Q: Who built it?\nA: Bob\nSnark: easy\n\nQ: Where is it?\nA: Norway\nSnark: hard"
    read = refine(f"{PROSE}\n\n{pairs}\n\nSnark: odd words.")
    assert len(read.qas) == 2
    assert "Note" not in read.context


def test_a_table_in_an_unknown_language_is_told_by_the_column_that_asks() -> None:
    """A header that no table here knows is none of the pairs, and none of the article's words."""
    read = refine(f"{PROSE}\n\n| Zork | Blim |\n|---|---|\n| Who built it? | Bob Ray |\n| Where is it? | Norway |")
    assert [(pair.question, pair.answer) for pair in read.qas] == [
        ("Who built it?", "Bob Ray"),
        ("Where is it?", "Norway"),
    ]
    assert read.context == PROSE


MORE = (
    "It is still in use, and its walls are of red granite that was quarried near the town of Aberdeen; the lamp "
    "is said to be seen from a distance of thirty miles."
)
FRAMES = (
    "Article:\n\n{art}\n\nQuestion-Answer Pairs:\n\n{pairs}",
    "## Wikipedia Article\n\n{art}\n\n## Question-Answer Pairs\n\n{pairs}",
    "**Article**\n{art}\n\n**Q&A**\n{pairs}",
    "{art}\n\n---\n\n{pairs}",
    "{art}\n\n{pairs}",
)
DECOYS = (
    "Questions were raised about its cost in 1812, and the answers of the engineer were printed in The Times.",
    "Q&A sessions with the keepers are held every Sunday, and visitors may ask anything.",
    "Answer: the Call is a song about the tower, recorded in 1999 by a local band of fishermen.",
    "Question Time was filmed there once, with an audience of forty fishermen and their families.",
    '"Who lit the lamp?" asked the king. "I did," said the boy, and he was given a medal for it.',
    "The keepers had three rules:\n\n1. Never leave the lamp.\n2. Never sleep on watch.\n3. Never row alone.",
    "The light shows:\n\n- two white flashes\n- one red flash\n- a pause of ten seconds",
    "A famous riddle goes: What stands in the sea and never drowns? The answer is the tower itself.",
    "Notes: the tower was painted white in 1901, and red in 1955, after a vote of the harbour board.",
    "Height: 35 metres\nBuilt: 1811\nArchitect: Robert Stevenson",
    "## Questions of ownership\n\nThe Crown and the town both claimed the rock, and the courts decided for the town.",
    "## History\n\nThe first tower was of wood, and it burned down in 1755 after a spark fell on the roof.",
    '> "No light shines as far," wrote Scott in 1814, after he had visited the rock with the commissioners.',
    "What made the tower famous was a film. Why it was shot there nobody knows, but it drew crowds.",
    "In 1990, Q: Are We Not Men? was played on the rock by the band. A: We Are Devo! was its sequel.",
    "Article 5 of the treaty gave the rock to the town. Article 6 gave it a lamp.",
    "| Year | Colour |\n|---|---|\n| 1901 | white |\n| 1955 | red |",
    "---\n\nIts lamp was changed in 1988, when the last keepers left and a machine took over their work.",
    "Part 1: the tower. It was built first, of stone, by forty men who lived on a ship.",
    "A. A. Milne visited it in 1926, and E. H. Shepard drew it in the same year for a magazine.",
    "Text: the inscription over the door says that the light was lit for the good of all sailors.",
    "Mara: What did you see?\nJohn: A light.\n\nMara: When was that?\nJohn: In 1811.",
    "1811: the lamp is lit. 1850: the courts decide. 1988: the keepers leave the tower for good.",
)
"""Parts of an article that look like pairs, labels, headings, lists or tables."""


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("decoy", DECOYS, ids=lambda decoy: decoy[:20])
def test_a_decoy_in_an_article_is_prose(decoy: str, frame: str) -> None:
    """What looks like pairs amid an article is the article's, however the pairs are written."""
    pairs = [("Who built it?", "Bob Ray"), ("Where is it?", "Norway"), ("When was it lit?", "1811")]
    for written in ("Q: {q} A: {a}", "Q{n}: {q}\nA{n}: {a}", "{n}. **{q}**\n- {a}", "{n}. {q} → {a}"):
        text = "\n\n".join(written.format(n=at, q=asked, a=said) for at, (asked, said) in enumerate(pairs, 1))
        read = refine(frame.format(art=f"{PROSE}\n\n{decoy}\n\n{MORE}", pairs=text))
        assert [(pair.question, pair.answer) for pair in read.qas] == pairs, written
        assert read.context == " ".join((PROSE, _words(decoy), MORE)), written


def _words(decoy: str) -> str:
    """A decoy without its marks."""
    bare = re.sub(r"^(?:[#>]+|-) |^-{3,}$|\|[-|]+\|", "", decoy, flags=re.MULTILINE)
    return " ".join(bare.replace("|", " ").split())
