"""The values handed on between stations: a record enters on the left, and ends as a row or as a failure.

    Record ─► Completion ─► Refined ─► Row
       └────────────┴──────────────► Failure

Rule: plain, frozen values without I/O. Dicts exist only at the two edges, the file and the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

RecordId = str | int
"""A record's identity. JSON's ``1`` and ``"1"`` are two ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a conversation; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image as a request carries it: a URL that the provider fetches, or the picture itself in base64."""

    url: str = ""
    media_type: str = ""
    base64: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One unit of work: images to ask about, in the words of a conversation (empty: the default prompt).

    ``images`` are as written in the input: paths, URLs or data URLs (bytes, in Python only). ``fields`` is the
    record's own object, carried through to the row untouched. ``sha`` is a short hash of the record as read.
    """

    id: RecordId
    fields: Mapping[str, Any]
    images: tuple[str | bytes, ...] = ()
    turns: tuple[Turn, ...] = ()
    sha: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the endpoint answered. ``seconds`` cover the successful attempt; tokens are None where it gave none."""

    text: str
    finish_reason: str | None = "stop"
    model: str = ""
    request_id: str | None = None
    attempts: int = 1
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    seconds: float = 0.0
    first_token_seconds: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether the answer was cut by the token limit."""
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A question and its answer, each one line of plain text."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """An article and its pairs, as read from one raw answer.

    ``layout`` names how the pairs were written; ``warnings`` what was odd (``no_pairs``, ``unanswered_question``, …).
    """

    context: str = ""
    qas: tuple[Pair, ...] = ()
    layout: str = ""
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The row's ``context_vqa`` object."""
        return {
            "context": self.context,
            "qas": [{"question": pair.question, "answer": pair.answer} for pair in self.qas],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the output: the record's id, and the whole object as it is written."""

    id: RecordId
    fields: Mapping[str, Any]
    pairs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One line of the failed file: why a record (or a line that is no record) has no row.

    ``type`` is a word of :class:`contextvqa_async.errors.Kind`; ``record`` the record's own object, or the first
    1,000 characters of a line that holds none. ``sha`` is the record's, ``stamp`` stands for the state of its
    images (their sizes and times): by these the next run knows whether a failure that is not retryable still stands.
    """

    id: RecordId | None
    type: str
    message: str
    retryable: bool
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    attempts: int = 0
    record: Mapping[str, Any] | str = field(default_factory=dict)
    line: int | None = None
    sha: str = ""
    stamp: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The failed file's object."""
        error = {
            "type": self.type,
            "message": self.message,
            "status": self.status,
            "code": self.code,
            "request_id": self.request_id,
            "retryable": self.retryable,
        }
        where = {} if self.line is None or self.id is not None else {"line": self.line}
        known = {"record_sha": self.sha, "image_stamp": self.stamp}
        known = {name: value for name, value in known.items() if value}
        return {"id": self.id, **where, "error": error, "attempts": self.attempts, **known, "record": self.record}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureClass:
    """All failures of one kind in a run: how many, one of them as an example, and what to do."""

    count: int
    example: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run did.

    ``skipped`` records had been done (or had failed for good) before; ``empty`` rows hold no pair; ``changed``
    records differ from the ones their finished rows were made of; ``text_only`` ones named no image. ``stopped`` is
    the sentence that says why the run ended early, or None; ``cost`` is None where no price is known; tokens are
    those that the endpoint reported.
    """

    done: int = 0
    failed: int = 0
    skipped: int = 0
    duplicates: int = 0
    empty: int = 0
    changed: int = 0
    text_only: int = 0
    pairs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    stopped: str | None = None
    exit_code: int = 0
    failures: Mapping[str, FailureClass] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    output: str = ""
    failed_output: str = ""
    simulated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--summary-json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run begins: ``done`` rows stand in the output already; ``model`` is asked at ``endpoints``."""

    done: int
    model: str
    endpoints: tuple[str, ...]
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The input was read up to ``fraction`` of its bytes (None: its size is unknown)."""

    read: int
    skipped: int
    duplicates: int
    fraction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """These rows and failures are on disk now."""

    items: Sequence[Row | Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user should know while the run goes on."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The endpoint asks to wait: nothing will be asked for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The run is over."""

    summary: Summary


Event = Started | Advanced | Settled | Notice | Paused | Finished
"""What happens in a run, as its ``on_event`` hears of it."""
