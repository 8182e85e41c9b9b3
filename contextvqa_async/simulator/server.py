"""Chat completions over HTTP → simulated answers: the handlers of a small OpenAI-like server.

Rules: whatever a client may get wrong is answered in OpenAI's error shape. Every answer says that it is simulated:
by the model's name, the system fingerprint and the header ``x-cvqa-simulated``. A stream writes all that is due at
each wake, so that many streams cost more delay, not more wakes than the machine has.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

import orjson
import pybase64
from aiohttp import web

from contextvqa_async.errors import UsageError
from contextvqa_async.simulator import wire
from contextvqa_async.simulator.answers import Sight, UnreadableError, answer, see, seed_of

MODEL = "qwen3-vl-8b-instruct"

_HEADERS = {"x-cvqa-simulated": "true", "Cache-Control": "no-cache"}
_DATA_URL = re.compile(r"data:(?:image/[\w.+-]+)?((?:;[\w=.+-]+)*),", re.ASCII)
_STALL = 3600.0
_WAKE_COST = 50e-6
"""Seconds of CPU that one wake of a stream costs about: the shortest pause is this for each stream at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """How fast and how well-behaved the simulated server is; ``speed`` is a factor, and ``inf`` knows no waiting."""

    speed: float = 1.0
    concurrency_limit: int | None = None
    rpm: float | None = None
    error_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise UsageError(f"--speed must be a number above 0, not {self.speed!r}.")
        if not 0 <= self.error_rate <= 1:
            raise UsageError(f"--error-rate must be a number from 0 to 1, not {self.error_rate!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, read and understood."""

    model: str
    prompt: str
    pictures: list[bytes]
    stream: bool
    include_usage: bool
    max_tokens: int | None


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}

    def response(self) -> web.Response:
        kind = "rate_limit_error" if self.status == 429 else "invalid_request_error"
        kind = "server_error" if self.status >= 500 else kind
        error = {"message": str(self), "type": kind, "param": None, "code": self.code}
        return _json({"error": error}, status=self.status, headers=self.headers)


class Handlers:
    """The server's state between requests: how many are at work, when the last ones came, and what draws faults."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self._rng = random.Random(options.seed)
        self._active = 0
        self._recent: deque[float] = deque()
        self._served = 0

    def application(self) -> web.Application:
        """Routes under any prefix, so that every base URL works."""
        app = web.Application()
        app.router.add_post("/{prefix:.*}chat/completions", self.complete)
        app.router.add_get("/{prefix:.*}models", self.models)
        app.router.add_route("*", "/{rest:.*}", self.unknown)
        return app

    async def models(self, _: web.Request) -> web.Response:
        """List the one model there is."""
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": wire.SIMULATED}
        return _json({"object": "list", "data": [model]})

    async def unknown(self, request: web.Request) -> web.Response:
        """Answer any other address as OpenAI does."""
        return _RefusedError(404, "unknown_url", f"Unknown request URL: {request.method} {request.path}.").response()

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer one chat completion."""
        start = asyncio.get_running_loop().time()
        self._active += 1
        try:
            self._check_pace(start)
            asked = _understand(await request.content.read())
            sight = await asyncio.to_thread(_see_first, asked.pictures)
            return await self._answer(request, asked, sight, start)
        except _RefusedError as refusal:
            return refusal.response()
        finally:
            self._active -= 1

    def _check_pace(self, now: float) -> None:
        limit, rpm = self._options.concurrency_limit, self._options.rpm
        if limit is not None and self._active > limit:
            message = f"Too many concurrent requests: at most {limit} are served."
            raise _RefusedError(429, "rate_limit_exceeded", message, {"Retry-After": "1"})
        while self._recent and self._recent[0] <= now - 60:
            self._recent.popleft()
        if rpm is not None and len(self._recent) >= rpm:
            wait = max(1, math.ceil(self._recent[0] + 60 - now))
            message = f"Rate limit reached: {rpm:g} requests per minute. Please try again in {wait}s."
            raise _RefusedError(429, "rate_limit_exceeded", message, {"Retry-After": str(wait)})
        self._recent.append(now)

    async def _answer(
        self, request: web.Request, asked: Asked, sight: Sight | None, start: float
    ) -> web.StreamResponse:
        fault = self._draw_fault()
        if fault == "rate":
            raise _RefusedError(429, "rate_limit_exceeded", "Simulated overload.", {"Retry-After": "1"})
        if fault == "server":
            raise _RefusedError(500, "internal_error", "Simulated internal error.")
        seed = seed_of(asked.pictures, asked.prompt)
        reply = self._reply(asked, sight, seed)
        asked.pictures.clear()  # a stream lasts long, and there may be thousands
        if not asked.stream:
            times = wire.due_times(len(reply.tokens) + 1, reply.prompt_tokens, random.Random(seed), self._options.speed)
            await _sleep_until(start + times[-1])
            return web.Response(body=wire.whole(reply), content_type="application/json", headers=self._headers(reply))
        return await self._stream(request, asked, reply, random.Random(seed), start, fault)

    def _draw_fault(self) -> str | None:
        if self._rng.random() >= self._options.error_rate:
            return None
        return self._rng.choice(("rate", "server", "cut", "error", "stall"))

    def _reply(self, asked: Asked, sight: Sight | None, seed: int) -> wire.Reply:
        tokens = wire.tokens_of(answer(sight, seed))
        cut = asked.max_tokens is not None and len(tokens) > asked.max_tokens
        self._served += 1
        return wire.Reply(
            id=f"chatcmpl-simulated-{self._served}",
            model=f"{asked.model} ({wire.SIMULATED})",
            created=int(time.time()),
            tokens=tokens[: asked.max_tokens],
            prompt_tokens=len(asked.prompt) // 4 + (sight.tokens if sight else 0) * len(asked.pictures),
            finish_reason="length" if cut else "stop",
        )

    def _headers(self, reply: wire.Reply) -> dict[str, str]:
        return {**_HEADERS, "x-request-id": reply.id}

    async def _stream(
        self,
        request: web.Request,
        asked: Asked,
        reply: wire.Reply,
        rng: random.Random,
        start: float,
        fault: str | None,
    ) -> web.StreamResponse:
        events = wire.Events(reply, include_usage=asked.include_usage)
        times = wire.due_times(len(events), reply.prompt_tokens, rng, self._options.speed)
        if fault is not None:
            del times[rng.randrange(len(times)) :]
        response = web.StreamResponse(headers={**self._headers(reply), "Content-Type": "text/event-stream"})
        await response.prepare(request)
        await self._write(response, events, [start + at for at in times])
        if fault == "error":
            await response.write(b'data: {"error":{"message":"Simulated overload.","code":"overloaded"}}\n\n')
        elif fault == "stall":
            await asyncio.sleep(_STALL)
        elif fault == "cut" and request.transport is not None:
            request.transport.abort()
        return response

    async def _write(self, response: web.StreamResponse, events: wire.Events, times: list[float]) -> None:
        loop, sent = asyncio.get_running_loop(), 0
        while sent < len(times):
            await _sleep_until(max(times[sent], loop.time() + self._active * _WAKE_COST if sent else 0))
            now, due = loop.time(), sent + 1
            while due < len(times) and times[due] <= now:
                due += 1
            await response.write(events.write(sent, due))
            sent = due


