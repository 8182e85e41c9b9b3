"""A value that a program wrote (an object, an array, a string) comes in; what it holds of an article and pairs goes
out.

Rule: keys say what a part of the value is; the shape around them may be any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contextvqa_async.refiner.keys import BODIES, kind_of, number_in
from contextvqa_async.refiner.sentences import asks

ARTICLE_MIN = 200
"""A text in a pair, or under an answer's key before any question, is an article if it is longer."""
UNKNOWN_ARTICLE_MIN = 160
"""A text under an unknown key is no article unless it is longer."""


@dataclass(slots=True)
class Value:
    """What a value holds."""

    articles: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    form: str = "json"
    texts: list[str] = field(default_factory=list)  # strings under unknown keys, which may hold a whole answer
    questions: list[tuple[str, str]] = field(default_factory=list)  # (key, question) still to be answered
    answers: dict[str, str] = field(default_factory=dict)


def read_value(value: Any, form: str = "json") -> Value:
    """What a value holds."""
    found = Value(form=form)
    _collect(value, found)
    _settle(found)
    return found


def _collect(value: Any, found: Value, depth: int = 0) -> None:
    """Walk a value and note its articles and pairs."""
    if depth > 12:
        return
    if isinstance(value, dict):
        _object(value, found, depth)
    elif isinstance(value, list):
        _array(value, found, depth)
    elif isinstance(value, str) and depth and (len(value) > 40 or "?" in value):
        found.texts.append(value)


def _array(value: list[Any], found: Value, depth: int) -> None:
    """An array: a pair, questions and answers by turns, sentences of one text, or values of their own."""
    strings = len(value) > 1 and all(isinstance(part, str) for part in value)
    asking = [asks(part) for part in value] if strings else []
    if _is_pair(value):
        found.pairs.append((value[0], _flat(value[1])))
    elif strings and len(value) % 2 == 0 and all(asking[::2]) and not any(asking[1::2]):
        found.pairs.extend(zip(value[::2], value[1::2], strict=True))
    elif strings and not any(asking):
        found.texts.append("\n\n".join(value))
    else:
        for part in value:
            _collect(part, found, depth + 1)


def _is_pair(value: list[Any]) -> bool:
    """Whether an array is a question, its answer or a list of answers, and perhaps a remark."""
    if len(value) not in {2, 3} or not isinstance(value[0], str) or not asks(value[0]):
        return False
    return all(isinstance(part, str | int | float) for part in value[1:]) or (len(value) == 2 and _strings(value[1]))


def _object(value: dict[str, Any], found: Value, depth: int) -> None:
    """An object: a turn of a conversation, a pair, or entries of their own."""
    asked = [(key, part) for key, part in value.items() if kind_of(key) == "question" and isinstance(part, str)]
    if ("role" in value and isinstance(value.get("content"), str)) or (
        "from" in value and isinstance(value.get("value"), str)
    ):
        _turn(value, found)
    elif not (len(asked) == 1 and _single(value, asked[0][1], found)):
        for key, part in value.items():
            _entry(key, part, found, depth)


def _turn(value: dict[str, Any], found: Value) -> None:
    """One turn of a conversation: people ask, models answer."""
    role = str(value.get("role", value.get("from"))).lower()
    words = str(value.get("content", value.get("value")))
    if role in {"human", "user"}:
        found.questions.append((str(len(found.questions)), words))
    elif found.questions:
        found.answers[found.questions[-1][0]] = words


def _single(value: dict[str, Any], question: str, found: Value) -> bool:
    """An object that is one pair."""
    answers = [(key, part) for key, part in value.items() if kind_of(key) in {"answer", "answers"}]
    if not answers:
        return False
    if len(answers) > 1:
        answers = [(key, part) for key, part in answers if re.fullmatch(r"(?i)a|answer\w*|\W*", key)] or answers
    found.pairs.append((question, _flat(answers[0][1])))
    for key, part in value.items():
        if kind_of(key) == "article" and isinstance(part, str) and len(part) > ARTICLE_MIN:
            found.articles.append(part)
    return True


