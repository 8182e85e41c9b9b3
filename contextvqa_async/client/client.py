"""A record's request → its Completion, or the reason that there is none: which endpoint, how often, and when to stop.

    slot ─► body ─► exchange ─► Completion
      ▲                └──► fault ─► refused for the rate: wait for a slot, uncharged if no answer had begun
      └─────────────────────────┤    transient: back off without a slot, at most max_attempts in all
                                ├─► the record's own: RecordError
                                └─► everyone's: RunError, now and from every later call

Rule: no request that cannot help. A connection that had gone stale and a parameter that is swapped or dropped cost
the record no attempt; a fault that dooms the run is told once and asked no more.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import anyio

from contextvqa_async.admission import Admission, Slot
from contextvqa_async.client.endpoint import MOST_REFUSALS, Attempts, EndpointClient
from contextvqa_async.client.response import Reply
from contextvqa_async.config import Endpoint, Generation, Limits
from contextvqa_async.errors import ADVICE, Kind, RunError
from contextvqa_async.faults import Fault, Verdict
from contextvqa_async.items import Completion
from contextvqa_async.pacing import Ended, Outcome, backoff

__all__ = ["Client"]

_SAME_IN_A_ROW = 8
"""So many redirects or 404s at once, and nothing else yet, are the address's fault."""


def ignore(*_: object) -> None:
    """Take anything, do nothing."""


