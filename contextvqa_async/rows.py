"""A record, its completion and what the refiner read in it → the row that is written.

Rule: every field of the record is kept; the row's own keys win over the record's of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contextvqa_async import __version__
from contextvqa_async.config import Reading
from contextvqa_async.errors import RecordError
from contextvqa_async.items import Completion, Failure, Record, Refined, Row

WARNINGS_OF_READING = frozenset(
    {
        "no_pairs",
        "no_context",
        "refusal",
        "unanswered_question",
        "text_after_pairs",
        "repeated_pairs",
        "truncated",
    }
)
"""What the refiner warns of. A row's other warnings are of its completion, and hold however it is read."""


def keep_complete(refined: Refined, *, truncated: bool) -> Refined:
    """Drop the last pair of an answer that the token limit cut: its answer may be half a word."""
    if not truncated:
        return refined
    warnings = tuple(dict.fromkeys((*refined.warnings, "truncated")))
    return replace(refined, qas=refined.qas[:-1], warnings=warnings)


def make_row(record: Record, completion: Completion, refined: Refined, reading: Reading) -> Row:
    """The output's line for ``record``."""
    own = {reading.id_key, reading.answer_key, reading.output_key, "generation"}
    fields = {
        reading.id_key: record.id,
        **{key: value for key, value in record.fields.items() if key not in own},
        reading.answer_key: completion.text,
        reading.output_key: refined.as_dict(),
        "generation": _generation(record, completion, refined),
    }
    return Row(
        id=record.id,
        fields=fields,
        pairs=len(refined.qas),
        prompt_tokens=completion.prompt_tokens or 0,
        completion_tokens=completion.completion_tokens or 0,
    )


def read_anew(fields: Mapping[str, Any], refined: Refined, output_key: str) -> dict[str, Any]:
    """The row of ``fields`` with its article and pairs made anew, and with what it says of how they were read."""
    row = {**fields, output_key: refined.as_dict()}
    told = fields.get("generation")
    if isinstance(told, Mapping) and "layout" in told:  # it is ours
        warnings = told.get("warnings")
        of_answer = [each for each in warnings if each not in WARNINGS_OF_READING] if isinstance(warnings, list) else []
        row["generation"] = {**told, "layout": refined.layout, "warnings": [*of_answer, *refined.warnings]}
    return row


def _generation(record: Record, completion: Completion, refined: Refined) -> Mapping[str, Any]:
    return {
        "model": completion.model,
        "finish_reason": completion.finish_reason,
        "attempts": completion.attempts,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "reasoning_tokens": completion.reasoning_tokens,
        "seconds": round(completion.seconds, 3),
        "first_token_seconds": _rounded(completion.first_token_seconds),
        "request_id": completion.request_id,
        "layout": refined.layout,
        "warnings": [*completion.warnings, *refined.warnings],
        "record_sha": record.sha,
        "version": __version__,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def make_failure(record: Record, error: RecordError) -> Failure:
    """The failed file's entry for ``record``."""
    return Failure(
        id=record.id,
        type=error.kind,
        message=str(error),
        retryable=error.retryable,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        attempts=error.attempts,
        record=record.fields,
        line=record.line,
        sha=record.sha,
        stamp=error.stamp,
    )
