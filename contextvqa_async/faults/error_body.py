"""An error's body, or an error inside a stream, in any provider's shape → what it tells. Pure.

Rule: every shape yields its message, its code and its type, and nothing it holds can break the reading: lists, errors
that are strings, messages that are objects or JSON again, pages of HTML, and nothing at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_BODY_LENGTH = 4_000
_MOST_MESSAGE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """An error as a server told it: ``words`` are all its codes and types in lower case, the most telling first."""

    message: str = ""
    code: str | None = None
    words: tuple[str, ...] = ()
    status: int | None = None
    request_id: str | None = None
    params: tuple[str, ...] = ()
    raw: str = ""


def parse_json(data: bytes) -> Any:
    """Parse leniently: bad UTF-8, raw control characters, NaN and lone surrogates pass. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data.decode("utf-8", "replace"), strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_error(body: bytes | object) -> ErrorBody:
    """Read an error's body, or an object found inside a stream, in any of their shapes."""
    if isinstance(body, bytes):
        raw = body[:_BODY_LENGTH].decode("utf-8", "replace")
        try:
            body = parse_json(body.strip())
        except ValueError:
            return ErrorBody(message=_plain(raw)[:_MOST_MESSAGE], raw=raw)
    else:
        raw = _dumped(body)[:_BODY_LENGTH]
    layers = list(_layers(body))
    codes = [str(layer[key]) for layer in layers for key in _CODE_KEYS if _is_word(layer.get(key))]
    types = [str(layer[key]) for layer in layers for key in _TYPE_KEYS if _is_word(layer.get(key))]
    named = [word for word in codes + types if not word.isdigit()]
    return ErrorBody(
        message=next(_messages(layers), "") or raw[:_MOST_MESSAGE],
        code=next(iter(named or codes), None),
        words=tuple(dict.fromkeys(word.lower() for word in [*codes, *types])),
        status=next((int(word) for word in codes if word.isdigit() and 400 <= int(word) <= 599), None),
        request_id=next((layer["request_id"] for layer in layers if isinstance(layer.get("request_id"), str)), None),
        params=tuple(_params(layers)),
        raw=raw,
    )


def _dumped(body: object) -> str:
    try:
        return json.dumps(body, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return ""


_CODE_KEYS = ("error_code", "code", "status", "status_code")
_TYPE_KEYS = ("type", "error_type")
_MESSAGE_KEYS = ("message", "error_message", "msg", "detail", "error", "errors", "title", "description")
_INNER_KEYS = ("error", "errors", "detail", "details", "innererror", "value", "message", "metadata", "raw")


def _is_word(value: object) -> bool:
    return (isinstance(value, str) and 0 < len(value) <= 100) or (type(value) is int)


def _layers(value: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The objects of an error from its heart outwards: codes within ``error`` tell more than those around it."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = parse_json(value.encode("utf-8", "replace"))
        except ValueError:
            return
    if depth > 6:
        return
    if isinstance(value, list):
        for item in value[:8]:
            yield from _layers(item, depth + 1)
    elif isinstance(value, dict):
        for key in _INNER_KEYS:
            if key in value:
                yield from _layers(value[key], depth + 1)
        yield value


def _messages(layers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for layer in layers:
        for key in _MESSAGE_KEYS:
            text = layer.get(key)
            if isinstance(text, str) and text.strip() and text.lstrip()[:1] not in ("{", "["):
                place = layer.get("loc")
                where = ".".join(map(str, place)) if isinstance(place, list) else ""
                yield f"{where}: {text}" if where else text.strip()


def _params(layers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for layer in layers:
        if isinstance(param := layer.get("param"), str) and param:
            yield param.partition(".")[0].partition("[")[0]
        if isinstance(place := layer.get("loc"), list):
            yield from (part for part in place if isinstance(part, str))


_TAGS = re.compile(r"<(script|style)\b.*?(</\1>|$)|<[^>]*>", re.DOTALL | re.IGNORECASE)


def _plain(text: str) -> str:
    """A page's words without its markup."""
    if "<" in text[:200]:
        text = _TAGS.sub(" ", text)
    return " ".join(text.split())


_REQUEST_IDS = (
    "x-request-id",
    "apim-request-id",
    "request-id",
    "x-generation-id",
    "x-litellm-call-id",
    "x-siliconcloud-trace-id",
    "cf-ray",
)


def request_id(headers: Mapping[str, str]) -> str | None:
    """The first three ids that a provider gives a request, for its support to find it by."""
    found = [headers[name] for name in _REQUEST_IDS if name in headers]
    return ", ".join(found[:3])[:200] or None
