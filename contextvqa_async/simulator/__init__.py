"""The embedded vision-language server: a stand-in for trying, testing and measuring the line without a provider.

    request ─► server (understand, pace, faults) ─► answers (picture → subject → text) ─► wire (events, times)

Rules: it listens on loopback unless told otherwise, answers the same to the same request, and never passes for a real
model. It recognises pictures by their colours alone, and what it writes of them is made up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType

from aiohttp import web

from contextvqa_async.simulator.server import MODEL, Handlers, SimulatorOptions

__all__ = ["MODEL", "Simulator", "SimulatorOptions", "serve"]

_BACKLOG = 4096


class Simulator:
    """``async with Simulator(options) as base_url:`` serves on a free port of this machine, in the running loop."""

    def __init__(self, options: SimulatorOptions | None = None) -> None:
        self._serving = _serving(options or SimulatorOptions(), "127.0.0.1", 0)

    async def __aenter__(self) -> str:
        return await self._serving.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._serving.__aexit__(kind, error, trace)


async def serve(options: SimulatorOptions, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until cancelled; ``on_ready`` is given the base URL. Raises OSError where the port is taken."""
    async with _serving(options, host, port) as base_url:
        on_ready(base_url)
        await asyncio.Event().wait()


@asynccontextmanager
async def _serving(options: SimulatorOptions, host: str, port: int) -> AsyncIterator[str]:
    runner = web.AppRunner(
        Handlers(options).application(),
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        address = runner.addresses[0]
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield f"http://{name}:{address[1]}/v1"
    finally:
        await runner.cleanup()
