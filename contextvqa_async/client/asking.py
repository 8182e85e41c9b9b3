"""A record's request → its Completion, or the reason that there is none: which endpoint, how often, and when to stop.

    slot ─► body ─► exchange ─► Completion
      ▲                └──► fault ─► refused for the rate: wait for a slot, uncharged
      └─────────────────────────┤    transient: back off without a slot, at most max_attempts in all
                                ├─► the record's own: RecordError
                                └─► everyone's: RunError, now and from every later call

Rule: no request that cannot help. A connection that had gone stale and a parameter that is swapped or dropped cost
the record no attempt; a fault that dooms the run is told once and asked no more.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import anyio
import httpx

from contextvqa_async.admission import Admission, Slot
from contextvqa_async.client.dialect import Dialect
from contextvqa_async.client.exchange import Exchange
from contextvqa_async.client.proxies import find_proxy
from contextvqa_async.client.reading import Reply
from contextvqa_async.client.transport import Body, make_ssl_context, open_transport
from contextvqa_async.config import Endpoint, Generation, Limits
from contextvqa_async.errors import ADVICE, Kind, RecordError, RunError
from contextvqa_async.faults import MESSAGE_LENGTH, Fault, Verdict
from contextvqa_async.items import Completion
from contextvqa_async.pacing import Outcome, backoff
from contextvqa_async.sse import Answer

__all__ = ["Client"]

_SAME_IN_A_ROW = 8
"""So many redirects or 404s at once, and nothing else yet, are the address's fault."""

_MOST_FREE = 8
"""Stale connections and changed parameters cost a record nothing, but not for ever."""

_SECRET_HEADERS = ("authorization", "key", "token", "secret", "cookie")


def ignore(*_: object) -> None:
    """Take anything, do nothing."""


