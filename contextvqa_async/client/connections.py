"""Which connection a request gets: a new one, or a kept one on which nothing came while nobody asked.

Rule: no answer is taken for another request's. A connection on which anything arrived between two requests is not used
again, and an endpoint that answers unasked gets a new connection for each request.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

from contextvqa_async.client.wire import current_wire, read_what_has_come, readable


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
        return not self.should_close and transport is not None and not readable(transport)

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


class Connector(aiohttp.TCPConnector):
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
            await read_what_has_come()  # it may be an answer, which tells of the endpoint
            connection.close()
        self._known.add(handler)
        handler.ask()
        connection.add_callback(handler.rest)
        if (wire := current_wire.get()) is not None:
            wire.attach(connection, self, reused=reused)
        return connection
