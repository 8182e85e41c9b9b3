"""What an endpoint must not be quoted with: its headers and address in, texts without them out. Pure.

Rule: a secret is masked in each form that a server or a library may quote it in, the longest form first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from yarl import URL

_SECRET_NAMES = ("auth", "code", "cookie", "credential", "key", "pass", "pwd", "secret", "session", "sig", "token")
_OPEN_NAMES = ("api-version", "deployment", "model", "region", "version")

_LEAST = 4
"""Characters; a shorter value is no secret, and would be found in the middle of words."""

_LONG = 16
"""Characters from which a value in the address is taken for a secret, whatever its name is."""


def masker(headers: Mapping[str, str], address: str) -> Callable[[str], str]:
    """Return what puts asterisks where the secrets of ``headers`` and ``address`` stand in a text."""
    found = {form for secret in (*_of_headers(headers), *_of_address(address)) for form in _forms(secret)}
    secrets = sorted((secret for secret in found if len(secret) >= _LEAST), key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return mask


def _of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """The values of those whose name says so, also without the scheme before them (Bearer, Basic)."""
    for name, value in headers.items():
        if _is_secret(name):
            yield value
            yield value.rpartition(" ")[2]


def _of_address(address: str) -> Iterator[str]:
    """The password, and the query's values; as they were written, and as aiohttp writes them."""
    parts = urlsplit(address)
    yield parts.netloc.rpartition("@")[0]
    yield parts.password or ""
    for query in (parts.query, URL(address).raw_query_string):
        for pair in query.split("&"):
            name, _, value = pair.partition("=")
            if _is_secret(name) or (len(value) >= _LONG and name.lower() not in _OPEN_NAMES):
                yield value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_NAMES)


def _forms(secret: str) -> Iterator[str]:
    for plain in (secret, unquote(secret), unquote_plus(secret)):
        yield from (plain, quote(plain), quote(plain, safe=""))
