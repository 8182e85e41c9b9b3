"""Questions and answers as they were collected come in; finished pairs go out, each one line of words.

Rule: only what belongs to the layout is taken off: quotes or brackets around most of the column, a number that
repeats the label's, a remark in brackets behind the answer.
"""

from __future__ import annotations

from contextvqa_async.items import Pair
from contextvqa_async.refiner.labels import lowered, read_label
from contextvqa_async.refiner.lazy import lazy

QUOTED = {
    '"': '"',
    "“": "”",
    "'": "'",
    "‘": "’",
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
    "„": "“”",
    "`": "`",
    "”": "”",
}
"""The signs that may close what each opens."""
BRACKETED = {"(": ")", "[": "]", "{": "}", "<": ">", "（": "）", "【": "】"}
OPENED = {**QUOTED, **BRACKETED, "*": "*"}
del OPENED["'"]  # an apostrophe opens nothing: ``'Allo``
REMARK = lazy(r"\s*[(（\[](?P<inside>[^()（）\[\]]{3,300})[)）\]]\s*[.。]?$")
LISTED = lazy(r"\[\s*(?:\"[^\"\[\]]*\"|'[^'\[\]]*')(?:\s*,\s*(?:\"[^\"\[\]]*\"|'[^'\[\]]*'))*\s*\]$")
LISTED_PART = lazy(r"\"([^\"]*)\"|'([^']*)'|([^\s,][^,]*)")
FLOW = lazy(r"\[[^\[\]]*,[^\[\]]*\]$")
NUMBER = lazy(r"(?:\d{1,3}[.)]|[(（]\d{1,3}[)）])\s+(?=\S)")
STARRED = lazy(r"^\*\s?\w|[^\W\d_]{3}[?!.]?\*$")
NEAT = lazy(r"[^\W\d_][\w ,.;'’/%°–&!?-]*[\w.!?？]\n(?:[^\W_]|[£€¥$])[\w ,.;'’/%°–&!?£€¥$-]*(?<=[\w.%])\Z")
"""A pair, a word on either line's ends, and no sign that could wrap it, or stand between a label and its words."""


def tidy(pairs: list[tuple[str, str]]) -> tuple[Pair, ...]:
    """Finished pairs.

    >>> tidy([('"Who?"', '"Bob"'), ('"Where?"', '"Oslo"')])
    (Pair(question='Who?', answer='Bob'), Pair(question='Where?', answer='Oslo'))
    """
    if all(NEAT.match(f"{asked}\n{said}") and "  " not in asked and "  " not in said for asked, said in pairs):
        return finished(pairs)
    asked = _relabelled(_numbers([_unstarred(" ".join(question.split())) for question, _ in pairs]), "question")
    answers = [_list(_unstarred(" ".join(answer.split()).removesuffix("||"))) for _, answer in pairs]
    answers = _relabelled(answers, "answer")
    wrapped = [_wrapper(question) in QUOTED for question in asked]
    asked = _unwrap(asked, QUOTED | BRACKETED, [False] * len(asked))
    answers = _unwrap([_unremarked(answer) for answer in answers], QUOTED, wrapped)
    answers = _unwrap(answers, BRACKETED, [False] * len(answers))
    answers = [*answers[:-1], *map(_torn, answers[-1:])]
    both = ((question.strip(), answer.strip()) for question, answer in zip(asked, answers, strict=True))
    return tuple(Pair(question=question, answer=answer) for question, answer in both if question and _says(answer))


def finished(pairs: list[tuple[str, str]]) -> tuple[Pair, ...]:
    """Pairs in which there is nothing to tidy."""
    return tuple([Pair(question=question, answer=answer) for question, answer in pairs])


def _unstarred(text: str) -> str:
    """Words without a mark of emphasis at one end that has no partner; one behind a letter or a digit is a sign."""
    if text.count("*") != 1 or not STARRED.search(text):
        return text
    return text.strip("*").strip()


def _torn(answer: str) -> str:
    """The last answer without a sign that opens it and was never closed, because the text was cut off."""
    closes = OPENED.get(answer[:1])
    whole = closes is None or len(answer) < 2 or any(close in answer[1:] for close in closes)
    return answer if whole else answer[1:].lstrip()


def _says(answer: str) -> bool:
    """Whether an answer holds more than signs that lead to one."""
    return bool(answer.strip("-–—_.…:*/ →⇒➜➔➡|=>~\ufe0f"))


def _numbers(asked: list[str]) -> list[str]:
    """Questions without the number that stands after the label of each of them."""
    if not asked or not (asked[0][:1].isdigit() or asked[0][:1] in "(（"):
        return asked
    found = [NUMBER.match(question) for question in asked]
    if not all(found):
        return asked
    return [question[match.end() :] for question, match in zip(asked, found, strict=True) if match]


def _relabelled(texts: list[str], kind: str) -> list[str]:
    """Texts without a second label, where each of several has one: ``Question 1: Q: …``."""
    labels = [read_label(text) for text in texts]
    if len(texts) < 2 or not all(label and label.kind == kind and label.sign == "colon" for label in labels):
        return texts
    return [text[label.end :] if label else text for text, label in zip(texts, labels, strict=True)]


def _wrapper(text: str) -> str:
    """The sign that wraps the whole text, or nothing."""
    closes = (QUOTED | BRACKETED).get(text[:1], "")
    if len(text) < 2 or text[-1] not in closes:
        return ""
    inside = text[1:-1]
    return "" if text[-1] in inside or text[0] in inside else text[0]


def _unwrap(texts: list[str], signs: dict[str, str], forced: list[bool]) -> list[str]:
    """Texts without the quotes or brackets that wrap most of them; where only a few are wrapped, those keep them."""
    wrapped = [text[:1] in signs and bool(_wrapper(text)) for text in texts]
    if len(texts) > 1 and all(len(text) > 2 and text[0] in signs and text[-1] in signs[text[0]] for text in texts):
        return [text[1:-1].strip() for text in texts]
    if not any(wrapped):
        return texts
    most = sum(wrapped) * 2 > len(texts)
    return [
        text[1:-1].strip() if is_wrapped and (most or force) else text
        for text, is_wrapped, force in zip(texts, wrapped, forced, strict=True)
    ]


def _list(answer: str) -> str:
    """A list as a programmer writes it, as words."""
    if answer[:1] != "[" or not (LISTED.match(answer) or FLOW.match(answer)):
        return answer
    return ", ".join((one or other or bare).strip() for one, other, bare in LISTED_PART.findall(answer[1:-1]))


def _unremarked(answer: str) -> str:
    """An answer without a labelled remark behind it: ``(Source: paragraph 2)``."""
    for opened, closed in BRACKETED.items():
        if answer[-1:] == closed and answer.count(closed) > answer.count(opened):
            answer = answer[:-1].rstrip()  # "(Answer: Bob)": the bracket opened before the label
    found = REMARK.search(answer) if answer[-1:] in ")]）.。" else None
    if not found or not found.start():
        return answer
    inside = found["inside"].strip()
    label = read_label(inside)
    note = label is not None and label.kind == "note" and label.sign == "colon"
    low = lowered(inside)
    said = low.startswith(
        (
            "from the article",
            "from paragraph",
            "as stated",
            "as mentioned",
            "mentioned in",
            "see paragraph",
            "paragraph ",
        )
    )
    return answer[: found.start()].rstrip() if note or said else answer
