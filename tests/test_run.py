"""A run from Python: any source, a sink or a stream, events and a summary; the whole line against scripted servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from server import Exchange, Script, Server, body, chunk, cut, error, good, raw, sse, until_close

from contextvqa_async import RunError, UsageError, run_async, stream_async
from contextvqa_async.items import Advanced, Event, Finished, Notice, Paused, Settled, Started
from contextvqa_async.run import run_pipeline
from contextvqa_async.settings import Settings
from contextvqa_async.stop import Stop

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
    """The pipeline without a sink; a failure is never a row, and never silent."""
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


async def test_a_fatal_error_stops_a_run(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    "bad",
    [
        error(500, {"error": {"message": "CUDA error"}}),
        error(502, {"error": {"message": "bad gateway"}}),
        sse(good("")),
        cut(chunk("Article:")),
        cut(),
        until_close(),
        b"garbage\r\n\r\n",
        body(b"<html>Welcome</html>", kind="text/html"),
    ],
    ids=["500", "502", "empty", "cut", "nothing", "no body", "no HTTP", "a page"],
)
@pytest.mark.parametrize("first", [True, False], ids=["asked first", "asked second"])
async def test_a_replica_that_only_fails_costs_no_record(tmp_path: Path, bad: Script | bytes, first: bool) -> None:
    """It fails at once and so seems the least busy; with two attempts for each record, none fails, and it rests."""
    ailing = anyio.Event()

    async def slow(exchange: Exchange) -> None:
        with anyio.move_on_after(0.3):  # the first answers come when the other has failed for a while
            await ailing.wait()
        await ANSWER(exchange)

    async def failing(exchange: Exchange) -> None:
        if exchange.number == 3:
            ailing.set()
        await (raw(bad) if isinstance(bad, bytes) else bad)(exchange)

    async with Server(slow) as well, Server(failing) as ill:
        urls = [ill.url, well.url] if first else [well.url, ill.url]
        summary = await run_async(records(100), tmp_path / "o.jsonl", base_url=urls, concurrency=8, max_attempts=2)
        assert (summary.done, summary.failed) == (100, 0)
        assert len(ill.requests) <= 20
    assert any(f"{ill.port} keeps failing" in notice for notice in summary.notices)


async def test_a_long_wait_is_told_and_ends_with_max_downtime(tmp_path: Path) -> None:
    """A Retry-After of minutes: a notice with its end, an event for the display, and the deadline holds within it."""
    events: list[Event] = []
    refused = error(429, {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}, Retry_After="400")
    async with Server(refused) as server:
        summary = await run_async(
            records(9), tmp_path / "o.jsonl", on_event=events.append, base_url=server.url, max_downtime=0.3
        )
    assert (summary.done, summary.failed, summary.exit_code) == (0, 0, 3)
    assert "--max-downtime" in (summary.stopped or "")
    assert "Slow down" in (summary.stopped or "")
    (pause,) = [event.seconds for event in events if isinstance(event, Paused)]
    assert 400 <= pause <= 441
    (notice,) = summary.notices
    assert "asks to wait 4" in notice


async def test_an_image_that_needs_a_share_of_memory_gets_it(tmp_path: Path) -> None:
    """Images heavier than the whole budget go one after the other, and all go."""
    from PIL import Image

    Image.effect_noise((1200, 1200), 80).convert("RGB").save(tmp_path / "p.png")
    source = [{"id": n, "image": [str(tmp_path / "p.png")] * 2} for n in range(8)]
    async with Server(ANSWER) as server:
        summary = await run_async(source, tmp_path / "o.jsonl", base_url=server.url, max_inflight_mb=1, concurrency=8)
    assert summary.done == 8


class Gone(Exception):  # noqa: N818 - the caller's own
    """What the caller's code raises."""


def breaking(count: int) -> Iterator[dict[str, Any]]:
    """A database that goes away after so many records."""
    yield from records(count)
    raise Gone("the database")


async def breaking_slowly(count: int) -> AsyncIterator[dict[str, Any]]:
    """``breaking`` as an asynchronous iterable."""
    for record in breaking(count):
        await anyio.lowlevel.checkpoint()
        yield record


def held_until(asked: int) -> Callable[[Exchange], Awaitable[None]]:
    """A server that answers nothing before so many requests are there: all of them are in flight at once."""
    enough = anyio.Event()

    async def script(exchange: Exchange) -> None:
        if exchange.number + 1 >= asked:
            enough.set()
        await enough.wait()
        await ANSWER(exchange)

    return script