class Client:
    """Asks the endpoints, at the pace of ``admission``. An async context manager; several tasks may share it.

    ``on_notice`` hears, once each, what the run has learnt of an endpoint; ``on_retry`` why a request
    will be made again; ``observe`` gets each piece of each answer's text as it comes.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        generation: Generation,
        limits: Limits,
        admission: Admission,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        rng: random.Random | None = None,
        on_notice: Callable[[str], object] = ignore,
        on_retry: Callable[[str], object] = ignore,
        observe: Callable[[str], object] | None = None,
    ) -> None:
        self._lines = [_Line(endpoint, generation, limits, clock) for endpoint in endpoints]
        self._limits = limits
        self._admission = admission
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._on_notice = on_notice
        self._on_retry = on_retry
        self._observe = observe
        self._doom: RunError | None = None
        self._resting: set[anyio.CancelScope] = set()
        self._succeeded = False
        self._alike: tuple[Kind | None, int] = (None, 0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            for line in self._lines:
                with anyio.move_on_after(2):
                    await line.aclose()

    def wake(self) -> None:
        """End every back-off at once: the run is stopping, and those that sleep should hear of it."""
        for scope in self._resting:
            scope.cancel()

    async def complete(self, prepare: Callable[[], Awaitable[bytes]]) -> Completion:
        """Return the endpoint's answer to one record.

        ``prepare`` is awaited once, when the first slot is given, and returns the JSON bytes of the messages; what
        it raises passes through. Raises RecordError, RunError, or the admission's Withdrawn.
        """
        asking = _Asking(self._limits.max_attempts)
        while True:
            self._stop_if_doomed()
            async with self._admission.slot(again=asking.again) as slot:
                self._stop_if_doomed()
                if asking.messages is None:
                    asking.messages = await prepare()
                line = self._lines[slot.endpoint]
                reply = await line.ask(asking, slot, self._observe)
                rest = self._judge(line, asking, reply, slot)
            if reply.answer is not None:
                return line.completion(reply, reply.answer, asking)
            if rest > 0:
                await self._rest(rest)

    def _stop_if_doomed(self) -> None:
        if self._doom is not None:
            raise RunError(str(self._doom), kind=self._doom.kind)

    def _judge(self, line: _Line, asking: _Asking, reply: Reply, slot: Slot) -> float:
        """Settle the slot and draw the conclusions; return the seconds to rest before asking again."""
        fault = reply.fault
        if fault is None:
            self._succeeded = True
            tokens = _sum(reply.answer)
            slot.settle(Outcome.OK, tokens=tokens[0], headers=reply.headers, answer_tokens=tokens[1])
            asking.attempts += 1
            return 0
        if reply.stale and asking.free():
            slot.settle(Outcome.VOID)
            asking.fresh = True
            return 0
        if self._adapt(line, asking, reply):
            slot.settle(Outcome.VOID, headers=reply.headers)
            return 0
        charged = slot.settle(_outcome(fault), wait=fault.wait, headers=reply.headers)
        asking.attempts += charged or fault.verdict in (Verdict.TERMINAL, Verdict.DOOM)
        self._stop_the_run(line, asking, fault)
        return self._again(line, asking, fault, charged)

    def _again(self, line: _Line, asking: _Asking, fault: Fault, charged: bool) -> float:
        """Seconds to rest before the next attempt. Raises RecordError where there is none."""
        if fault.verdict is Verdict.RATE:
            seconds = 0.0  # the admission makes everyone wait
        else:
            asking.faults[fault.kind] += charged
            spent = fault.tries is not None and asking.faults[fault.kind] >= fault.tries
            if fault.verdict is Verdict.TERMINAL or spent or asking.attempts >= asking.most:
                raise line.record_error(fault, asking)
            seconds = backoff(asking.attempts - 1, self._rng) if charged else 0.0
        self._on_retry(line.sentence(fault))
        return seconds

    def _adapt(self, line: _Line, asking: _Asking, reply: Reply) -> bool:
        """Whether the refusal was of a parameter, and the next request will be without it (R-01 to R-04)."""
        fault, told = reply.fault, reply.told
        if fault is None or told is None or fault.status not in (400, 422):
            return False
        if fault.kind not in (Kind.INVALID_REQUEST, Kind.MODEL, Kind.NOT_FOUND):
            return False
        if asking.version != line.dialect.version:  # another record's refusal has changed it meanwhile
            return line.dialect.knows(told) and asking.free()
        notice = line.dialect.adapt(told)
        if notice is not None:
            self._on_notice(line.mask(notice))
        return notice is not None

    def _stop_the_run(self, line: _Line, asking: _Asking, fault: Fault) -> None:
        """Raise RunError where no request of this run can succeed."""
        if not self._is_doom(asking, fault):
            return
        told = line.sentence(fault).rstrip(".")
        self._doom = RunError(f"{line.endpoint.label}: {told}; {ADVICE[fault.kind]}.", kind=fault.kind)
        self.wake()
        raise self._doom

    def _is_doom(self, asking: _Asking, fault: Fault) -> bool:
        kind, count = self._alike
        self._alike = (fault.kind, count + 1 if kind is fault.kind else 1)
        if fault.verdict is Verdict.DOOM:
            glitch = self._succeeded and fault.kind is Kind.CREDENTIAL and not asking.doubted
            asking.doubted = True
            return not glitch
        return (
            not self._succeeded and fault.kind in (Kind.REDIRECT, Kind.NOT_FOUND) and self._alike[1] >= _SAME_IN_A_ROW
        )

    async def _rest(self, seconds: float) -> None:
        with anyio.CancelScope() as scope:
            self._resting.add(scope)
            try:
                await self._sleep(seconds)
            finally:
                self._resting.discard(scope)


class _Asking:
    """One record's way through its attempts."""

    __slots__ = ("_free", "attempts", "doubted", "faults", "fresh", "messages", "most", "version")

    def __init__(self, most: int) -> None:
        self.most = most
        self.messages: bytes | None = None
        self.attempts = 0
        self.faults: Counter[Kind] = Counter()
        self.fresh = False
        self.doubted = False
        self.version = 0
        self._free = 0

    @property
    def again(self) -> bool:
        """Whether this is a retry, which goes before new records."""
        return self.messages is not None

    def free(self) -> bool:
        """Whether one more request may go uncounted."""
        self._free += 1
        return self._free <= _MOST_FREE


