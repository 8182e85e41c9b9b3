"""A loopback server that writes exactly the bytes it is told to: each behaviour is a short script.

    async with Server(sse(chunk("Hello"), finish(), DONE)) as server:
        ... server.url ...; server.requests; server.connections

A script is an async function of one :class:`Exchange`, or bytes to write as they are. Requests are served by the
scripts in turn; the last one serves all that follow. Nothing here parses what it sends: a wrong byte is sent too.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, cast

Script = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Request:
    """One request as it arrived; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        return cast(dict[str, Any], json.loads(self.body))


@dataclass
class Exchange:
    """One request, and the connection to answer it on. ``number`` counts requests from 0."""

    server: Server
    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    keep: bool = True
    """Whether the connection serves another request after this one."""

    async def send(self, *parts: bytes) -> None:
        """Write each part as a write of its own."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def send_cut(self, data: bytes, size: int = 1) -> None:
        """Write ``data`` in pieces that the client sees apart."""
        for start in range(0, len(data), size):
            self.writer.write(data[start : start + size])
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Close with a FIN, after what was written."""
        self.keep = False

    def reset(self) -> None:
        """Close with an RST."""
        self.keep = False
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    """Serves scripts on a port of its own; ``connections`` counts accepts, ``open`` those that are still open.

    ``read_body``: whether a request's body is read before its script runs.
    """

    def __init__(self, *scripts: Script | bytes, read_body: bool = True, ssl: Any = None) -> None:
        self.scripts = tuple(raw(script) if isinstance(script, bytes) else script for script in scripts)
        self.requests: list[Request] = []
        self.connections = 0
        self.open = 0
        self.read_body = read_body
        self.done = asyncio.Event()  # for scripts that hang: set when the server closes
        self._ssl = ssl
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=2**26, ssl=self._ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if self._ssl else 'http'}://{self.host}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.done.set()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keep = True
        while keep:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *fields = head.rstrip().split("\r\n")
            request = Request(
                line, {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
            )
            if self.read_body:
                request.body = await reader.readexactly(int(request.headers.get("content-length", 0)))
            number = len(self.requests)
            self.requests.append(request)
            exchange = Exchange(self, request, reader, writer, number)
            await self.scripts[min(number, len(self.scripts) - 1)](exchange)
            await writer.drain()
            keep = exchange.keep


# Events, as OpenAI-compatible servers send them.

DONE = b"data: [DONE]\n\n"


def event(data: object, end: bytes = b"\n\n") -> bytes:
    """``data:`` and compact JSON."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + end


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a stream; ``more`` goes to its top level, and ``delta`` replaces the delta."""
    delta = more.pop("delta", {"content": text} if text is not None else {})
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": choices} | more)


def finish(reason: str = "stop") -> bytes:
    """The chunk that says how the answer ended."""
    return chunk(finish=reason)


def usage(prompt: int = 10, completion: int = 5, **more: Any) -> bytes:
    """The usage-only chunk."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion} | more
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": counts})


def good(text: str = "Hello") -> bytes:
    """The events of a whole answer, a chunk a word."""
    words = [word + " " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    return b"".join(
        (chunk("", delta={"role": "assistant", "content": ""}), *map(chunk, words), finish(), usage(), DONE)
    )


# Responses.


def head(status: int | str = 200, headers: Mapping[str, str] | None = None, kind: str = "text/event-stream") -> bytes:
    """A response's status line and headers, the blank line included."""
    lines = [f"HTTP/1.1 {status}{'' if isinstance(status, str) else ' Some reason'}", f"Content-Type: {kind}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunked(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def raw(data: bytes) -> Script:
    """Write these bytes, and go on with the connection."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(data)

    return script


def sse(*events: bytes, headers: Mapping[str, str] | None = None) -> Script:
    """A stream as it should be: chunked, each part a chunk."""
    return raw(head(200, {"Transfer-Encoding": "chunked", **(headers or {})}) + b"".join(map(chunked, events)) + END)


def body(data: bytes, status: int | str = 200, kind: str = "application/json", **headers: str) -> Script:
    """A response with a length; underscores in the headers' names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return raw(head(status, {"Content-Length": str(len(data)), **named}, kind) + data)


def error(status: int | str, told: object, **headers: str) -> Script:
    """An error with a JSON body."""
    return body(json.dumps(told).encode(), status, **headers)


def until_close(*events: bytes, headers: Mapping[str, str] | None = None) -> Script:
    """A body that ends with the connection."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Connection": "close", **(headers or {})}), *events)
        exchange.hang_up()

    return script


def cut(*events: bytes, how: str = "fin") -> Script:
    """A chunked body that breaks off after these events: ``fin`` or ``rst``."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Transfer-Encoding": "chunked"}), *map(chunked, events))
        if how == "rst":
            await asyncio.sleep(0.02)
            exchange.reset()
        exchange.hang_up()

    return script


def hang(*events: bytes) -> Script:
    """A stream that stops after these events, with its connection open."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Transfer-Encoding": "chunked"}), *map(chunked, events))
        await exchange.server.done.wait()

    return script


def completion(text: str | None = "Hello", finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    """A whole ``chat.completion``."""
    message = {"role": "assistant", "content": text}
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": choices, "usage": counts} | more
