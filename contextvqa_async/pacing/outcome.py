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
    """Given up because the server seems to have too much to do (time-outs, stalls): ask for less at once."""
    AWAY = "away"
    """The server or a gateway before it says that it cannot serve now (502, 503, 504, 529): it may be down."""
    GONE = "gone"
    """No connection could be made (refused, no such host, connect time-out): nobody is there."""
    FAULT = "fault"
    """Failed inside the server or in mid-answer (500, a cut): as likely the record's doing as the server's."""
    VOID = "void"
    """Told nothing of the endpoint's state: cancelled, or the record itself was at fault."""
