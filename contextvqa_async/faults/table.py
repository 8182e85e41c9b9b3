"""Host, status, code, type and message of a refusal → a Fault, by one table read from its top. Pure.

Rule: this order of trust; the message is looked at only where no code says it. The status alone proves little: 429
has four meanings, and the same words mean "no money" at one provider and "too fast" at another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from contextvqa_async.errors import Kind
from contextvqa_async.faults.error_body import ErrorBody
from contextvqa_async.faults.fault import Fault, Verdict

_IMAGE = r"(images?|pictures?|vision|multi-?modal|visual)"
_END = r"\s*([.,;:\"'()!]|$|(for|by|with)\b)"
_CANNOT = r"(could ?n[o'’]t|can ?not|can't|failed to|unable to|not)"

PHRASES: dict[str, tuple[str, ...]] = {
    "no money": (
        "exceeded your current quota", "check your plan and billing", "credit balance", "out of credits",
        r"insufficient (account )?(balance|credits?|funds|quota)", r"(spend|spending|budget|usage) limit",
        "billing (hard )?(limit|details|issue|is not)", "overdue", "account.{0,20}arrear", "余额不足", "欠费",
    ),
    "download": (r"timeout while (downloading|fetching)", "download.{0,80}timed? ?out"),
    "waf": ("cloudflare", "attention required", r"access denied.{0,60}(reference|ray id)"),
    "text only": (
        "at most 0 image",
        rf"not support(ed)? (any )?{_IMAGE}( (input|content|understanding|part|url|message)\w*)?{_END}",
        rf"{_IMAGE} (input|content)s? (is|are) not supported", "support image input", "not an? (vision|multi-?modal)",
        "unknown variant .?image_url", rf"no {_IMAGE} (support|capabilit)", "text-only model",
    ),
    "bad image": (
        rf"{_CANNOT} (be )?(process|decode|load|identify|parse|open|read)\w*\b.{{0,40}}\b(image|picture|media)",
        rf"image.{{0,60}}{_CANNOT} be (decod|process|read|pars)", r"invalid (base64|image)", "unsupported image",
        "base64 string", "image length and width", "image dimensions", r"image (size|format|type) is not supported",
        "absolute aspect ratio", r"must be larger than \d+", "media type,? but", "valid image",
    ),
    "too large": (
        "maximum context length", r"context (length|window|size)", "input token count exceeds", "prompt is too long",
        r"request (entity )?too large", "payload is below", "payload too large", "exceeded limit on max",
        "file size is too", "total image size", r"(image|file) (file )?size exceeds", "string value length",
        "too many images", "image is too large", r"exceeds? the (allowed|maximum) (size|length|limit)",
        r"body (is )?too large", r"image count \d+ exceeds", r"at most [1-9]\d* image",
        "longer than the (maximum )?model",
    ),
    "filtered": (
        "content management policy", r"\bflagged\b", "moderation", "content exists risk", "inappropriate content",
        "data inspection", r"safety (system|filter)",
    ),
    "no model": (
        r"\bmodel\b.{0,120}?(does not exist|do(es)?n['’]t exist|not exist|not found|(can ?not|not) be found|"
        "is not available|no longer|deprecat|not a valid|not loaded|has been (removed|retired)|unavailable for)",
        "not a valid model", r"(invalid|unknown|no such|nonexistent) (name for )?model", "no access to model",
        "not found the model", "no endpoints found", "模型不存在",
    ),
    "never": (r"limit: 0\b", "per_?day"),
    "caller": ("list index out of range", "role must be", "missing content-length"),
    "free tier": (r"free (allocated )?quota", "free tier"),
    "billing": ("billing",),
}  # fmt: skip
"""Ways of saying it, where there is no code for it."""

WORDS: dict[str, tuple[str, ...]] = {
    "no money": (
        "credit_balance_exhausted", "(organization|project)_(spend|usage)_limit_exceeded", "billing_not_active",
        "billing(_hard)?_(error|limit_reached)", "commoditynotpurchased", "(prepaid|postpaid)billoverdue", "arrearage",
        r"allocationquota\.freetieronly", "enforced_spend_limit_reached", "accountoverdueerror", "setlimitexceeded",
        "insufficient_(balance|credits?|funds)", "payment_required", "1113", "1112", "1121", "30001",
    ),
    "no money perhaps": ("insufficient_quota", "exceeded_current_quota(_error)?", "quota_?exceeded", "1304|1308|1310"),
    "aliyun's pace": ("insufficient_quota", r"throttling\.allocationquota"),
    "google's quota": ("resource_exhausted",),
    "too fast": (
        "rate_?limit.*", "slow_?down", r"throttling(\..*)?", "limit_requests", "limit_burst_rate",
        "too_?many_?requests", "modelaccount.*ratelimitexceeded", "serveroverloaded", "requestbursttoofast",
        "engine_overloaded(_error)?", "resource_exhausted", "capacity_exceeded", "1302|1303|1305|1312",
    ),
    "key": (
        "(invalid|incorrect|missing|expired)_?api_?key", "authentication(_?error)?", "unauthenticated", "unauthorized",
        "(account|user)_(deactivated|suspended)", "access_terminated",
    ),
    "image": ("image_parse_error", "invalid_image(_format|_url)?", "invalid_base64.*", "image_format_error"),
    "too large": (
        "request_too_large", "context_length_exceeded", "exceed_context_size_error", "requestbodytoolarge",
        "string_above_max_length", "payload_too_large", "image_too_large", "1261",
    ),
    "filtered": (
        "content_filter", "data_?inspection_?failed", "input(image|text)(risk|sensitive).*", "1301",
        "responsibleaipolicyviolation", "new_sensitive", "content_policy_violation", ".*moderation.*", "guardrail.*",
        "sensitive.*",
    ),
    "model": (
        "model_not_found", "model_?not_?(exist|supported).*", "deploymentnotfound", "modelnotfound", "20012", "1211",
        r"invalidendpointormodel\.notfound", "model_?not_?open",
    ),
    "overloaded": ("overloaded(_error)?", "unavailable(_error)?", "service_?unavailable(_?error)?"),
    "closed endpoint": (r"invalidendpoint\.closedendpoint",),
    "precondition": ("failed_precondition",),
    "not found": ("not_?found(_?error)?",),
    "bad request": ("(invalid|bad)_?request(_?error)?", "validation.*", "not_supported_error"),
}  # fmt: skip
"""Codes and types, in lower case."""


@cache
def _either(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    """Compiled when first asked for: most runs meet no error, and all of them take 8 ms."""
    return re.compile("|".join(f"(?:{each})" for each in alternatives), re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table: it holds where all that it names holds.

    ``words`` and ``says`` name groups of WORDS and PHRASES; ``hinted``: whether the refusal told how long to wait;
    ``tries`` and ``by_code`` go into the Fault: a rule is by_code if a code, or a status that has one meaning, decides.
    """

    kind: Kind
    verdict: Verdict
    status: frozenset[int] = frozenset()
    words: str = ""
    says: str = ""
    host: str = ""
    hinted: bool | None = None
    tries: int | None = None
    by_code: bool

    def holds(self, told: ErrorBody, status: int | None, host: str, hinted: bool) -> bool:
        """Whether this rule is about such a refusal."""
        return (
            (not self.status or status in self.status)
            and host.endswith(self.host)
            and self.hinted in (None, hinted)
            and (not self.words or any(_either(WORDS[self.words]).fullmatch(word) for word in told.words))
            and (not self.says or _either(PHRASES[self.says]).search(told.message) is not None)
        )