class Client:
    """Asks the endpoints, at the pace of ``admission``. An async context manager; several tasks may share it.

    ``on_notice`` hears, once each, what the run has learnt of an endpoint; ``on_retry`` why a request
    will be made again; ``on_tokens`` the tokens of each answer, good or not, as they were told (or None).
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
        on_tokens: Callable[[int | None, int | None], object] = ignore,
    ) -> None:
        self._endpoints = [EndpointClient(each, generation, limits, clock) for each in endpoints]
        self._limits = limits
        self._admission = admission
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._on_notice = on_notice
        self._on_retry = on_retry
        self._on_tokens = on_tokens
        self._fatal: RunError | None = None
        self._resting: set[anyio.CancelScope] = set()
        self._answered = 0
        self._last = False
        self._alike: tuple[Kind | None, int] = (None, 0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            for endpoint in self._endpoints:
                with anyio.move_on_after(2):
                    await endpoint.aclose()

    def end_of_records(self) -> None:
        """Tell that no more records will be asked for."""
        self._last = True

    def wake(self) -> None:
        """End every back-off at once: the run is stopping, and those that sleep should hear of it."""
        for scope in self._resting:
            scope.cancel()

    async def complete(self, prepare: Callable[[], Awaitable[Sequence[bytes]]]) -> Completion:
        """Return the endpoint's answer to one record.

        ``prepare`` is awaited once, when the first slot is given, and returns the messages as JSON, in pieces to
        be joined; what it raises passes through. Raises RecordError, RunError, or the admission's Withdrawn.
        """
        attempts = Attempts(self._limits.max_attempts)
        while True:
            self._raise_if_fatal()
            async with self._admission.slot(again=attempts.again, refused=attempts.refused) as slot:
                self._raise_if_fatal()
                if attempts.messages is None:
                    attempts.messages = await prepare()
                endpoint = self._endpoints[slot.endpoint]
                reply = await endpoint.ask(attempts, slot)
                rest = self._judge(endpoint, attempts, reply, slot)
            if reply.answer is not None:
                return endpoint.completion(reply, reply.answer, attempts)
            if rest > 0:
                await self._rest(rest)

    def _raise_if_fatal(self) -> None:
        if self._fatal is not None:
            raise self._fatal.copy()

    def _judge(self, endpoint: EndpointClient, attempts: Attempts, reply: Reply, slot: Slot) -> float:
        """Settle the slot and draw the conclusions; return the seconds to rest before asking again."""
        fault, (prompt, completion) = reply.fault, reply.tokens
        if fault is None or reply.tokens != (None, None):
            self._on_tokens(prompt, completion)
        if fault is None:
            self._answered += 1
            self._alike = (None, 0)
            slot.settle(Ended(Outcome.OK, prompt_tokens=prompt, completion_tokens=completion, headers=reply.headers))
            attempts.made += 1
            for taught, trial in attempts.trials.items():
                for notice in taught.adopt(trial):
                    self._on_notice(notice)
            return 0
        if reply.stale and attempts.free():
            slot.settle(Ended(Outcome.VOID))
            attempts.fresh = True
            return 0
        if (
            _may_concern_parameter(fault)
            and reply.error_body is not None
            and endpoint.adapt(attempts, reply.error_body)
        ):
            slot.settle(Ended(Outcome.VOID, headers=reply.headers))
            return 0
        told = endpoint.sentence(fault)
        charged = slot.settle(Ended(_outcome(fault), wait=fault.wait, headers=reply.headers, fault=told))
        charged = charged or reply.begun  # an answer that began may be paid for: not for ever
        attempts.made += charged or fault.verdict in (Verdict.RECORD, Verdict.FATAL)
        self._stop_the_run(endpoint, attempts, fault)
        return self._again(endpoint, attempts, fault, charged)

    def _again(self, endpoint: EndpointClient, attempts: Attempts, fault: Fault, charged: bool) -> float:
        """Seconds to rest before the next attempt. Raises RecordError where there is none."""
        attempts.refused = False
        if fault.verdict is Verdict.RATE and attempts.count_refusal(self._answered, last=self._last):
            message = f"Refused {MOST_REFUSALS} times where others were answered: {fault.message}"
            raise endpoint.record_error(replace(fault, message=message), attempts)
        attempts.faults[fault.kind] += charged
        spent = fault.tries is not None and attempts.faults[fault.kind] >= fault.tries
        own = fault.verdict is Verdict.RECORD or (fault.verdict is Verdict.FATAL and not fault.by_code)
        if own or spent or attempts.made >= attempts.most:
            raise endpoint.record_error(fault, attempts)
        self._on_retry(endpoint.sentence(fault))
        if not charged or fault.verdict is Verdict.RATE:  # for the rate the admission makes everyone wait
            return 0.0
        return backoff(attempts.made - 1, self._rng)

    def _stop_the_run(self, endpoint: EndpointClient, attempts: Attempts, fault: Fault) -> None:
        """Raise RunError where no request of this run can succeed."""
        if not self._is_fatal(attempts, fault):
            return
        told = endpoint.sentence(fault).rstrip(".")
        self._fatal = RunError(f"{endpoint.config.label}: {told}; {ADVICE[fault.kind]}.", kind=fault.kind)
        self.wake()
        raise self._fatal

    def _is_fatal(self, attempts: Attempts, fault: Fault) -> bool:
        kind, count = self._alike
        self._alike = (fault.kind, count + 1 if kind is fault.kind else 1)
        if fault.verdict is not Verdict.FATAL:
            wrong_address = not self._answered and fault.kind in (Kind.REDIRECT, Kind.NOT_FOUND)
            return wrong_address and self._alike[1] >= _SAME_IN_A_ROW
        if not self._answered:
            return True
        if not fault.by_code:  # an error may echo the record's own words: one record stops no run
            return self._alike[1] >= _SAME_IN_A_ROW
        glitch = fault.kind is Kind.CREDENTIAL and not attempts.doubted
        attempts.doubted = True
        return not glitch

    async def _rest(self, seconds: float) -> None:
        with anyio.CancelScope() as scope:
            self._resting.add(scope)
            try:
                await self._sleep(seconds)
            finally:
                self._resting.discard(scope)


def _may_concern_parameter(fault: Fault) -> bool:
    """Whether such a refusal may be of a parameter, not of the record."""
    return fault.status in (400, 422) and fault.kind in (Kind.INVALID_REQUEST, Kind.MODEL, Kind.NOT_FOUND)


def _outcome(fault: Fault) -> Outcome:
    if fault.verdict is Verdict.TRANSIENT and fault.kind is Kind.TOO_LARGE:
        return Outcome.VOID
    if fault.gone:
        return Outcome.GONE
    if fault.verdict is Verdict.OVERLOAD and fault.status is not None and fault.status > 500:
        return Outcome.AWAY
    return _OUTCOMES[fault.verdict]


_OUTCOMES = {
    Verdict.RECORD: Outcome.VOID,
    Verdict.FATAL: Outcome.VOID,
    Verdict.RATE: Outcome.RATE,
    Verdict.OVERLOAD: Outcome.OVERLOAD,
    Verdict.TRANSIENT: Outcome.FAULT,
}