def _entry(key: str, part: Any, found: Value, depth: int) -> None:
    """One key of an object, and the value under it."""
    kind = kind_of(key)
    if kind == "question" and isinstance(part, str):
        found.questions.append((number_in(key) or str(len(found.questions) + 1), part))
    elif kind in {"answer", "answers"} and isinstance(part, str | int | float):
        number = number_in(key) or str(len(found.questions) or 1)
        if isinstance(part, str) and not found.questions and len(part) > ARTICLE_MIN:
            found.texts.append(part)
        else:
            found.answers[number] = _flat(part)
    elif kind in {"question", "questions"} and _strings(part):
        _listed(part, found)
    elif kind in {"answer", "answers"} and _strings(part) and found.questions:
        for at, (name, one) in enumerate(_numbered(part)):
            found.answers.setdefault(name or found.questions[min(at, len(found.questions) - 1)][0], one)
    elif kind == "article":
        _article(part, found, depth)
    elif kind != "title" and asks(key) and len(key) > 8 and not isinstance(part, dict):
        found.pairs.append((key, _flat(part)))
    elif kind not in {"title", "note"}:
        _collect(part, found, depth + 1)


def _strings(part: Any) -> bool:
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    values = list(values)
    return bool(values) and all(isinstance(one, str | int | float | list) for one in values)


def _numbered(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for key, one in part.items():
            yield number_in(key), _flat(one)
    else:
        for at, one in enumerate(part, 1):
            yield str(at), _flat(one)


def _listed(part: Any, found: Value) -> None:
    """A list, or an object by number, of questions; or an object that maps questions to answers."""
    if isinstance(part, dict) and any(asks(key) for key in part):
        found.pairs.extend((key, _flat(one)) for key, one in part.items())
        return
    if isinstance(part, dict) and any(kind_of(key) == "answer" for key in part):
        for key, one in part.items():
            _entry(key, one, found, 1)
        return
    if isinstance(part, list) and any("\n" in str(one) or re.search(r"\bA(?:nswer)?\s*\d*:", str(one)) for one in part):
        found.texts.extend(str(one) for one in part)
        return
    found.questions.extend(_numbered(part))


def _article(part: Any, found: Value, depth: int) -> None:
    """An article's value: a string, paragraphs, or sections with headings."""
    if isinstance(part, str):
        found.articles.append(part)
    elif isinstance(part, list) and any(isinstance(one, dict) and _holds_pairs(one) for one in part):
        _collect(part, found, depth + 1)
    elif isinstance(part, list):
        found.articles.append("\n\n".join(filter(None, (_section(one) for one in part))))
    elif isinstance(part, dict):
        if _holds_pairs(part):
            for key, one in part.items():
                _entry(key, one, found, depth + 1)
            return
        found.articles.append(_sections(part))


def _holds_pairs(part: dict[str, Any]) -> bool:
    """Whether an object under an article's key is more than the article."""
    return any(
        kind_of(key) in {"question", "questions", "answers", "answer"}
        or (isinstance(one, list) and kind_of(key) != "article")
        for key, one in part.items()
    )


def _section(part: Any) -> str:
    if isinstance(part, dict):
        return _sections(part, top=False)
    return str(part) if part is not None else ""


def _sections(part: dict[str, Any], *, top: bool = True) -> str:
    """An object as prose: a title is dropped at the top, a section's heading is a line of its own."""
    out: list[str] = []
    known = any(key.lower() in BODIES for key in part)
    for key, one in part.items():
        kind = kind_of(key)
        if kind == "title" and isinstance(one, str):
            if not top:
                out.append(f"## {one}")
            continue
        words = "\n\n".join(_section(each) for each in one) if isinstance(one, list) else _section(one)
        if known or (kind == "article" and top):
            out.append(words)
        elif words:
            out.append(f"## {key}\n\n{words}")
    return "\n\n".join(filter(None, out))


def _settle(found: Value) -> None:
    """Bring questions and answers together that stood apart, by number or in order; a long text beside pairs is their
    article, whatever its key."""
    for name, question in found.questions:
        if name in found.answers:
            found.pairs.append((question, found.answers[name]))
    if found.questions and not found.pairs and len(found.answers) == len(found.questions):
        found.pairs.extend(
            (question, answer) for (_, question), answer in zip(found.questions, found.answers.values(), strict=True)
        )
    long = max(found.texts, key=len, default="")
    if found.pairs and not found.articles and len(long) > UNKNOWN_ARTICLE_MIN:
        found.articles.append(long)


def _flat(value: Any) -> str:
    """An answer in one line: a list's parts joined by commas."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_flat(part) for part in value)))
    if isinstance(value, dict):
        inner = next((part for key, part in value.items() if kind_of(key) in {"answer", "article"}), None)
        return _flat(inner if inner is not None else list(value.values()))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
