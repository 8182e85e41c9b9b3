"""The way to the endpoints: httpx on top, aiohttp beneath. Requests in; responses, and what connections tell, out.

Rule: nothing here hangs, and nothing leaks. Each attempt has one :class:`Wire`, which knows its connection and holds
its deadline; a deadline that passes, a cancelled task and an unread rest all end alike: the socket is aborted. (A
polite close waits until everything written has left, which a server that does not read puts off for ever.) And no
answer is taken for another request's: a connection on which anything came while nobody asked is not used again.
"""

from __future__ import annotations

import asyncio
import functools
import math
import os
import selectors
import ssl
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any, cast
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp import AiohttpTransport

from contextvqa_async.errors import UsageError

KEEP_ALIVE = 4.0
"""Servers close idle connections after 5 s (uvicorn, vLLM, SGLang: H-08)."""

_STALE_SECONDS = 0.5
"""Whoever closed an idle connection tells so one round trip after it is used again (H-08); whoever hangs up later
than this had the request, and may charge for it."""

_LEAST_HOLD = 0.005
_TICK = 0.05
"""Streams held in the kernel are looked at on these ticks of the loop's clock, all in one go: a wake-up of the loop
for each of them costs a third of what paced streaming does."""

_PIECE = 256 * 1024
_READ_BUFFER = 128 * 1024
_HEADER = 64 * 1024

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""One look at one socket; ``select`` knows no descriptor above 1,023, but Windows nothing else."""

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
        self._connector: _Connector | None = None
        self._attached = math.inf
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

    @property
    def stale(self) -> bool:
        """Whether an end that comes now is that of the time before this request: of a connection just used again."""
        return self.reused and self._loop.time() - self._attached < _STALE_SECONDS

    async def doubted(self) -> bool:
        """Whether the answer that has ended may be an earlier request's: the endpoint answers unasked.

        A new connection's first answer is its request's; any other is, as far as the loop's next looks can tell.
        """
        transport = self._transport or self._left
        if not self.reused or self._connector is None:
            return False
        if transport is not None and _readable(transport):  # else nobody waits a turn of the loop for nothing
            await _read_what_has_come()
        return not self._connector.trusted

    def attach(self, connection: aiohttp.connector.Connection, connector: _Connector, *, reused: bool) -> None:
        """Take the connection that the request got; it is let go when the pool takes it back."""
        self.reused = reused
        self._attached = self._loop.time()
        self._connector = connector
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


def _readable(transport: asyncio.Transport) -> bool:
    """Whether the kernel holds what nobody has read: bytes, or the connection's end."""
    if transport.is_closing():
        return False
    with _Selector() as selector:
        selector.register(transport.get_extra_info("socket"), selectors.EVENT_READ)
        return bool(selector.select(0))


async def _read_what_has_come() -> None:
    """Let the loop look at its sockets: once to hear of them, once to read."""
    for _ in range(2):
        await asyncio.sleep(0)


class _Handler(ResponseHandler):
    """aiohttp's protocol, which knows when nobody asks: what comes then ends the connection.

    ``on_unasked`` hears of an answer among it. (A 408 is none: it says that an idle connection is closed.)
    """

    def __init__(self, on_unasked: Callable[[], object], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._on_unasked = on_unasked
        self._idle = False
        self._headless = True

    def ask(self) -> None:
        """A request follows."""
        self._idle, self._headless = False, True

    def rest(self) -> None:
        """The answer has ended, or is given up."""
        self._idle = True
        self._note_left_over()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the answer; its head by itself, which garbage behind its body would otherwise take along."""
        if self._idle:
            if data.startswith(b"HTTP/") and data[8:12] != b" 408":
                self._on_unasked()
            self.abort()
            return
        end = data.find(b"\r\n\r\n") + 4 if self._headless else 3
        if end > 3:
            self._headless = False
        if 3 < end < len(data):
            self.data_received(data[:end])
            self.data_received(data[end:])
            return
        super().data_received(data)
        self._note_left_over()

    def _note_left_over(self) -> None:
        """A second answer came together with the end of the first."""
        if self._idle and len(self) > 0:
            self._on_unasked()

    def silent(self) -> bool:
        """Whether nothing has come since the last answer: not here, and not in the kernel (an end neither)."""
        transport: asyncio.Transport | None = self.transport
        return not self.should_close and transport is not None and not _readable(transport)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Tell whoever waits for the answer's head, and, which aiohttp forgets, whoever waits for its body."""
        super().set_exception(exc, *cause)
        body = self._payload
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError(f"The body is no HTTP: {exc!r}"), *cause)

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resume what is paused: the parser's call for each chunk is a third of what a stream costs (aiohttp 3.14)."""
        if self._reading_paused:
            super().resume_reading(resume_parser)


class _Connector(aiohttp.TCPConnector):
    """Tells each attempt's wire of its connection, and uses only silent ones again.

    ``trusted``: no answer came unasked yet; from the first one on, each request gets a connection of its own.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        make = functools.partial(_Handler, self._distrust, loop=asyncio.get_running_loop())
        self._factory = make  # type: ignore[assignment]
        self._known: WeakSet[ResponseHandler] = WeakSet()
        self.trusted = True

    def _distrust(self) -> None:
        self.trusted = False

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            handler = cast(_Handler, connection.protocol)
            reused = handler in self._known
            if not reused or (self.trusted and handler.silent()):
                break
            await _read_what_has_come()  # it may be an answer, which tells of the endpoint
            connection.close()
        self._known.add(handler)
        handler.ask()
        connection.add_callback(handler.rest)
        if (wire := _wire.get()) is not None:
            wire.attach(connection, self, reused=reused)
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
