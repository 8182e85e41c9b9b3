"""The request body of one endpoint, and what a run learns of the parameters that it refuses. Pure.

Rule: the default body is minimal (R-04). A 400 or 422 that names an optional parameter swaps it for the name the
server asks for, or drops it: once, for the rest of the run (R-01 to R-04, R-06).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

from contextvqa_async.config import Generation
from contextvqa_async.faults import Told

SWAPS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens", "seed": "random_seed"}
"""A refused name, and the one to use instead where the refusal names it too."""

MOST_CHANGES = 3
_FIXED = frozenset({"model", "messages", "stream"})
_NAME = re.compile(r"[\"'`]([A-Za-z]\w*)|\b([a-z]+_\w+|temperature|seed)\b", re.IGNORECASE)
"""A parameter in a sentence: quoted, or a word that is nothing else."""


class Dialect:
    """The parameters that one endpoint is sent. ``head`` is the body up to its messages, ``version`` counts changes."""

    def __init__(self, model: str, generation: Generation) -> None:
        self.params = _parameters(model, generation)
        self.version = 0
        self._refused: set[str] = set()
        self._encode()

    def _encode(self) -> None:
        self.head = orjson.dumps(self.params, option=orjson.OPT_NON_STR_KEYS)[:-1] + b',"messages":'

    def adapt(self, told: Told) -> str | None:
        """Change what the refusal names, and return one sentence about it; None where it names nothing optional."""
        name = self._refused_name(told)
        if name is None:
            return None
        self.version += 1
        self._refused.add(name)
        value = self.params.pop(name)
        other = SWAPS.get(name)
        if other and other in told.raw and other not in self._refused | self.params.keys():
            self.params[other] = value
            done = f"is sent as {other!r} from now on"
        else:
            done = "is left out from now on"
        self._encode()
        return f"The endpoint refuses the parameter {name!r}, which {done}: {told.message[:200]}"

    def knows(self, told: Told) -> bool:
        """Whether the refusal is of something that this run has changed already."""
        return any(name in self._refused for name in _named(told))

    def _refused_name(self, told: Told) -> str | None:
        if self.version >= MOST_CHANGES:
            return None
        optional = {name.lower(): name for name in self.params if name not in _FIXED}
        return next((optional[name] for name in _named(told) if name in optional), None)


def _named(told: Told) -> Iterable[str]:
    """What may be parameters in a refusal, the surest first: its own fields, then the words of its message."""
    yield from (param.lower() for param in told.params)
    yield from ((match[1] or match[2]).lower() for match in _NAME.finditer(told.message[:1000]))


def _parameters(model: str, generation: Generation) -> dict[str, Any]:
    streamed = (
        {"stream": False} if generation.no_stream else {"stream": True, "stream_options": {"include_usage": True}}
    )
    named = {name: getattr(generation, name) for name in ("temperature", "top_p", "max_tokens", "seed")}
    chosen = {name: value for name, value in named.items() if value is not None}
    return {"model": model, **streamed, **chosen, **dict(generation.extra_body or {})}
