"""A text comes in that may hold JSON or YAML; the same text goes out in pieces: words, and what each value holds of an
article and pairs.

Rule: keys say what a value is; the shape around them may be any. A value that holds neither article nor pairs
stays text.
"""

from __future__ import annotations

import re

from contextvqa_async.refiner.characters import uncommon
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.loosejson import DECODER, QUOTES, read_json
from contextvqa_async.refiner.looseyaml import read_yaml
from contextvqa_async.refiner.unwrap import ODD
from contextvqa_async.refiner.values import Value, read_value

START = lazy(
    r"(?:^(?:[ \t]*(?:\d{1,3}[.)]|[-*+])[ \t])?|(?<=[\n:：=]))[ \t>]*(?P<value>[\[{])"
    r"(?=\s*[\[{(\"'“}\]`]|\s*//|\s*[A-Za-z_]\w*\s*:)",
    re.MULTILINE,
)
FENCED = lazy(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(?:json5?|jsonl|JSON|python|py|javascript|js|text|plaintext)?[ \t]*\n?\s*$")
YAML_FENCE = lazy(
    r"^[ \t]*(?:`{3,}|~{3,})ya?ml[^\n]*\n(?P<value>.*?)(?:^[ \t]*(?:`{3,}|~{3,})[ \t]*(?:\n|$)|\Z)",
    re.MULTILINE | re.DOTALL,
)
YAML_KEY = lazy(r"\s*(?:---[ \t]*\n\s*)?(?:#[^\n]*\n\s*)?[\w\"'][\w \"']{0,40}:(?:[ \t]|$)", re.MULTILINE)
YAML_BLOCK = lazy(r"^[ \t-]*[\w\"'][\w \"']{0,40}:[ \t]*(?:[|>][-+]?[ \t]*$|\n[ \t]*- [\w\"'{])", re.MULTILINE)
WHOLE = lazy(r"\s*(?:`{3,}[ \t]*(?:json5?|JSON)?[ \t]*\n\s*)?(?=[\[{])")
COUNT = lazy(r"(?:^|(?<=\n))[ \t]*(?:\d{1,3}[.)]|[-*+])[ \t]*$")
UNFENCED = lazy(r"\s*(?:`{3,}|~{3,})")


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
    found = read_value(value)
    return found if found.articles and found.pairs else None


def _yaml(text: str) -> list[str | Value]:
    """The pieces of a text that is YAML, or holds a fence with YAML; none, where there is no YAML."""
    fenced = YAML_FENCE.search(text) if "ml" in text else None
    if not fenced and not may_be_yaml(text):
        return []
    start, end = fenced.span("value") if fenced else (0, len(text))
    value, whole = read_yaml(text[start:end])
    found = read_value(value, "yaml")
    if not whole or not found.pairs:
        return []
    return [text[: fenced.start()], found, text[fenced.end() :]] if fenced else [found]


def may_be_yaml(text: str) -> bool:
    """Whether a text begins with a key, and holds a block or a list under one."""
    if not YAML_KEY.match(text) or not any(map(text.__contains__, (":\n", "|", ">"))):
        return False
    return YAML_BLOCK.search(text) is not None


def _json(text: str) -> list[str | Value]:
    """The pieces of a text that may hold values in JSON."""
    pieces: list[str | Value] = []
    at = search = 0
    lead = len(text) - len(text.lstrip())
    while start := START.search(text, search):
        begin = start.start("value")
        value, end = read_json(text, begin)
        found = read_value(value)
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
