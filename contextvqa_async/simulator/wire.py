"""A text → the bytes of an answer, streamed or whole, and the times at which its tokens are due.

Rule: pure. All of an answer is laid out before its first byte is sent.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

import orjson

SIMULATED = "simulated"
DONE = b"data: [DONE]\n\n"

_TOKEN = re.compile(r"\s?\w{1,6}|\s|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered to one request."""

    id: str
    model: str
    created: int
    tokens: tuple[str, ...]
    prompt_tokens: int
    finish_reason: str

    @property
    def usage(self) -> dict[str, int]:
        """The counts, as every OpenAI-like server gives them."""
        written = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }

    def head(self, kind: str) -> dict[str, Any]:
        """The keys that stand in every object of an answer."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": SIMULATED,
        }


def tokens_of(text: str) -> tuple[str, ...]:
    """Split a text in pieces of about a model's tokens; joined, they are the text."""
    return tuple(_TOKEN.findall(text))


def whole(reply: Reply) -> bytes:
    """The body of an answer that is not streamed."""
    message = {"role": "assistant", "content": "".join(reply.tokens)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return orjson.dumps({**reply.head("chat.completion"), "choices": [choice], "usage": reply.usage})


class Events:
    """The events of a streamed answer: the role, a token each, then the end (finish, usage, [DONE]) as one.

    They are written out only when they are due: thousands of streams wait at a time.
    """

    def __init__(self, reply: Reply, *, include_usage: bool) -> None:
        head = reply.head("chat.completion.chunk")
        blank = _event(head, [_choice({"content": ""}, None)])
        self._before, self._after = blank.rsplit(b'""', 1)
        self._first = _event(head, [_choice({"role": "assistant", "content": ""}, None)])
        usage = _event({**head, "usage": reply.usage}, []) if include_usage else b""
        self._end = _event(head, [_choice({}, reply.finish_reason)]) + usage + DONE
        self._tokens = reply.tokens

    def __len__(self) -> int:
        return len(self._tokens) + 2

    def write(self, start: int, end: int) -> bytes:
        """The bytes of the events from ``start`` up to ``end``."""
        tokens = self._tokens[max(0, start - 1) : max(0, end - 1)]
        pieces = [self._before + orjson.dumps(token) + self._after for token in tokens]
        if start == 0 < end:
            pieces.insert(0, self._first)
        if end == len(self) > start:
            pieces.append(self._end)
        return b"".join(pieces)


def _choice(delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _event(head: dict[str, Any], choices: list[dict[str, Any]]) -> bytes:
    return b"data: " + orjson.dumps({**head, "choices": choices}) + b"\n\n"


def due_times(count: int, prompt_tokens: int, rng: random.Random, speed: float) -> list[float]:
    """Seconds after the request at which each of ``count`` events is due: a wait, then 60 to 120 tokens a second."""
    at = (0.25 + 0.4 * rng.random() + prompt_tokens / 8000) / speed
    gap = 1 / rng.uniform(60, 120) / speed
    times = []
    for _ in range(count):
        times.append(at)
        at += gap * (0.5 + rng.random())
    return times
