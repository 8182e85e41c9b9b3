"""What the user chose, as frozen values checked at birth: one class for each station that reads it.

Rule: an option is a field; its help text and bounds stand beside its default, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from contextvqa_async.config.checked import Checked, option
from contextvqa_async.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(Checked):
    """What the model is asked, and how it is to answer; None is not sent, so that the server's default holds."""

    system_prompt: str = option("You are a helpful assistant.", "System turn; a record's own wins; '' sends none.")
    prompt: str | None = option(
        None, "Prompt of records without a conversation (default: write an article, then ask about it).", str
    )
    temperature: float | None = option(None, "Sampling temperature.", float, least=0)
    top_p: float | None = option(None, "Nucleus sampling: share of the probability kept.", float, above=0)
    max_tokens: int | None = option(None, "Most tokens an answer may have.", int, least=1)
    seed: int | None = option(None, "Sampling seed, where the server knows one.", int)
    extra_body: Mapping[str, Any] | None = option(
        None, "JSON object merged into the request at its top level.", Mapping
    )
    no_stream: bool = option(False, "Ask for whole answers instead of streamed ones.")

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.prompt is not None and not self.prompt.strip():
            raise UsageError("--prompt (or the file of --prompt-file) must not be empty.")
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
class Limits(Checked):
    """How fast to ask, how often, and how long to wait; seconds unless the name says otherwise."""

    concurrency: int = option(32, "Most requests in flight.", least=1)
    rpm: float | None = option(None, "Most requests in any 60 seconds.", float, above=0)
    tpm: float | None = option(None, "Most tokens (prompt and completion) in any 60 seconds.", float, above=0)
    max_attempts: int = option(5, "Most requests for one record; rate refusals are not counted.", least=1)
    timeout: float = option(1800.0, "Seconds one attempt may take in all.", above=0)
    first_timeout: float = option(600.0, "Seconds to the first piece of a streamed answer.", above=0)
    stall_timeout: float = option(120.0, "Seconds between two pieces of a streamed answer.", above=0)
    connect_timeout: float = option(10.0, "Seconds to open a connection.", above=0)
    no_adaptive: bool = option(False, "Keep --concurrency fixed instead of following the server's pace.")
    max_downtime: float | None = option(
        None, "Stop the run when nothing succeeded for this many seconds.", float, above=0
    )
    max_inflight_mb: float = option(512.0, "Most megabytes of images and request bodies in memory.", least=1)

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.concurrency > MAX_CONCURRENCY:
            raise UsageError(
                f"--concurrency must be at most {MAX_CONCURRENCY:,}, not {self.concurrency}: "
                "one machine has no more ports and memory than that."
            )


MAX_CONCURRENCY = 16_384
"""Each request in flight is a socket: about half of the ports that a client address has to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Checked):
    """How records are read: which keys hold what, where images are looked up, and what is sent of them."""

    image_root: str | os.PathLike[str] | None = option(
        None, "Folder of relative image paths (default: beside the input).", Path
    )
    id_key: str = option("id", "Key of a record's id.")
    image_key: str = option("image", "Key of a record's image or images.")
    conversation_key: str = option("conversation", "Key of a record's conversation.")
    answer_key: str = option("vqa", "Key of a row's raw answer.")
    output_key: str = option("context_vqa", "Key of a row's article and pairs.")
    limit: int | None = option(
        None, "Ask for at most this many records in this run; what is skipped does not count.", int, least=0
    )
    max_pixels: int | None = option(None, "Scale larger images down to this many pixels.", int, least=1024)
    inline_urls: bool = option(False, "Fetch image URLs here instead of handing them to the provider.")
    allow_private_urls: bool = option(False, "Let --inline-urls fetch from private and loopback addresses too.")
    require_image: bool = option(False, "Fail records without an image instead of sending their text alone.")

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        keys = (self.id_key, self.answer_key, self.output_key, "generation")
        if len(set(keys)) < len(keys):  # one would overwrite what was paid for
            raise UsageError(
                "--id-key, --answer-key and --output-key must be three keys, and none of them 'generation': "
                f"they are {', '.join(map(repr, keys[:3]))}."
            )


RetryFailed = Literal["transient", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving(Checked):
    """Where rows and failures go, and which of an earlier run's are asked again."""

    failed: str | os.PathLike[str] | None = option(
        None, "File of failed records (default: OUTPUT with .failed before its suffix).", Path
    )
    retry_failed: RetryFailed = option(
        "transient",
        "Failures of earlier runs to ask again; transient: not the record's own fault.",
        get_args(RetryFailed),
    )
    retry_empty: bool = option(False, "Ask again for rows that hold no pair.")
    overwrite: bool = option(False, "Start the output anew; the old one is kept beside it as OUTPUT.bak.")
    allow_mixed: bool = option(False, "Append even where the output was made with other settings.")

    def failed_path(self, output: Path) -> Path:
        """``out.jsonl`` → ``out.failed.jsonl`` beside it, unless ``--failed`` says otherwise."""
        if not output.name:
            raise UsageError(f"OUTPUT must name a file, not {str(output)!r}.")
        return Path(self.failed) if self.failed else output.with_name(f"{output.stem}.failed{output.suffix}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Checked):
    """Prices per million tokens, in whatever currency, and how much a run may spend of it."""

    price_in: float | None = option(None, "Price of a million prompt tokens.", float, least=0)
    price_out: float | None = option(None, "Price of a million completion tokens.", float, least=0)
    max_cost: float | None = option(None, "Stop asking once this run has cost so much; needs a price.", float, least=0)

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.max_cost is not None and self.price_in is None and self.price_out is None:
            raise UsageError("--max-cost needs --price-in or --price-out: without a price nothing has a cost.")

    def of(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What so many tokens cost, or None where no price is known."""
        if self.price_in is None and self.price_out is None:
            return None
        return (prompt_tokens * (self.price_in or 0) + completion_tokens * (self.price_out or 0)) / 1e6
