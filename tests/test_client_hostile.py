"""Stories times ways to send them: what an answer becomes must not depend on how its bytes travel."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from asking import ask, desk
from server import (
    DONE,
    END,
    Exchange,
    Script,
    Server,
    body,
    chunk,
    chunked,
    completion,
    error,
    event,
    finish,
    good,
    head,
    raw,
    sse,
    usage,
)

from contextvqa_async.config import Generation
from contextvqa_async.errors import Kind
from contextvqa_async.pacing import Outcome

Way = Callable[..., Script]

CHUNKED = {"Transfer-Encoding": "chunked"}
GZIPPED = {"Content-Encoding": "gzip"}


def by_event(*events: bytes) -> Script:
    """Each event a chunk."""
    return sse(*events)


def by_byte(*events: bytes) -> Script:
    """Each byte a chunk and a write of its own."""

    async def script(exchange: Exchange) -> None:
        data = b"".join(events)
        await exchange.send(head(200, CHUNKED))
        for start in range(len(data)):
            exchange.writer.write(chunked(data[start : start + 1]))
            if start % 16 == 0:
                await asyncio.sleep(0)
        await exchange.send(END)

    return script


def at_once(*events: bytes) -> Script:
    """All in one write, with a length."""
    return body(b"".join(events), kind="text/event-stream")


def to_the_end(*events: bytes) -> Script:
    """Until the connection closes, as HTTP/1.0 has it, in pieces of 7 bytes."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.0 200 OK\r\n\r\n")
        await exchange.send_cut(b"".join(events), 7)
        exchange.hang_up()

    return script


def crlf(*events: bytes) -> Script:
    """With CRLF, cut between CR and LF."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(200, CHUNKED))
        for part in b"".join(events).replace(b"\n", b"\r\n").split(b"\r"):
            await exchange.send(chunked(part + b"\r"))
            await asyncio.sleep(0)
        await exchange.send(END)

    return script


def zipped(*events: bytes) -> Script:
    """Compressed, flushed after each event."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in events] + [packer.flush()]
    return sse(*filter(None, parts), headers=GZIPPED)


