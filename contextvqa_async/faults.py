"""What went wrong with one request: an error's body in any provider's shape → its kind, and what to do next. Pure.

Rule: host, status, code, type and message decide in this order of trust, by one table read from its top; the message
is looked at only where no code says it (wire quirks, section 3). Several providers use one word for opposite things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from contextvqa_async.errors import Kind

MESSAGE_LENGTH = 300
_BODY_LENGTH = 4_000


class Verdict(StrEnum):
    """What follows from a fault."""

    TERMINAL = "terminal"
    """The record itself is at fault: asking again would end alike."""
    DOOM = "doom"
    """Every record would end alike: the run stops."""
    RATE = "rate"
    """Asked too fast: wait; not the record's fault, and not counted against it."""
    OVERLOAD = "overload"
    """The server has too much to do: ask again later, and less at once."""
    TRANSIENT = "transient"
    """It may work the next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One request's end without an answer. ``tries``: at most so many requests for such a fault (None: no own limit).

    ``answered``: whether the server sent anything; ``firm``: whether more than the bare status decided.
    """

    kind: Kind
    verdict: Verdict
    message: str
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    tries: int | None = None
    wait: float | None = None
    answered: bool = True
    firm: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
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


def read_error(body: bytes | object) -> Told:
    """Read an error's body, or an object found inside a stream, in any of the shapes of section 3.2."""
    if isinstance(body, bytes):
        raw = body[:_BODY_LENGTH].decode("utf-8", "replace")
        try:
            body = parse_json(body.strip())
        except ValueError:
            return Told(message=_plain(raw), raw=raw)
    else:
        raw = json.dumps(body, ensure_ascii=False, default=str)[:_BODY_LENGTH]
    layers = list(_layers(body))
    codes = [str(layer[key]) for layer in layers for key in _CODE_KEYS if _is_word(layer.get(key))]
    types = [str(layer[key]) for layer in layers for key in _TYPE_KEYS if _is_word(layer.get(key))]
    named = [word for word in codes + types if not word.isdigit()]
    return Told(
        message=next(_messages(layers), "") or raw[:MESSAGE_LENGTH],
        code=next(iter(named or codes), None),
        words=tuple(dict.fromkeys(word.lower() for word in [*codes, *types])),
        status=next((int(word) for word in codes if word.isdigit() and 400 <= int(word) <= 599), None),
        request_id=next((layer["request_id"] for layer in layers if isinstance(layer.get("request_id"), str)), None),
        params=tuple(_params(layers)),
        raw=raw,
    )


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
                where = [str(part) for part in layer.get("loc") or () if isinstance(layer.get("loc"), list)]
                yield f"{'.'.join(where)}: {text}" if where else text.strip()


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


# The table. A rule holds where all that it names holds; the first that holds decides.


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: a fault's kind and verdict, and what must be so for it."""

    kind: Kind
    verdict: Verdict
    status: frozenset[int] = frozenset()
    words: re.Pattern[str] | None = None
    text: re.Pattern[str] | None = None
    host: str = ""
    hinted: bool | None = None
    tries: int | None = None
    firm: bool = field(default=True)

    def holds(self, told: Told, status: int | None, host: str, hinted: bool) -> bool:
        """Whether all conditions of this rule are met."""
        return (
            (not self.status or status in self.status)
            and (not self.host or host.endswith(self.host))
            and (self.hinted is None or self.hinted == hinted)
            and (self.words is None or any(self.words.fullmatch(word) for word in told.words))
            and (self.text is None or self.text.search(told.message) is not None)
        )


def _rule(
    kind: Kind,
    verdict: Verdict,
    *status: int | range,
    words: str | None = None,
    text: str | None = None,
    host: str = "",
    hinted: bool | None = None,
    tries: int | None = None,
    firm: bool = True,
) -> Rule:
    statuses = frozenset(n for item in status for n in (item if isinstance(item, range) else (item,)))
    compiled = [
        None if pattern is None else re.compile(pattern, re.VERBOSE | re.IGNORECASE) for pattern in (words, text)
    ]
    return Rule(kind, verdict, statuses, compiled[0], compiled[1], host, hinted, tries, firm)


