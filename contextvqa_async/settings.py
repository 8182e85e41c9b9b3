"""Options as written by a user, in; the stations' settings, out.

One flat set of names serves ``run_async()``, the command line, a TOML file and the environment; here it is sorted
into the values that config checks. Rule: nothing is read or paid for before the whole set has passed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict, TypeVar

from contextvqa_async.config import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    Cost,
    Endpoint,
    Generation,
    Limits,
    Reading,
    RetryFailed,
    Saving,
    check_kind,
    find_api_key,
    flag,
)
from contextvqa_async.errors import UsageError


class RunOptions(TypedDict, total=False):
    """Every keyword of ``run_async()`` and ``stream_async()``; config holds their meaning and defaults."""

    base_url: str | Sequence[str]
    model: str
    api_key: str
    api_key_env: str | Sequence[str]
    header: Sequence[str] | Mapping[str, str]
    simulate: bool

    system_prompt: str
    prompt: str | None
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    seed: int | None
    extra_body: Mapping[str, Any] | None
    no_stream: bool

    concurrency: int
    rpm: float | None
    tpm: float | None
    max_attempts: int
    timeout: float
    first_timeout: float
    stall_timeout: float
    connect_timeout: float
    no_adaptive: bool
    max_downtime: float | None
    max_inflight_mb: float

    image_root: str | os.PathLike[str] | None
    id_key: str
    image_key: str
    conversation_key: str
    answer_key: str
    output_key: str
    limit: int | None
    max_pixels: int | None
    inline_urls: bool
    allow_private_urls: bool
    require_image: bool

    failed: str | os.PathLike[str] | None
    retry_failed: RetryFailed
    retry_empty: bool
    overwrite: bool
    allow_mixed: bool

    price_in: float | None
    price_out: float | None
    max_cost: float | None


GROUPS: tuple[type[Generation | Limits | Reading | Saving | Cost], ...] = (Generation, Limits, Reading, Saving, Cost)
"""The classes whose fields are options, in the order of the help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A run's options, checked and sorted by the station that reads them."""

    endpoints: tuple[Endpoint, ...]
    generation: Generation = field(default_factory=Generation)
    limits: Limits = field(default_factory=Limits)
    reading: Reading = field(default_factory=Reading)
    saving: Saving = field(default_factory=Saving)
    cost: Cost = field(default_factory=Cost)
    simulate: bool = False

    @classmethod
    def of(cls, options: RunOptions, environ: Mapping[str, str] = os.environ) -> Settings:
        """Check and sort ``options``; raises UsageError for an unknown name, a wrong value or a missing key."""
        known = RunOptions.__annotations__
        if unknown := sorted(set(options) - set(known)):
            raise UsageError(f"There is no option {unknown[0]!r}; the options are {', '.join(sorted(known))}.")
        return cls(
            endpoints=_endpoints(options, environ),
            generation=_pick(Generation, options),
            limits=_pick(Limits, options),
            reading=_pick(Reading, options),
            saving=_pick(Saving, options),
            cost=_pick(Cost, options),
            simulate=_simulate(options),
        )

    def at(self, base_url: str) -> Settings:
        """These settings with ``base_url``, a server of this process, as the only endpoint: without key or proxy."""
        return replace(self, endpoints=(Endpoint(base_url=base_url, model=self.endpoints[0].model, direct=True),))


_Group = TypeVar("_Group")


def _pick(group: type[_Group], options: Mapping[str, Any]) -> _Group:
    names = {option.name for option in fields(group)}  # type: ignore[arg-type]
    return group(**{name: value for name, value in options.items() if name in names})


def _simulate(options: RunOptions) -> bool:
    simulate = options.get("simulate", False)
    check_kind("simulate", simulate, bool)
    return simulate


def _texts(name: str, given: object) -> list[str]:
    """One text or several, as a list; UsageError for anything else."""
    texts: list[Any] = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else [given]
    for each in texts:
        check_kind(name, each, str)
    return texts


def _endpoints(options: RunOptions, environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    given = options.get("base_url") or environ.get("CVQA_BASE_URL") or DEFAULT_BASE_URL
    urls = _texts("base_url", given)
    if len(set(urls)) < len(urls):
        raise UsageError("--base-url names the same endpoint twice.")
    headers = parse_headers(options.get("header") or ())
    model = options.get("model") or environ.get("CVQA_MODEL") or DEFAULT_MODEL
    return tuple(
        Endpoint(base_url=url, model=model, api_key=_key(url, headers, options, environ), headers=headers)
        for url in urls
    )


def _key(url: str, headers: Mapping[str, str], options: RunOptions, environ: Mapping[str, str]) -> str | None:
    own_header = {"authorization", "api-key"} & {name.lower() for name in headers}
    if options.get("simulate") or own_header:
        return None
    if key := options.get("api_key"):
        check_kind("api_key", "" if isinstance(key, str) else type(key), str)  # never shown itself
        return key.strip()
    return find_api_key(url, environ, _variable(options.get("api_key_env") or (), Endpoint(base_url=url).host))


def _variable(names: str | Sequence[str], host: str) -> str | None:
    """The variable named for ``host`` by ``HOST=NAME``, else the one named for all."""
    given = _texts("api_key_env", names)
    general = [name for name in given if "=" not in name]
    special = dict(name.split("=", 1) for name in given if "=" in name)
    return special.get(host, general[0] if general else None)


def parse_headers(header: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """``["K: V", …]`` or a mapping → a mapping; raises UsageError for a line without a colon."""
    if isinstance(header, Mapping):
        return dict(zip(_texts("header", header), header.values(), strict=True))
    lines = _texts("header", header)
    if bad := [line for line in lines if ":" not in line]:
        raise UsageError(f"{flag('header')} must look like 'Name: value', not {(bad[0].split() or [''])[0]!r}.")
    return {name.strip(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
