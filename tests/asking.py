"""A client against a scripted server, in one line: ``await ask(sse(good("Hello")))``."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from server import Script, Server

from contextvqa_async.admission import Admission, Slot
from contextvqa_async.client import Client
from contextvqa_async.config import Endpoint, Generation, Limits
from contextvqa_async.errors import RecordError, RunError
from contextvqa_async.items import Completion
from contextvqa_async.pacing import Ended, Outcome

KEY = "sk-secret-0123456789"
MESSAGES = b'[{"role":"user","content":"Hi"}]'


@dataclass
class Pass:
    """A slot that keeps what it is told."""

    gate: Gate
    endpoint: int = 0

    def progress(self, tokens: float) -> None:
        """The answer began, or has come so far."""
        self.gate.progress.append(tokens)

    def settle(self, ended: Ended) -> bool:
        """Charge everything but refusals for the rate."""
        self.gate.ended.append(ended)
        return ended.outcome is not Outcome.RATE


@dataclass
class Gate:
    """An admission without a pace: everyone may ask at once, the endpoints in turn."""

    endpoints: int = 1
    ended: list[Ended] = field(default_factory=list)
    again: list[bool] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)
    open: int = 0

    @property
    def settled(self) -> list[tuple[Outcome, float | None]]:
        """Every end's outcome, and the wait that was asked for."""
        return [(each.outcome, each.wait) for each in self.ended]

    @asynccontextmanager
    async def slot(self, *, again: bool = False, refused: bool = False) -> AsyncIterator[Slot]:
        """Let anyone in."""
        self.again.append(again)
        self.open += 1
        try:
            yield cast(Slot, Pass(self, endpoint=(len(self.again) - 1) % self.endpoints))
        finally:
            self.open -= 1


@dataclass
class Desk:
    """A client, and all that could be noticed of it."""

    client: Client
    gate: Gate
    notices: list[str]
    retries: list[str]
    slept: list[float]
    tokens: list[tuple[int | None, int | None]]

    async def ask(self, messages: bytes = MESSAGES) -> Completion:
        """One record's completion."""

        async def prepare() -> list[bytes]:
            return [messages]

        return await self.client.complete(prepare)


@asynccontextmanager
async def desk(
    *servers: Server | str, generation: Generation | None = None, model: str = "m", **limits: Any
) -> AsyncIterator[Desk]:
    """A client of these servers; its back-off is noted instead of slept."""
    urls = [server if isinstance(server, str) else server.url for server in servers]
    endpoints = [Endpoint(base_url=url, model=model, api_key=KEY) for url in urls]
    gate = Gate(len(endpoints))
    notices: list[str] = []
    retries: list[str] = []
    slept: list[float] = []
    tokens: list[tuple[int | None, int | None]] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    client = Client(
        endpoints,
        generation or Generation(),
        Limits(**limits),
        cast(Admission, gate),
        sleep=sleep,
        rng=random.Random(1),
        on_notice=notices.append,
        on_retry=retries.append,
        on_tokens=lambda *told: tokens.append(told),
    )
    async with client:
        yield Desk(client, gate, notices, retries, slept, tokens)


@dataclass
class Outcomes:
    """How one record went."""

    server: Server
    desk: Desk
    completion: Completion | None = None
    error: RecordError | RunError | None = None

    @property
    def good(self) -> Completion:
        """The completion, which there is."""
        assert self.completion is not None, self.error
        return self.completion

    @property
    def failure(self) -> RecordError:
        """The record's failure, which there is."""
        assert isinstance(self.error, RecordError), (self.completion, self.error)
        return self.error

    @property
    def doom(self) -> RunError:
        """The run's end, which came."""
        assert isinstance(self.error, RunError), (self.completion, self.error)
        return self.error

    @property
    def asked(self) -> int:
        """How many requests it took."""
        return len(self.server.requests)


async def ask(*scripts: Script | bytes, messages: bytes = MESSAGES, **options: Any) -> Outcomes:
    """Ask a server of these scripts about one record."""
    async with Server(*scripts) as server, desk(server, **options) as counter:
        outcomes = Outcomes(server, counter)
        try:
            outcomes.completion = await counter.ask(messages)
        except (RecordError, RunError) as error:
            outcomes.error = error
        assert counter.gate.open == 0
        return outcomes


def sockets_to(port: int) -> int:
    """How many sockets of this machine are connected to a port (closed ones that the kernel still knows left out)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(int(row[2].partition(":")[2], 16) == port and row[9] != "0" for row in rows)
