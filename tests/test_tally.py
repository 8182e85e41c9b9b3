"""Counts of a run, and the rows they are counted from."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from server import Server, completion, error

from contextvqa_async import run_async
from contextvqa_async.config import Cost, Reading
from contextvqa_async.errors import ADVICE, RETRYABLE, Kind, RecordError
from contextvqa_async.items import Completion, Failure, Pair, Record, Refined, Row
from contextvqa_async.rows import WARNINGS_OF_READING, keep_complete, make_failure, make_row, read_anew
from contextvqa_async.tally import Tally

REFINED = Refined(context="c", qas=(Pair(question="q", answer="a"), Pair(question="r", answer="b")), layout="qa")


def test_rows_pairs_failures_and_cost_are_counted() -> None:
    """Failures by kind, the most frequent first, each with its first example and an imperative."""
    tally = Tally(Cost(price_in=1.0, price_out=2.0, max_cost=3.0), clock=lambda: 5.0)
    tally.count([Row(id=1, fields={}, pairs=3), Row(id=2, fields={}, pairs=0)])
    for number in range(3):
        tally.count([Failure(id=number, type=Kind.SERVER, message=f"m{number}", retryable=True)])
    tally.count([Failure(id=None, type=Kind.BAD_RECORD, message="bad", retryable=True, line=6)])
    before = tally.overspent
    tally.pay(1_000_000, 1_000_000)
    assert (before, tally.overspent) == (False, True)
    summary = replace(tally.summary(), skipped=4)
    assert (summary.done, summary.failed, summary.empty, summary.pairs, summary.skipped) == (2, 4, 1, 3, 4)
    assert summary.cost == 3.0
    assert list(summary.failures) == [Kind.SERVER, Kind.BAD_RECORD]
    assert summary.failures[Kind.SERVER].example == "record 0: m0"
    assert summary.failures[Kind.BAD_RECORD].example == "line 6: bad"


def test_tokens_that_are_not_told_are_missed_once() -> None:
    """Only where --max-cost would have to know them; what is told counts all the same."""
    tally = Tally(Cost(price_in=1.0, max_cost=3.0))
    assert [tally.pay(*told) for told in ((1, 2), (None, None), (4, None), (1, 2))] == [False, True, False, False]
    assert (tally.prompt_tokens, tally.completion_tokens) == (6, 4)
    assert not Tally(Cost(price_in=1.0)).pay(None, None)


def test_every_kind_of_failure_has_an_advice() -> None:
    """Nothing is counted that nobody knows what to do about."""
    assert set(ADVICE) == set(Kind)
    assert set(Kind) >= RETRYABLE


def test_a_row_keeps_the_records_fields_and_its_own_win() -> None:
    """An old answer among the record's fields is replaced, not doubled."""
    record = Record(id="x", fields={"id": "x", "image": "i.png", "vqa": "old", "extra": [1]}, sha="s")
    row = make_row(record, Completion(text="raw", model="m", prompt_tokens=3), REFINED, Reading())
    assert list(row.fields) == ["id", "image", "extra", "vqa", "context_vqa", "generation"]
    assert row.fields["vqa"] == "raw"
    assert row.fields["context_vqa"]["qas"][0] == {"question": "q", "answer": "a"}
    assert row.fields["generation"]["record_sha"] == "s"
    assert (row.pairs, row.prompt_tokens, row.completion_tokens) == (2, 3, 0)


def test_the_keys_of_a_row_follow_the_options() -> None:
    """--answer-key, --output-key and --id-key."""
    reading = Reading(id_key="uid", answer_key="raw", output_key="out")
    row = make_row(Record(id=7, fields={"uid": 7}), Completion(text="t"), REFINED, reading)
    assert list(row.fields) == ["uid", "raw", "out", "generation"]


