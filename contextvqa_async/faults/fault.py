"""A request's end without an answer, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contextvqa_async.errors import Kind

MESSAGE_LENGTH = 300
"""Characters of a message that are kept: some providers echo the request, image and all."""


class Verdict(StrEnum):
    """What follows from a fault."""

    RECORD = "record"
    """The record itself is at fault: asking again would end alike."""
    FATAL = "fatal"
    """Every record would end alike: the run stops."""
    RATE = "rate"
    """Asked too fast: wait; not the record's fault, and not counted against it."""
    OVERLOAD = "overload"
    """The server has too much to do: ask again later, and less at once."""
    TRANSIENT = "transient"
    """It may work the next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One request's end without an answer. ``tries``: at most so many requests for such a fault (None: no own limit).

    ``by_code``: whether a code decided, not words or a bare status; ``gone``: no connection could be made at all.
    """

    kind: Kind
    verdict: Verdict
    message: str
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    tries: int | None = None
    wait: float | None = None
    by_code: bool = True
    gone: bool = False
