"""Everything that can go wrong, split by what the caller does next.

    CvqaError
    ├── UsageError     the command cannot start: an option, the key, the input or the output (exit 2)
    ├── RecordError    this record fails and becomes a failed entry; the run goes on
    └── RunError       every further request would fail alike, or the machine is in the way: the run stops (exit 3)

Each message is one sentence that a user can act on. Facts are attributes; nothing is ever sorted by its text.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The word by which a failure is counted; :data:`ADVICE` says what to do about each."""

    BAD_RECORD = "bad_record"
    BAD_IMAGE = "bad_image"
    NO_IMAGE = "no_image"
    TOO_LARGE = "too_large"
    INVALID_REQUEST = "invalid_request"
    FILTERED = "filtered"
    REFUSED = "refused"
    TOOL_CALL = "tool_call"
    LENGTH = "length"
    REDIRECT = "redirect"
    NOT_FOUND = "not_found"
    CREDENTIAL = "credential"
    QUOTA = "quota"
    COST = "cost"
    MODEL = "model"
    RATE = "rate"
    SERVER = "server"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    BAD_RESPONSE = "bad_response"
    STORAGE = "storage"
    INTERNAL = "internal"


RETRYABLE = frozenset(
    {
        Kind.RATE,
        Kind.SERVER,
        Kind.CONNECTION,
        Kind.TIMEOUT,
        Kind.TRUNCATED,
        Kind.EMPTY,
        Kind.BAD_RESPONSE,
        Kind.REDIRECT,
        Kind.NOT_FOUND,
        Kind.CREDENTIAL,
        Kind.QUOTA,
        Kind.MODEL,
        Kind.INTERNAL,
    }
)
"""Kinds whose cause is not in the record: the next run asks again."""

ADVICE: dict[Kind, str] = {
    Kind.BAD_RECORD: "mend these lines of the input; the next run takes them up",
    Kind.BAD_IMAGE: "mend or replace the image; the next run notices that it changed",
    Kind.NO_IMAGE: "give the record an image, or leave out --require-image",
    Kind.TOO_LARGE: "shrink the image (--max-pixels) or the text",
    Kind.INVALID_REQUEST: "read the message: the endpoint does not accept such a request",
    Kind.FILTERED: "the provider's content filter said no; --retry-failed all asks again",
    Kind.REFUSED: "the model refused; another prompt or model may answer",
    Kind.TOOL_CALL: "the model called a tool instead of answering; use a model or template without tools",
    Kind.LENGTH: "raise --max-tokens: the answer ended before its first pair",
    Kind.REDIRECT: "give the address that the endpoint redirects to as --base-url",
    Kind.NOT_FOUND: "check --base-url and --model",
    Kind.CREDENTIAL: "check the key and what it may do",
    Kind.QUOTA: "top up or raise the provider's quota",
    Kind.COST: "raise --max-cost, or run again later; what is done is kept",
    Kind.MODEL: "choose another --model",
    Kind.RATE: "run again later, or with a lower --concurrency or --rpm",
    Kind.SERVER: "the endpoint's fault; run again later",
    Kind.CONNECTION: "check the network and the endpoint; run again later",
    Kind.TIMEOUT: "run again, or raise --timeout, --first-timeout or --stall-timeout",
    Kind.TRUNCATED: "the answers broke off in mid-stream; run again later",
    Kind.EMPTY: "the endpoint answered nothing; run again, or try another model",
    Kind.BAD_RESPONSE: "the endpoint's answer could not be read; check --base-url",
    Kind.STORAGE: "make room or mend the permissions of the output's folder; then run again",
    Kind.INTERNAL: "a fault of this program; please report it",
}
"""One imperative a kind, shown beside the failures' count."""


def one_line(error: Exception) -> str:
    """Another library's error as part of a sentence: short, on one line, and never empty."""
    return " ".join(str(error).split())[:200] or type(error).__name__


class CvqaError(Exception):
    """The root of this package's own errors; ``str(error)`` is one sentence for the user."""


class UsageError(CvqaError):
    """The command cannot start as it was given."""


class RecordError(CvqaError):
    """One record cannot become a row.

    ``status``, ``code`` and ``request_id`` are the endpoint's, where it said something; ``attempts`` counts the
    requests that were charged to the record; ``retryable`` says whether the next run should ask again, and ``stamp``
    what its images were, so that the next run can tell whether they changed.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Kind,
        retryable: bool | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = kind in RETRYABLE if retryable is None else retryable
        self.status = status
        self.code = code
        self.request_id = request_id
        self.attempts = attempts
        self.stamp = ""


class RunError(CvqaError):
    """The whole run has to stop; ``kind`` says why, the message what to do.

    ``keeps``: whether answers that still arrive can be stored, so that it is worth waiting for them.
    """

    def __init__(self, message: str, *, kind: Kind, keeps: bool = True) -> None:
        super().__init__(message)
        self.kind = kind
        self.keeps = keeps

    def copy(self) -> RunError:
        """One more such error: each task raises its own, so that tracebacks do not pile up on one."""
        return RunError(str(self), kind=self.kind, keeps=self.keeps)