_T, _D, _R, _O, _A = Verdict.TERMINAL, Verdict.DOOM, Verdict.RATE, Verdict.OVERLOAD, Verdict.TRANSIENT

_NO_MONEY = r"""credit_balance_exhausted|(organization|project)_(spend|usage)_limit_exceeded|billing_not_active
    |billing(_hard)?_(error|limit_reached)|commoditynotpurchased|(prepaid|postpaid)billoverdue|arrearage
    |allocationquota\.freetieronly|enforced_spend_limit_reached|accountoverdueerror|setlimitexceeded
    |insufficient_(balance|credits?|funds)|payment_required|1113|1112|1121|30001"""
_NO_MONEY_PERHAPS = r"insufficient_quota|exceeded_current_quota(_error)?|quota_?exceeded|1304|1308|1310"
_NO_MONEY_TEXT = r"""exceeded\ your\ current\ quota|check\ your\ plan\ and\ billing|credit\ balance|out\ of\ credits
    |insufficient\ (account\ )?(balance|credits?|funds|quota)|(spend|budget|usage)(ing)?\ limit|billing|overdue
    |account.{0,20}arrear|余额不足|欠费"""
_TOO_FAST = r"""rate_limit.*|slow_?down|throttling(\..*)?|limit_requests|limit_burst_rate|too_?many_?requests
    |ratelimit.*|modelaccount.*ratelimitexceeded|serveroverloaded|requestbursttoofast|engine_overloaded(_error)?
    |resource_exhausted|capacity_exceeded|1302|1303|1305|1312"""
_TOO_LONG = r"""maximum\ context\ length|context\ (length|window|size)|input\ token\ count\ exceeds|prompt\ is\ too\ long
    |request\ (entity\ )?too\ large|payload\ is\ below|payload\ too\ large|exceeded\ limit\ on\ max|file\ size\ is\ too
    |total\ image\ size|(image|file)\ (file\ )?size\ exceeds|string\ value\ length|too\ many\ images|image\ is\ too\ large
    |exceeds?\ the\ (allowed|maximum)\ (size|length|limit)|body\ (is\ )?too\ large|image\ count\ \d+\ exceeds
    |at\ most\ [1-9]\d*\ image|longer\ than\ the\ (maximum\ )?model"""
_NO_EYES = r"""at\ most\ 0\ image|not\ support(ed)?\ (any\ )?(image|vision|multi-?modal)s?(\ (input|content|understanding|
    part|url|message)\w*)?\s*([.,;:"'()!]|$|for|by|with\ this)|(image|vision|multi-?modal)\ (input|content)s?\ (is|are)
    \ not\ supported|support\ image\ input|not\ a\ (multi-?modal|vision)|unknown\ variant\ .?image_url
    |no\ (multi-?modal|vision)\ (support|capabilit)|text-only\ model"""
_BAD_PICTURE = r"""(could\ not|cannot|can\ ?not|can't|failed\ to|unable\ to|not)\ (be\ )?(process|decode|load|identify|parse|open|
    read)\w*\b.{0,40}\b(image|picture|media)|image.{0,60}(can(\ ?not|'t)\ be|could\ not\ be|failed\ to\ be)\ (decod|process|read|pars)
    |invalid\ (base64|image)|unsupported\ image|base64\ string|image\ length\ and\ width|image\ dimensions
    |image\ (size|format|type)\ is\ not\ supported|absolute\ aspect\ ratio|must\ be\ larger\ than\ \d+
    |media\ type,?\ but|valid\ image"""
