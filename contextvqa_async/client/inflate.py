"""Compressed bytes of a body → plain ones; we ask for none, but some proxies compress all the same (F-19). Pure.

Rule: bounded (a small bomb unpacks to gigabytes), and no more trust in the header than in the bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any


class Unreadable(Exception):  # noqa: N818 - a fact about the answer, of which the client makes a fault
    """The body is compressed in a way that was not asked for, or is not what its header says."""


def decoder(encoding: str) -> Callable[[bytes], bytes] | None:
    """What undoes a content encoding, or None where there is nothing to undo. Raises Unreadable."""
    names = [name for name in encoding.lower().replace(" ", "").split(",") if name not in ("", "identity", "none")]
    if not names:
        return None
    if names in (["gzip"], ["x-gzip"], ["deflate"]):
        return _Inflater(deflate=names == ["deflate"])
    raise Unreadable(f"The answer is compressed with {encoding!r}, which was not asked for.")


class _Inflater:
    """Undoes gzip and deflate; plain bytes under such a header pass as they are, and members may follow each other."""

    _MOST = 64 * 2**20

    def __init__(self, *, deflate: bool) -> None:
        self._deflate = deflate
        self._inflate: Any = None
        self._start = b""
        self._size = 0
        self._plain = False

    def __call__(self, data: bytes) -> bytes:
        if self._inflate is None and not self._plain:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return b""
            self._begin(data)
        return data if self._plain else self._undo(data)

    def _begin(self, data: bytes) -> None:
        zipped, zlibbed = data[:2] == b"\x1f\x8b", data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
        self._plain = not (zipped or self._deflate)
        bits = 31 if zipped else 15 if zlibbed else -15
        self._inflate = None if self._plain else zlib.decompressobj(bits)

    def _undo(self, data: bytes) -> bytes:
        out = []
        try:
            while data:
                out.append(self._inflate.decompress(data, self._MOST))
                self._size += len(out[-1])
                if self._size > self._MOST or self._inflate.unconsumed_tail:
                    raise Unreadable("The answer unpacks to more than 64 MB.")
                data = self._inflate.unused_data
                if data:
                    self._begin(data.ljust(2, b"\0"))
        except zlib.error as error:
            raise Unreadable(f"The answer's compression is broken: {error}.") from None
        return b"".join(out)