class _Line:
    """One endpoint: its address, headers, connections, and the parameters that it takes."""

    def __init__(self, endpoint: Endpoint, generation: Generation, limits: Limits, clock: Callable[[], float]) -> None:
        self.endpoint = endpoint
        self.dialect = Dialect(endpoint.model, generation)
        self._url = httpx.URL(endpoint.url)
        self._headers = _headers(endpoint, streamed=not generation.no_stream)
        self._exchange = Exchange(limits, endpoint.host, clock)
        self._secrets = [
            secret
            for name, value in endpoint.auth_headers.items()
            if any(word in name.lower() for word in _SECRET_HEADERS)
            for secret in (value, value.removeprefix("Bearer ").strip())
            if len(secret) >= 4
        ]
        self._transports: dict[bool, httpx.AsyncBaseTransport] = {}

    def _transport(self, *, pooled: bool) -> httpx.AsyncBaseTransport:
        if pooled not in self._transports:
            proxy = find_proxy(self.endpoint.url, os.environ)
            context = make_ssl_context(needed=f"{self.endpoint.url} {proxy}".count("https://") > 0)
            self._transports[pooled] = open_transport(context, proxy, pooled=pooled)
        return self._transports[pooled]

    async def ask(self, asking: _Asking, slot: Slot, observe: Callable[[str], object] | None) -> Reply:
        """Send one request."""
        asking.version = self.dialect.version
        body = Body(self.dialect.head, asking.messages or b"[]", b"}")
        transport = self._transport(pooled=not asking.fresh)
        asking.fresh = False
        return await self._exchange.ask(transport, self._url, self._headers, body, slot.first_token, observe)

    def completion(self, reply: Reply, answer: Answer, asking: _Asking) -> Completion:
        """The answer as it is handed on."""
        return Completion(
            text=answer.text,
            finish_reason=answer.finish_reason,
            model=answer.model or self.endpoint.model,
            request_id=answer.request_id,
            attempts=asking.attempts,
            prompt_tokens=answer.tokens("prompt_tokens"),
            completion_tokens=answer.tokens("completion_tokens"),
            reasoning_tokens=answer.reasoning_tokens,
            seconds=reply.ended - reply.started,
            first_token_seconds=None if reply.first is None else reply.first - reply.started,
            warnings=answer.warnings(),
        )

    def record_error(self, fault: Fault, asking: _Asking) -> RecordError:
        """The fault as the record's own end."""
        return RecordError(
            self.sentence(fault),
            kind=fault.kind,
            status=fault.status,
            code=fault.code,
            request_id=fault.request_id,
            attempts=asking.attempts,
        )

    def sentence(self, fault: Fault) -> str:
        """The fault's words, with no key in them."""
        return self.mask(fault.message)[:MESSAGE_LENGTH]

    def mask(self, text: str) -> str:
        """Put asterisks where this endpoint's secrets stand."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()


def _headers(endpoint: Endpoint, *, streamed: bool) -> list[tuple[str, str]]:
    own = {
        "Accept": "text/event-stream, application/json" if streamed else "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": "contextvqa-async",
    }
    given = endpoint.auth_headers
    taken = {name.lower() for name in given}
    return [*((name, value) for name, value in own.items() if name.lower() not in taken), *given.items()]


def _outcome(fault: Fault) -> Outcome:
    if fault.verdict is Verdict.TRANSIENT and fault.kind in (Kind.EMPTY, Kind.TOO_LARGE, Kind.BAD_RESPONSE):
        return Outcome.VOID
    return _OUTCOMES[fault.verdict]


_OUTCOMES = {
    Verdict.TERMINAL: Outcome.VOID,
    Verdict.DOOM: Outcome.VOID,
    Verdict.RATE: Outcome.RATE,
    Verdict.OVERLOAD: Outcome.OVERLOAD,
    Verdict.TRANSIENT: Outcome.FAULT,
}


def _sum(answer: Answer | None) -> tuple[int | None, int | None]:
    """Tokens of prompt and answer together, and of the answer alone; None where they were not told."""
    if answer is None:
        return None, None
    prompt, completion = answer.tokens("prompt_tokens"), answer.tokens("completion_tokens")
    return (None if prompt is None or completion is None else prompt + completion), completion
