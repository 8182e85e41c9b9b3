"""A text comes in that may hold JSON or YAML; the same text goes out in pieces: words, and what each value holds of an
article and pairs.

Rule: keys say what a value is; the shape around them may be any. A value that holds neither article nor pairs
stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contextvqa_async.refiner.characters import uncommon
from contextvqa_async.refiner.keys import BODIES, kind_of, number_in
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import asks
from contextvqa_async.refiner.loosejson import DECODER, QUOTES, read_json
from contextvqa_async.refiner.looseyaml import read_yaml
from contextvqa_async.refiner.unwrap import ODD

START = lazy(
    r"(?:^(?:[ \t]*(?:\d{1,3}[.)]|[-*+])[ \t])?|(?<=[\n:：=]))[ \t>]*(?P<value>[\[{])"
    r"(?=\s*[\[{(\"'“}\]`]|\s*//|\s*[A-Za-z_]\w*\s*:)",
    re.MULTILINE,
)
FENCED = lazy(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(?:json5?|jsonl|JSON|python|py|javascript|js|text|plaintext)?[ \t]*\n?\s*$")
YAML_FENCE = lazy(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})ya?ml[^\n]*\n(?P<value>.*?)(?:^[ \t]*(?P=fence)[ \t]*\n?|\Z)",
    re.MULTILINE | re.DOTALL,
)
YAML_KEY = lazy(r"\s*(?:---[ \t]*\n\s*)?(?:#[^\n]*\n\s*)?[\w\"'][\w \"']{0,40}:(?:[ \t]|$)", re.MULTILINE)
YAML_BLOCK = lazy(r"^[ \t-]*[\w\"'][\w \"']{0,40}:[ \t]*(?:[|>][-+]?[ \t]*$|\n[ \t]*- [\w\"'{])", re.MULTILINE)
WHOLE = lazy(r"\s*(?:`{3,}[ \t]*(?:json5?|JSON)?[ \t]*\n\s*)?(?=[\[{])")
COUNT = lazy(r"(?:^|(?<=\n))[ \t]*(?:\d{1,3}[.)]|[-*+])[ \t]*$")
UNFENCED = lazy(r"\s*(?:`{3,}|~{3,})")
LONG = 160
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


def read_data(text: str) -> list[str | Value]:
    """The text in pieces: words as they stand, and, in place of each value, what it holds."""
    opens = ("{" in text or "[" in text) and any(map(text.__contains__, QUOTES))
    return _yaml(text) or (_json(text) if opens else [text])


def whole_value(text: str) -> Value | None:
    """What a text holds that is nothing but one valid JSON value, in a fence or not, with an article and pairs."""
    lead = WHOLE.match(text)
    if lead is None or not ODD.isdisjoint(uncommon(text)):
        return None
    try:
        value, end = DECODER.raw_decode(text, lead.end())
    except (ValueError, RecursionError):
        return None
    if text[end:].strip("` \n"):
        return None
    found = _found(value)
    return found if found.articles and found.pairs else None


def _found(value: Any, form: str = "json") -> Value:
    """What a value holds."""
    found = Value(form=form)
    collect(value, found)
    settle(found)
    return found


def _yaml(text: str) -> list[str | Value]:
    """The same of a text that is YAML, or holds a fence with YAML; nothing where there is none."""
    fenced = YAML_FENCE.search(text) if "ml" in text else None
    if not fenced and not may_be_yaml(text):
        return []
    start, end = fenced.span("value") if fenced else (0, len(text))
    value, whole = read_yaml(text[start:end])
    found = _found(value, "yaml")
    if not whole or not found.pairs:
        return []
    return [text[: fenced.start()], found, text[fenced.end() :]] if fenced else [found]


def may_be_yaml(text: str) -> bool:
    """Whether a text begins with a key, and holds a block or a list under one."""
    if not YAML_KEY.match(text) or not any(map(text.__contains__, (":\n", "|", ">"))):
        return False
    return YAML_BLOCK.search(text) is not None


def _json(text: str) -> list[str | Value]:
    """The same of a text that may hold values in JSON."""
    pieces: list[str | Value] = []
    at = search = 0
    lead = len(text) - len(text.lstrip())
    while start := START.search(text, search):
        begin = start.start("value")
        value, end = read_json(text, begin)
        found = _found(value)
        if not (found.pairs or found.articles or (found.texts and isinstance(value, dict) and begin == lead)):
            search = max(end, begin + 1)
            continue
        pieces.extend((COUNT.sub("", FENCED.sub("", text[at:begin])), found))
        tail = UNFENCED.match(text, end)
        at = search = tail.end() if tail else end
        comma = re.compile(r"\s*,").match(text, at)
        at = search = comma.end() if comma else at
    pieces.append(text[at:])
    return pieces


def collect(value: Any, found: Value, depth: int = 0) -> None:
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
        found.pairs.append((value[0], flat(value[1])))
    elif strings and len(value) % 2 == 0 and all(asking[::2]) and not any(asking[1::2]):
        found.pairs.extend(zip(value[::2], value[1::2], strict=True))
    elif strings and not any(asking):
        found.texts.append("\n\n".join(value))
    else:
        for part in value:
            collect(part, found, depth + 1)


def _is_pair(value: list[Any]) -> bool:
    """Whether an array is a question, its answer or a list of answers, and perhaps a remark."""
    if len(value) not in {2, 3} or not isinstance(value[0], str) or not asks(value[0]):
        return False
    return all(isinstance(part, str | int | float) for part in value[1:]) or (len(value) == 2 and _strings(value[1]))


def _object(value: dict[str, Any], found: Value, depth: int) -> None:
    asked = [(key, part) for key, part in value.items() if kind_of(key) == "question" and isinstance(part, str)]
    if ("role" in value and isinstance(value.get("content"), str)) or (
        "from" in value and isinstance(value.get("value"), str)
    ):
        return _turn(value, found)
    if len(asked) == 1 and _single(value, asked[0][1], found):
        return None
    for key, part in value.items():
        _entry(key, part, found, depth)
    return None


def _turn(value: dict[str, Any], found: Value) -> None:
    """One turn of a conversation: people ask, models answer."""
    role = str(value.get("role", value.get("from"))).lower()
    words_ = str(value.get("content", value.get("value")))
    if role in {"human", "user"}:
        found.questions.append((str(len(found.questions)), words_))
    elif found.questions:
        found.answers[found.questions[-1][0]] = words_


def _single(value: dict[str, Any], question: str, found: Value) -> bool:
    """An object that is one pair."""
    answers = [(key, part) for key, part in value.items() if kind_of(key) in {"answer", "answers"}]
    if not answers:
        return False
    if len(answers) > 1:
        answers = [(key, part) for key, part in answers if re.fullmatch(r"(?i)a|answer\w*|\W*", key)] or answers
    found.pairs.append((question, flat(answers[0][1])))
    for key, part in value.items():
        if kind_of(key) == "article" and isinstance(part, str) and len(part) > 200:
            found.articles.append(part)
    return True


def _entry(key: str, part: Any, found: Value, depth: int) -> None:
    kind = kind_of(key)
    if kind == "question" and isinstance(part, str):
        found.questions.append((number_in(key) or str(len(found.questions) + 1), part))
    elif kind in {"answer", "answers"} and isinstance(part, str | int | float):
        number = number_in(key) or str(len(found.questions) or 1)
        if isinstance(part, str) and not found.questions and len(part) > 200:
            found.texts.append(part)
        else:
            found.answers[number] = flat(part)
    elif kind in {"question", "questions"} and _strings(part):
        _listed(part, found)
    elif kind in {"answer", "answers"} and _strings(part) and found.questions:
        for at, (name, one) in enumerate(_numbered(part)):
            found.answers.setdefault(name or found.questions[min(at, len(found.questions) - 1)][0], one)
    elif kind == "article":
        _article(part, found, depth)
    elif kind != "title" and asks(key) and len(key) > 8 and not isinstance(part, dict):
        found.pairs.append((key, flat(part)))
    elif kind not in {"title", "note"}:
        collect(part, found, depth + 1)


def _strings(part: Any) -> bool:
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    values = list(values)
    return bool(values) and all(isinstance(one, str | int | float | list) for one in values)


def _numbered(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for key, one in part.items():
            yield number_in(key), flat(one)
    else:
        for at, one in enumerate(part, 1):
            yield str(at), flat(one)


def _listed(part: Any, found: Value) -> None:
    """A list, or an object by number, of questions; or an object that maps questions to answers."""
    if isinstance(part, dict) and any(asks(key) for key in part):
        found.pairs.extend((key, flat(one)) for key, one in part.items())
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
        collect(part, found, depth + 1)
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
        words_ = "\n\n".join(_section(each) for each in one) if isinstance(one, list) else _section(one)
        if known or (kind == "article" and top):
            out.append(words_)
        elif words_:
            out.append(f"## {key}\n\n{words_}")
    return "\n\n".join(filter(None, out))


def settle(found: Value) -> None:
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
    if found.pairs and not found.articles and len(long) > LONG:
        found.articles.append(long)


def flat(value: Any) -> str:
    """An answer in one line: a list's parts joined by commas."""
    if isinstance(value, list):
        return ", ".join(filter(None, (flat(part) for part in value)))
    if isinstance(value, dict):
        inner = next((part for key, part in value.items() if kind_of(key) in {"answer", "article"}), None)
        return flat(inner if inner is not None else list(value.values()))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
