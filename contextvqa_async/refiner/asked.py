"""A question of a stretch, with the answers that were read for it so far: a value that the machine fills."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field


@dataclass(slots=True)
class Asked:
    """A question, and what has answered it so far."""

    question: str
    number: int | None = None
    answers: list[str] = field(default_factory=list)
    listed: bool = False  # the answer is a list of parts
    gap: bool = False  # a blank line came after the question
    tried: bool = False  # an answer's label came, with nothing behind it

    @property
    def answer(self) -> str:
        """The answer in one line: parts of a list joined by commas, wrapped lines by spaces."""
        if not (self.listed or self._column()):
            return " ".join(part for part in self.answers if part)
        parts = filter(None, (part.strip().rstrip(",;，；、").strip() for part in self.answers))
        return ", ".join(parts).replace(":, ", ": ").replace("：, ", "：")

    def _column(self) -> bool:
        """Whether short lines stand one below another under a label that stands alone: parts, not wrapped words."""
        first, *parts = self.answers or ("",)
        return (
            not first
            and len(parts) > 1
            and all(0 < len(part) < 31 and part[-1] not in ",;，；、" for part in parts)
            and not any(part[0].islower() and before[0].isupper() for before, part in itertools.pairwise(parts))
        )

    @property
    def answered(self) -> bool:
        """Whether words have answered it: the same as a look at ``answer``, without putting it together."""
        return any(self.answers)

    @property
    def done(self) -> bool:
        """Whether it has both."""
        return bool(self.question) and self.answered
