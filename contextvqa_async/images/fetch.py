"""An http(s) URL → its bytes, for ``--inline-urls``.

Rules: a name is resolved once, every address it stands for is judged, and the connection goes to a judged address
and nowhere else, so that a name that resolves elsewhere later (DNS rebinding) gains nothing. Each redirect is a new
URL to judge. No proxy, cookie or credential of this machine is used. Size and time are bounded.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from contextvqa_async.errors import Kind, RecordError, one_line
from contextvqa_async.images.sources import MAX_BYTES, bad, check_size
from contextvqa_async.threads import Threads

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

MAX_REDIRECTS = 5
MAX_AT_ONCE = 32

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HEADERS = {"User-Agent": "contextvqa-async", "Accept": "image/*,*/*;q=0.5"}


def is_public(address: str) -> bool:
    """Whether an address, and any IPv4 address that it wraps, belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    return all(wrapped.is_global for wrapped in _wrapped(ip))


def _wrapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


class _PrivateAddressError(OSError):
    """A name or address leads into a private network."""


class Fetcher:
    """``async with Fetcher() as fetch: data = await fetch(url)``: one pool of connections for a run."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        time_limit: float = 60.0,
        threads: Threads | None = None,
        judge: Callable[[str], bool] = is_public,
    ) -> None:
        self._judge: Callable[[str], bool] = (lambda _: True) if allow_private else judge
        self._time_limit = time_limit
        self._threads = threads or Threads()
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        import aiohttp

        from contextvqa_async.resolver import Resolver

        resolver = Resolver(self._threads, time_limit=self._time_limit, check=self._check_addresses)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def __call__(self, url: str) -> bytes:
        """Return the bytes at ``url``; raises RecordError."""
        import aiohttp

        try:
            async with self._places, asyncio.timeout(self._time_limit):
                return await self._follow(url)
        except _PrivateAddressError as error:
            raise _private(url, str(error)) from None
        except TimeoutError:
            raise bad(url, f"did not arrive within {self._time_limit:g} seconds", kind=Kind.TIMEOUT) from None
        except ValueError:  # of the URL's own, or aiohttp's InvalidURL
            raise bad(url, "has an address that is no valid URL") from None
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error.__cause__, _PrivateAddressError):
                raise _private(url, str(error.__cause__)) from None
            raise bad(url, f"cannot be fetched: {one_line(error)}", retryable=True) from None

    async def _follow(self, url: str) -> bytes:
        from yarl import URL

        target = URL(url)
        for _ in range(MAX_REDIRECTS + 1):
            self._check(url, target)
            async with self._session.get(target, allow_redirects=False) as response:
                if response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
                    target = target.join(URL(response.headers["Location"]))
                    continue
                if response.status != 200:
                    lasting = response.status in (400, 401, 403, 404, 405, 410, 414, 451)
                    fault = f"cannot be fetched: its server answered {response.status}"
                    raise bad(url, fault, retryable=not lasting, status=response.status)
                return await self._read(url, response)
        raise bad(url, f"is redirected more than {MAX_REDIRECTS} times")

    def _check_addresses(self, host: str, addresses: Sequence[str]) -> None:
        if not all(map(self._judge, addresses)):
            raise _PrivateAddressError(host)

    def _check(self, url: str, target: URL) -> None:
        """Refuse what the resolver never sees: other schemes, and addresses written as numbers."""
        host = target.host
        if target.scheme not in ("http", "https") or not host:
            raise bad(url, f"leads to {str(target)[:200]!r}, which is no http or https URL")
        try:
            allowed = self._judge(host)
        except ValueError:  # a name, which the resolver judges
            return
        if not allowed:
            raise _private(url, host)

    async def _read(self, url: str, response: aiohttp.ClientResponse) -> bytes:
        check_size(url, response.content_length or 0)
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > MAX_BYTES:
                check_size(url, size)
            pieces.append(piece)
        return b"".join(pieces)


def _private(url: str, where: str) -> RecordError:
    return bad(url, f"leads to {where}, which is not on the public internet (see --allow-private-urls)")
