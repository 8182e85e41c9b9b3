"""What the user chose, as frozen values checked at birth: one class for each station that reads it.

Rule: a wrong value is told here, by the option's name, before anything is read or paid for. An option has one name
in all places: the field ``stall_timeout`` is the flag ``--stall-timeout``, the keyword of ``run_async()``, the key of
a TOML file and the variable ``CVQA_STALL_TIMEOUT``. Its help text stands beside its default, and nowhere else.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from contextvqa_async.errors import UsageError

DEFAULT_BASE_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1"
"""DashScope's OpenAI-compatible mode, as in DataFlow-MM's example."""

DEFAULT_MODEL = "qwen3-vl-8b-instruct"

_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_GENERAL_KEYS = ("CVQA_API_KEY", "DF_API_KEY")
_HOST_KEYS = {"api.openai.com": "OPENAI_API_KEY", ".aliyuncs.com": "DASHSCOPE_API_KEY"}


def _option(default: Any, text: str, *, least: float | None = None, above: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "least": least, "above": above})


def flag(name: str) -> str:
    """The command-line spelling of an option's name."""
    return "--" + name.replace("_", "-")


class _Bounded:
    """Refuses a value of another kind than its field's, and a number outside the bounds beside its default."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for option in fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            least, above = option.metadata.get("least"), option.metadata.get("above")
            if value is not None and (least, above) != (None, None):
                _check_bounds(option.name, value, least, above)
            _check_kind(option.name, value, str(option.type))


def _check_bounds(name: str, value: object, least: float | None, above: float | None) -> None:
    wanted = f"a number of at least {least:g}" if least is not None else f"a number above {above:g}"
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (least is not None and value < least) or (above is not None and value <= above):  # type: ignore[operator]
        raise UsageError(f"{flag(name)} must be {wanted}, not {value!r}.")


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "True or False"),
    "int": ((int,), "a whole number of at most 64 bits"),  # more than JSON's writers carry
    "float": ((int, float), "a number"),
    "str": ((str,), "a text"),
}


def _check_kind(name: str, value: object, kind: str) -> None:
    """UsageError where ``value`` is not of the annotation ``kind``: half a --limit would never be reached."""
    plain = kind.removesuffix(" | None")
    if plain not in _KINDS or (value is None and plain != kind):
        return
    types, wanted = _KINDS[plain]
    fits = isinstance(value, types) and isinstance(value, bool) == (plain == "bool")
    if not fits or (plain == "int" and not -(2**63) <= value < 2**63):  # type: ignore[operator]
        raise UsageError(f"{flag(name)} must be {wanted}, not {value!r}.")
    if isinstance(value, str):
        _check_text(name, value)


def _check_text(name: str, value: str) -> None:
    """UsageError for what a terminal that is not UTF-8 makes of other bytes: no request can carry it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{flag(name)} is no valid UTF-8: {value[:80]!r}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One OpenAI-compatible server, the model to ask there, and the key to show.

    ``base_url`` may be any form that providers document: with or without a trailing slash, with a query
    (``?api-version=…``), or the full address ending in ``/chat/completions`` (wire quirks R-11, R-12).
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
            raise UsageError(f"--base-url {self.base_url!r} is no valid URL: {error}.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"--base-url must start with http:// or https:// and name a host, not {self.base_url!r}.")
        if not _is_host(parts.hostname):
            raise UsageError(f"--base-url {self.base_url!r} names a host that cannot be: {parts.hostname!r}.")
        _check_kind("model", self.model, "str")
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
        """How people are told of this endpoint: scheme, host and port, without credentials or query."""
        port = f":{self._parts.port}" if self._parts.port else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._parts.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is this machine, and so needs no key."""
        return is_loopback(self.host)

    @property
    def auth_headers(self) -> dict[str, str]:
        """The key in the header the host expects (Azure: ``api-key``), then the user's own, which win."""
        given = {name.lower() for name in self.headers}
        own: dict[str, str] = {}
        if self.api_key and not given & {"authorization", "api-key"}:
            azure = self.host.endswith(_AZURE_HOSTS)
            own = {"api-key": self.api_key} if azure else {"Authorization": f"Bearer {self.api_key}"}
        return own | dict(self.headers)


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


def is_loopback(host: str) -> bool:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(_Bounded):
    """What the model is asked, and how it is to answer; None is not sent, so that the server's default holds."""

    system_prompt: str = _option("You are a helpful assistant.", "System turn; a record's own wins; '' sends none.")
    prompt: str | None = _option(None, "Prompt of records without a conversation (default: the eight criteria).")
    temperature: float | None = _option(None, "Sampling temperature.", least=0)
    top_p: float | None = _option(None, "Nucleus sampling: share of the probability kept.", above=0)
    max_tokens: int | None = _option(None, "Most tokens an answer may have.", least=1)
    seed: int | None = _option(None, "Sampling seed, where the server knows one.")
    extra_body: Mapping[str, Any] | None = _option(None, "JSON object merged into the request at its top level.")
    no_stream: bool = _option(False, "Ask for whole answers instead of streams.")

    def __post_init__(self) -> None:
        _Bounded.__post_init__(self)
        if self.extra_body is not None and not isinstance(self.extra_body, Mapping):
            raise UsageError("--extra-body must be a JSON object.")
        if reserved := {"messages", "stream", "n"} & set(self.extra_body or ()):
            raise UsageError(f"--extra-body must not set {', '.join(sorted(reserved))}: the client does.")
        if self.extra_body:
            _check_body(self.extra_body)


def _check_body(extra: Mapping[str, Any]) -> None:
    """UsageError where a request could not hold it: numbers beyond 64 bits, half surrogates, objects of Python's."""
    import orjson  # here, so that --help need not load it

    try:
        orjson.dumps(dict(extra), option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise UsageError(f"--extra-body cannot be sent: {error}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(_Bounded):
    """How fast to ask, how often, and how long to wait; seconds unless the name says otherwise."""

    concurrency: int = _option(32, "Most requests in flight.", least=1)
    rpm: float | None = _option(None, "Most requests in any 60 seconds.", above=0)
    tpm: float | None = _option(None, "Most tokens (prompt and completion) in any 60 seconds.", above=0)
    max_attempts: int = _option(5, "Most requests for one record; rate refusals are not counted.", least=1)
    timeout: float = _option(1800.0, "Seconds one attempt may take in all.", above=0)
    first_timeout: float = _option(600.0, "Seconds to the first piece of an answer.", above=0)
    stall_timeout: float = _option(120.0, "Seconds between two pieces of an answer.", above=0)
    connect_timeout: float = _option(10.0, "Seconds to open a connection.", above=0)
    no_adaptive: bool = _option(False, "Keep --concurrency fixed instead of following the server's pace.")
    max_downtime: float | None = _option(None, "Stop the run when nothing succeeded for this many seconds.", above=0)
    max_inflight_mb: float = _option(512.0, "Most megabytes of images and request bodies in memory.", least=1)

    def __post_init__(self) -> None:
        _Bounded.__post_init__(self)
        if self.concurrency > MAX_CONCURRENCY:
            raise UsageError(
                f"--concurrency must be at most {MAX_CONCURRENCY:,}, not {self.concurrency}: "
                "one machine has no more ports and memory than that."
            )


MAX_CONCURRENCY = 16_384
"""Each request in flight is a socket: about half of the ports that a client address has to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(_Bounded):
    """How records are read: which keys hold what, where images are looked up, and what is sent of them."""

    image_root: str | os.PathLike[str] | None = _option(
        None, "Folder of relative image paths (default: beside the input)."
    )
    id_key: str = _option("id", "Key of a record's id.")
    image_key: str = _option("image", "Key of a record's image or images.")
    conversation_key: str = _option("conversation", "Key of a record's conversation.")
    answer_key: str = _option("vqa", "Key of a row's raw answer.")
    output_key: str = _option("context_vqa", "Key of a row's article and pairs.")
    limit: int | None = _option(None, "Ask for at most this many records in this run.", least=0)
    max_pixels: int | None = _option(None, "Scale larger images down to this many pixels.", least=1024)
    inline_urls: bool = _option(False, "Fetch image URLs here instead of handing them to the provider.")
    allow_private_urls: bool = _option(False, "Let --inline-urls fetch from private and loopback addresses too.")
    require_image: bool = _option(False, "Fail records without an image instead of sending their text alone.")

    def __post_init__(self) -> None:
        _Bounded.__post_init__(self)
        keys = (self.id_key, self.answer_key, self.output_key, "generation")
        if len(set(keys)) < len(keys):  # one would overwrite what was paid for
            raise UsageError(
                "--id-key, --answer-key and --output-key must be three keys, and none of them 'generation': "
                f"they are {', '.join(map(repr, keys[:3]))}."
            )


RetryFailed = Literal["transient", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving(_Bounded):
    """Where rows and failures go, and which of an earlier run's are asked again."""

    failed: str | os.PathLike[str] | None = _option(
        None, "File of failed records (default: OUTPUT with .failed before its suffix)."
    )
    retry_failed: RetryFailed = _option("transient", "Which failures of earlier runs to ask again.")
    retry_empty: bool = _option(False, "Ask again for rows that hold no pair.")
    overwrite: bool = _option(False, "Start the output anew; the old one is kept beside it as OUTPUT.bak.")
    allow_mixed: bool = _option(False, "Append even where the output was made with other settings.")

    def __post_init__(self) -> None:
        _Bounded.__post_init__(self)
        if self.retry_failed not in ("transient", "all", "none"):
            raise UsageError(f"--retry-failed must be transient, all or none, not {self.retry_failed!r}.")

    def failed_path(self, output: Path) -> Path:
        """``out.jsonl`` → ``out.failed.jsonl`` beside it, unless ``--failed`` says otherwise."""
        if not output.name:
            raise UsageError(f"OUTPUT must name a file, not {str(output)!r}.")
        return Path(self.failed) if self.failed else output.with_name(f"{output.stem}.failed{output.suffix}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(_Bounded):
    """Prices per million tokens, in whatever currency, and how much a run may spend of it."""

    price_in: float | None = _option(None, "Price of a million prompt tokens.", least=0)
    price_out: float | None = _option(None, "Price of a million completion tokens.", least=0)
    max_cost: float | None = _option(None, "Stop asking once this run has cost so much; needs a price.", least=0)

    def __post_init__(self) -> None:
        _Bounded.__post_init__(self)
        if self.max_cost is not None and self.price_in is None and self.price_out is None:
            raise UsageError("--max-cost needs --price-in or --price-out: without a price nothing has a cost.")

    def of(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What so many tokens cost, or None where no price is known."""
        if self.price_in is None and self.price_out is None:
            return None
        return (prompt_tokens * (self.price_in or 0) + completion_tokens * (self.price_out or 0)) / 1e6