def zipped_to_the_end(*events: bytes) -> Script:
    """Compressed without a flush, until the connection closes, a byte at a time."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(200, {**GZIPPED, "Connection": "close"}))
        await exchange.send_cut(gzip.compress(b"".join(events)), 1)
        exchange.hang_up()

    return script


def noisy(*events: bytes) -> Script:
    """With a BOM, comments, pings and fields that nobody knows between all events."""
    noise = b': ping\n\nevent: ping\ndata: {"type": "ping"}\n\ndata:\n\nid: 7\nretry: 3\nwhat\n\n'
    return sse(b"\xef\xbb\xbf", *(noise + part for part in events))


def lying(*events: bytes) -> Script:
    """With headers that are all wrong, many and long."""
    lies = {"X-Long": "x" * 20_000, **{f"X-{n}": "y" for n in range(100)}}
    data = b"".join(map(chunked, events)).replace(b"\r\n", b";ext=1\r\n", 1)
    fields = head(201, {**CHUNKED, **lies}, "application/json; charset=utf-16")
    return raw(fields + data + b"0\r\nX-Trailer: 1\r\n\r\n")


WAYS: list[Way] = [by_event, by_byte, at_once, to_the_end, crlf, zipped, zipped_to_the_end, noisy, lying]

A = chunk("Ünï ")
B = chunk('"quoted"\\n\n')
TEXT = 'Ünï "quoted"\\n\n'
ROLE = chunk(delta={"role": "assistant", "content": ""})
WITH_USAGE = [chunk(f"{n} ", usage={"prompt_tokens": 9, "completion_tokens": n}) for n in range(5)]
BOOM = event({"error": {"message": "boom", "type": "server_error"}})
TOO_FAST = event({"error": {"message": "Too fast. Please try again in 3s", "code": "rate_limit_exceeded"}})

GOOD: dict[str, tuple[list[bytes], dict[str, Any]]] = {
    "usual": ([ROLE, A, B, finish(), usage(), DONE], {"prompt_tokens": 10}),
    "no done": ([ROLE, A, B, finish()], {"prompt_tokens": None}),
    "no finish": ([A, B, DONE], {"finish_reason": None, "warnings": ("no_finish_reason",)}),
    "done without newline": ([A, B, finish(), DONE.strip()], {}),
    "text at the end": ([A, chunk('"quoted"\\n\n', "stop"), DONE], {}),
    "twice finished": ([A, B, finish(), chunk("", "length"), usage(), DONE], {"finish_reason": "stop"}),
    "thoughts": ([chunk(delta={"reasoning": "hm", "content": None}), A, B, finish(), DONE], {}),
    "other choices": ([event({"choices": [{"index": 1, "delta": {"content": "no"}}]}), A, B, finish(), DONE], {}),
    "azure": ([event({"choices": [], "model": ""}), A, B, finish("eos"), usage(), DONE, DONE], {"model": "m"}),
    "half an event at the end": ([A, B, finish(), chunk("x")[:-9]], {}),
    "late error": ([A, B, finish(), DONE, BOOM], {}),
}

BAD: dict[str, tuple[list[bytes], Kind, int]] = {
    "cut": ([ROLE, A, B], Kind.TRUNCATED, 5),
    "cut in an event": ([ROLE, A, B[:-30]], Kind.TRUNCATED, 5),
    "error": ([A, BOOM, DONE], Kind.SERVER, 5),
    "error after the end": ([A, finish(), BOOM, DONE], Kind.SERVER, 5),
    "no json": ([A, b"data: oops\n\n", DONE], Kind.SERVER, 5),
    "nothing but done": ([DONE], Kind.EMPTY, 3),
    "an empty stop": ([ROLE, finish(), usage(), DONE], Kind.EMPTY, 3),
    "white space": ([chunk(" \n "), finish(), DONE], Kind.EMPTY, 3),
    "thoughts only": ([chunk(delta={"reasoning": "hm"}), finish("length"), DONE], Kind.LENGTH, 1),
    "filtered": ([A, finish("content_filter"), DONE], Kind.FILTERED, 1),
    "a tool": ([chunk(delta={"tool_calls": [{"id": "1"}]}), finish("tool_calls"), DONE], Kind.TOOL_CALL, 1),
    "aborted": ([A, finish("abort"), DONE], Kind.SERVER, 5),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("story", GOOD)
async def test_good_answers(story: str, way: Way) -> None:
    """The same completion, one request."""
    events, expected = GOOD[story]
    done = await ask(way(*events))
    assert (done.good.text, done.asked, done.good.attempts) == (TEXT, 1, 1)
    assert {name: getattr(done.good, name) for name in expected} == expected


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("story", BAD)
async def test_bad_answers(story: str, way: Way) -> None:
    """The same failure after the same number of requests."""
    events, kind, asked = BAD[story]
    done = await ask(way(*events))
    assert (done.failure.kind, done.asked) == (kind, asked)


@pytest.mark.parametrize("way", WAYS)
async def test_usage_in_every_chunk(way: Way) -> None:
    """The last counts."""
    done = await ask(way(*WITH_USAGE, finish(), DONE))
    assert (done.good.text, done.good.completion_tokens) == ("0 1 2 3 4 ", 4)


@pytest.mark.parametrize("way", WAYS)
async def test_a_rate_refusal_inside_a_stream(way: Way) -> None:
    """Its words say how long to wait; uncharged, unless it refuses the rest of an answer that had begun."""
    done = await ask(way(TOO_FAST, DONE), way(A, B, finish(), DONE))
    assert (done.good.attempts, done.desk.gate.settled[0]) == (1, (Outcome.RATE, 3.0))
    done = await ask(way(A, TOO_FAST, DONE), way(A, B, finish(), DONE))
    assert (done.good.attempts, done.desk.gate.settled[0]) == (2, (Outcome.RATE, 3.0))


@pytest.mark.parametrize("no_stream", [True, False])
@pytest.mark.parametrize("way", [way for way in WAYS if way is not noisy])
async def test_whole_answers(way: Way, no_stream: bool) -> None:
    """A JSON body, asked for or not; and a stream where none was asked for."""
    plain = Generation(no_stream=no_stream)
    whole = orjson.dumps(completion(TEXT))
    done = await ask(way(b"\n\n" + whole), generation=plain)
    assert (done.good.text, done.good.prompt_tokens, done.asked) == (TEXT, 10, 1)
    assert (await ask(way(A, B, finish(), DONE), generation=plain)).good.text == TEXT
    done = await ask(way(orjson.dumps({"error": {"message": "no", "code": "content_filter"}})), generation=plain)
    assert done.failure.kind is Kind.FILTERED
    done = await ask(way(whole[:-40]), way(whole), generation=plain)
    assert (done.good.text, done.good.attempts) == (TEXT, 2)
    lines = b"".join(part[6:-1] for part in (A, B, finish()))
    assert (await ask(way(lines), generation=plain)).good.text == TEXT
    listed = b"[" + b",".join(part[6:-2] for part in (A, B, finish())) + b"]"
    assert (await ask(way(listed), generation=plain)).good.text == TEXT


async def hang_up(exchange: Exchange) -> None:
    """No word."""
    exchange.hang_up()


def partly(data: bytes) -> Script:
    """These bytes, and the end."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(data)
        exchange.hang_up()

    return script


