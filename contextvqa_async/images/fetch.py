"""An http(s) URL → its bytes, for ``--inline-urls``.

Rules: a name is resolved once, every address it stands for is judged, and the connection goes to a judged address
and nowhere else, so that a name that resolves elsewhere later (DNS rebinding) gains nothing. Each redirect is a new
URL to judge. No proxy, cookie or credential of this machine is used. Size and time are bounded.

A URL is sent as it is written, since a signature may be of its very bytes. A host that is busy or hangs up is asked
again a few times: one that limits its rate would fail record after record.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urljoin

from contextvqa_async.errors import Kind, RecordError, one_line
from contextvqa_async.images.sources import MAX_BYTES, bad, check_size
from contextvqa_async.threads import Threads

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

MAX_REDIRECTS = 5
MAX_AT_ONCE = 32
MAX_TRIES = 4
LONGEST_WAIT = 30.0
"""Seconds that a host may ask to wait; the record holds its place in the pace meanwhile."""

WaitHint = Callable[[Mapping[str, str], str, float], float | None]
"""From a refusal's headers, its words and the time to the seconds that it asks to wait."""

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


class _BusyError(Exception):
    """This try failed, and another may not.

    ``failure``: what is told if it was the last; ``wait``: the seconds that the host asks for.
    """

    def __init__(self, failure: RecordError, wait: float | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.wait = wait


def no_hint(_headers: Mapping[str, str], _words: str, _now: float) -> None:
    """Read no wait from any refusal."""


class Fetcher:
    """``async with Fetcher() as fetch: data = await fetch(url)``: one pool of connections for a run.

    ``time_limit``: seconds for one URL, all its tries and the waits between them; ``wait_hint`` reads from a refusal
    how long its host asks to wait.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        time_limit: float = 60.0,
        threads: Threads | None = None,
        judge: Callable[[str], bool] = is_public,
        wait_hint: WaitHint = no_hint,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._judge: Callable[[str], bool] = (lambda _: True) if allow_private else judge
        self._time_limit = time_limit
        self._threads = threads or Threads()
        self._wait_hint = wait_hint
        self._sleep = sleep
        self._rng = rng or random.Random()
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
        try:
            async with asyncio.timeout(self._time_limit) as limit:
                return await self._try(url, limit.when() or 0.0)
        except TimeoutError:
            raise bad(url, f"did not arrive within {self._time_limit:g} seconds", kind=Kind.TIMEOUT) from None

    async def _try(self, url: str, until: float) -> bytes:
        """Fetch, and again after a wait, as long as another try may help and ends before ``until``."""
        tries = 0
        while True:
            try:
                async with self._places:
                    return await self._fetch(url)
            except _BusyError as busy:
                backoff = self._rng.uniform(0.5, 1.0) * 2.0**tries
                wait = backoff if busy.wait is None else busy.wait
                tries += 1
                left = until - asyncio.get_running_loop().time()
                if tries == MAX_TRIES or wait > min(LONGEST_WAIT, left):
                    raise busy.failure from None
            await self._sleep(wait)

    async def _fetch(self, url: str) -> bytes:
        import aiohttp

        try:
            return await self._follow(url)
        except _PrivateAddressError as error:
            raise _private(url, str(error)) from None
        except TimeoutError:
            raise
        except ValueError:  # of the URL's own, or aiohttp's InvalidURL
            raise bad(url, "has an address that is no valid URL") from None
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error.__cause__, _PrivateAddressError):
                raise _private(url, str(error.__cause__)) from None
            fault = f"cannot be fetched: {one_line(error)}"
            failure = bad(url, fault, kind=Kind.CONNECTION, retryable=True)
            raise (failure if _lasts(error) else _BusyError(failure)) from None

    async def _follow(self, url: str) -> bytes:
        address = url
        for _ in range(MAX_REDIRECTS + 1):
            target = exact_url(address)
            self._check(url, target)
            async with self._session.get(target, allow_redirects=False) as response:
                if response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
                    address = urljoin(address, response.headers["Location"])
                    continue
                if response.status != 200:
                    raise self._refused(url, response)
                return await self._read(url, response)
        raise bad(url, f"is redirected more than {MAX_REDIRECTS} times")

    def _refused(self, url: str, response: aiohttp.ClientResponse) -> Exception:
        status = response.status
        fault = f"cannot be fetched: its server answered {status}"
        if status not in (408, 425, 429) and status < 500:
            lasting = status in (400, 401, 403, 404, 405, 410, 414, 451)
            return bad(url, fault, retryable=not lasting, status=status)
        kind = Kind.RATE if status == 429 else Kind.CONNECTION
        asked = status == 429 or "Retry-After" in response.headers  # other answers may tell of allowances too
        wait = self._wait_hint(response.headers, "", time.time()) if asked else None
        return _BusyError(bad(url, fault, kind=kind, retryable=True, status=status), wait)

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


def _lasts(error: Exception) -> bool:
    """Whether another try in this run would end alike: a name that is not known, a certificate that is not trusted."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", error)
    unknown = isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN
    return unknown or isinstance(cause, ssl.SSLCertVerificationError)


_PARTS = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_BREAKS = str.maketrans("", "", "\t\r\n")
_LEGAL = "!$%&'()*+,/:;=?@[]~"


def exact_url(text: str) -> URL:
    """The URL whose path and query are sent as they are written; only what no URL may hold is escaped.

    Raises ValueError where it is none.
    """
    from yarl import URL

    parts = _PARTS.match(text.strip().translate(_BREAKS))
    if parts is None:
        return URL(text)
    origin = URL(f"{parts[1]}://{parts[2]}/")
    rest = quote(parts[3].partition("#")[0], safe=_LEGAL, errors="surrogateescape")
    return URL(f"{origin.scheme}://{origin.raw_authority}{rest}", encoded=True)
