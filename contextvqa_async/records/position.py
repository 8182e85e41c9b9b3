"""How far a source has been read, from which displays estimate when it will end. Pure.

Rule: a block is read at once, and its records are taken one by one; the position is that of the taking.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Position:
    """``size``: the source's bytes, or None where nobody knows; ``before`` and ``after``: the block at hand."""

    size: int | None = None
    before: int = 0
    after: int = 0
    share: float = 1.0
    """The share of the block's records that are taken, 0 to 1."""

    def advance(self, size: int) -> None:
        """Another block of ``size`` bytes is at hand."""
        self.before, self.after, self.share = self.after, self.after + size, 0.0

    @property
    def fraction(self) -> float | None:
        """The share of the source that has been taken, 0 to 1; None where its size is unknown."""
        if not self.size:
            return None
        return min(1.0, (self.before + self.share * (self.after - self.before)) / self.size)