@pytest.mark.parametrize(
    "script",
    [
        hang_up,
        partly(b"HTTP/1.1 200"),
        partly(b"HTTP/1.1 200 OK\r\nContent-Ty"),
        partly(head(200, CHUNKED)),
        partly(head(200, CHUNKED) + b"zz\r\n"),
        partly(head(200, CHUNKED) + b"1"),
        partly(head(200, CHUNKED) + b"fffffff\r\n" + A),
        partly(head(200, {"Content-Length": "99999"}) + A),
        partly(head(200, {"Content-Length": "-1"}) + A),
        partly(head(200, {"Content-Length": "abc"}) + A),
        partly(b"HTTP/9.9 200 OK\r\n\r\n"),
        partly(b"\x16\x03\x01\x00\x05hello"),
        raw(head(204)),
        raw(head(200, {"Content-Length": "0"})),
        body(b"\x1f\x8b\x08\x00broken", Content_Encoding="gzip"),
        body(b"abc", Content_Encoding="br"),
        partly(head(502, {"Content-Length": "99"}) + b"<html>"),
        error(503, {}),
        body(gzip.compress(b'{"error":"x"}'), 500, Content_Encoding="gzip"),
        body(b"plain", 500, Content_Encoding="gzip"),
        body(b"x" * 2_000_000, 500),
        raw(head(500, CHUNKED) + b"bad chunk"),
        error(408, {}),
        error("599 Odd", {}),
        error(429, {}),
        body(b'{"error": ', 429),
    ],
)
async def test_any_passing_trouble_is_survived(script: Script) -> None:
    """Whatever it was, the next request succeeds, on a connection that works."""
    done = await ask(script, sse(good("ok")))
    assert (done.good.text, done.asked) == ("ok", 2)
    async with Server(sse(good("first")), script, sse(good("ok"))) as server, desk(server) as counter:
        assert [(await counter.ask()).text for _ in range(3)] == ["first", "ok", "ok"]


async def test_an_answer_nobody_asked_for_on_an_idle_connection() -> None:
    """Load balancers say 408 to idle connections before they close them."""

    async def script(exchange: Exchange) -> None:
        await sse(good("ok"))(exchange)
        await exchange.send(b"HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.01)
        exchange.hang_up()

    async with Server(script) as server, desk(server) as counter:
        answers = []
        for pause in (0, 0.003, 0.02, 0):
            answers.append(await counter.ask())
            await asyncio.sleep(pause)
        assert {answer.text for answer in answers} == {"ok"}
