"""A compressed file → its content, up to where it is damaged; only then the fault.

Rule: a decompressor loses what it had unpacked in the call that fails, so each call asks for little.
"""

from __future__ import annotations

import zlib
from typing import Protocol

UNREADABLE = (OSError, EOFError, zlib.error)
"""What reading raises where a disk, an end or the compressed bytes are at fault."""

_STEP = 1 << 13


class Packed(Protocol):
    """A file that unpacks while it is read."""

    def read1(self, size: int = -1, /) -> bytes:
        """Some of the content; empty at its end."""
        ...


class Unpacked:
    """Reads ``packed``; its error is raised only once everything before the damage has been read."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._fault: Exception | None = None

    def read(self, size: int) -> bytes:
        """At least one byte and at most ``size``, empty at the end; raises where nothing more can be unpacked."""
        parts, held = list[bytes](), 0
        while held < size and self._fault is None:
            part = self._step(min(_STEP, size - held))
            if not part:
                break
            parts.append(part)
            held += len(part)
        if self._fault is not None and not parts:
            raise self._fault
        return b"".join(parts)

    def _step(self, size: int) -> bytes:
        try:
            return self._packed.read1(size)
        except UNREADABLE as fault:
            self._fault = fault
            return b""
