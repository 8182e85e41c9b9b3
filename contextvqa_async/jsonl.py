"""JSONL as bytes: blocks come in, lines go out, and each line's JSON is read and written exactly.

Rule: nothing here waits, opens or prints. A value that was read is written again unchanged: integers of any size and
lone surrogates too, which orjson alone rounds or refuses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

MAX_LINE = 256 * 1024 * 1024
"""Bytes of the longest line that is held in memory; a longer one is reported and skipped."""

MAX_DEPTH = 250
"""Levels of lists and objects in the deepest record: its row is a level deeper, and JSON's writers end soon after."""

EXCERPT = 1000
"""Characters of a line that is no record, as they are kept for the reader of the failed file."""

BOM = b"\xef\xbb\xbf"

_GIANT = 2.0**63


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line beyond :data:`MAX_LINE`: its first bytes, and how many there were."""

    start: bytes
    size: int


class Lines:
    """Splits blocks into lines at ``\\n``; a line that spans many blocks is joined once."""

    def __init__(self, longest: int = MAX_LINE) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, block: bytes) -> list[bytes | TooLong]:
        """The lines that end in ``block``, without their newlines."""
        lines: list[bytes | TooLong] = list(block.split(b"\n"))
        rest = lines.pop()
        if lines:
            lines[0] = self._join(lines[0])  # type: ignore[arg-type]
        self._hold(rest)  # type: ignore[arg-type]
        return lines

    def flush(self) -> list[bytes | TooLong]:
        """The line that no newline ends, if there is one."""
        return [self._join(b"")] if self._parts else []

    def _hold(self, part: bytes) -> None:
        if not part:
            return
        if self._held <= self._longest:
            self._parts.append(part)
        if self._held + len(part) > self._longest >= self._held:
            self._parts = [b"".join(self._parts)[: 4 * EXCERPT]]
        self._held += len(part)

    def _join(self, last: bytes) -> bytes | TooLong:
        self._hold(last)
        parts, held = self._parts, self._held
        self._parts, self._held = [], 0
        if held > self._longest:
            return TooLong(parts[0], held)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def loads(text: bytes) -> Any:
    """The JSON value in ``text``, exactly; ValueError says what is wrong and where."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if b"\\u" not in text:
            raise
        return _loads_slowly(text, error)
    return _loads_slowly(text, None) if _has_giant(value) else value


def _has_giant(value: Any) -> bool:
    """Whether a number may have been an integer beyond 64 bits, which orjson reads as a float."""
    found = [value]
    for item in found:  # grows as it goes
        kind = type(item)
        if kind is dict:
            found += item.values()
        elif kind is list:
            found += item
        elif kind is float and abs(item) >= _GIANT:
            return True
    return False


def is_too_deep(text: bytes, value: Any) -> bool:
    """Whether ``value``, which ``text`` is the JSON of, has more than :data:`MAX_DEPTH` levels."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    found = [(value, 1)]
    while found:
        item, depth = found.pop()
        if depth > MAX_DEPTH:
            return True
        members = item.values() if isinstance(item, dict) else item
        found += [(member, depth + 1) for member in members if isinstance(member, dict | list)]
    return False


def _loads_slowly(text: bytes, cause: ValueError | None) -> Any:
    try:
        return json.loads(text.decode(), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise cause or ValueError("not valid JSON") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is beyond what a number can hold")
    return number


def dumps(value: Mapping[str, Any], *, sort: bool = False) -> bytes:
    """``value`` as one line of JSON, without the newline; TypeError where JSON has no word for it."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort else None)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), sort_keys=sort, allow_nan=False).encode()


def excerpt(line: bytes) -> str:
    """The line's first characters, whatever its bytes are."""
    return line[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
