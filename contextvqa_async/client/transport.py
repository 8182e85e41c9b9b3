"""The way to the endpoints: httpx on top, aiohttp beneath. Requests in, responses out."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from contextvqa_async.client.connections import Connector
from contextvqa_async.errors import UsageError
from contextvqa_async.resolver import Resolver
from contextvqa_async.threads import Threads

KEEP_ALIVE = 4.0
"""Servers close idle connections after 5 s (uvicorn, vLLM, SGLang)."""

_PIECE = 256 * 1024
_READ_BUFFER = 128 * 1024
_HEADER = 64 * 1024


class Body(httpx.AsyncByteStream):
    """A request's body in pieces: spliced without copying, and sent without holding up the loop."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self.size = sum(map(len, parts))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        lead = bytearray()
        for part in self._parts:
            if len(part) <= _PIECE:
                lead += part
                continue
            view = memoryview(part)
            for start in range(0, len(view), _PIECE):
                yield b"".join((lead, view[start : start + _PIECE]))
                lead.clear()
        yield bytes(lead)


def make_ssl_context(*, needed: bool) -> ssl.SSLContext:
    """The trusted roots: SSL_CERT_FILE or SSL_CERT_DIR, else certifi's; loaded (20 ms) only if needed.

    Raises UsageError where they cannot be read.
    """
    try:
        return httpx.create_ssl_context(trust_env=True) if needed else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except OSError as error:
        where = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        raise UsageError(f"No certificates can be read from {where} (SSL_CERT_FILE, SSL_CERT_DIR): {error}.") from None


def open_transport(context: ssl.SSLContext, proxy: str | None, *, pooled: bool = True) -> httpx.AsyncBaseTransport:
    """A transport without limits of its own: how many requests there are is the admission's to say.

    It is used as it is: an AsyncClient around it adds cookies, redirects and authentication, which a batch has no
    use for, and a quarter of what a request costs. ``pooled`` False: each request gets a connection of its own, for
    those that met a stale one. ``proxy`` is an address, with user and password where it wants them.
    """
    keep: dict[str, Any] = {"keepalive_timeout": KEEP_ALIVE} if pooled else {"force_close": True}

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=Connector(limit=0, ssl=context, resolver=Resolver(Threads()), ttl_dns_cache=300, **keep),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER,
            max_line_size=_HEADER,
            max_field_size=_HEADER,
            timeout=aiohttp.ClientTimeout(total=None),
            proxy=proxy,
        )

    return AiohttpTransport(verify=context, client=session)
