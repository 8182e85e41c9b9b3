"""What the transport raises → a Fault. httpx, aiohttp and the sockets below each have their own words for it.

httpx-aiohttp calls a refused connection and a reset one alike ConnectTimeout, with aiohttp's exception as its cause,
and lets some of aiohttp's pass through as they are. Rule: the cause decides, by one table.
"""

from __future__ import annotations

import ssl

import aiohttp
import httpx

from contextvqa_async.errors import Kind
from contextvqa_async.faults import Fault, Verdict

TROUBLE = (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError, RuntimeError, EOFError)
"""Everything that sending a request or reading its response may raise."""

CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)
"""The connection was there, and is gone."""

_CAUSES: tuple[tuple[type[BaseException], Kind, Verdict, str], ...] = (
    (aiohttp.ClientConnectorCertificateError, Kind.CONNECTION, Verdict.FATAL, "Its certificate is not trusted"),
    (ssl.SSLCertVerificationError, Kind.CONNECTION, Verdict.FATAL, "Its certificate is not trusted"),
    (aiohttp.ClientConnectorDNSError, Kind.CONNECTION, Verdict.TRANSIENT, "Its name does not resolve"),
    (aiohttp.ClientProxyConnectionError, Kind.CONNECTION, Verdict.TRANSIENT, "The proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, Kind.CONNECTION, Verdict.TRANSIENT, "The proxy refuses"),
    (aiohttp.ConnectionTimeoutError, Kind.TIMEOUT, Verdict.TRANSIENT, "No connection in time"),
    (aiohttp.ClientConnectorError, Kind.CONNECTION, Verdict.TRANSIENT, "No connection"),
    (aiohttp.ServerDisconnectedError, Kind.CONNECTION, Verdict.TRANSIENT, "The endpoint hung up without an answer"),
    (aiohttp.ClientResponseError, Kind.BAD_RESPONSE, Verdict.TRANSIENT, "The answer is no HTTP"),
    (aiohttp.InvalidURL, Kind.CONNECTION, Verdict.FATAL, "The address is not valid"),
    (TimeoutError, Kind.TIMEOUT, Verdict.TRANSIENT, "No connection in time"),
    (BaseException, Kind.CONNECTION, Verdict.TRANSIENT, "The connection broke"),
)


GONE = (aiohttp.ClientConnectorError, aiohttp.ClientProxyConnectionError, aiohttp.ConnectionTimeoutError, TimeoutError)
"""No connection came to be: nobody is there."""


def cause_of(error: Exception) -> Exception:
    """The exception beneath httpx's."""
    cause = error.__cause__
    return cause if isinstance(error, httpx.HTTPError) and isinstance(cause, Exception) else error


def words_of(error: BaseException) -> str:
    """What it says, or its name where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def fault_of(error: Exception) -> Fault:
    """The fault that an exception before any answer is."""
    kind, verdict, what = next((row[1], row[2], row[3]) for row in _CAUSES if isinstance(error, row[0]))
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == 407:
        kind, verdict = Kind.CREDENTIAL, Verdict.FATAL
    gone = isinstance(error, GONE) and verdict is Verdict.TRANSIENT
    return Fault(kind=kind, verdict=verdict, message=f"{what}: {words_of(error)}.", gone=gone)