def _rule(
    kind: Kind,
    verdict: Verdict,
    *statuses: int | range,
    words: str = "",
    says: str = "",
    host: str = "",
    hinted: bool | None = None,
    tries: int | None = None,
    by_code: bool = False,
) -> Rule:
    status = frozenset(number for each in statuses for number in (each if isinstance(each, range) else (each,)))
    return Rule(
        kind=kind, verdict=verdict, status=status, words=words, says=says, host=host, hinted=hinted, tries=tries,
        by_code=by_code or bool(words),
    )  # fmt: skip


RECORD, FATAL, RATE, OVERLOAD, TRANSIENT = Verdict

RULES: tuple[Rule, ...] = (
    # DashScope says OpenAI's "no money" where tokens come too fast; Google has one code for a minute and for ever.
    _rule(Kind.QUOTA, FATAL, host=".aliyuncs.com", says="free tier"),
    _rule(Kind.RATE, RATE, host=".aliyuncs.com", words="aliyun's pace"),
    _rule(Kind.QUOTA, FATAL, words="google's quota", says="never"),
    _rule(Kind.RATE, RATE, words="no money perhaps", hinted=True),
    # What codes say.
    _rule(Kind.QUOTA, FATAL, words="no money"),
    _rule(Kind.QUOTA, FATAL, words="no money perhaps"),
    _rule(Kind.SERVER, OVERLOAD, 401, 403, says="waf"),  # the way is barred, the key is healthy
    _rule(Kind.CREDENTIAL, FATAL, words="key"),
    _rule(Kind.SERVER, TRANSIENT, 400, 408, 422, 424, 500, says="download", tries=3),
    _rule(Kind.MODEL, FATAL, says="text only"),
    _rule(Kind.BAD_IMAGE, RECORD, words="image"),
    _rule(Kind.TOO_LARGE, RECORD, words="too large"),
    _rule(Kind.BAD_IMAGE, RECORD, 400, 403, 415, 422, 500, says="bad image"),  # before "data inspection"
    _rule(Kind.FILTERED, RECORD, words="filtered"),
    _rule(Kind.FILTERED, RECORD, 400, 403, 451, says="filtered"),
    _rule(Kind.FILTERED, RECORD, 446, by_code=True),
    _rule(Kind.MODEL, FATAL, words="model"),
    _rule(Kind.MODEL, FATAL, 400, 403, 404, 422, says="no model"),
    _rule(Kind.TOO_LARGE, RECORD, 400, 403, 413, 422, 429, 500, says="too large"),
    _rule(Kind.TOO_LARGE, RECORD, 413, by_code=True),
    _rule(Kind.RATE, RATE, 402, hinted=True),
    _rule(Kind.QUOTA, FATAL, 402, 412, by_code=True),
    _rule(Kind.RATE, RATE, words="too fast"),
    _rule(Kind.QUOTA, FATAL, 400, 403, 429, says="no money", hinted=False),
    _rule(Kind.QUOTA, FATAL, words="precondition", says="billing"),
    _rule(Kind.RATE, RATE, 429),
    _rule(Kind.CREDENTIAL, FATAL, 401, 407, by_code=True),
    _rule(Kind.CREDENTIAL, FATAL, 403),
    _rule(Kind.SERVER, TRANSIENT, words="closed endpoint"),
    _rule(Kind.SERVER, TRANSIENT, 500, says="caller", tries=2),  # the caller's fault, told as the server's
    _rule(Kind.SERVER, OVERLOAD, words="overloaded"),
    # What the bare status says.
    _rule(Kind.NOT_FOUND, RECORD, 404, 405, 410),
    _rule(Kind.TIMEOUT, OVERLOAD, 408, 504, 524),
    _rule(Kind.SERVER, OVERLOAD, 502, 503, 529, range(520, 524)),
    _rule(Kind.SERVER, TRANSIENT, 409, 425, 424, 498, 499),
    _rule(Kind.INVALID_REQUEST, RECORD, 501),
    _rule(Kind.INVALID_REQUEST, RECORD, range(400, 500)),
    _rule(Kind.SERVER, TRANSIENT, range(500, 600)),
    # An error inside a stream, told by its type alone.
    _rule(Kind.NOT_FOUND, RECORD, words="not found"),
    _rule(Kind.INVALID_REQUEST, RECORD, words="bad request"),
    _rule(Kind.SERVER, TRANSIENT),
)

