"""An address as providers document it comes in; where to post, what to show, and which key goes there, go out.

Rule: no key goes to a host that it was not made for, and no message shows an address with its credentials.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from contextvqa_async.config.checked import check_kind
from contextvqa_async.errors import UsageError

DEFAULT_BASE_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1"
"""DashScope's OpenAI-compatible mode, as in DataFlow-MM's example."""

DEFAULT_MODEL = "qwen3-vl-8b-instruct"

_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_GENERAL_KEYS = ("CVQA_API_KEY", "DF_API_KEY")
_HOST_KEYS = {"api.openai.com": "OPENAI_API_KEY", ".aliyuncs.com": "DASHSCOPE_API_KEY"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One OpenAI-compatible server, the model to ask there, and the key to show.

    ``base_url`` may be any form that providers document: with or without a trailing slash, with a query
    (``?api-version=…``), or the full address ending in ``/chat/completions``.
    Raises UsageError for an address that is no http(s) URL, and for a key or header that no HTTP header can carry.
    """

    base_url: str = DEFAULT_BASE_URL
    model: str = DEFAULT_MODEL
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    direct: bool = False
    """Whether it is asked without any proxy, whatever the environment says."""

    def __post_init__(self) -> None:
        try:
            parts = self._parts
            _ = parts.port
        except ValueError as error:
            raise UsageError(f"--base-url {_shown(self.base_url)!r} is no valid URL: {_shown(str(error))}.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"--base-url must start with http:// or https:// and name a host, not {_shown(self.base_url)!r}."
            )
        if not _is_host(parts.hostname):
            raise UsageError(f"--base-url {_shown(self.base_url)!r} names a host that cannot be: {parts.hostname!r}.")
        check_kind("model", self.model, str)
        for name, value in self.auth_headers.items():
            _check_header(name, value)

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.base_url.strip())

    @property
    def host(self) -> str:
        """The host's name in lower case, without the port."""
        return (self._parts.hostname or "").lower()

    @property
    def url(self) -> str:
        """Where chat completions are posted."""
        parts = self._parts
        path = parts.path.rstrip("/")
        if not path.endswith("/chat/completions"):
            path += "/chat/completions"
        return parts._replace(path=path, fragment="").geturl()

    @property
    def label(self) -> str:
        """The endpoint's name in messages: scheme, host and port, without credentials or query."""
        port = f":{self._parts.port}" if self._parts.port else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._parts.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is this machine, and so needs no key."""
        return _is_loopback(self.host)

    @property
    def auth_headers(self) -> dict[str, str]:
        """The key in the header the host expects (Azure: ``api-key``), then the user's own, which win."""
        given = {name.lower() for name in self.headers}
        own: dict[str, str] = {}
        if self.api_key and not given & {"authorization", "api-key"}:
            azure = self.host.endswith(_AZURE_HOSTS)
            own = {"api-key": self.api_key} if azure else {"Authorization": f"Bearer {self.api_key}"}
        return own | dict(self.headers)


def _shown(address: str) -> str:
    """An address that may be none, without what may be a secret in it."""
    return re.sub(r"//[^/]*@", "//***@", address.partition("?")[0])


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name (RFC 9110, 5.6.2)."""


def _check_header(name: str, value: object) -> None:
    if not _TOKEN.fullmatch(name):
        raise UsageError(f"The header {name!r} holds a character that HTTP headers cannot carry.")
    if not isinstance(value, str) or not value.isascii() or any(ord(c) < 32 for c in value):
        raise UsageError(f"The header {name!r} holds a value that HTTP headers cannot carry.")
    if name.lower() in ("content-length", "transfer-encoding"):
        raise UsageError(f"The header {name!r} is set by the client, by each request's size.")


def _is_host(name: str) -> bool:
    """Whether a name could be looked up: no blanks, no empty or overlong label."""
    try:
        return not any(c.isspace() for c in name) and bool(name.encode("idna"))
    except UnicodeError:
        return False


def _is_loopback(host: str) -> bool:
    """Whether a host name or literal address is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def find_api_key(base_url: str, environ: Mapping[str, str], api_key_env: str | None = None) -> str | None:
    """Return the key made for ``base_url``, or None where the endpoint is this machine.

    The variable ``api_key_env`` where it is named; else CVQA_API_KEY, then DF_API_KEY; OPENAI_API_KEY only for
    api.openai.com and DASHSCOPE_API_KEY only for DashScope, so that no key goes to a host it was not made for.
    Raises UsageError where a remote endpoint has none.
    """
    endpoint = Endpoint(base_url=base_url)
    special = [name for host, name in _HOST_KEYS.items() if endpoint.host == host or endpoint.host.endswith(host)]
    names = [api_key_env] if api_key_env else [*_GENERAL_KEYS, *special]
    for name in names:
        if key := environ.get(name, "").strip():
            return key
    if endpoint.is_loopback and not api_key_env:
        return None
    raise UsageError(
        f"No API key for {endpoint.label}: set the variable {names[0]}"
        + ("" if api_key_env else " (or name another with --api-key-env)")
        + ", or try the line without a provider by --simulate."
    )
