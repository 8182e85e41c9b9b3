"""How one attempt ended, and what that told of its endpoint: values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What one attempt told of its endpoint, for the pace."""

    OK = "ok"
    """A whole answer."""
    RATE = "rate"
    """Refused for the rate (429 and its kin): wait, and ask for less at once."""
    OVERLOAD = "overload"
    """Given up because the server seems to have too much to do (time-outs, stalls): ask for less at once."""
    AWAY = "away"
    """The server or a gateway before it says that it cannot serve now (502, 503, 504, 529): it may be down."""
    GONE = "gone"
    """No connection could be made (refused, no such host, connect time-out): nobody is there."""
    FAULT = "fault"
    """Failed inside the server or in mid-answer (500, a cut): as likely the record's doing as the server's."""
    VOID = "void"
    """Told nothing of the endpoint's state: cancelled, or the record itself was at fault."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one attempt, as the pace needs to know it.

    ``wait``: seconds that the server asked to wait, see :func:`wait_hint`; ``headers``: the response's, for the rate
    limits they tell; ``fault``: a sentence on what went wrong, for people.
    """

    outcome: Outcome
    wait: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    headers: Mapping[str, str] | None = None
    fault: str = ""

    @property
    def tokens(self) -> int | None:
        """Tokens that count into a rate limit; None where they were not told."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens
