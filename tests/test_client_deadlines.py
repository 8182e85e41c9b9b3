"""It ends: each phase of a request has its deadline, and no server can hold one up."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from asking import ask, desk, sockets_to
from server import DONE, END, Exchange, Server, chunk, chunked, completion, finish, good, hang, head, sse, usage

from contextvqa_async.client.wire import Wire
from contextvqa_async.config import Generation
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.pacing import Outcome

LOOPS = [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})]
"""They look at their timers and at their sockets in another order."""

STREAM = head(200, {"Transfer-Encoding": "chunked"})
ROLE = chunk(delta={"role": "assistant", "content": ""})


async def silent(exchange: Exchange) -> None:
    """Read the request, and say nothing."""
    await exchange.server.done.wait()


def pinging(*events: bytes, ping: bytes = b": keep-alive\n\n", every: float = 0.02) -> object:
    """These events, and then pings for ever."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(STREAM, *map(chunked, events))
        while not exchange.server.done.is_set():
            await exchange.send(chunked(ping))
            await asyncio.sleep(every)

    return script


async def test_h07_no_answer_at_all() -> None:
    """The headers may take as long as the first payload, and no longer (E-25)."""
    done = await ask(silent, sse(good()), first_timeout=0.1)
    assert (done.good.attempts, done.desk.gate.settled[0][0]) == (2, Outcome.OVERLOAD)
    done = await ask(silent, first_timeout=0.05, max_attempts=2)
    assert (done.failure.kind, done.failure.retryable, done.asked) == (Kind.TIMEOUT, True, 2)
    assert "0.05 s" in str(done.failure)


@pytest.mark.parametrize("ping", [b": ping\n\n", b'data: {"type":"ping"}\n\n', b"data:\n\n", ROLE, chunk("")])
async def test_h07_pings_and_roles_are_no_payload(ping: bytes) -> None:
    """They move no deadline, neither the first nor the gap between payloads."""
    for events in ((), (chunk("Half"),)):
        done = await ask(pinging(*events, ping=ping), sse(good()), first_timeout=0.15, stall_timeout=0.15)  # type: ignore[arg-type]
        assert (done.good.text, done.good.attempts) == ("Hello", 2)
        assert done.good.seconds < 1


async def test_h07_a_stall_is_dropped_and_asked_again_while_others_go_on() -> None:
    """One of many; it costs the others nothing."""
    async with Server(hang(chunk("Half")), sse(good())) as server, desk(server, stall_timeout=0.2) as counter:
        answers = await asyncio.gather(*(counter.ask() for _ in range(10)))
        assert sorted(answer.attempts for answer in answers) == [1] * 9 + [2]
        assert {answer.text for answer in answers} == {"Hello"}


async def test_h07_the_whole_attempt_has_a_deadline() -> None:
    """A stream that never ends is cut, however steadily it comes."""
    done = await ask(pinging(ping=chunk("on and on ")), timeout=0.2, max_attempts=1)  # type: ignore[arg-type]
    assert done.failure.kind is Kind.TIMEOUT
    assert "longer than 0.2 s" in str(done.failure)


async def test_a_slow_stream_with_short_gaps_is_no_stall() -> None:
    """The gap counts, not the sum."""

    async def slow(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        for _ in range(8):
            await asyncio.sleep(0.05)
            await exchange.send(chunked(chunk("a")))
        await exchange.send(chunked(finish() + DONE), END)

    done = await ask(slow, first_timeout=0.2, stall_timeout=0.2)
    assert (done.good.text, done.asked) == ("a" * 8, 1)
    assert 0.04 < (done.good.first_token_seconds or 0) < 0.2 < done.good.seconds


async def test_the_end_is_not_waited_for() -> None:
    """H-06: after [DONE], or finish and usage, an open body delays the answer by a moment only."""
    for events in ((chunk("a"), finish(), usage(), DONE), (chunk("a"), finish(), usage())):
        started = time.monotonic()
        done = await ask(hang(*events), stall_timeout=30)
        assert (done.good.text, done.asked) == ("a", 1)
        assert time.monotonic() - started < 1.5


async def test_a_finish_without_usage_or_done_is_waited_for_a_while() -> None:
    """Up to the stall deadline at most; the answer counts."""
    done = await ask(hang(chunk("a"), finish()), stall_timeout=0.1)
    assert (done.good.text, done.asked) == ("a", 1)


async def test_without_a_stream_the_whole_answer_has_one_deadline() -> None:
    """Nothing comes while it is made, or blank lines while the request queues (F-20); half a body is none."""
    whole = Generation(no_stream=True)

    async def queueing(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Transfer-Encoding": "chunked"}, "application/json"))
        while not exchange.server.done.is_set():
            await exchange.send(chunked(b"\n"))
            await asyncio.sleep(0.02)

    async def half(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Content-Length": "1000"}, "application/json"), b'{"choices":')
        await exchange.server.done.wait()

    async def patient(exchange: Exchange) -> None:
        data = json.dumps(completion("Hi")).encode()
        await exchange.send(head(200, {"Content-Length": str(len(data) + 2)}, "application/json"))
        for part in (b"\n", b"\n", data[:9], data[9:]):
            await asyncio.sleep(0.05)
            await exchange.send(part)

    for script in (silent, queueing, half):
        done = await ask(script, patient, generation=whole, timeout=0.5, first_timeout=0.02, stall_timeout=0.02)
        assert (done.good.text, done.good.attempts) == ("Hi", 2)
    done = await ask(patient, generation=whole, first_timeout=0.02, stall_timeout=0.02)
    assert (done.good.text, done.asked) == ("Hi", 1)


async def test_a_body_that_hangs_behind_an_error_is_not_waited_for() -> None:
    """The status has said enough."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(400, {"Content-Length": "100"}), b'{"error":{"message":"no')
        await exchange.server.done.wait()

    done = await ask(script, first_timeout=0.2)
    assert (done.failure.status, done.asked) == (400, 1)


async def test_a_server_that_accepts_and_never_reads() -> None:
    """A big upload ends by its deadline too, and its socket is closed at once."""

    async def deaf(exchange: Exchange) -> None:
        await exchange.server.done.wait()

    async with Server(deaf, read_body=False) as server, desk(server, first_timeout=0.2, max_attempts=1) as counter:
        with pytest.raises(RecordError) as caught:
            await counter.ask(b'"' + b"x" * 30_000_000 + b'"')
        assert caught.value.kind is Kind.TIMEOUT
        assert sockets_to(server.port) == 0


async def test_connecting_has_a_deadline() -> None:
    """An address that swallows packets."""
    async with desk("http://192.0.2.1:9/v1", connect_timeout=0.1, max_attempts=1) as counter:
        started = time.monotonic()
        with pytest.raises(RecordError) as caught:
            await counter.ask()
        assert caught.value.kind in (Kind.TIMEOUT, Kind.CONNECTION)
        assert time.monotonic() - started < 1.5
        assert counter.gate.ended[0].headers is None


async def test_coalesced_reads_keep_text_and_time() -> None:
    """A trickle is read in batches after a while; nothing is lost, and the end comes in time."""

    async def trickle(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        for number in range(150):
            await asyncio.sleep(0.004)
            await exchange.send(chunked(chunk(f"{number} ")))
        await exchange.send(chunked(finish() + usage() + DONE), END)

    done = await ask(trickle)
    assert done.good.text == "".join(f"{number} " for number in range(150))
    assert len(done.desk.gate.progress) < 140


def standing_still(*pieces: bytes, rest: bytes, seconds: float = 0.25) -> object:
    """These pieces one by one; then the rest, while the client's process stands still."""

    async def script(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.send(piece)
            await asyncio.sleep(0.005)
        exchange.writer.write(rest)
        time.sleep(seconds)  # noqa: ASYNC251 - the server and the client share the loop that is blocked

    return script


WORDS = [chunked(chunk("a ")) for _ in range(40)]
REST = b"".join([*map(chunked, [chunk("a " * 200_000), finish(), usage(), DONE]), END])
"""More than what one read takes."""


@pytest.mark.parametrize("anyio_backend", LOOPS)
@pytest.mark.parametrize(
    ("pieces", "rest", "limits"),
    [
        ((), STREAM + REST, {"first_timeout": 0.1}),
        ((STREAM,), REST, {"first_timeout": 0.1}),
        ((STREAM, *WORDS[:2]), REST, {"stall_timeout": 0.1}),
        ((STREAM, *WORDS), REST, {"stall_timeout": 0.1}),  # a stream that is held in the kernel
        ((STREAM, *WORDS[:2]), REST, {"timeout": 0.1}),
    ],
)
async def test_what_came_while_the_process_stood_still_is_read_before_a_deadline_counts(
    pieces: tuple[bytes, ...], rest: bytes, limits: dict[str, float]
) -> None:
    """Ctrl-Z, a container's pause, a blocked loop: an answer that is there is not asked, and paid, for again."""
    done = await ask(standing_still(*pieces, rest=rest), **limits)  # type: ignore[arg-type]
    assert (done.good.text[-8:], done.asked) == ("a a a a ", 1)


@pytest.mark.parametrize("anyio_backend", LOOPS)
async def test_a_silent_server_has_no_longer_than_the_process_stood_still() -> None:
    """Where nothing has come meanwhile, the deadline holds."""
    for limits in ({"first_timeout": 0.1}, {"timeout": 0.1}):
        started = time.monotonic()
        done = await ask(standing_still(STREAM, rest=chunked(b": ping\n\n")), max_attempts=1, **limits)  # type: ignore[arg-type]
        assert done.failure.kind is Kind.TIMEOUT
        assert time.monotonic() - started < 2


async def test_a_timer_that_comes_early_does_not_put_off_the_end() -> None:
    """uvloop's timers may come up to a millisecond early: the last look is taken once, all the same."""
    wire = Wire(0.0, 100.0)
    try:
        wire._look()
        assert not wire.expired
        wire._look()  # early: the deadline of the last look is yet to come
        wire.due = wire._loop.time() - 1  # it comes
        wire._look()
        assert wire.expired
    finally:
        wire.close()
