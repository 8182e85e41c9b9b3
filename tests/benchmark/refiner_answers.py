"""A seed comes in; ordinary answers of models go out: an article of two to four kilobytes and five to ten pairs, in the
layouts that models write most.

Rule: no answer is another's copy. Sentences are filled from columns at random, and a layout is a row of a table.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

EACH = 8
"""Answers in each layout."""

SENTENCES = (
    "The {what} was built in {year} by {who}, and it stands {size} metres above the {place}.",
    "It was designed by {who}, who had worked in {city} since {year}, and the foundations were laid that winter.",
    "Visitors came from {city} by boat; in winter the {place} could be cut off for weeks (the record is {count} days).",
    "According to a survey of {year}, the {what} holds {count},{count} objects, among them a {stone} relief.",
    "Its walls are of {stone} quarried near {city}, and its roof was renewed in {year} at a cost of £{count},{count}.",
    "The name comes from an older word for “{place}”, which {who} recorded in {year}.",
    "In the 19th century the {what} was known as the “{stone} crown” of {city}, a phrase coined by {who}.",
    "Restoration began on {count} May {year} and took {size} years, during which the {place} remained open.",
    "Critics such as {who} praised it, while others – notably the architect of the {what} in {city} – did not.",
    "By {year} the population of the surrounding {place} had fallen to {count}, owing to the closure of the mines.",
    "The site has been listed since {year}: it is one of {count} places in the region to be so protected.",
    "Trains stop at {city}, {size} km to the north, and a path leads through the {place} to the gate.",
    "The film made here in {year} was directed by {who}; it drew {count},{count} visitors in a single summer.",
    "A bronze of {who} stands before the {what}, facing the {place}, with the date {year} on its base.",
    "Every year on {count} June a procession leaves {city}, crosses the {place}, and ends at the {what}.",
)
COLUMNS = {
    "what": ["lighthouse", "bridge", "cathedral", "observatory", "market hall", "castle", "monastery", "theatre"],
    "who": [
        "Robert Stevenson",
        "Ana Müller",
        "Sir Edwin Lutyens",
        "José Ferrer",
        "Dr. Ida Noddack",
        "Li Wen",
        "Björn Sæther",
    ],
    "place": ["reef", "harbour", "river valley", "old town", "northern lake", "plateau", "estuary"],
    "city": ["Arbroath", "Kraków", "New Delhi", "São Tomé", "Oslo", "Lisbon", "Nagasaki", "St. Gallen"],
    "stone": ["granite", "red sandstone", "white marble", "limestone", "basalt"],
}
QUESTIONS = (
    ("Who built the structure shown in the image?", "{who}"),
    ("In which year was this building completed?", "{year}"),
    ("Which material was used for the walls of the landmark pictured here?", "{stone}, {stone}"),
    ("How tall is the building in this photo?", "{size}.5 metres"),
    ("In which city did the designer of this structure work before?", "{city}"),
    ("What surrounds the place shown in the picture?", "{place}, {place}"),
    ("How many objects does the collection in this building hold?", "{count},{count}"),
    ("After whom was the statue in front of it made?", "{who}"),
    ("When does the yearly procession to this site take place?", "{count} June"),
    ("What was the cost of the new roof seen here?", "£{count},{count}"),
    ("Who first wrote down the name of the place in the photograph?", "{who}, {who}"),
    ("How far is the nearest station from the building in the image?", "{size} km"),
)
SECTIONS = ("History", "Architecture", "Later years", "Legacy")


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands over the article, between its paragraphs, over the pairs, in each pair, and at the end."""

    article: str
    heading: str
    pair: str
    gap: str = "\n\n"
    sections: bool = False
    closing: str = ""


LAYOUTS = {
    "default prompt": Layout("Article: ", "", "Q{n}: {q}\nA{n}: {a}", gap="\n"),
    "Q1 in bold": Layout("**Wikipedia Article:**\n\n", "**Question-Answer Pairs:**", "**Q{n}:** {q}  \n**A{n}:** {a}"),
    "Q1 in bold, sections": Layout(
        "# {title}\n\n", "## Questions and Answers", "**Q{n}: {q}**\nA{n}: {a}", sections=True
    ),
    "Q1": Layout("### Wikipedia Article\n\n", "### Question Answer Pairs", "Q{n}: {q}\nA{n}: {a}"),
    "Q": Layout("", "", "Q: {q}\nA: {a}"),
    "Question 1 in bold": Layout("**Article**\n\n", "---\n\n**Q&A**", "**Question {n}:** {q}  \n**Answer {n}:** {a}"),
    "on one line": Layout("### Article: {title}\n\n", "### Question Answer Pairs", "**Question:** {q} **Answer:** {a}"),
    "numbered labels": Layout(
        "**Wikipedia Article: {title}**\n\n", "**Question Answer Pairs**", "{n}. **Question:** {q}\n   **Answer:** {a}"
    ),
    "numbered, labelled answers": Layout("## Article\n\n", "## Question-Answer Pairs", "{n}. {q}\n   Answer: {a}"),
    "numbered in bold": Layout("## {title}\n\n", "## Question-Answer Pairs", "{n}. **{q}**\n   - {a}"),
    "a farewell": Layout(
        "**Wikipedia Article**\n\n", "**Question-Answer Pairs**", "**Question {n}:** {q}\n**Answer:** {a}",
        closing="\n\nLet me know if you would like more questions!",
    ),
    "JSON": Layout("", "", ""),
}  # fmt: skip


def ordinary(seed: int = 1) -> dict[str, list[str]]:
    """The answers in each layout."""
    rng = random.Random(seed)
    return {name: [_render(layout, rng) for _ in range(EACH)] for name, layout in LAYOUTS.items()}


def _render(layout: Layout, rng: random.Random) -> str:
    prose = _article(rng, sections=layout.sections)
    chosen = rng.sample(QUESTIONS, rng.randint(5, 10))
    pairs = [(question, _fill(answer, rng)) for question, answer in chosen]
    if not layout.pair:
        value = {"article": prose, "qa_pairs": [{"question": question, "answer": answer} for question, answer in pairs]}
        return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"
    title = f"The {rng.choice(COLUMNS['what'])} of {rng.choice(COLUMNS['city'])}".title()
    body = layout.gap.join(layout.pair.format(n=at, q=asked, a=said) for at, (asked, said) in enumerate(pairs, 1))
    parts = (layout.article.format(title=title) + prose, layout.heading, body)
    return "\n\n".join(filter(None, parts)) + layout.closing


def _article(rng: random.Random, *, sections: bool) -> str:
    """Paragraphs of three to six sentences, two to four kilobytes in all."""
    size = rng.randint(2000, 4000)
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < size:
        sentences = rng.sample(SENTENCES, rng.randint(3, 6))
        head = f"## {rng.choice(SECTIONS)}\n\n" if sections and len(paragraphs) % 2 else ""
        paragraphs.append(head + " ".join(_fill(sentence, rng) for sentence in sentences))
    return "\n\n".join(paragraphs)


def _fill(template: str, rng: random.Random) -> str:
    """A template with a word from its column in each place."""
    numbers = {"year": rng.randint(1400, 2020), "count": rng.randint(100, 999), "size": rng.randint(2, 99)}
    return template.format(**{name: rng.choice(words) for name, words in COLUMNS.items()}, **numbers)
