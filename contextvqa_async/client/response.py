"""One response → a Reply: an answer's stream or body, or a refusal's words, each under its deadlines.

Rule: pings, comments and roles are no payload. What ended well is read to its end, so that its connection
serves again; what is over but does not end is waited for a moment only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import httpx

from contextvqa_async.client.inflate import Unreadable, decoder
from contextvqa_async.client.trouble import TROUBLE, cause_of, words_of
from contextvqa_async.client.wire import Wire
from contextvqa_async.config import Limits
from contextvqa_async.errors import Kind
from contextvqa_async.faults import ErrorBody, Fault, Verdict, classify, obey_should_retry, read_error, request_id
from contextvqa_async.pacing import wait_hint
from contextvqa_async.sse import Answer, Decoder, TooLong

_DRAIN = 0.5
"""Seconds for the end of a body after [DONE]: worth a connection, not worth a slot."""
_USAGE = 5.0
"""Seconds for usage or [DONE] after a finish reason."""
_ERROR_BODY = 64 * 1024
_ERROR_SECONDS = 10.0

_HANDED_ON = "llm_provider-"

_TOKEN = 4
"""Characters, about: how fast an answer comes is all that they are counted for."""
_TRICKLE = 4096
"""A read of fewer bytes than this was a stream that trickles."""
_HELD_SHARE = 0.03
_MOST_HELD = 0.1
"""Share of the time that has passed, and seconds at most, for which such a stream then gathers in the kernel (up to
the wire's next tick): what paced streaming costs is a wake-up for each token."""


@dataclass(slots=True, kw_only=True)
class Reply:
    """What came of one request.

    ``stale``: the server was closing the idle connection that it was sent on; ``begun``: some of an answer came;
    ``tokens``: of the prompt and of the answer, as far as they were told, however it ended.
    """

    answer: Answer | None = None
    fault: Fault | None = None
    error_body: ErrorBody | None = None
    headers: Mapping[str, str] | None = None
    started: float = 0.0
    first: float | None = None
    ended: float = 0.0
    stale: bool = False
    begun: bool = False
    tokens: tuple[int | None, int | None] = (None, None)


class ResponseReader:
    """Reads one response under its deadlines."""

    def __init__(
        self,
        response: httpx.Response,
        wire: Wire,
        host: str,
        limits: Limits,
        on_progress: Callable[[float], object],
        clock: Callable[[], float],
    ) -> None:
        self._response = response
        self._wire = wire
        self._host = host
        self._limits = limits
        self._on_progress = on_progress
        self._now = asyncio.get_running_loop().time
        self._clock = clock
        self._first: float | None = None
        self._trouble: Exception | None = None

    async def answer(self) -> Reply:
        """Read a 2xx: a stream, a JSON body, or what else came in their place."""
        answer = Answer()
        incoming = Decoder(answer)
        headers = headers_of(self._response)
        try:
            await self._pour(incoming)
        except (TooLong, Unreadable) as error:
            spoilt = Fault(kind=Kind.BAD_RESPONSE, verdict=Verdict.TRANSIENT, message=str(error), status=200, tries=2)
            return Reply(fault=spoilt, headers=headers, begun=answer.begun, tokens=answer.told_tokens)
        answer.ended = self._trouble is None and not {"content-length", "transfer-encoding"}.isdisjoint(headers)
        incoming.finish()
        answer.request_id = request_id(headers)
        fault = answer.fault(self._host, lambda words: wait_hint(headers, words, time.time()))
        if fault is not None:
            fault = self._explained(fault, answer, incoming.excerpt)
            status = fault.status or self._response.status_code
            fault = replace(fault, status=status, request_id=fault.request_id or answer.request_id)
        return Reply(
            answer=None if fault else answer,
            fault=fault,
            headers=headers,
            first=self._first,
            begun=answer.begun,
            tokens=answer.told_tokens,
        )

    async def _pour(self, incoming: Decoder) -> None:
        undo = decoder(self._response.headers.get("content-encoding", ""))
        answer = incoming.answer
        try:
            async for data in self._pieces():
                moved = incoming.feed(data if undo is None else undo(data))
                now = self._now()
                if moved:
                    self._note_payload(now, answer.length)
                if answer.complete or answer.error is not None:
                    self._expect_end(answer, now)
                elif len(data) < _TRICKLE and self._first is not None:
                    self._wire.hold(min(_MOST_HELD, _HELD_SHARE * (now - self._wire.started)))
        except TROUBLE as error:
            self._trouble = cause_of(error)

    def _note_payload(self, now: float, length: int) -> None:
        if self._first is None:
            self._first = self._clock()
        self._on_progress(length / _TOKEN)
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
            return replace(fault, message=f"The answer broke off: {words_of(self._trouble)}.")
        if answer.events == 0 and not answer.text:
            return _no_answer(excerpt)
        return fault

    def _too_late(self) -> Fault:
        if self._first is None:
            return timeout_fault(f"No piece of an answer came within {self._limits.first_timeout:g} s.")
        if self._wire.due >= self._wire.end:
            return timeout_fault(f"The answer took longer than {self._limits.timeout:g} s.")
        return timeout_fault(f"The answer stalled: nothing came for {self._limits.stall_timeout:g} s.")

    async def refusal(self) -> Reply:
        """Read a status that is no success, and as much of its body as a message needs."""
        self._wire.due = min(self._wire.due, self._now() + _ERROR_SECONDS)
        headers, status = headers_of(self._response), self._response.status_code
        body = await self._error_body()
        if 300 <= status < 400:
            target = headers.get("location", "an address that it does not name")
            message = f"The endpoint redirects to {target} (HTTP {status})."
            fault = Fault(kind=Kind.REDIRECT, verdict=Verdict.RECORD, message=message, status=status)
            return Reply(fault=replace(fault, request_id=request_id(headers)), headers=headers)
        told = read_error(body)
        wait = wait_hint(headers, told.raw, time.time())
        fault = classify(told, status=status, host=self._host, wait=wait)
        phrase = self._response.reason_phrase
        fault = replace(
            obey_should_retry(fault, headers.get("x-should-retry", "").lower()),
            message=f"HTTP {status}: {told.message or phrase or 'no words'}",
            request_id=request_id(headers) or fault.request_id,
        )
        return Reply(fault=fault, error_body=told, headers=headers)

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
        except (*TROUBLE, Unreadable):
            pass  # the status has said enough
        return bytes(body[:_ERROR_BODY])


def headers_of(response: httpx.Response) -> dict[str, str]:
    """The headers by their names in lower case; those that litellm hands on from its provider count as its own."""
    headers = dict(response.headers)
    return {
        name.removeprefix(_HANDED_ON): value for name, value in headers.items() if name.startswith(_HANDED_ON)
    } | headers


def timeout_fault(message: str) -> Fault:
    """A deadline passed."""
    return Fault(kind=Kind.TIMEOUT, verdict=Verdict.OVERLOAD, message=message)


def _no_answer(excerpt: str) -> Fault:
    """A 200 without a single event."""
    if not excerpt:
        return Fault(kind=Kind.EMPTY, verdict=Verdict.TRANSIENT, message="The body was empty.", tries=3)
    told = read_error(excerpt.encode())
    message = f"The endpoint sent no answer but: {told.message[:200]}"
    return Fault(kind=Kind.BAD_RESPONSE, verdict=Verdict.TRANSIENT, message=message, tries=3)
