"""Parameters that a server refuses: swapped or dropped once, remembered, told, and never charged."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import pytest
from asking import ask, desk
from server import Exchange, Script, Server, error, good, sse

from contextvqa_async.client.dialect import Dialect
from contextvqa_async.config import Generation
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.faults import read_error

FULL = Generation(temperature=0.16, top_p=0.9, max_tokens=100, seed=3)


def picky(*refused: str, status: int = 400, words: str = "Unsupported parameter: '{}' is not supported.") -> Script:
    """A server that refuses these parameters, one at a time."""

    async def script(exchange: Exchange) -> None:
        sent = exchange.request.json
        for name in refused:
            if name in sent:
                told = {"error": {"message": words.format(name), "type": "invalid_request_error", "param": name}}
                return await error(status, told)(exchange)
        return await sse(good())(exchange)

    return script


R01 = {
    "message": "Unsupported parameter: 'max_tokens' is not supported with this model."
    " Use 'max_completion_tokens' instead.",
    "type": "invalid_request_error",
    "param": "max_tokens",
    "code": "unsupported_parameter",
}


@pytest.mark.parametrize("told", [R01, {"message": R01["message"], "code": "invalid_request_body"}])
async def test_r01_max_tokens_is_swapped(told: dict[str, Any]) -> None:
    """By its field, or by the message alone; the value stays."""
    async with Server(error(400, {"error": told}), sse(good())) as server, desk(server, generation=FULL) as counter:
        assert (await counter.ask()).attempts == 1
        assert (await counter.ask()).attempts == 1
        assert [request.json.get("max_completion_tokens") for request in server.requests] == [None, 100, 100]
        assert [request.json.get("max_tokens") for request in server.requests] == [100, None, None]
        assert len(counter.notices) == 1
        assert "max_completion_tokens" in counter.notices[0]
        assert counter.retries == []


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: 'temperature' does not support 0.16 with this model. Only the default (1) is supported.",
        "field Temperature invalid, only 1 is allowed for this model",
        "`temperature` is deprecated for this model",
    ],
)
async def test_r02_a_sampling_value_is_dropped(message: str) -> None:
    """However it is said."""
    done = await ask(error(400, {"error": {"message": message}}), sse(good()), generation=FULL)
    assert (done.good.attempts, "temperature" in done.server.requests[1].json) == (1, False)


@pytest.mark.parametrize(
    "told",
    [
        {
            "object": "error",
            "message": {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "stream_options", "include_usage"],
                        "msg": "Extra inputs are not permitted",
                    }
                ]
            },
            "type": "invalid_request_error",
            "code": None,
        },
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
            ]
        },
        {
            "error": {
                "message": "Extra inputs are not permitted, field: 'stream_options'",
                "type": "invalid_request_error",
            }
        },
    ],
)
@pytest.mark.parametrize("status", [400, 422])
async def test_r03_stream_options_are_dropped(told: dict[str, Any], status: int) -> None:
    """Usage is optional data."""
    done = await ask(error(status, told), sse(good()))
    assert (done.good.attempts, "stream_options" in done.server.requests[1].json) == (1, False)


async def test_r04_at_most_three_changes() -> None:
    """Then the refusal is the record's."""
    done = await ask(picky("temperature", "top_p", "seed"), generation=FULL)
    assert (done.good.attempts, done.asked, len(done.desk.notices)) == (1, 4, 3)
    done = await ask(picky("temperature", "top_p", "seed", "max_tokens"), generation=FULL)
    assert (done.failure.kind, done.failure.attempts, done.asked) == (Kind.INVALID_REQUEST, 1, 4)


async def test_r04_what_must_be_sent_is_never_dropped() -> None:
    """model, messages and stream."""
    for name in ("model", "messages", "stream"):
        done = await ask(error(400, {"error": {"message": f"Invalid '{name}'", "param": name}}), sse(good()))
        assert (done.failure.status, done.asked) == (400, 1)


async def test_r06_seed_under_another_name() -> None:
    """Where the refusal names it."""
    told = {"error": {"message": "Extra input 'seed'; did you mean 'random_seed'?"}}
    done = await ask(error(422, told), sse(good()), generation=FULL)
    assert done.server.requests[1].json["random_seed"] == 3


