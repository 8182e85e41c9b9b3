"""A run from Python: any source, a sink or a stream, events and a summary; the whole line against scripted servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from server import Exchange, Server, error, good, sse

from contextvqa_async import RunError, UsageError, run_async, stream_async
from contextvqa_async.items import Advanced, Event, Finished, Notice, Settled, Started

pytestmark = pytest.mark.anyio

ANSWER = sse(good("Article: A fact.\n\nQ1: Which one?\nA1: This"))
REFUSED = error(400, {"error": {"message": "flagged", "code": "content_filter"}})
WRONG_KEY = error(401, {"error": {"message": "bad key", "code": "invalid_api_key"}})


def records(count: int) -> list[dict[str, Any]]:
    return [{"id": n, "conversation": [{"from": "human", "value": f"Write of r{n}."}]} for n in range(count)]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def odd_ones_are_refused(exchange: Exchange) -> None:
    """A content filter that dislikes odd numbers."""
    number = int(exchange.request.json["messages"][-1]["content"].removeprefix("Write of r").rstrip("."))
    await (REFUSED if number % 2 else ANSWER)(exchange)


async def test_any_iterable_is_a_source(tmp_path: Path) -> None:
    """A list, a generator, and an asynchronous one."""

    async def live() -> AsyncIterator[dict[str, Any]]:
        for record in records(6):
            await anyio.lowlevel.checkpoint()
            yield record

    async with Server(ANSWER) as server:
        sources: list[Any] = [records(2), iter(records(4)), live()]
        for number, source in enumerate(sources):
            summary = await run_async(source, tmp_path / "out.jsonl", base_url=server.url)
            assert (summary.done, summary.skipped) == (2, 2 * number)
    assert [row["id"] for row in sorted(rows(tmp_path / "out.jsonl"), key=lambda row: row["id"])] == list(range(6))


async def test_events_tell_what_happens(tmp_path: Path) -> None:
    """Started, how far it was read, what is on disk, and the summary; each record once."""
    events: list[Event] = []
    async with Server(odd_ones_are_refused) as server:
        summary = await run_async(records(10), tmp_path / "o.jsonl", on_event=events.append, base_url=server.url)
    assert isinstance(events[0], Started)
    assert events[-1] == Finished(summary=summary)
    settled = [item.id for event in events if isinstance(event, Settled) for item in event.items]
    assert sorted(settled) == list(range(10))  # type: ignore[type-var]
    assert max(event.read for event in events if isinstance(event, Advanced)) == 10
    assert not [event for event in events if isinstance(event, Notice)]
    assert (summary.done, summary.failed, summary.exit_code) == (5, 5, 1)
    assert summary.failures["filtered"].count == 5
    assert summary.as_dict()["failures"]["filtered"]["count"] == 5
    assert {entry["id"] for entry in rows(tmp_path / "o.failed.jsonl")} == {1, 3, 5, 7, 9}


async def test_a_stream_yields_rows_and_hands_failures_over() -> None:
    """The same line without a sink; a failure is never a row, and never silent."""
    failed: list[dict[str, Any]] = []
    async with Server(odd_ones_are_refused) as server:
        found = [row async for row in stream_async(records(6), on_failure=failed.append, base_url=server.url)]
        assert {row["id"] for row in found} == {0, 2, 4}
        assert {entry["id"] for entry in failed} == {1, 3, 5}
        assert all(row["context_vqa"]["qas"] for row in found)
        with pytest.warns(RuntimeWarning, match="record 1 failed: "):
            assert [row["id"] async for row in stream_async(records(2), base_url=server.url)] == [0]


async def test_leaving_a_stream_early_leaves_nothing_behind() -> None:
    """What is in flight is dropped, and its connection closed."""
    async with Server(ANSWER) as server:
        stream = stream_async(records(1000), base_url=server.url, concurrency=4)
        async for row in stream:
            assert row["id"] in range(8)
            break
        await stream.aclose()  # type: ignore[attr-defined]
        assert len(server.requests) < 100


async def test_what_dooms_a_run_stops_it(tmp_path: Path) -> None:
    """As the summary's sentence with a sink, as RunError without one; no record is blamed."""
    async with Server(WRONG_KEY) as server:
        summary = await run_async(records(100), tmp_path / "o.jsonl", base_url=server.url)
        assert (summary.done, summary.failed, summary.exit_code) == (0, 0, 3)
        assert "bad key" in (summary.stopped or "")
        assert rows(tmp_path / "o.failed.jsonl") == []
        with pytest.raises(RunError, match="bad key"):
            _ = [row async for row in stream_async(records(100), base_url=server.url)]
        assert len(server.requests) <= 16


async def test_wrong_usage_is_raised_before_anything_is_read(tmp_path: Path) -> None:
    """An unknown option, an input that is not there, an output that cannot be."""
    with pytest.raises(UsageError, match="no option"):
        await run_async([], tmp_path / "o.jsonl", simulat=True)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match=r"missing\.jsonl"):
        await run_async(tmp_path / "missing.jsonl", tmp_path / "o.jsonl", simulate=True)
    with pytest.raises(UsageError, match="folder"):
        await run_async([], tmp_path, simulate=True)
    assert not (tmp_path / "o.jsonl").exists()


async def test_replicas_share_the_work(tmp_path: Path) -> None:
    """Two endpoints of one model: both are asked, and every record once."""
    async with Server(ANSWER) as one, Server(ANSWER) as two:
        summary = await run_async(records(40), tmp_path / "o.jsonl", base_url=[one.url, two.url], concurrency=8)
        assert summary.done == 40
        assert len(one.requests) + len(two.requests) == 40
        assert min(len(one.requests), len(two.requests)) >= 10


async def test_an_image_that_needs_a_share_of_memory_gets_it(tmp_path: Path) -> None:
    """Images heavier than the whole budget go one after the other, and all go."""
    from PIL import Image

    Image.effect_noise((1200, 1200), 80).convert("RGB").save(tmp_path / "p.png")
    source = [{"id": n, "image": [str(tmp_path / "p.png")] * 2} for n in range(8)]
    async with Server(ANSWER) as server:
        summary = await run_async(source, tmp_path / "o.jsonl", base_url=server.url, max_inflight_mb=1, concurrency=8)
    assert summary.done == 8
