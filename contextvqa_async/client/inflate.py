"""Compressed bytes of a body → plain ones; we ask for none, but some proxies compress all the same. Pure.

Rule: bounded (a small bomb unpacks to gigabytes), and no more trust in the header than in the bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

MOST = 64 * 2**20

_GZIP, _ZLIB, _BARE = 31, 15, -15
_NAMES = {"gzip": False, "x-gzip": False, "deflate": True}


class Unreadable(Exception):  # noqa: N818 - a fact about the answer, of which the client makes a fault
    """The body is compressed in a way that was not asked for, or is not what its header says."""


def decoder(encoding: str) -> Callable[[bytes], bytes] | None:
    """What undoes a content encoding, or None where there is nothing to undo. Raises Unreadable."""
    names = [name for name in encoding.lower().replace(" ", "").split(",") if name not in ("", "identity", "none")]
    if not names:
        return None
    if len(names) == 1 and names[0] in _NAMES:
        return _Inflater(deflate=_NAMES[names[0]])
    raise Unreadable(f"The answer is compressed with {encoding!r}, which was not asked for.")


class _Inflater:
    """Undoes gzip and deflate; plain bytes under such a header pass as they are, and members may follow each other."""

    def __init__(self, *, deflate: bool) -> None:
        self._deflate = deflate
        self._start = b""
        self._inflate: Any = None
        self._plain = False
        self._members = 0
        self._size = 0

    def __call__(self, data: bytes) -> bytes:
        if self._inflate is None and not self._plain:
            self._start = data = self._start + data
            if len(data) < 2:
                return b""
            self._sniff(data)
        return data if self._plain else self._undo(data)

    def _sniff(self, data: bytes) -> None:
        zipped, wrapped = data[:2] == b"\x1f\x8b", data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
        self._plain = not (zipped or self._deflate)
        self._inflate = zlib.decompressobj(_GZIP if zipped else _ZLIB if wrapped else _BARE)

    def _undo(self, data: bytes) -> bytes:
        out = []
        try:
            while data:
                out.append(self._inflate.decompress(data, MOST))
                self._size += len(out[-1])
                if self._size > MOST or self._inflate.unconsumed_tail:
                    raise Unreadable(f"The answer unpacks to more than {MOST >> 20} MB.")
                data = self._inflate.unused_data
                if self._inflate.eof:
                    self._members += 1
                    self._inflate = zlib.decompressobj(_GZIP)
        except zlib.error as error:
            if not self._members:  # what follows a whole member is padding
                raise Unreadable(f"The answer's compression is broken: {error}.") from None
        return b"".join(out)
