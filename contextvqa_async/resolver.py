"""Host names → addresses for aiohttp, looked up in daemon threads.

Rule: nobody waits for name servers that do not answer. A loop's own look-ups run in threads that its end, and so a
stop, waits for: half a minute a name by default. How long an answer is kept is the connector's to say.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from contextvqa_async.threads import Threads, TooManyHungError

__all__ = ["Resolver"]

_CONFIGURED = socket.AI_ADDRCONFIG & getattr(socket, "AI_MASK", ~0)
"""Only addresses of a family that this machine has an address of."""

_WINDOWS = os.name == "nt"


def accept(_host: str, _addresses: Sequence[str]) -> None:
    """Any address will do."""


class Resolver(AbstractResolver):
    """Looks names up in ``threads``, each in at most ``time_limit`` seconds (None: as long as whoever asks waits).

    ``check`` gets a name and its addresses, and raises OSError where they must not be connected to.
    """

    def __init__(
        self,
        threads: Threads,
        *,
        time_limit: float | None = None,
        check: Callable[[str, Sequence[str]], None] = accept,
    ) -> None:
        self._threads = threads
        self._time_limit = time_limit
        self._check = check

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses that ``host`` stands for; raises OSError."""
        look_up = functools.partial(_look_up, host, port, family)
        try:
            found = await self._threads.run(look_up, time_limit=self._time_limit)
        except TooManyHungError:
            raise OSError("it was not looked up: too many look-ups before it hang") from None
        self._check(host, [address for _, address in found])
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _look_up(host: str, port: int, family: int) -> list[tuple[socket.AddressFamily, str]]:
    """Ask the system's resolver; blocks."""
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=_CONFIGURED)
    except socket.gaierror:
        if not _WINDOWS or host.rstrip(".").casefold() != "localhost":
            raise
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)  # it is not found without a network
    return [(kind, _numeric(kind, where)) for kind, _, _, _, where in found if isinstance(where[0], str)]


def _numeric(kind: socket.AddressFamily, where: tuple[Any, ...]) -> str:
    """The address as a number; a link-local one names its network card."""
    if kind == socket.AF_INET6 and where[3]:
        return socket.getnameinfo(where, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return str(where[0])
