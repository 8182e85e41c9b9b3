"""What an endpoint tells of waiting: headers and the words of a refusal in, seconds out. Pure.

Rule: never shorter than told, and nothing is believed that cannot be: a negative, endless, empty, past or unreadable
hint is no hint. Zero is no hint either: the caller's own back-off is kinder.

    retry-after-ms  >  retry-after (seconds or date)  >  the message's words  >  x-ratelimit-reset-*

Rule: a moment is held against the clock that named it. The response's own ``Date`` says what that clock showed; this
machine's may be minutes off. And of several allowances the one that is short counts: the day's requests may be renewed
in hours, where the minute's tokens are in seconds.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FAR = 366 * 86_400.0
"""No endpoint means a wait of more than a year: such a number is an epoch or garbage."""

_UNKNOWN_SHARE = 0.5
"""Taken for what an allowance has left that does not say: another one is the short one if it has less."""

_LONGEST = 64
"""Characters of a header's value that are looked at."""

_CLOCK = re.compile(  # 6m0s, 1h2m3.5s, 644ms, 12 seconds; ASCII digits only, so that float() takes what matched
    r"""(?:(?P<d>[0-9.]+)\s*d(?:ays?)?\s*)?
        (?:(?P<h>[0-9.]+)\s*h(?:(?:ou)?rs?)?\s*)?
        (?:(?P<m>[0-9.]+)\s*m(?:in(?:ute)?s?)?(?!\s*s|[a-z])\s*)?
        (?:(?P<s>[0-9.]+)\s*s(?:ec(?:ond)?s?)?\b\s*)?
        (?:(?P<ms>[0-9.]+)\s*m(?:illi)?s(?:ec(?:ond)?s?)?\b)?""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

_WORDS = re.compile(  # what stands before the time in a sentence, or names it in JSON
    r"""(?: (?:try|retry)(?:\s+(?:again|your\s+request|the\s+request))?\s+(?:in|after)\s+
          | retry[_-]?(?:delay|after)(?P<ms>_?ms)?\\?["']?\s*[:=]\s*\\?["']?
          | (?P<date>next_flush_time)\\?["']?\s*[:=：]?\s*\\?["']?
          | wait\s+(?:for\s+|at\s+least\s+)?
        )""",
    re.VERBOSE | re.IGNORECASE,
)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|\d{10,13}", re.ASCII)
_BARE = re.compile(r"\d+(?:\.\d+)?(?![\d.]*\w)", re.ASCII)

_SCOPES = ("requests", "tokens")
_RESET_NAMES = (
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-reset-tokens_usage_based",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-reset",
    "x-ratelimit-reset",
    "ratelimit-reset",
    "ratelimitbysize-reset",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of one allowance (``scope``: requests or tokens), and in how many seconds it is renewed."""

    scope: str
    remaining: float
    reset: float


def wait_hint(headers: Mapping[str, str], message: str, now: float) -> float | None:
    """Return how many seconds the refusal asks to wait, or None where it says nothing believable.

    ``headers``: the response's, in any case; ``message``: its error message or raw body; ``now``: seconds since the
    epoch, for hints that are dates in a response without one.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    for wait in _told(lower, message, _server_time(lower, now)):
        if wait is not None:
            return wait
    return None


def _told(headers: Mapping[str, str], message: str, now: float) -> Iterator[float | None]:
    milliseconds = _number(headers.get("retry-after-ms", ""))
    yield None if milliseconds is None else _believable(milliseconds / 1000)
    yield _span(headers.get("retry-after", ""), now)
    yield _from_words(message, now)
    yield _from_resets(headers, now)


def quotas(headers: Mapping[str, str], now: float) -> list[Quota]:
    """Return what ``x-ratelimit-remaining-*`` tells, where its reset is believable; garbage and -1 are left out."""
    lower = {name.lower(): value for name, value in headers.items()}
    found = []
    for scope in _SCOPES:
        remaining = _number(lower.get(f"x-ratelimit-remaining-{scope}", ""))
        if remaining is None or remaining < 0:
            continue
        reset = _span(lower.get(f"x-ratelimit-reset-{scope}", ""), _server_time(lower, now))
        if reset is not None:
            found.append(Quota(scope=scope, remaining=remaining, reset=reset))
    return found


def backoff(attempt: int, rng: random.Random) -> float:
    """Return the seconds to wait before asking again, where nobody told: half to all of ``min(60, 2**attempt)``.

    ``attempt`` counts from 0. Full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
    2015) spreads those who were refused together; the floor of a half keeps a lucky draw from asking at once.
    """
    return rng.uniform(0.5, 1.0) * min(60.0, 2.0 ** min(max(attempt, 0), 6))


def _believable(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and 0 < seconds <= _FAR else None


def _number(text: str) -> float | None:
    try:
        value = float(text[:_LONGEST])
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _span(text: str, now: float) -> float | None:
    """Seconds in any form that a header has: a number, an epoch (s or ms), ``6m0s``, an HTTP or RFC 3339 date."""
    text = text.strip()[:_LONGEST]
    if not text:
        return None
    value = _number(text)
    if value is not None:
        return _believable(_since(value, now))
    clock = _CLOCK.fullmatch(text)
    if clock and clock.lastgroup:
        return _clock_seconds(clock)
    return _until(text, now)


def _since(value: float, now: float) -> float:
    if value > 1e11:
        return value / 1000 - now
    return value - now if value > 1e9 else value


def _clock_seconds(match: re.Match[str]) -> float | None:
    total = 0.0
    for unit, factor in _UNIT.items():
        if digits := match[unit]:
            value = _number(digits)
            if value is None:
                return None
            total += value * factor
    return _believable(total)


def _until(text: str, now: float) -> float | None:
    moment = _moment(text)
    return None if moment is None else _believable(moment - now)


def _moment(text: str) -> float | None:
    """An HTTP or RFC 3339 date as seconds since the epoch."""
    try:
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _server_time(headers: Mapping[str, str], now: float) -> float:
    """What the server's clock showed as it answered; ``now`` where it does not say."""
    told = _moment(headers.get("date", "").strip()[:_LONGEST])
    return now if told is None else told


def _from_words(message: str, now: float) -> float | None:
    """The longest time that the message's words ask for: a provider may name several limits at once."""
    found = (_after(message[match.end() :][:_LONGEST], match, now) for match in _WORDS.finditer(message[:20_000]))
    return max((wait for wait in found if wait is not None), default=None)


def _after(rest: str, match: re.Match[str], now: float) -> float | None:
    if stamp := _TIMESTAMP.match(rest):
        return _span(stamp[0], now)
    if match["date"]:
        return None
    if (clock := _CLOCK.match(rest)) and clock.lastgroup:
        return _clock_seconds(clock)
    if bare := _BARE.match(rest):
        return _believable(float(bare[0]) / (1000 if match["ms"] else 1))
    return None


def _from_resets(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that used-up allowances ask for; where none says that it is used up, the one with the least left."""
    allowances = [
        (_share_left(headers, name), reset)
        for name in _RESET_NAMES
        if (reset := _span(headers.get(name, ""), now)) is not None
    ]
    used_up = [reset for share, reset in allowances if share == 0]
    return max(used_up) if used_up else min(allowances, default=(0.0, None))[1]


def _share_left(headers: Mapping[str, str], reset_name: str) -> float:
    """What is left of the allowance that a reset is of."""
    remaining = _number(headers.get(reset_name.replace("reset", "remaining"), ""))
    if remaining == 0:
        return 0.0
    limit = _number(headers.get(reset_name.replace("reset", "limit"), ""))
    if remaining is None or limit is None or not 0 < remaining <= limit:
        return _UNKNOWN_SHARE
    return remaining / limit
