"""JSONL as bytes: blocks come in, lines go out, and a line's identity is told without parsing it where that is safe.

Rule: nothing here waits, opens or prints. A value that was read is written again unchanged: integers of any size and
lone surrogates too, which orjson alone rounds or refuses. A scanned identity is the one that parsing gives, or None.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import orjson

from contextvqa_async.items import RecordId

MAX_LINE = 256 * 1024 * 1024
"""Bytes of the longest line that is held in memory; what is longer is told and skipped."""

MAX_DEPTH = 250
"""Levels of lists and objects in the deepest record: its row is a level deeper, and JSON's writers end soon after."""

EXCERPT = 1000
"""Characters of a line that is no record, as they are kept for the reader of the failed file."""

BOM = b"\xef\xbb\xbf"

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_DIGITS = 18
_GIANT = 2.0**63
_SHORT_INTEGER = re.compile(rb"(?:0|[1-9][0-9]{0,%d})(?=[,}])" % (_DIGITS - 1))


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line beyond :data:`MAX_LINE`: its first bytes, and how many there were."""

    start: bytes
    size: int


@dataclass(slots=True)
class Batch:
    """Records that were read together: their identities, their text as read, and how far the input is read by now.

    ``upto`` is the number of the last line (or element) before which nothing is unread; :data:`END` after the last.
    """

    keys: list[bytes]
    texts: list[bytes]
    upto: int


END = 1 << 62


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


def key_of(record_id: RecordId) -> bytes:
    """An id as bytes: ``1`` and ``"1"`` differ, and equal ids are equal however JSON spelled them."""
    if isinstance(record_id, str):
        return b'"' + record_id.encode("utf-8", "surrogatepass")
    return b"%d" % record_id


def id_of(key: bytes) -> RecordId:
    """The id that :func:`key_of` made ``key`` of."""
    return key[1:].decode("utf-8", "surrogatepass") if key[:1] == b'"' else int(key)


class IdScanner:
    """Finds the identity in a line that starts with its id, as the rows and most inputs do."""

    def __init__(self, id_key: str) -> None:
        self._name = orjson.dumps(id_key)
        self._prefix = b"{" + self._name + b":"
        self._plain = _PLAIN_NAME.match(id_key) is not None
        self._escapes = tuple({b"\\u00%x" % (ord(c) >> 4) for c in id_key}) if self._plain else ()

    def scan(self, line: bytes) -> bytes | None:
        """The key that parsing the line would give, provided that it is valid JSON; None where only parsing tells.

        A second occurrence of the name, or an escape that could spell it, leaves the answer to the parser.
        """
        key = self.first(line)
        if key is None or line.find(self._name, len(self._prefix)) >= 0:
            return None
        return None if any(escape in line for escape in self._escapes) else key

    def first(self, line: bytes) -> bytes | None:
        """The key told by the line's first member, if that is a simple id; members after it are not looked at."""
        if not self._plain or not line.startswith(self._prefix):
            return None
        start = self._start(line)
        if line[start : start + 1] != b'"':
            found = _SHORT_INTEGER.match(line, start)
            return found[0] if found else None
        end = line.find(b'"', start + 1)
        key = line[start:end]
        return None if end <= start + 1 or b"\\" in key else key

    def _start(self, line: bytes) -> int:
        """Where the id begins: after the colon, or after the space that Python's json writes there."""
        start = len(self._prefix)
        return start + (line[start : start + 1] == b" ")

    def scan_all(self, lines: Sequence[bytes | TooLong], block: bytes) -> list[bytes] | None:
        """What :meth:`scan` gives for each of ``lines``, which ``block`` was split into; None unless it knows each.

        The first line may have begun before the block. A thousand lines in one pass: a quarter of scan's time.
        """
        if not lines or not self._plain or any(escape in block for escape in self._escapes):
            return None
        first = lines[0]
        if isinstance(first, TooLong) or self.scan(first) is None:
            return None
        whole = cast("Sequence[bytes]", lines)  # only a block's first line can be longer than a block
        start = self._start(first)
        keys = self._scan_alike(whole, first[:start], quoted=first[start : start + 1] == b'"')
        return keys if len(keys) == len(lines) else None

    def _scan_alike(self, lines: Sequence[bytes], prefix: bytes, *, quoted: bool) -> list[bytes]:
        """The keys of those lines that begin with ``prefix`` and a simple id; fewer where one does not."""
        name, start = self._name, len(prefix)
        prefix, end = (prefix + b'"', b'"') if quoted else (prefix, b",")
        size = len(prefix)
        keys = [
            line[start : line.find(end, size)]
            for line in lines
            if line[:size] == prefix and line.find(name, size) < 0 and line[-1:] == b"}"
        ]
        together = b"".join(keys)
        if quoted:
            return [] if b"\\" in together or b'"' in keys else keys
        return keys if together.isdigit() and b"" not in keys and max(map(len, keys)) <= _DIGITS else []


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
