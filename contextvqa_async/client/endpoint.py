"""One endpoint: its address and headers, its connections, the parameters it takes; and one record's way through it.

Rule: nothing that is the same for every request is made twice, and no secret leaves in a message.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote_to_bytes

import httpx

from contextvqa_async.admission import Slot
from contextvqa_async.client.dialect import Dialect
from contextvqa_async.client.exchange import Exchange
from contextvqa_async.client.masking import masker
from contextvqa_async.client.proxies import find_proxy
from contextvqa_async.client.response import Reply
from contextvqa_async.client.transport import Body, make_ssl_context, open_transport
from contextvqa_async.config import Endpoint, Generation, Limits
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.faults import MESSAGE_LENGTH, ErrorBody, Fault
from contextvqa_async.items import Completion
from contextvqa_async.sse import Answer

_MOST_FREE = 8
"""Stale connections and changed parameters cost a record nothing, but not for ever."""

MOST_REFUSALS = 16
"""A record that was refused for the rate so often fails, where others pass: where half of all requests are
refused by chance, that is one record in 65,000."""


class Attempts:
    """One record's way through its attempts. ``trials``: the dialects that its refusals ask for, until it is answered;
    ``sent``: the one of its last request.
    """

    __slots__ = (
        "_answered",
        "_free",
        "_refusals",
        "doubted",
        "faults",
        "fresh",
        "made",
        "messages",
        "most",
        "refused",
        "sent",
        "trials",
    )

    def __init__(self, most: int) -> None:
        self.most = most
        self.messages: Sequence[bytes] | None = None
        self.made = 0
        self.faults: Counter[Kind] = Counter()
        self.fresh = False
        self.doubted = False
        self.trials: dict[EndpointClient, Dialect] = {}
        self.sent: Dialect | None = None
        self.refused = False
        self._free = 0
        self._refusals = self._answered = 0

    @property
    def again(self) -> bool:
        """Whether this is a retry, which goes before new records."""
        return self.messages is not None

    def count_refusal(self, answered: int, *, last: bool) -> bool:
        """Whether a refusal for the rate is the record's own: there were many, and between them others were answered.

        ``answered``: how many others were until now; ``last``: no new records come, so that nobody may be left to be.
        """
        self.refused = True
        self._refusals += last or answered > self._answered
        self._answered = answered
        return self._refusals >= MOST_REFUSALS

    def free(self) -> bool:
        """Whether one more request may go uncounted."""
        self._free += 1
        return self._free <= _MOST_FREE


class EndpointClient:
    """One endpoint: its address, headers, connections, and the parameters that it takes."""

    def __init__(self, endpoint: Endpoint, generation: Generation, limits: Limits, clock: Callable[[], float]) -> None:
        self.config = endpoint
        self.dialect = Dialect(endpoint.model, generation)
        self.not_at_fault: set[str] = set()
        url = httpx.URL(endpoint.url)
        given = dict(endpoint.auth_headers)
        if url.userinfo and "authorization" not in {name.lower() for name in given}:
            given["Authorization"] = f"Basic {b64encode(unquote_to_bytes(url.userinfo)).decode()}"
        streamed = not generation.no_stream
        limits = limits if streamed else _limits_of_whole(limits)
        self._exchange = Exchange(url.copy_with(userinfo=b""), _headers(given, streamed=streamed), limits, clock)
        self.mask = masker(given, endpoint.base_url.strip())
        """Puts asterisks where this endpoint's secrets stand."""
        self._proxy = None if endpoint.direct else find_proxy(endpoint.url, os.environ)
        self._context = make_ssl_context(needed="https" in (url.scheme, str(self._proxy).partition(":")[0]))
        self._transports: dict[bool, httpx.AsyncBaseTransport] = {}

    def _transport(self, *, pooled: bool) -> httpx.AsyncBaseTransport:
        if pooled not in self._transports:
            self._transports[pooled] = open_transport(self._context, self._proxy, pooled=pooled)
        return self._transports[pooled]

    async def ask(self, attempts: Attempts, slot: Slot) -> Reply:
        """Send one request."""
        attempts.sent = dialect = attempts.trials.get(self, self.dialect)
        body = Body(dialect.head, *(attempts.messages or (b"[]",)), b"}")
        transport = self._transport(pooled=not attempts.fresh)
        attempts.fresh = False
        return await self._exchange.ask(transport, body, slot.progress)

    def adapt(self, attempts: Attempts, told: ErrorBody) -> bool:
        """Whether the refusal was of a parameter, and the record's next request will be without it."""
        sent = attempts.sent or self.dialect
        if (name := sent.repeats(told)) is not None:  # refused alike without it
            self.not_at_fault.add(name)
            attempts.trials.pop(self, None)
            return False
        if self not in attempts.trials and sent is not self.dialect:  # another record has taught us meanwhile
            return self.dialect.knows(told) and attempts.free()
        changed = sent.without(told, self.not_at_fault)
        if changed is not None:
            attempts.trials[self] = changed
        return changed is not None

    def adopt(self, trial: Dialect) -> list[str]:
        """Send all records what one was answered for; return what is new, a sentence for each parameter."""
        old = self.dialect.changes
        news = [notice for name, notice in trial.changes.items() if name not in old]
        if not news or not old.keys() <= trial.changes.keys():
            return []
        self.dialect = trial
        return [self.mask(notice) for notice in news]

    def completion(self, reply: Reply, answer: Answer, attempts: Attempts) -> Completion:
        """The answer as it is handed on."""
        return Completion(
            text=answer.text,
            finish_reason=answer.finish_reason,
            model=self.mask(answer.model or self.config.model),
            request_id=self._masked(answer.request_id),
            attempts=attempts.made,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            reasoning_tokens=answer.reasoning_tokens,
            seconds=reply.ended - reply.started,
            first_token_seconds=None if reply.first is None else reply.first - reply.started,
            warnings=answer.warnings(),
        )

    def record_error(self, fault: Fault, attempts: Attempts) -> RecordError:
        """The fault as the record's own end."""
        return RecordError(
            self.sentence(fault),
            kind=fault.kind,
            status=fault.status,
            code=self._masked(fault.code),
            request_id=self._masked(fault.request_id),
            attempts=attempts.made,
        )

    def sentence(self, fault: Fault) -> str:
        """The fault's words, with no key in them."""
        return self.mask(fault.message)[:MESSAGE_LENGTH]

    def _masked(self, told: str | None) -> str | None:
        return None if told is None else self.mask(told)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()


def _limits_of_whole(limits: Limits) -> Limits:
    """Limits for answers that come whole: the first piece is the last, so that nothing but the whole has a deadline."""
    return replace(limits, first_timeout=limits.timeout, stall_timeout=limits.timeout)


def _headers(given: Mapping[str, str], *, streamed: bool) -> list[tuple[str, str]]:
    own = {
        "Accept": "text/event-stream, application/json" if streamed else "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": "contextvqa-async",
    }
    taken = {name.lower() for name in given}
    return [*((name, value) for name, value in own.items() if name.lower() not in taken), *given.items()]