async def collect(stream: AsyncIterator[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    """Keep the rows of a stream, also where it ends in an exception."""
    async for row in stream:
        found.append(row)  # noqa: PERF401 - extend would keep none of them


@pytest.mark.parametrize("source", [breaking, breaking_slowly])
@pytest.mark.parametrize("count", [0, 4, 20])
async def test_what_a_source_raises_ends_the_run_after_its_answers(tmp_path: Path, source: Any, count: int) -> None:
    """The caller's own exception, and every answer that was asked for is on disk by then."""
    async with Server(held_until(min(count, 4))) as server:
        with pytest.raises(Gone, match="the database"):
            await run_async(source(count), tmp_path / "o.jsonl", base_url=server.url, concurrency=4, no_adaptive=True)
        assert len(rows(tmp_path / "o.jsonl")) == len(server.requests) >= count - 4
        found: list[dict[str, Any]] = []
        with pytest.raises(Gone, match="the database"):
            await collect(stream_async(source(count), base_url=server.url, concurrency=4, no_adaptive=True), found)
        assert len(server.requests) == len(rows(tmp_path / "o.jsonl")) + len(found)


@pytest.mark.parametrize("event", [Started, Advanced, Settled, Notice, Finished])
async def test_what_a_callback_raises_ends_the_run_after_its_answers(tmp_path: Path, event: type[Event]) -> None:
    """Whatever it is told of: nothing that was asked for is lost, and the exception is the caller's."""
    told: list[Event] = []

    def watch(each: Event) -> None:
        told.append(each)
        if isinstance(each, event):
            raise Gone(event.__name__)

    async with Server(ANSWER) as server:
        await run_async(records(1), tmp_path / "o.jsonl", base_url=server.url)
        with (tmp_path / "o.jsonl").open("ab") as file:
            file.write(b'{"id": "torn')  # healed, and told by a Notice
        with pytest.raises(Gone, match=event.__name__):
            await run_async(records(300), tmp_path / "o.jsonl", on_event=watch, base_url=server.url, concurrency=4)
        assert len(rows(tmp_path / "o.jsonl")) == len(server.requests)
        assert event is Finished or len(server.requests) < 300
    assert isinstance(told[-1], event)


@pytest.mark.parametrize("source", [5, None, b"in.jsonl", {"id": 1}, object()])
async def test_what_is_no_source_is_wrong_usage(tmp_path: Path, source: Any) -> None:
    """One sentence instead of a failed entry a byte."""
    with pytest.raises(UsageError, match=f"iterable of dicts, not {type(source).__name__}"):
        await run_async(source, tmp_path / "o.jsonl", simulate=True)
    with pytest.raises(UsageError, match="iterable of dicts"):
        _ = [row async for row in stream_async(source, simulate=True)]


@pytest.mark.parametrize("limit", [0, 1, 3, 40])
async def test_a_limit_holds_for_a_stream_too(limit: int) -> None:
    """So many records are asked for, and lines that are no record do not count."""
    failed: list[dict[str, Any]] = []
    source: list[Any] = ["no record", *records(20)]
    async with Server(ANSWER) as server:
        stream = stream_async(source, on_failure=failed.append, limit=limit, base_url=server.url)
        assert len([row async for row in stream]) == len(server.requests) == min(limit, 20)
        assert len(failed) == bool(limit)


async def test_a_stream_that_has_cost_enough_says_so() -> None:
    """By a kind of its own: the fault is neither the provider's nor ours."""
    found: list[dict[str, Any]] = []
    async with Server(ANSWER) as server:
        stream = stream_async(records(50), base_url=server.url, price_out=1e6, max_cost=12, concurrency=2)
        with pytest.raises(RunError, match="--max-cost") as error:
            await collect(stream, found)
        assert 3 <= len(found) == len(server.requests) <= 5
    assert error.value.kind == "cost"


@pytest.mark.parametrize(
    "options", [{"failed": "f.jsonl"}, {"retry_failed": "all"}, {"retry_empty": True}, {"overwrite": True, "limit": 1}]
)
async def test_a_stream_refuses_options_about_files(options: Any) -> None:
    """It writes none, so it could only ignore them; what says no more than the default may be given."""
    name = next(iter(options))
    with pytest.raises(
        UsageError, match=f"^stream_async.. writes no files, so leave out {name}, or use run_async"
    ) as told:
        _ = [row async for row in stream_async([], simulate=True, **options)]
    assert "limit" not in str(told.value)
    assert [row async for row in stream_async([], simulate=True, allow_mixed=False, failed=None)] == []


async def test_a_stream_refuses_all_of_them_at_once() -> None:
    """One sentence for whoever passes on a run's options."""
    with pytest.raises(UsageError, match="leave out failed, allow_mixed, or"):
        _ = [row async for row in stream_async([], simulate=True, allow_mixed=True, failed="f")]


async def test_events_of_a_stream_tell_what_happens() -> None:
    """Its start, how far the input is read, and what the user should know: a pause is a notice, too."""
    events: list[Event] = []
    refused = error(429, {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}, Retry_After="400")
    async with Server(refused) as server:
        with pytest.raises(RunError, match="--max-downtime"):
            _ = [
                row
                async for row in stream_async(
                    records(9), on_event=events.append, base_url=server.url, max_downtime=0.3, concurrency=3
                )
            ]
    assert events[0] == Started(done=0, model="qwen3-vl-8b-instruct", endpoints=(server.url[:-3],), concurrency=3)
    assert [event.message for event in events if isinstance(event, Notice) and "asks to wait 4" in event.message]
    assert [event for event in events if isinstance(event, Paused)]
    assert [event for event in events if isinstance(event, Advanced)]


async def test_what_a_streams_callback_raises_ends_it_after_its_answers() -> None:
    """As with a sink: what was asked for is yielded, and the exception is the caller's."""

    def watch(event: Event) -> None:
        if isinstance(event, Advanced) and event.read == 5:
            raise Gone("the screen")

    found: list[dict[str, Any]] = []
    async with Server(ANSWER) as server:
        with pytest.raises(Gone, match="the screen"):
            await collect(stream_async(records(300), on_event=watch, base_url=server.url, concurrency=2), found)
        assert 0 < len(found) == len(server.requests) < 300


def many_rows(folder: Path) -> Path:
    """An output that takes a while to read."""
    pairs = [{"question": f"q{n}", "answer": "a"} for n in range(40)]
    rows = ({"id": n, "vqa": "x", "context_vqa": {"context": "c", "qas": pairs}} for n in range(20_000))
    (folder / "o.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "o.jsonl"


def many_failures(folder: Path) -> Path:
    """A failed file that takes a while to read."""
    error = {"type": "filtered", "message": "no " * 200, "retryable": False}
    entries = ({"id": n, "error": error, "record": {"id": n}} for n in range(60_000))
    (folder / "o.failed.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return folder / "o.failed.jsonl"


@pytest.mark.parametrize("many", [many_rows, many_failures])
async def test_a_stop_while_earlier_files_are_read_is_obeyed_at_once(
    tmp_path: Path, many: Callable[[Path], Path]
) -> None:
    """Nothing is asked yet, so there is nothing to wait for, and the next run finds everything as it was."""
    path, out, stop = many(tmp_path), tmp_path / "o.jsonl", Stop()
    before, summaries = path.read_bytes(), []

    async def run() -> None:
        settings = Settings.of({"simulate": True, "retry_empty": True})
        summaries.append(await run_pipeline(records(3), out, settings, stop=stop))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        while stop.unstarted is None:
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        stop.request("Ctrl-C", 130)
    (summary,) = summaries
    assert (summary.stopped, summary.exit_code, summary.done) == ("Ctrl-C", 130, 0)
    assert not (tmp_path / "o.run.json").exists(), "it was read to its end"
    assert path.read_bytes() == before
    assert (await run_async(records(3), out, simulate=True)).skipped == 3


async def test_failures_that_stand_take_no_place_of_the_limit(tmp_path: Path) -> None:
    """Runs with a limit get through the whole input, whatever stands at its front; and what is read is counted once."""
    for number in range(5):
        (tmp_path / f"bad{number}.png").write_text("no picture")
    bad = [{"id": f"bad{number}", "image": str(tmp_path / f"bad{number}.png")} for number in range(5)]
    events: list[Event] = []
    told = []
    async with Server(ANSWER) as server:
        for _ in range(6):
            source = [*bad, *records(4)]
            summary = await run_async(
                source, tmp_path / "o.jsonl", limit=2, concurrency=2, base_url=server.url, on_event=events.append
            )
            told.append((summary.failed, summary.done, summary.skipped))
            last = [event for event in events if isinstance(event, Advanced)][-1]
            assert last.read - last.skipped == summary.failed + summary.done
    assert told == [(2, 0, 0), (2, 0, 2), (1, 1, 4), (0, 2, 6), (0, 1, 8), (0, 0, 9)]
    assert len(server.requests) == 4


async def test_an_asynchronous_generator_is_closed_when_the_run_ends_early(tmp_path: Path) -> None:
    """Its own clean-up runs while its loop is there, and may take its time; a plain iterator may be read further."""
    closed: list[str] = []

    async def source(name: str) -> AsyncIterator[dict[str, Any]]:
        try:
            for record in records(1000):
                yield record
        finally:
            await anyio.lowlevel.checkpoint()
            closed.append(name)

    rest = iter(records(5))
    async with Server(ANSWER) as server:
        await run_async(source("limit"), tmp_path / "o.jsonl", limit=2, base_url=server.url)
        assert closed == ["limit"]
        stream = stream_async(source("left"), base_url=server.url)
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
        assert closed == ["limit", "left"]
        for done in (2, 3):
            assert (await run_async(rest, tmp_path / "p.jsonl", limit=done, base_url=server.url)).done == done
    async with Server(WRONG_KEY) as server:
        await run_async(source("stop"), tmp_path / "q.jsonl", base_url=server.url)
    assert closed == ["limit", "left", "stop"]


async def test_what_an_asynchronous_generator_raises_in_closing_is_the_callers(tmp_path: Path) -> None:
    """Its clean-up is part of the source, and the rows are on disk by then."""

    async def source() -> AsyncIterator[dict[str, Any]]:
        try:
            for record in records(1000):
                yield record
        finally:
            raise Gone("the cursor")

    async with Server(ANSWER) as server:
        with pytest.raises(Gone, match="the cursor"):
            await run_async(source(), tmp_path / "o.jsonl", limit=2, base_url=server.url)
    assert len(rows(tmp_path / "o.jsonl")) == 2
