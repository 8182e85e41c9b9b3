"""A text that begins with a JSON value comes in; the value goes out, and where it ended.

Rule: forgiving. Single quotes, trailing commas, comments, bare keys, unescaped quotes and line ends inside
strings, and a value cut off anywhere are all read for what they hold. Never recursive, linear in the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from contextvqa_async.refiner.lazy import lazy

SKIP = lazy(r"(?:\s+|//[^\n]*|,)*")
BARE = lazy(r"[^\s,:{}\[\]\"']+")
ATOM = lazy(r"[^,{}\[\]()\n]*")
STOP = {
    '"': re.compile(r'[^"\\]*+'),
    "'": re.compile(r"[^'\\]*+"),
    "“": re.compile(r"[^”\\]*+"),
    "`": re.compile(r"[^`\\]*+"),
}
AFTER_KEY = lazy(r"\s*:")
AFTER_VALUE = lazy(
    r"\s*(?://[^\n]*\n\s*)*(?:,\s*(?:[\"'“{\[(}\])`]|//|$|[\d.-]|true|false|null|None|True|False|[\w]+\s*:)|[}\])]|$"
    r"|\n\s*(?:\"[^\"\n]{1,40}\"|'[^'\n]{1,40}')\s*:)"
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " ", "/": "/", "\\": "\\", '"': '"', "'": "'"}
WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
QUOTES = {'"': '"', "'": "'", "“": "”", "`": "`"}
DEPTH = 200


def read_json(text: str, at: int = 0) -> tuple[Any, int]:
    """The value that begins at ``at``, and where it ends; what was cut off is left out.

    >>> read_json("{'a': [1, 'x',], 'b': 'cut")
    ({'a': ['1', 'x'], 'b': 'cut'}, 26)
    """
    try:
        return DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return JsonReader(text, at).read()


DECODER = json.JSONDecoder(strict=False, parse_float=str, parse_int=str)


class JsonReader:
    """One value, read with a stack of open objects and arrays."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.stack: list[Any] = []
        self.keys: list[str | None] = []

    def read(self) -> tuple[Any, int]:
        """The value that begins here, and where it ends."""
        root: Any = None
        started = False
        while self.at < len(self.text):
            self._skip()
            if self.at >= len(self.text):
                break
            char = self.text[self.at]
            if char in "{[(":
                value: Any = {} if char == "{" else []
                self.at += 1
                if len(self.stack) > DEPTH:
                    break
                if not started:
                    root, started = value, True
                else:
                    self._put(value)
                self.stack.append(value)
                self.keys.append(None)
            elif char in "}])":
                self.at += 1
                self._pop(char)
                if not self.stack:
                    return root, self.at
            else:
                self._scalar(char)
            if not self.stack:
                break
        return root, self.at

    def _skip(self) -> None:
        found = SKIP.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _pop(self, char: str) -> None:
        """Close up to the container this bracket belongs to; a bracket that fits none is ignored."""
        wanted = dict if char == "}" else list
        if not any(isinstance(open_, wanted) for open_ in self.stack[-4:]):
            return
        while self.stack:
            closed = self.stack.pop()
            self.keys.pop()
            if isinstance(closed, wanted):
                return

    def _put(self, value: Any) -> None:
        """Add a value to the open array, or to the open object under its last key; without one, a string is the key.

        A key that comes again keeps both values, the second under another name.
        """
        top = self.stack[-1]
        if isinstance(top, list):
            top.append(value)
            return
        key = self.keys[-1]
        if key is None:
            if isinstance(value, str):
                self.keys[-1] = value
            return
        if key in top and value is not None:
            key = (
                next(f"{key}~{n}" for n in range(2, len(top) + 3) if f"{key}~{n}" not in top) if len(top) < 50 else key
            )
        top[key] = value
        self.keys[-1] = None

    def _scalar(self, char: str) -> None:
        """Read a key, or a string, a number or a word as a value."""
        is_key = isinstance(self.stack[-1], dict) and self.keys[-1] is None
        if char in QUOTES:
            self._put(self._string(char, key=is_key))
            if is_key:
                colon = AFTER_KEY.match(self.text, self.at)
                self.at = colon.end() if colon else self.at
        elif char == ":":
            self.at += 1
        elif is_key:
            found = BARE.match(self.text, self.at)
            self.keys[-1] = found.group() if found else None
            self.at = found.end() if found else self.at + 1
        else:
            self._atom()

    def _atom(self) -> None:
        """Read a value without quotes."""
        found = ATOM.match(self.text, self.at)
        word = found.group().strip() if found else ""
        self.at = max(self.at + 1, found.end() if found else 0)
        if word in WORDS:
            self._put(WORDS[word])
        elif word:
            self._put(word)

    def _string(self, quote: str, *, key: bool) -> str:
        """A string; a quote inside it ends it only if what a string's end is followed by follows."""
        out: list[str] = []
        close, pattern = QUOTES[quote], STOP[quote]
        after = AFTER_KEY if key else AFTER_VALUE
        self.at += 1
        while self.at < len(self.text):
            found = pattern.match(self.text, self.at)
            self.at, words = (found.end(), found.group()) if found else (self.at + 1, "")
            out.append(words)
            if self.at >= len(self.text):
                break
            if self.text[self.at] == "\\":
                out.append(self._escape())
                continue
            self.at += 1
            if after.match(self.text, self.at):
                break
            out.append(close)
        return "".join(out)

    def _escape(self) -> str:
        """The character that an escape stands for."""
        char = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if char == "u":
            digits = re.compile(r"[0-9a-fA-F]{4}").match(self.text, self.at)
            if digits:
                self.at += 4
                return chr(int(digits.group(), 16))
        return ESCAPES.get(char, "\\" + char)
