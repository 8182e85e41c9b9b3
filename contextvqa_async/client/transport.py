"""The way to the endpoints: httpx on top, aiohttp beneath. Requests in; responses, and what connections tell, out.

Rule: nothing here hangs, and nothing leaks. Each attempt has one :class:`Wire`, which knows its connection and holds
its deadline; a deadline that passes, a cancelled task and an unread rest all end alike: the socket is aborted. (A
polite close waits until everything written has left, which a server that does not read puts off for ever.)
"""

from __future__ import annotations

import asyncio
import functools
import math
import os
import ssl
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp import AiohttpTransport

from contextvqa_async.errors import UsageError

KEEP_ALIVE = 4.0
"""Servers close idle connections after 5 s (uvicorn, vLLM, SGLang: H-08)."""

_LEAST_HOLD = 0.005
_TICK = 0.05
"""Streams held in the kernel are looked at on these ticks of the loop's clock, all in one go: a wake-up of the loop
for each of them costs a third of what paced streaming does."""

_PIECE = 256 * 1024
_READ_BUFFER = 128 * 1024
_HEADER = 64 * 1024

_wire: ContextVar[Wire | None] = ContextVar("wire", default=None)


class Wire:
    """One attempt's connection and deadlines, in seconds from now: to its first payload, and in all.

    ``expired``: a deadline passed, and the connection was aborted; ``end``: the last of them, on the loop's clock.

    One timer serves all of an attempt's deadlines: moving the deadline away is an assignment, and the timer that
    comes too early only looks again.
    """

    def __init__(self, first: float, total: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.started = self._loop.time()
        self.end = self.started + total
        self.reused = False
        self.expired = False
        self._due = self.started + min(first, total)
        self._timer = self._loop.call_at(self._due, self._look)
        self._transport: asyncio.Transport | None = None
        self._left: asyncio.Transport | None = None
        _wire.set(self)

    @property
    def due(self) -> float:
        """When the attempt ends, on the loop's clock; assign to move it."""
        return self._due

    @due.setter
    def due(self, when: float) -> None:
        if when < self._timer.when():
            self._timer.cancel()
            self._timer = self._loop.call_at(when, self._look)
        self._due = when

    def _look(self) -> None:
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
            return
        self.expired = True
        self.abort()

    def attach(self, connection: aiohttp.connector.Connection, *, reused: bool) -> None:
        """Take the connection that the request got; it is let go when the pool takes it back."""
        self.reused = reused
        self._transport = connection.transport
        connection.add_callback(self._detach)
        if self.expired:
            self.abort()

    def _detach(self) -> None:
        self._transport, self._left = None, self._transport

    def hold(self, seconds: float) -> None:
        """Read nothing until the first tick in ``seconds``: what arrives gathers in the kernel, and wakes nobody."""
        if self._transport is not None and seconds >= _LEAST_HOLD and not self._transport.is_closing():
            self._transport.pause_reading()
            self._loop.call_at(math.ceil((self._loop.time() + seconds) / _TICK) * _TICK, self._go_on)

    def _go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close the connection at once, whatever is still to be sent or read."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the attempt: no deadline any more, and no connection that is not whole and in the pool."""
        self._timer.cancel()
        self.abort()
        if self._left is not None and self._left.is_closing():
            self._left.abort()
        self._transport = self._left = None


class _Handler(ResponseHandler):
    """aiohttp's protocol, without the parser's call for each chunk that is read from an unpaused connection.

    (With aiohttp 3.14 that call is a third of what a streamed answer costs.)
    """

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resume what is paused."""
        if self._reading_paused:
            super().resume_reading(resume_parser)


class _Connector(aiohttp.TCPConnector):
    """Tells each attempt's wire of its connection."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(_Handler, loop=asyncio.get_running_loop())  # type: ignore[assignment]
        self._known: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        wire, protocol = _wire.get(), connection.protocol
        if wire is not None and protocol is not None:
            wire.attach(connection, reused=protocol in self._known)
            self._known.add(protocol)
        return connection


class Body(httpx.AsyncByteStream):
    """A request's body in pieces: spliced without copying, and sent without holding up the loop."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self.size = sum(map(len, parts))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        lead = bytearray()
        for part in self._parts:
            if len(part) <= _PIECE:
                lead += part
                continue
            view = memoryview(part)
            for start in range(0, len(view), _PIECE):
                yield b"".join((lead, view[start : start + _PIECE]))
                lead.clear()
        yield bytes(lead)


def make_ssl_context(*, needed: bool) -> ssl.SSLContext:
    """The trusted roots: SSL_CERT_FILE or SSL_CERT_DIR, else certifi's; loaded (20 ms) only if needed.

    Raises UsageError where they cannot be read.
    """
    try:
        return httpx.create_ssl_context(trust_env=True) if needed else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except OSError as error:
        where = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        raise UsageError(f"No certificates can be read from {where} (SSL_CERT_FILE, SSL_CERT_DIR): {error}.") from None


def open_transport(context: ssl.SSLContext, proxy: str | None, *, pooled: bool = True) -> httpx.AsyncBaseTransport:
    """A transport without limits of its own: how many requests there are is the admission's to say.

    It is used as it is: an AsyncClient around it adds cookies, redirects and authentication, which a batch has no
    use for, and a quarter of what a request costs. ``pooled`` False: each request gets a connection of its own, for
    those that met a stale one. ``proxy`` is an address, with user and password where it wants them.
    """
    keep: dict[str, Any] = {"keepalive_timeout": KEEP_ALIVE} if pooled else {"force_close": True}

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=_Connector(limit=0, ssl=context, ttl_dns_cache=300, **keep),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER,
            max_line_size=_HEADER,
            max_field_size=_HEADER,
            timeout=aiohttp.ClientTimeout(total=None),
            proxy=proxy,
        )

    return AiohttpTransport(verify=context, client=session)
