"""One request and what comes of it: bytes out, an answer or a fault in. Nothing is asked twice here.

Rule: it ends. Connecting, the first payload, each gap between payloads and the whole have a deadline each; pings,
comments and roles are no payload (H-07). What ended well is read to its end, so that its connection serves again.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import aiohttp
import anyio
import httpx

from contextvqa_async.client.inflate import Unreadable, decoder
from contextvqa_async.client.transport import Body, Wire
from contextvqa_async.config import Limits
from contextvqa_async.errors import Kind
from contextvqa_async.faults import Fault, Told, Verdict, classify, obey_should_retry, read_error, request_id
from contextvqa_async.pacing import wait_hint
from contextvqa_async.sse import Answer, Decoder, TooLong

_DRAIN = 0.5
"""Seconds for the end of a body after [DONE] (H-06): worth a connection, not worth a slot."""
_USAGE = 5.0
"""Seconds for usage or [DONE] after a finish reason."""
_ERROR_BODY = 64 * 1024
_ERROR_SECONDS = 10.0
_BIG_UPLOAD = 2**20
_CLOSING = 1.0

_TRICKLE = 4096
"""A read of fewer bytes than this was a stream that trickles."""
_HELD_SHARE = 0.02
_MOST_HELD = 0.1
"""Seconds, and share of the time that has passed, for which such a stream then gathers in the kernel: what paced
streaming costs is a wake-up for each token."""


@dataclass(slots=True, kw_only=True)
class Reply:
    """What came of one request. ``stale``: its connection had been closed before, and nothing reached the server."""

    answer: Answer | None = None
    fault: Fault | None = None
    told: Told | None = None
    headers: Mapping[str, str] | None = None
    seconds: float = 0.0
    first_seconds: float | None = None
    stale: bool = False


class Exchange:
    """Asks one endpoint; made once for each."""

    def __init__(self, limits: Limits, host: str, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._host = host
        self._clock = clock
        connect = min(limits.connect_timeout, limits.first_timeout, limits.timeout)
        self._timeout = {"connect": connect, "pool": connect, "read": None, "write": None}

    async def ask(
        self,
        transport: httpx.AsyncBaseTransport,
        url: httpx.URL,
        headers: list[tuple[str, str]],
        body: Body,
        on_first: Callable[[], object],
        observe: Callable[[str], object] | None,
    ) -> Reply:
        """Send one request, and read its response to the end. Every fault of the way or the server is a Reply."""
        started = self._clock()
        request = httpx.Request(
            "POST",
            url,
            headers=[*headers, ("Content-Length", str(body.size))],
            stream=body,
            extensions={"timeout": self._timeout},
        )
        wire = Wire(self._limits.first_timeout, self._limits.timeout)
        try:
            response = await transport.handle_async_request(request)
        except _TROUBLE as error:
            reply = self._no_response(error, wire, body)
        except BaseException:
            wire.close()
            raise
        else:
            reply = await self._read(response, wire, on_first, observe)
        finally:
            wire.close()
        reply.seconds = self._clock() - started
        return reply

    def _no_response(self, error: Exception, wire: Wire, body: Body) -> Reply:
        if wire.expired:
            seconds = min(self._limits.first_timeout, self._limits.timeout)
            return Reply(fault=_timeout(f"No answer began within {seconds:g} s.", answered=False))
        cause = _cause(error)
        cut = isinstance(cause, _CUT)
        if cut and wire.reused:
            return Reply(fault=_of_exception(cause), stale=True)
        if cut and body.size > _BIG_UPLOAD:
            size = f"{body.size / 2**20:.1f} MB"
            message = f"The connection was cut while {size} were sent: too large for the endpoint, or too many at once."
            return Reply(fault=Fault(kind=Kind.TOO_LARGE, verdict=Verdict.TRANSIENT, message=message, tries=3))
        return Reply(fault=_of_exception(cause))

    async def _read(
        self,
        response: httpx.Response,
        wire: Wire,
        on_first: Callable[[], object],
        observe: Callable[[str], object] | None,
    ) -> Reply:
        reading = _Reading(response, wire, self._limits, on_first)
        try:
            if response.is_success:
                reply = await reading.answer(observe, self._host)
            else:
                reply = await reading.refusal(self._host)
        finally:
            wire.close()
            with anyio.move_on_after(_CLOSING, shield=True):
                await response.aclose()
        return reply


class _Reading:
    """Reads one response under its deadlines."""

    def __init__(self, response: httpx.Response, wire: Wire, limits: Limits, on_first: Callable[[], object]) -> None:
        self._response = response
        self._wire = wire
        self._limits = limits
        self._on_first = on_first
        self._now = asyncio.get_running_loop().time
        self._first: float | None = None
        self._ending = False
        self._trouble: Exception | None = None

    async def answer(self, observe: Callable[[str], object] | None, host: str) -> Reply:
        """Read a 2xx: a stream, a JSON body, or what else came in their place."""
        answer = Answer(observe)
        incoming = Decoder(answer)
        headers = dict(self._response.headers)
        try:
            await self._pour(incoming)
        except (TooLong, Unreadable) as error:
            spoilt = Fault(kind=Kind.BAD_RESPONSE, verdict=Verdict.TRANSIENT, message=str(error), status=200, tries=2)
            return Reply(fault=spoilt, headers=headers)
        incoming.finish()
        answer.request_id = request_id(headers)
        fault = answer.fault(host, lambda words: wait_hint(headers, words, time.time()))
        if fault is not None:
            fault = self._explained(fault, answer, incoming.excerpt)
            status = fault.status or self._response.status_code
            fault = replace(fault, status=status, request_id=fault.request_id or answer.request_id)
        first = None if self._first is None else self._first - self._wire.started
        return Reply(answer=None if fault else answer, fault=fault, headers=headers, first_seconds=first)

    async def _pour(self, incoming: Decoder) -> None:
        undo = decoder(self._response.headers.get("content-encoding", ""))
        answer = incoming.answer
        try:
            async for data in self._pieces():
                moved = incoming.feed(data if undo is None else undo(data))
                now = self._now()
                if moved:
                    self._note_payload(now)
                if answer.complete or answer.error is not None:
                    self._expect_end(answer, now)
                elif len(data) < _TRICKLE and self._first is not None:
                    self._wire.hold(min(_MOST_HELD, _HELD_SHARE * (now - self._wire.started)))
        except _TROUBLE as error:
            self._trouble = _cause(error)

    def _note_payload(self, now: float) -> None:
        if self._first is None:
            self._first = now
            self._on_first()
        self._wire.due = min(self._wire.end, now + self._limits.stall_timeout)

    def _expect_end(self, answer: Answer, now: float) -> None:
        whole = answer.done or answer.usage is not None or answer.error is not None
        self._wire.due = min(self._wire.due, now + (_DRAIN if whole else _USAGE))

    def _explained(self, fault: Fault, answer: Answer, excerpt: str) -> Fault:
        """Why an answer broke off, where that is all that it tells itself."""
        if answer.error is not None or fault.kind is not Kind.TRUNCATED:
            return fault
        if self._wire.expired:
            return self._too_late()
        if self._trouble is not None:
            return replace(fault, message=f"The answer broke off: {_words(self._trouble)}.")
        if answer.events == 0 and not answer.text:
            return _no_answer(excerpt)
        return fault

    def _too_late(self) -> Fault:
        if self._first is None:
            return _timeout(f"No piece of an answer came within {self._limits.first_timeout:g} s.")
        if self._wire.due >= self._wire.end:
            return _timeout(f"The answer took longer than {self._limits.timeout:g} s.")
        return _timeout(f"The answer stalled: nothing came for {self._limits.stall_timeout:g} s.")

    async def refusal(self, host: str) -> Reply:
        """Read a status that is no success, and as much of its body as a message needs."""
        self._wire.due = min(self._wire.due, self._now() + _ERROR_SECONDS)
        headers, status = dict(self._response.headers), self._response.status_code
        body = await self._error_body()
        if 300 <= status < 400:
            target = headers.get("location", "an address that it does not name")
            message = f"The endpoint redirects to {target} (HTTP {status})."
            fault = Fault(kind=Kind.REDIRECT, verdict=Verdict.TERMINAL, message=message, status=status)
            return Reply(fault=replace(fault, request_id=request_id(headers)), headers=headers)
        told = read_error(body)
        wait = wait_hint(headers, told.raw, time.time())
        fault = classify(told, status=status, host=host, wait=wait)
        phrase = self._response.reason_phrase
        fault = replace(
            obey_should_retry(fault, headers.get("x-should-retry", "").lower()),
            message=f"HTTP {status}: {told.message or phrase or 'no words'}",
            request_id=request_id(headers) or fault.request_id,
        )
        return Reply(fault=fault, told=told, headers=headers)

    def _pieces(self) -> AsyncIterator[bytes]:
        return cast(httpx.AsyncByteStream, self._response.stream).__aiter__()

    async def _error_body(self) -> bytes:
        body = bytearray()
        try:
            undo = decoder(self._response.headers.get("content-encoding", ""))
            async for data in self._pieces():
                body += data if undo is None else undo(data)
                if len(body) > _ERROR_BODY:
                    break
        except (*_TROUBLE, Unreadable):
            pass  # the status has said enough
        return bytes(body[:_ERROR_BODY])


def _timeout(message: str, *, answered: bool = True) -> Fault:
    return Fault(kind=Kind.TIMEOUT, verdict=Verdict.OVERLOAD, message=message, answered=answered)


def _no_answer(excerpt: str) -> Fault:
    """A 200 without a single event (F-14)."""
    if not excerpt:
        return Fault(kind=Kind.EMPTY, verdict=Verdict.TRANSIENT, message="The body was empty.", tries=3)
    told = read_error(excerpt.encode())
    message = f"The endpoint sent no answer but: {told.message[:200]}"
    return Fault(kind=Kind.BAD_RESPONSE, verdict=Verdict.TRANSIENT, message=message, tries=3)


# What the transport raises. httpx-aiohttp calls a refused connection and a reset one alike ConnectTimeout, with the
# true exception as its cause; some of aiohttp's pass through it as they are.

_TROUBLE = (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError, ssl.SSLError, RuntimeError, EOFError)
_CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)

_CAUSES: tuple[tuple[type[BaseException], Kind, Verdict, str], ...] = (
    (aiohttp.ClientConnectorCertificateError, Kind.CONNECTION, Verdict.DOOM, "Its certificate is not trusted"),
    (ssl.SSLCertVerificationError, Kind.CONNECTION, Verdict.DOOM, "Its certificate is not trusted"),
    (aiohttp.ClientConnectorDNSError, Kind.CONNECTION, Verdict.TRANSIENT, "Its name does not resolve"),
    (aiohttp.ClientProxyConnectionError, Kind.CONNECTION, Verdict.TRANSIENT, "The proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, Kind.CONNECTION, Verdict.TRANSIENT, "The proxy refuses"),
    (aiohttp.ConnectionTimeoutError, Kind.TIMEOUT, Verdict.TRANSIENT, "No connection in time"),
    (aiohttp.ClientConnectorError, Kind.CONNECTION, Verdict.TRANSIENT, "No connection"),
    (aiohttp.ServerDisconnectedError, Kind.CONNECTION, Verdict.TRANSIENT, "The endpoint hung up without an answer"),
    (aiohttp.ClientResponseError, Kind.BAD_RESPONSE, Verdict.TRANSIENT, "The answer is no HTTP"),
    (aiohttp.InvalidURL, Kind.CONNECTION, Verdict.DOOM, "The address is not valid"),
    (TimeoutError, Kind.TIMEOUT, Verdict.TRANSIENT, "No connection in time"),
    (BaseException, Kind.CONNECTION, Verdict.TRANSIENT, "The connection broke"),
)


def _cause(error: Exception) -> Exception:
    cause = error.__cause__
    return cause if isinstance(error, httpx.HTTPError) and isinstance(cause, Exception) else error


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _of_exception(error: Exception) -> Fault:
    kind, verdict, what = next((row[1], row[2], row[3]) for row in _CAUSES if isinstance(error, row[0]))
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == 407:
        kind, verdict = Kind.CREDENTIAL, Verdict.DOOM
    return Fault(kind=kind, verdict=verdict, message=f"{what}: {_words(error)}.", answered=False)
