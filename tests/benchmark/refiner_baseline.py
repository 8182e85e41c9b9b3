"""A raw answer comes in; pairs go out, as a stack of regular expressions reads them: what the refiner is measured
against.

It is written anew for the comparison, in the manner of a common parser of such answers: normalise the text with
substitutions, find a heading, split into blocks, search question and answer in each. It is right only on
``Q:``/``A:``.
"""

from __future__ import annotations

import re


def parse(text: str) -> dict[str, object]:
    """The article, and the pairs of the plain layouts."""
    text = re.sub(r"\r\n?", "\n", text or "")
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"^\s*#{1,6}\s*", "", text, flags=re.MULTILINE)
    parts = re.split(
        r"\n\s*(?:Questions?|Q\s*&\s*A|QA|Question[- ]Answer Pairs?)[^\n]*\n", text, maxsplit=1, flags=re.IGNORECASE
    )
    context = parts[0]
    body = parts[1] if len(parts) > 1 else text
    context = re.sub(r"^\s*(?:Wikipedia\s+)?Article\s*:?\s*", "", context, flags=re.IGNORECASE)
    context = re.sub(r"\s+", " ", context).strip()
    pairs: list[dict[str, str]] = []
    for block in re.split(r"\n(?=\s*(?:\d+[.)]\s*)?(?:\*\*)?Q(?:uestion)?\s*\d*\s*[:.])", body, flags=re.IGNORECASE):
        asked = re.search(
            r"Q(?:uestion)?\s*\d*(?:\*\*)?\s*[:.]\s*(?:\*\*)?(.+?)(?=\n|A(?:nswer)?\s*\d*\s*:)",
            block,
            re.IGNORECASE | re.DOTALL,
        )
        answer = re.search(
            r"\bA(?:nswer)?\s*\d*(?:\*\*)?\s*:\s*(?:\*\*)?(.+?)(?=\n\s*\n|\Z)", block, re.IGNORECASE | re.DOTALL
        )
        if asked and answer:
            question = re.sub(r"\s+", " ", re.sub(r"^\W+|\*+", "", asked[1])).strip()
            pairs.append({"question": question, "answer": re.sub(r"\s+", " ", re.sub(r"\*+", "", answer[1])).strip()})
    return {"context": context, "qas": pairs}