def test_a_row_that_is_read_anew_tells_of_that_reading() -> None:
    """Its layout and the warnings of the old reading go; those of the answer stay, and so does the place of the sha."""
    completion = Completion(text="t", warnings=("no_finish_reason",))
    old = replace(REFINED, layout="empty", warnings=("no_pairs", "no_context"))
    row = make_row(Record(id=7, fields={"id": 7}, sha="s"), completion, old, Reading())
    anew = read_anew(row.fields, replace(REFINED, warnings=("text_after_pairs",)), "parsed")
    assert anew == {
        **row.fields,
        "parsed": REFINED.as_dict(),
        "generation": {
            **row.fields["generation"], "layout": "qa", "warnings": ["no_finish_reason", "text_after_pairs"],
        },
    }  # fmt: skip
    assert list(anew["generation"]) == list(row.fields["generation"])
    assert row.fields["generation"]["layout"] == "empty"


@pytest.mark.parametrize("generation", [None, "of a data set", {"model": "m"}, {"layout": 1, "warnings": "none"}])
def test_a_row_of_another_tool_is_read_anew(generation: Any) -> None:
    """What it says under our keys is not ours to mend, whatever it is."""
    row = read_anew({"id": 1, "generation": generation}, REFINED, "parsed")
    assert row["parsed"]["context"] == "c"
    assert row["generation"] == (
        {"layout": "qa", "warnings": []} if generation and "layout" in generation else generation
    )


def test_the_refiners_warnings_are_known_by_name() -> None:
    """The README lists them all, and a row knows which of its warnings are theirs."""
    words = (
        (Path(__file__).parent.parent / "README.md")
        .read_text("utf-8")
        .partition("and `warnings`:")[2]
        .partition(". ")[0]
    )
    assert set(re.findall(r"`(\w+)`", words)) == WARNINGS_OF_READING


def test_only_a_cut_answer_loses_its_last_pair() -> None:
    """finish_reason says so, not the text."""
    assert keep_complete(REFINED, truncated=False) is REFINED
    cut = keep_complete(REFINED, truncated=True)
    assert len(cut.qas) == 1
    assert "truncated" in cut.warnings


def test_an_entry_of_the_failed_file_holds_what_the_next_run_needs() -> None:
    """The error's facts, the attempts, and the record itself."""
    error = RecordError("no", kind=Kind.RATE, status=429, code="slow", request_id="r", attempts=3)
    entry = make_failure(Record(id=1, fields={"a": 1}, line=9), error).as_dict()
    assert entry["id"] == 1
    assert entry["attempts"] == 3
    assert entry["record"] == {"a": 1}
    assert entry["error"] == {
        "type": "rate",
        "message": "no",
        "status": 429,
        "code": "slow",
        "request_id": "r",
        "retryable": True,
    }


def asked(count: int) -> list[dict[str, Any]]:
    """So many records without an image."""
    return [{"id": number, "conversation": [{"from": "human", "value": "Write."}]} for number in range(count)]


@pytest.mark.parametrize("answer", [completion("", "length"), completion(""), completion("No pairs at all", "length")])
async def test_max_cost_counts_answers_that_fail(answer: dict[str, Any], tmp_path: Path) -> None:
    """Tokens that were used up in vain are paid for like others."""
    async with Server(error(200, answer)) as server:
        summary = await run_async(
            asked(40), tmp_path / "o.jsonl", base_url=server.url, concurrency=1, price_out=1e6, max_cost=30
        )
        assert (summary.completion_tokens, summary.cost, len(server.requests)) == (30, 30.0, 6)
        assert summary.stopped is not None
        assert "--max-cost" in summary.stopped


async def test_max_cost_without_tokens_is_told_once(tmp_path: Path) -> None:
    """A limit that cannot be kept is no silent promise."""
    async with Server(error(200, completion("Article: A fact.\n\nQ1: Which?\nA1: This", usage=None))) as server:
        summary = await run_async(asked(5), tmp_path / "o.jsonl", base_url=server.url, price_out=1, max_cost=1)
        assert summary.done == 5
        assert sum("--max-cost" in notice for notice in summary.notices) == 1
