"""Which record a line is: its id, found without parsing the line where that is safe.

Comes in: lines, as bytes. Goes out: keys, which are ids as bytes; what reads records and what writes rows share them.
Rule: a scanned key is the one that parsing the line would give, or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import orjson

from contextvqa_async.items import RecordId
from contextvqa_async.jsonl import TooLong

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_DIGITS = 18
_SHORT_INTEGER = re.compile(rb"(?:0|[1-9][0-9]{0,%d})(?=[,}])" % (_DIGITS - 1))


@dataclass(slots=True)
class Batch:
    """Records that were read together: their identities, their text as read, and how far the input is read by now.

    ``upto`` is the number of the last line (or element) before which nothing is unread; :data:`END` after the last.
    """

    keys: list[bytes]
    texts: list[bytes]
    upto: int


END = 1 << 62
"""The number after that of an input's last line."""


def is_id(value: Any) -> TypeGuard[RecordId]:
    """Whether a JSON value can be an id: a string or an integer."""
    return isinstance(value, str | int) and not isinstance(value, bool)


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
        """The key that parsing the line would give, provided that it is valid JSON; None where only parsing can say.

        A second occurrence of the name, or an escape that could spell it, leaves the answer to the parser.
        """
        key = self.first(line)
        if key is None or line.find(self._name, len(self._prefix)) >= 0:
            return None
        return None if any(escape in line for escape in self._escapes) else key

    def first(self, line: bytes) -> bytes | None:
        """The key in the line's first member, if that is a simple id; members after it are not looked at."""
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
