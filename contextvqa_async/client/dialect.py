"""The request body of one endpoint, and what a run learns of the parameters that it refuses. Pure.

Rule: the default body is minimal. A 400 or 422 that says an optional parameter is unknown or unsupported swaps
it for the name the server asks for, or drops it: on trial for the refused record, and for the
rest of the run once that record was answered. Where the refusal repeats itself, the parameter was not_at_fault.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from copy import copy
from typing import Any

import orjson

from contextvqa_async.config import Generation
from contextvqa_async.faults import ErrorBody

SWAPS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens", "seed": "random_seed"}
"""A refused name, and the one to use instead where the refusal names it too."""

MOST_CHANGES = 3
_FIXED = frozenset({"model", "messages", "stream"})
_NAME = re.compile(r"[\"'`]([A-Za-z]\w*)|\b([a-z]+_\w+|temperature|seed)\b", re.IGNORECASE)
"""A parameter in a sentence: quoted, or a word that is nothing else."""


_UNWANTED = re.compile(
    r"unsupported|not (currently |yet |be )?(support|permit|allow|accept|recogni[sz])|"
    r"only .{0,40}(support|permitt|allow)|unknown|unrecogni[sz]ed|unexpected|deprecated|no longer|"
    r"extra[ _](input|field|param|forbidden)|did you mean|\buse .{0,40} instead|不支持|未知参数",
    re.IGNORECASE | re.DOTALL,
)
"""The parameter itself is not wanted; a value that is out of range, or wrong for one record only, is another matter."""

_QUOTED = re.compile(r"(?<!\w)[\"'`“][^\"'`”]*\s[^\"'`”]*[\"'`”](?!\w)")
"""Several words in quotes: the record's own, which some servers echo."""


class Dialect:
    """The parameters that one endpoint is sent. ``head`` is the body up to its messages, ``changes`` what was learnt:
    a sentence for each refused name.
    """

    def __init__(self, model: str, generation: Generation) -> None:
        self.params = _parameters(model, generation)
        self.changes: dict[str, str] = {}
        self._encode()

    def _encode(self) -> None:
        self.head = orjson.dumps(self.params, option=orjson.OPT_NON_STR_KEYS)[:-1] + b',"messages":'

    def without(self, told: ErrorBody, not_at_fault: Collection[str] = ()) -> Dialect | None:
        """The dialect that this refusal asks for; None where it names nothing optional that could be guilty."""
        name = self._refused_name(told)
        if name is None or name in not_at_fault or not _UNWANTED.search(" ".join((told.message, *told.words))):
            return None
        changed = copy(self)
        changed.params = {key: value for key, value in self.params.items() if key != name}
        other = SWAPS.get(name)
        if other and other in told.raw and other not in self.changes.keys() | changed.params.keys():
            changed.params[other] = self.params[name]
            done = f"is sent as {other!r} from now on"
        else:
            done = "is left out from now on"
        notice = f"The endpoint refuses the parameter {name!r}, which {done}: {told.message[:200]}"
        changed.changes = self.changes | {name: notice}
        changed._encode()
        return changed

    def knows(self, told: ErrorBody) -> bool:
        """Whether the refusal is of something that is changed already."""
        return any(name in self.changes for name in _named(told))

    def repeats(self, told: ErrorBody) -> str | None:
        """The parameter that the refusal names first, though it was not sent; None where it was."""
        known = self.changes.keys() | self.params.keys()
        first = next((name for name in _named(told) if name in known), None)
        return first if first in self.changes else None

    def _refused_name(self, told: ErrorBody) -> str | None:
        if len(self.changes) >= MOST_CHANGES:
            return None
        optional = {name.lower(): name for name in self.params if name not in _FIXED}
        return next((optional[name] for name in _named(told) if name in optional), None)


def _named(told: ErrorBody) -> Iterable[str]:
    """What may be parameters in a refusal, the surest first: its own fields, then the words of its message."""
    yield from (param.lower() for param in told.params)
    yield from ((match[1] or match[2]).lower() for match in _NAME.finditer(_QUOTED.sub(" ", told.message[:1000])))


def _parameters(model: str, generation: Generation) -> dict[str, Any]:
    streamed = (
        {"stream": False} if generation.no_stream else {"stream": True, "stream_options": {"include_usage": True}}
    )
    named = {name: getattr(generation, name) for name in ("temperature", "top_p", "max_tokens", "seed")}
    chosen = {name: value for name, value in named.items() if value is not None}
    return {"model": model, **streamed, **chosen, **dict(generation.extra_body or {})}
