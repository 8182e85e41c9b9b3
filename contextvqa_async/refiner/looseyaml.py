"""A text in YAML comes in; its value goes out.

Rule: forgiving, like ``loosejson``, and linear in the text. What models write as YAML is seldom valid: a colon or a
quote in the middle of a plain value is part of it, a key given twice begins the next entry, and a value that is cut off
is read for what it holds. No anchors, no types: a scalar is a string.
"""

from __future__ import annotations

import json
from typing import Any

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.loosejson import read_json

KEY = lazy(r"(\"[^\"\n]{1,60}\"|'[^'\n]{1,60}'|[^\W\d_][\w /&.-]{0,60}?) *:(?: +(.*))?$")
BLOCK = lazy(r"[|>][-+]?\d?\s*(?:#.*)?$")
DEPTH = 40
"""Deeper than any answer; what is nested deeper is text."""


def read_yaml(text: str) -> tuple[Any, bool]:
    r"""The value of a document, and whether it is the whole of the text.

    >>> read_yaml("text: >-\n  Owls\n  live.\nqas:\n  - q: Who?\n    a: 'Bob'\n  - {q: Where?, a: [Oslo, Rome]}")
    ({'text': 'Owls live.', 'qas': [{'q': 'Who?', 'a': 'Bob'}, {'q': 'Where?', 'a': ['Oslo', 'Rome']}]}, True)
    """
    reader = YamlReader(text)
    return reader.value(0, 0), reader.done


class YamlReader:
    """Lines, and the place of the next one."""

    def __init__(self, text: str) -> None:
        self.lines = [line.rstrip() for line in text.expandtabs(4).split("\n")]
        self.at = 0

    def value(self, least: int, depth: int) -> Any:
        """The value whose lines are indented by at least so many columns; None where there is none."""
        line = self._peek()
        if line is None or _indent(line) < least:
            return None
        indent, words = _indent(line), line.lstrip()
        if depth < DEPTH and _is_item(words):
            return self._list(indent, depth)
        if depth < DEPTH and KEY.match(words):
            return self._mapping(indent, depth)
        self.at += 1
        return self._scalar(words, least - 1)

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._peek() is None

    def _peek(self) -> str | None:
        """The next line that says something."""
        while self.at < len(self.lines):
            words = self.lines[self.at].lstrip()
            if words and words[0] != "#" and words not in {"---", "..."}:
                return self.lines[self.at]
            self.at += 1
        return None

    def _list(self, indent: int, depth: int) -> list[Any]:
        """The items that begin with a dash in this column."""
        items: list[Any] = []
        while (line := self._peek()) is not None and _indent(line) == indent and _is_item(line.lstrip()):
            words = line[indent + 1 :].lstrip()
            if words and not BLOCK.match(words):
                self.lines[self.at] = " " * (len(line) - len(words)) + words
                items.append(self.value(indent + 1, depth + 1))
            else:
                self.at += 1
                items.append(self._block(words, indent) if words else self.value(indent + 1, depth + 1))
        return items

    def _mapping(self, indent: int, depth: int) -> Any:
        """Keys and values; several mappings, where a key comes again."""
        found: list[dict[str, Any]] = [{}]
        while (line := self._peek()) is not None and _indent(line) == indent and (entry := KEY.match(line.lstrip())):
            key, words = entry[1].strip("\"'"), entry[2] or ""
            self.at += 1
            if key in found[-1]:
                found.append({})
            found[-1][key] = self._entry(words, indent, depth)
        return found[0] if len(found) == 1 else found

    def _entry(self, words: str, indent: int, depth: int) -> Any:
        """The value behind a key, on its line or below it."""
        if BLOCK.match(words):
            return self._block(words, indent)
        if words and words[0] != "#":
            return self._scalar(words, indent)
        line = self._peek()
        listed = line is not None and _indent(line) == indent and _is_item(line.lstrip())
        return self.value(indent if listed else indent + 1, depth + 1)

    def _scalar(self, words: str, indent: int) -> Any:
        """A value that begins on a line, and goes on in lines indented by more than its key."""
        parts = [words]
        while (line := self._peek()) is not None and _indent(line) > indent and not _closed(parts):
            parts.append(line.strip())
            self.at += 1
        return _scalar_value(" ".join(parts))

    def _block(self, style: str, indent: int) -> str:
        """The lines below, as they stand (``|``) or as paragraphs (``>``)."""
        lines: list[str] = []
        while self.at < len(self.lines) and (not self.lines[self.at] or _indent(self.lines[self.at]) > indent):
            lines.append(self.lines[self.at].strip())
            self.at += 1
        if style[0] == "|":
            return "\n".join(lines).strip()
        return "\n\n".join(" ".join(part.split("\n")) for part in "\n".join(lines).strip().split("\n\n"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_item(words: str) -> bool:
    return words[:2] == "- " or words == "-"


def _closed(parts: list[str]) -> bool:
    """Whether a quoted value or a list in brackets is complete; a plain value never is."""
    first, last = parts[0], parts[-1]
    return (
        first[0] in "\"'[{" and last[-1:] == {"[": "]", "{": "}"}.get(first[0], first[0]) and first + last != first[0]
    )


def _scalar_value(words: str) -> Any:
    """A scalar without its quotes, or the list or mapping that it writes in brackets."""
    if words[0] in "[{":
        return read_json(words)[0]
    if words[0] == words[-1] == '"' and len(words) > 1:
        try:
            return str(json.loads(words, strict=False))
        except ValueError:
            return words[1:-1]
    return words[1:-1].replace("''", "'") if words[0] == words[-1] == "'" and len(words) > 1 else words
