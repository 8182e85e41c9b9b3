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
        """The counts, as every OpenAI-like server tells them."""
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


def events(reply: Reply, *, include_usage: bool) -> list[bytes]:
    """The events of a streamed answer: the role, a token each, then the end (finish, usage, [DONE]) as one."""
    head = reply.head("chat.completion.chunk")
    blank = orjson.dumps(
        {**head, "choices": [{"index": 0, "delta": {"content": ""}, "logprobs": None, "finish_reason": None}]}
    )
    before, after = blank.rsplit(b'""', 1)
    first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply.finish_reason}
    end = [_event({**head, "choices": [last]})]
    if include_usage:
        end.append(_event({**head, "choices": [], "usage": reply.usage}))
    return [
        _event({**head, "choices": [first]}),
        *(b"data: " + before + orjson.dumps(token) + after + b"\n\n" for token in reply.tokens),
        b"".join((*end, DONE)),
    ]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def due_times(count: int, prompt_tokens: int, rng: random.Random, speed: float) -> list[float]:
    """Seconds after the request at which each of ``count`` events is due: a wait, then 60 to 120 tokens a second."""
    at = (0.25 + 0.4 * rng.random() + prompt_tokens / 8000) / speed
    gap = 1 / rng.uniform(60, 120) / speed
    times = []
    for _ in range(count):
        times.append(at)
        at += gap * (0.5 + rng.random())
    return times
