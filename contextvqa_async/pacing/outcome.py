"""What one attempt told of its endpoint."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What one attempt told of its endpoint, for the pace."""

    OK = "ok"
    """A whole answer."""
    RATE = "rate"
    """Refused for the rate (429 and its kin): wait, and ask for less at once."""
    OVERLOAD = "overload"
    """Refused or dropped because the server has too much to do (503, 529, time-outs, stalls): ask for less at once."""
    FAULT = "fault"
    """Failed on the way or inside the server (connection refused or cut, 500): it may be down."""
    VOID = "void"
    """Told nothing of the endpoint's state: cancelled, or the record itself was at fault."""