async def _sleep_until(when: float) -> None:
    pause = when - asyncio.get_running_loop().time()
    if pause > 0:
        await asyncio.sleep(pause)


def _json(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = orjson.dumps(data)
    return web.Response(
        body=body, status=status, content_type="application/json", headers={**_HEADERS, **(headers or {})}
    )


def _refuse(code: str, message: str) -> NoReturn:
    raise _RefusedError(400, code, message)


def _understand(body: bytes) -> Asked:
    try:
        data = orjson.loads(body)
    except ValueError:
        _refuse("invalid_json", "We could not parse the JSON body of your request.")
    if not isinstance(data, dict) or not isinstance(data.get("model"), str):
        _refuse("missing_required_parameter", "you must provide a model parameter")
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        _refuse("missing_required_parameter", "Missing required parameter: 'messages'.")
    texts: list[str] = []
    pictures: list[bytes] = []
    for message in messages:
        _read_message(message, texts, pictures)
    limit = data.get("max_completion_tokens") or data.get("max_tokens")
    options = data.get("stream_options")
    return Asked(
        model=data["model"],
        prompt="\n".join(texts),
        pictures=pictures,
        stream=data.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
    )


def _read_message(message: Any, texts: list[str], pictures: list[bytes]) -> None:
    if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant", "developer"):
        _refuse("invalid_value", "Each message needs a role: system, user or assistant.")
    content = message.get("content")
    if isinstance(content, str):
        texts.append(content)
        return
    if not isinstance(content, list):
        _refuse("invalid_type", "The content of a message is a string or an array of parts.")
    for part in content:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                pictures.append(_read_url(url))
            case _:
                _refuse("invalid_value", "A part of a message is of type text or image_url.")


def _read_url(url: str) -> bytes:
    """The bytes of a data URL; the address itself stands for a picture elsewhere, which is not fetched."""
    if url.startswith(("http://", "https://")):
        return url.encode("utf-8", "replace")
    found = _DATA_URL.match(url)
    if found is None:
        _refuse("invalid_image_url", "Expected a base64-encoded data URL with an image media type, or an http(s) URL.")
    try:
        body = url[found.end() :].encode()
        return pybase64.b64decode(body, validate=True) if found[1].endswith(";base64") else unquote_to_bytes(body)
    except ValueError:
        _refuse("invalid_base64", "Invalid base64 image_url.")


def _see_first(pictures: list[bytes]) -> Sight | None:
    sights: list[Sight] = []
    try:
        sights.extend(see(data) for data in pictures if not data.startswith((b"http://", b"https://")))
    except UnreadableError:
        message = "You uploaded an unsupported image. Please make sure your image is valid."
        raise _RefusedError(400, "invalid_image_format", message) from None
    return sights[0] if sights else None
