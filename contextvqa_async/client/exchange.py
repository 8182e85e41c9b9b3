"""One request and what comes of it: bytes out, a Reply in. Nothing is asked twice here.

Rule: it ends. Connecting, the first payload, each gap between payloads and the whole have a deadline each, and
whatever is left of a connection that did not end well is aborted.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import httpx

from contextvqa_async.client.response import Reply, ResponseReader, timeout_fault
from contextvqa_async.client.transport import Body
from contextvqa_async.client.trouble import CUT, TROUBLE, cause_of, fault_of
from contextvqa_async.client.wire import Wire
from contextvqa_async.config import Limits
from contextvqa_async.errors import Kind
from contextvqa_async.faults import Fault, Verdict

_BIG_UPLOAD = 2**20
"""Bytes of a request whose cut may mean that it was too large."""
_CLOSING = 1.0
_IDLE_TOO_LONG = 408
"""What some servers send before they close an idle connection; it may cross the next request."""

_DOUBLED = Fault(
    kind=Kind.BAD_RESPONSE,
    verdict=Verdict.TRANSIENT,
    message="The endpoint answers more often than it is asked: whose answer this is cannot be told.",
)


class Exchange:
    """Asks one endpoint; made once for each."""

    def __init__(
        self, url: httpx.URL, headers: list[tuple[str, str]], limits: Limits, clock: Callable[[], float]
    ) -> None:
        self._url = url
        self._headers = headers
        self._limits = limits
        self._clock = clock
        connect = min(limits.connect_timeout, limits.first_timeout, limits.timeout)
        self._timeout = {"connect": connect, "pool": connect, "read": None, "write": None}

    async def ask(
        self,
        transport: httpx.AsyncBaseTransport,
        body: Body,
        on_progress: Callable[[float], object],
    ) -> Reply:
        """Send one request, and read its response to the end. Every fault of the way or the server is a Reply."""
        started = self._clock()
        request = httpx.Request(
            "POST",
            self._url,
            headers=[*self._headers, ("Content-Length", str(body.size))],
            stream=body,
            extensions={"timeout": self._timeout},
        )
        wire = Wire(self._limits.first_timeout, self._limits.timeout)
        try:
            response = await transport.handle_async_request(request)
        except TROUBLE as error:
            reply = self._no_response(error, wire, body)
        else:
            reply = await self._read(response, wire, on_progress)
        finally:
            wire.close()
        reply.started, reply.ended = started, self._clock()
        return reply

    def _no_response(self, error: Exception, wire: Wire, body: Body) -> Reply:
        if wire.expired:
            seconds = min(self._limits.first_timeout, self._limits.timeout)
            return Reply(fault=timeout_fault(f"No answer began within {seconds:g} s."))
        cause = cause_of(error)
        cut = isinstance(cause, CUT)
        if cut and wire.stale:
            return Reply(fault=fault_of(cause), stale=True)
        if cut and body.size > _BIG_UPLOAD:
            size = f"{body.size / 2**20:.1f} MB"
            message = f"The connection was cut while {size} were sent: too large for the endpoint, or too many at once."
            return Reply(fault=Fault(kind=Kind.TOO_LARGE, verdict=Verdict.TRANSIENT, message=message, tries=3))
        return Reply(fault=fault_of(cause))

    async def _read(
        self,
        response: httpx.Response,
        wire: Wire,
        on_progress: Callable[[float], object],
    ) -> Reply:
        reader = ResponseReader(response, wire, self._url.host, self._limits, on_progress, self._clock)
        stale = response.status_code == _IDLE_TOO_LONG and wire.stale
        try:
            if response.is_success:
                reply = await reader.answer()
            else:
                reply = await reader.refusal()
            doubted = await wire.doubted()
        finally:
            wire.close()
            with anyio.move_on_after(_CLOSING, shield=True):
                await response.aclose()
        reply.stale = stale
        if doubted and reply.fault is None:
            reply.answer, reply.fault = None, _DOUBLED
        return reply