_NO_MODEL = r"""\bmodel\b.{0,120}?(does\ not\ exist|do(es)?n['’]t\ exist|not\ exist|not\ found|cannot\ be\ found|can\ not\ be\ found
    |not\ be\ found|is\ not\ available|no\ longer|deprecat|not\ a\ valid|not\ loaded|has\ been\ (removed|retired)|unavailable\ for)
    |not\ a\ valid\ model|(invalid|unknown|no\ such|nonexistent)\ (name\ for\ )?model|no\ access\ to\ model
    |no\ endpoints\ found|模型不存在"""

RULES: tuple[Rule, ...] = (
    # DashScope says OpenAI's "no money" where tokens come too fast (E-02).
    _rule(Kind.QUOTA, _D, host=".aliyuncs.com", text=r"free\ (allocated\ )?quota|free\ tier"),
    _rule(Kind.RATE, _R, host=".aliyuncs.com", words=r"insufficient_quota|throttling\.allocationquota"),
    # Google: the same code for a minute's limit and for none at all.
    _rule(Kind.QUOTA, _D, words="resource_exhausted", text=r"limit:\ 0\b|per_?day"),
    _rule(Kind.RATE, _R, words=_NO_MONEY_PERHAPS, hinted=True),
    _rule(Kind.QUOTA, _D, words=_NO_MONEY),
    _rule(Kind.QUOTA, _D, words=_NO_MONEY_PERHAPS),
    # A WAF's page tells of the way, not of the key (E-05).
    _rule(Kind.SERVER, _O, 401, 403, text=r"cloudflare|attention\ required|access\ denied.{0,40}(reference|ray)"),
    _rule(
        Kind.CREDENTIAL,
        _D,
        words=r"(invalid|incorrect|missing|expired)_?api_?key|authentication(_?error)?|unauthenticated"
        r"|unauthorized|(account|user)_(deactivated|suspended)|access_terminated|100[0-4]",
    ),
    _rule(
        Kind.SERVER,
        _A,
        400,
        422,
        424,
        500,
        text=r"timeout\ while\ (downloading|fetching)|download.{0,80}timed\ ?out",
        tries=3,
    ),
    _rule(Kind.MODEL, _D, text=_NO_EYES),
    _rule(
        Kind.BAD_IMAGE, _T, words=r"image_parse_error|invalid_image(_format|_url)?|invalid_base64.*|image_format_error"
    ),
    _rule(
        Kind.TOO_LARGE,
        _T,
        words=r"request_too_large|context_length_exceeded|exceed_context_size_error"
        r"|requestbodytoolarge|string_above_max_length|payload_too_large|image_too_large|1261",
    ),
    _rule(Kind.BAD_IMAGE, _T, 400, 403, 415, 422, 500, text=_BAD_PICTURE),
    _rule(
        Kind.FILTERED,
        _T,
        words=r"content_filter|data_?inspection_?failed|input(image|text)(risk|sensitive).*|1301"
        r"|responsibleaipolicyviolation|new_sensitive|content_policy_violation|.*moderation.*|guardrail.*|sensitive.*",
    ),
    _rule(
        Kind.FILTERED,
        _T,
        400,
        403,
        451,
        text=r"content\ management\ policy|\bflagged\b|moderation|content\ exists\ risk"
        r"|inappropriate\ content|data\ inspection|safety\ (system|filter)",
    ),
    _rule(Kind.FILTERED, _T, 446),
    _rule(
        Kind.MODEL,
        _D,
        words=r"model_not_found|model_?not_?(exist|supported).*|deploymentnotfound|modelnotfound|20012|1211"
        r"|invalidendpointormodel\.notfound|model_?not_?open",
    ),
    _rule(Kind.MODEL, _D, 400, 403, 404, 422, text=_NO_MODEL),
    _rule(Kind.TOO_LARGE, _T, 400, 403, 413, 422, 429, 500, text=_TOO_LONG),
    _rule(Kind.TOO_LARGE, _T, 413),
    _rule(Kind.RATE, _R, 402, hinted=True),
    _rule(Kind.QUOTA, _D, 402, 412),
    _rule(Kind.RATE, _R, words=_TOO_FAST),
    _rule(Kind.QUOTA, _D, 400, 403, 429, text=_NO_MONEY_TEXT, hinted=False),
    _rule(Kind.QUOTA, _D, words=r"failed_precondition", text=r"billing"),
    _rule(Kind.RATE, _R, 429),
    _rule(Kind.CREDENTIAL, _D, 407, 401),
    _rule(Kind.CREDENTIAL, _D, 403, firm=False),
    _rule(Kind.SERVER, _A, words=r"invalidendpoint\.closedendpoint"),
    # Callers' faults that some servers report as their own (E-15).
    _rule(Kind.SERVER, _A, 500, text=r"list\ index\ out\ of\ range|role\ must\ be|missing\ content-length", tries=2),
    _rule(Kind.SERVER, _O, words=r"overloaded(_error)?|unavailable(_error)?|service_?unavailable(_?error)?"),
    # From here on the bare status decides.
    _rule(Kind.NOT_FOUND, _T, 404, 405, 410, firm=False),
    _rule(Kind.TIMEOUT, _O, 408, 504, 524, firm=False),
    _rule(Kind.SERVER, _O, 502, 503, 529, 520, 521, 522, 523, firm=False),
    _rule(Kind.SERVER, _A, 409, 425, 424, 498, 499, firm=False),
    _rule(Kind.INVALID_REQUEST, _T, 501, firm=False),
    _rule(Kind.INVALID_REQUEST, _T, range(400, 500), firm=False),
    _rule(Kind.SERVER, _A, range(500, 600), firm=False),
    # No status: an error inside a stream, told by its type alone.
    _rule(Kind.NOT_FOUND, _T, words=r"not_?found(_?error)?"),
    _rule(Kind.INVALID_REQUEST, _T, words=r"(invalid|bad)_?request(_?error)?|validation.*|not_supported_error"),
    _rule(Kind.SERVER, _A, firm=False),
)