_OVER_LIMIT = re.compile(r"limit:?\s+([\d,]+),\s+(?:used\s+[\d,]+,\s+)?requested:?\s+([\d,]+)", re.IGNORECASE)


def classify(told: ErrorBody, *, status: int | None, host: str = "", wait: float | None = None) -> Fault:
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
        by_code=first.by_code,
    )
    if first.verdict is Verdict.RATE and _never_fits(told.message):
        return replace(fault, kind=Kind.TOO_LARGE, verdict=Verdict.RECORD)
    return fault


def _never_fits(message: str) -> bool:
    """``Limit 30000, Requested 42288``: no wait makes such a request pass."""
    match = _OVER_LIMIT.search(message)
    return match is not None and int(match[2].replace(",", "")) > int(match[1].replace(",", ""))


def obey_should_retry(fault: Fault, word: str) -> Fault:
    """``x-should-retry`` overrules the bare status: false always, true never against a code."""
    if word == "false" and fault.verdict in (Verdict.RATE, Verdict.OVERLOAD, Verdict.TRANSIENT):
        return replace(fault, verdict=Verdict.TRANSIENT, tries=1)
    if word == "true" and fault.verdict is Verdict.RECORD and not fault.by_code:
        return replace(fault, verdict=Verdict.TRANSIENT)
    return fault
