"""The environment's proxy variables → the proxy of one address, or none. Pure: the environment is an argument.

Rule: curl's and urllib's reading. Lower case wins; ALL_PROXY is the last resort; NO_PROXY holds ``*``, names with
all that is below them, addresses, CIDR blocks, each with a port if one is named.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from contextvqa_async.errors import UsageError

_PORTS = {"http": 80, "https": 443}


def find_proxy(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy's address for ``url``. Raises UsageError for a kind of proxy that is not spoken here."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
    proxy = _variable(f"{parts.scheme}_proxy", environ) or _variable("all_proxy", environ)
    if not proxy or _is_exempt(host, port, _variable("no_proxy", environ)):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme not in _PORTS:
        raise UsageError(
            f"The proxy {urlsplit(proxy).scheme}://… is of a kind that cvqa-async does not speak: use http."
        )
    return proxy


def _variable(name: str, environ: Mapping[str, str]) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _is_exempt(host: str, port: int, no_proxy: str) -> bool:
    return any(_matches(host, port, entry.strip().lower()) for entry in no_proxy.replace(" ", ",").split(","))


def _matches(host: str, port: int, entry: str) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2]
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdigit() and (name.count(":") == 0 or name.endswith("]")):
        if int(digits) != port:
            return False
        entry = name
    entry = entry.strip("[]")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name = entry.removeprefix("*").removeprefix(".")
        return host == name or host.endswith(f".{name}")