_OVER_LIMIT = re.compile(r"limit:?\s+([\d,]+),\s+(?:used\s+[\d,]+,\s+)?requested:?\s+([\d,]+)", re.IGNORECASE)


def classify(told: Told, *, status: int | None, host: str = "", wait: float | None = None) -> Fault:
    """Return what an error means; ``status`` None: it came inside a stream; ``wait``: seconds it asked to wait."""
    status = status or told.status
    first = next(rule for rule in RULES if rule.holds(told, status, host, wait is not None))
    fault = Fault(
        kind=first.kind,
        verdict=first.verdict,
        message=told.message,
        status=status,
        code=told.code,
        request_id=told.request_id,
        tries=first.tries,
        wait=wait,
        firm=first.firm,
    )
    if first.verdict is Verdict.RATE and _never_fits(told.message):
        return replace(fault, kind=Kind.TOO_LARGE, verdict=Verdict.TERMINAL)
    return fault


def _never_fits(message: str) -> bool:
    """``Limit 30000, Requested 42288``: no wait makes such a request pass (E-03)."""
    match = _OVER_LIMIT.search(message)
    return match is not None and int(match[2].replace(",", "")) > int(match[1].replace(",", ""))


def obey_should_retry(fault: Fault, word: str) -> Fault:
    """``x-should-retry`` overrules the bare status: false always, true never against a code (E-34)."""
    if word == "false" and fault.verdict in (Verdict.RATE, Verdict.OVERLOAD, Verdict.TRANSIENT):
        return replace(fault, verdict=Verdict.TRANSIENT, tries=1)
    if word == "true" and fault.verdict is Verdict.TERMINAL and not fault.firm:
        return replace(fault, verdict=Verdict.TRANSIENT)
    return fault


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
    """The first three ids that a provider gives a request, for its support to find it by (E-35)."""
    found = [headers[name] for name in _REQUEST_IDS if name in headers]
    return ", ".join(found[:3])[:200] or None