async def test_extra_body_is_optional_too() -> None:
    """What the user gave is dropped as well, and told."""
    done = await ask(picky("enable_thinking"), generation=Generation(extra_body={"enable_thinking": False}))
    assert (done.good.attempts, len(done.desk.notices)) == (1, 1)


async def test_many_in_flight_learn_it_together() -> None:
    """Each was refused once, none is charged, one notice."""
    async with Server(picky("seed")) as server, desk(server, generation=FULL) as counter:
        answers = await asyncio.gather(*(counter.ask() for _ in range(20)))
        assert {answer.attempts for answer in answers} == {1}
        assert len(counter.notices) == 1
        assert len(server.requests) <= 40


async def test_a_refusal_of_something_else_changes_nothing() -> None:
    """Words that happen to be parameters elsewhere, and limits that are too long for one record."""
    for message in ("Please stop sending empty text", "maximum context length is 10, max_tokens 100 is too large"):
        generation = Generation(max_tokens=100, extra_body={"stop": ["x"]})
        done = await ask(error(400, {"error": {"message": message}}), generation=generation)
        assert (done.failure.status, done.asked, done.desk.notices) == (400, 1, [])


def test_the_body_is_made_once() -> None:
    """Its head is bytes, and changes only with the dialect."""
    dialect = Dialect("m", FULL)
    head = dialect.head
    assert dialect.head is head
    refusal = read_error({"error": {"message": "Unknown parameter", "param": "seed"}})
    changed = dialect.without(refusal)
    assert changed is not None
    assert (b"seed" in dialect.head, b"seed" in changed.head) == (True, False)
    assert (changed.without(refusal), changed.repeats(refusal)) == (None, "seed")


def refusing(message: str, record: str = "odd", **told: object) -> Script:
    """A server that refuses one record, whatever its parameters are."""

    async def script(exchange: Exchange) -> None:
        if record in exchange.request.json["messages"][0]["content"]:
            return await error(400, {"error": {"message": message, "type": "invalid_request_error"} | told})(exchange)
        return await sse(good())(exchange)

    return script


@pytest.mark.parametrize(
    ("told", "requests"),
    [
        ({"message": "max_tokens must be at least 1, got -57."}, 1),
        ({"message": "max_tokens must be at least 1, got -57.", "param": "max_tokens"}, 1),
        ({"message": "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."}, 1),
        ({"message": "Invalid 'temperature': decimal above maximum value.", "param": "temperature"}, 1),
        ({"message": "Invalid message content at: 'What temperature does a seed need?'"}, 1),
        ({"message": 'Unsupported message content: "What temperature does a seed need?"'}, 1),
        ({"message": "Unsupported content: What temperature does a seed need?"}, 2),
        ({"message": "Unknown words: seed, temperature, top_p"}, 2),
        ({"message": "Unexpected content", "param": "seed"}, 2),
    ],
)
async def test_one_records_refusal_takes_no_parameter_from_the_others(told: dict[str, Any], requests: int) -> None:
    """It says nothing of the parameter, echoes the record, or is repeated without: all others are sent everything."""
    every = {"temperature", "top_p", "max_tokens", "seed"}
    async with Server(refusing(**told)) as server, desk(server, generation=FULL) as counter:
        for text in ("even", "odd", "even", "odd", "even"):
            with pytest.raises(RecordError) if text == "odd" else nullcontext() as refused:
                await counter.ask(b'[{"role":"user","content":"%s"}]' % text.encode())
            assert refused is None or (refused.value.status, refused.value.attempts) == (400, 1)
        sent = [every - request.json.keys() for request in server.requests if b"even" in request.body]
        assert (sent, counter.notices) == ([set()] * 3, [])
        assert len(server.requests) == 3 + requests + 1  # what was not_at_fault once is not tried again


async def test_a_parameter_is_dropped_for_all_once_its_record_was_answered() -> None:
    """Until then others are sent it; trouble on the way changes nothing."""
    refusal = error(400, {"error": {"message": "Unsupported parameter: 'seed'", "param": "seed"}})
    async with (
        Server(refusal, error(500, {}), error(429, {}), sse(good())) as server,
        desk(server, generation=FULL) as counter,
    ):
        assert (await counter.ask()).attempts == 2
        await counter.ask()
        assert ["seed" in request.json for request in server.requests] == [True, False, False, False, False]
        assert len(counter.notices) == 1
