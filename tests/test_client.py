"""One record over the wire: what an answer becomes, and what its request looks like."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from asking import KEY, Gate, ask, desk
from server import (
    DONE,
    Exchange,
    Script,
    Server,
    body,
    chunk,
    completion,
    cut,
    error,
    event,
    finish,
    good,
    head,
    raw,
    sse,
    until_close,
    usage,
)

from contextvqa_async.admission import Admission
from contextvqa_async.client import Client
from contextvqa_async.client.endpoint import Attempts
from contextvqa_async.config import Endpoint, Generation, Limits
from contextvqa_async.errors import Kind, RecordError, RunError
from contextvqa_async.pacing import Outcome

SERVER_ERROR = error(500, {"error": {"message": "boom", "type": "server_error"}})


async def test_a_stream_becomes_a_completion() -> None:
    """Text, counts, model and times are handed on; one request, one attempt."""
    done = await ask(sse(good("An article."), headers={"x-request-id": "r1"}))
    assert (done.good.text, done.good.finish_reason, done.good.model) == ("An article.", "stop", "m")
    assert (done.good.prompt_tokens, done.good.completion_tokens, done.good.attempts) == (10, 5, 1)
    assert done.good.request_id == "r1"
    assert done.good.seconds >= (done.good.first_token_seconds or 9) > 0
    assert done.desk.gate.settled == [(Outcome.OK, None)]
    assert done.desk.gate.progress[-1] == len("An article.") / 4


async def test_the_body_is_minimal_and_the_messages_are_spliced() -> None:
    """R-04, R-16: nothing is sent that was not asked for, and the messages pass as they are."""
    done = await ask(sse(good()), messages=b'[{"role":"user","content":"\\u00e9 x"}]')
    request = done.server.requests[0]
    assert b'"messages":[{"role":"user","content":"\\u00e9 x"}]}' in request.body
    assert set(request.json) == {"model", "stream", "stream_options", "messages"}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-length"] == str(len(request.body))
    assert "cookie" not in request.headers


async def test_options_and_extra_body_are_merged_at_the_top() -> None:
    """R-05: what the user gives wins over what we send."""
    extra = {"enable_thinking": False, "temperature": 0.2, "stream_options": None}
    done = await ask(sse(good()), generation=Generation(temperature=1.0, seed=7, max_tokens=9, extra_body=extra))
    sent = done.server.requests[0].json
    assert (sent["temperature"], sent["seed"], sent["max_tokens"], sent["enable_thinking"]) == (0.2, 7, 9, False)
    assert sent["stream_options"] is None


async def test_without_a_stream() -> None:
    """--no-stream asks for a whole answer, and takes one."""
    done = await ask(body(orjson_bytes(completion("Whole."))), generation=Generation(no_stream=True))
    assert (done.good.text, done.good.prompt_tokens) == ("Whole.", 10)
    assert done.server.requests[0].json["stream"] is False


def orjson_bytes(value: object) -> bytes:
    """JSON, as a server sends it."""
    import orjson

    return orjson.dumps(value)


async def test_f13_the_last_event_needs_no_blank_line() -> None:
    """At a clean end, what is pending and whole counts."""
    done = await ask(until_close(chunk("Hi"), finish().rstrip()))
    assert (done.good.text, done.good.finish_reason) == ("Hi", "stop")


async def test_f14_a_json_body_under_a_stream() -> None:
    """A whole completion is read although a stream was asked for, whatever its content type says."""
    for kind in ("application/json", "text/event-stream", "text/plain"):
        done = await ask(body(orjson_bytes(completion("Whole.")), kind=kind))
        assert done.good.text == "Whole."


async def test_f14_an_error_under_a_200() -> None:
    """It is classed by its code."""
    told = {"error": {"message": "Slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}
    done = await ask(error(200, told), sse(good()))
    assert done.good.attempts == 1
    assert done.desk.gate.settled[0][0] is Outcome.RATE


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"<html><body>Blocked by policy</body></html>", Kind.BAD_RESPONSE),
        (b"upstream connect error", Kind.BAD_RESPONSE),
        (b"", Kind.EMPTY),
        (b"   \n\n", Kind.EMPTY),
    ],
)
async def test_f14_what_is_no_answer_is_asked_again_a_few_times(answer: bytes, kind: Kind) -> None:
    """Pages and empty bodies under a 200 fail after three requests, with their first words."""
    done = await ask(body(answer, kind="text/event-stream"))
    assert (done.failure.kind, done.asked, done.failure.retryable, done.failure.attempts) == (kind, 3, True, 3)
    assert answer[:6].strip().decode().strip("<html>") in str(done.failure)


async def test_f15_an_event_that_is_no_json() -> None:
    """It fails the request, which is asked again; the raw words are in the failure."""
    line = b"data: 'NoneType' object has no attribute 'x'\n\n"
    assert (await ask(sse(chunk("a"), line, DONE), sse(good("ok")))).good.text == "ok"
    done = await ask(sse(chunk("a"), line, DONE))
    assert "NoneType" in str(done.failure)
    assert done.asked == 5


async def test_f18_a_long_event_passes_and_an_endless_one_fails_cleanly() -> None:
    """5 MB are an event; 20 MB are not."""
    long = "x" * 5_000_000
    assert (await ask(sse(chunk(long), finish(), DONE))).good.text == long
    done = await ask(until_close(chunk("y" * 20_000_000), finish(), DONE))
    assert done.failure.kind is Kind.BAD_RESPONSE
    assert "16 MB" in str(done.failure)


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_rule_8_a_cut_stream_is_asked_again(how: str) -> None:
    """Neither finish reason nor [DONE]: the partial text is thrown away."""
    done = await ask(cut(chunk("Half an"), how=how), sse(good("All of it")))
    assert (done.good.text, done.good.attempts, done.asked) == ("All of it", 2, 2)
    assert done.desk.gate.settled[0][0] is Outcome.FAULT


async def test_h04_a_cut_on_a_body_that_ends_with_its_connection() -> None:
    """HTTP sees a clean end there; the stream is truncated all the same."""
    done = await ask(until_close(chunk("Half an")), sse(good("All")))
    assert (done.good.text, done.good.attempts) == ("All", 2)


async def test_e23_an_error_hidden_as_an_empty_chunk() -> None:
    """Ollama: an empty chunk, then the end, without finish and [DONE]."""
    done = await ask(until_close(chunk("a"), chunk("")), sse(good("All")))
    assert done.good.text == "All"


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_rule_5_a_finish_reason_outlives_a_cut(how: str) -> None:
    """What came after the end does not matter."""
    done = await ask(cut(chunk("All"), finish(), how=how))
    assert (done.good.text, done.asked) == ("All", 1)


@pytest.mark.parametrize("reason", ["stop", "null"])
async def test_a_finish_reason_in_each_chunk_is_none(reason: str) -> None:
    """Neither a cut nor a pause ends the answer; its body's own end does, and so does [DONE]."""
    each = [chunk(word, reason) for word in ("a", "b", "c")]

    async def pausing(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Connection": "close"}), *each[:2])
        await asyncio.sleep(0.1)
        await exchange.send(each[2], finish(), DONE)
        exchange.hang_up()

    for script in (cut(*each), cut(*each, how="rst"), until_close(*each)):
        done = await ask(script, sse(good()), max_attempts=2)
        assert (done.good.text, done.good.attempts) == ("Hello", 2)
    assert (await ask(pausing, max_attempts=1)).good.text == "abc"
    if reason == "stop":
        assert (await ask(sse(*each), max_attempts=1)).good.text == "abc"


async def test_c22_done_without_a_finish_reason() -> None:
    """[DONE] and text are an answer, with a warning."""
    done = await ask(sse(chunk("All"), DONE))
    assert (done.good.text, done.good.finish_reason, done.good.warnings) == ("All", None, ("no_finish_reason",))


async def test_rule_6_an_empty_answer_is_asked_three_times() -> None:
    """E-24: proxies turn errors into an empty stop."""
    done = await ask(sse(finish(), DONE))
    assert (done.failure.kind, done.asked) == (Kind.EMPTY, 3)
    assert (await ask(sse(DONE), sse(good("a")))).good.attempts == 2


async def test_length_with_text_is_the_pipelines_to_judge() -> None:
    """The completion says that it was cut by the limit."""
    done = await ask(sse(chunk("Half"), finish("max_tokens"), DONE))
    assert (done.good.text, done.good.finish_reason, done.good.truncated) == ("Half", "length", True)


async def test_rule_4_a_budget_spent_on_reasoning() -> None:
    """Asking again would end alike: failed, terminal."""
    done = await ask(sse(chunk(delta={"reasoning_content": "Hm"}), finish("length"), DONE))
    assert (done.failure.kind, done.failure.retryable, done.asked) == (Kind.LENGTH, False, 1)


@pytest.mark.parametrize("word", ["content_filter", "SAFETY", "sensitive", "refusal", "guardrail_intervened"])
async def test_rule_3_a_filter_word_is_final(word: str) -> None:
    """Whatever text came before."""
    done = await ask(sse(chunk("Half"), finish(word), DONE))
    assert (done.failure.kind, done.failure.retryable, done.asked) == (Kind.FILTERED, False, 1)


@pytest.mark.parametrize("word", ["error", "abort", "network_error", "insufficient_system_resource"])
async def test_rule_2_a_finish_reason_that_is_a_failure(word: str) -> None:
    """Asked again."""
    assert (await ask(sse(chunk("Half"), finish(word), DONE), sse(good("ok")))).good.attempts == 2


async def test_c15_a_refusal_is_final() -> None:
    """The API's own refusal field, without text."""
    done = await ask(sse(chunk(delta={"content": None, "refusal": "I can't help"}), finish(), DONE))
    assert (done.failure.kind, done.asked) == (Kind.REFUSED, 1)
    assert "I can't help" in str(done.failure)


async def test_c16_a_tool_call_is_final() -> None:
    """Nobody asked for one."""
    call = [{"index": 0, "function": {"name": "f", "arguments": ""}}]
    done = await ask(sse(chunk(delta={"tool_calls": call}), finish("tool_calls"), DONE))
    assert (done.failure.kind, done.asked) == (Kind.TOOL_CALL, 1)


@pytest.mark.parametrize(
    "told",
    [
        event({"error": {"object": "error", "message": "boom", "type": "InternalServerError", "code": 500}}),
        event({"error": "boom"}),
        event({"error": [{"message": "boom"}]}),
        b'event: error\ndata: {"error":{"message":"boom"},"message":"boom"}\n\n',
        b"event: error\ndata: boom\n\n",
        b'error: {"code":500,"message":"boom","type":"server_error"}\n\n',
        event({"object": "error", "message": "boom", "code": 500}),
        chunk("", finish="error", error={"code": "server_error", "message": "boom"}),
        event({"error": {"value": {"error_message": "boom"}}}),
    ],
)
async def test_e20_to_e22_an_error_inside_a_stream(told: bytes) -> None:
    """It beats the text before it and the [DONE] behind it."""
    done = await ask(sse(chunk("Half"), told, DONE), sse(good("ok")))
    assert (done.good.text, done.good.attempts) == ("ok", 2)
    assert any("boom" in retry for retry in done.desk.retries)
    assert "boom" in str((await ask(sse(chunk("Half"), told, DONE), max_attempts=1)).failure)


async def test_e20_an_error_inside_a_stream_is_classed_by_its_code() -> None:
    """A context that is too long is the record's own fault, in a stream too."""
    told = {"error": {"code": 400, "message": "the request exceeds the available context size"}}
    done = await ask(sse(event(told), DONE))
    assert (done.failure.kind, done.asked) == (Kind.TOO_LARGE, 1)


async def test_a_null_error_is_none() -> None:
    """Some servers name the key in each chunk."""
    assert (await ask(sse(chunk("a", error=None), chunk("b", finish="stop", error=None), DONE))).good.text == "ab"


async def test_e19_any_2xx_is_a_success() -> None:
    """Portkey's 246 holds a whole answer."""
    stream = chunk("ok") + finish() + DONE
    assert (await ask(raw(head(246, {"Content-Length": str(len(stream))}) + stream))).good.text == "ok"


async def test_attempts_are_bounded() -> None:
    """--max-attempts requests in all, with a back-off between them; every fact is in the failure."""
    told = {"error": {"message": f"boom {KEY}", "type": "server_error", "code": "oops"}}
    done = await ask(error(500, told, x_request_id="r9"), max_attempts=3)
    failure = done.failure
    assert (failure.kind, failure.status, failure.code, failure.request_id) == (Kind.SERVER, 500, "oops", "r9")
    assert (failure.attempts, failure.retryable, done.asked, len(done.desk.slept)) == (3, True, 3, 2)
    assert done.desk.gate.again == [False, True, True]
    assert KEY not in str(failure)
    assert "boom ***" in str(failure)


async def test_a_message_is_cut_at_300_characters_and_a_key_at_the_cut_is_masked() -> None:
    """I-12: what a server echoes is not what we store."""
    done = await ask(error(400, {"error": {"message": "x" * 280 + KEY + "y" * 5000}}))
    assert len(str(done.failure)) == 300
    assert KEY[:6] not in str(done.failure)


async def test_refusals_without_end_fail_the_record() -> None:
    """Where no others are left to be answered, a record that is always refused does not hold up the run's end."""
    refusal = error(429, {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}})
    async with Server(*[refusal] * 20) as server, desk(server) as counter:
        counter.client.end_of_records()
        with pytest.raises(RecordError, match="Refused 16 times where others were answered: HTTP 429: Slow down"):
            await counter.ask()
        assert len(server.requests) == 16


def test_refusals_count_where_others_are_answered() -> None:
    """A server that refuses everybody is waited for."""
    nobody, others = Attempts(1), Attempts(1)
    assert not any(nobody.count_refusal(7, last=False) for _ in range(100))
    assert [others.count_refusal(n, last=False) for n in range(1, 17)] == [False] * 15 + [True]


async def test_a_rate_refusal_is_not_charged() -> None:
    """It waits by the admission, which is told what the server said."""
    refusal = error(429, {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}, Retry_After="2")
    done = await ask(refusal, refusal, refusal, sse(good()), max_attempts=1)
    assert (done.good.attempts, done.asked, done.desk.slept) == (1, 4, [])
    assert done.desk.gate.settled[:3] == [(Outcome.RATE, 2.0)] * 3


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "overloaded_error", "server_error", 429, 503])
@pytest.mark.parametrize(
    "began", [chunk("Half"), chunk(delta={"reasoning_content": "Hm"}), chunk(delta={"refusal": "No"})]
)
async def test_a_refusal_of_the_rest_of_an_answer_is_charged(code: object, began: bytes) -> None:
    """What had come may be paid for: --max-attempts ends it, whatever the error is called, and each is counted."""
    told = event({"error": {"message": "Later", "code": code}})
    done = await ask(sse(began, usage(500, 400), told, DONE), max_attempts=3)
    assert (done.failure.attempts, done.asked) == (3, 3)
    assert done.desk.tokens == [(500, 400)] * 3


@pytest.mark.parametrize(
    ("script", "requests"),
    [
        (sse(chunk(delta={"reasoning_content": "Hm"}), finish("length"), usage(), DONE), 1),
        (error(200, completion("", "length")), 1),
        (error(200, completion("")), 3),
        (error(200, completion(None, "content_filter")), 1),
        (sse(chunk(delta={"refusal": "No"}), finish(), usage(), DONE), 1),
        (sse(chunk("Half"), usage()), 2),
        (cut(chunk("Half", usage={"prompt_tokens": 10, "completion_tokens": 5})), 2),
        (sse(good()), 1),
    ],
)
async def test_every_attempts_tokens_are_told(script: Script, requests: int) -> None:
    """Good, failed or cut: what the endpoint says that it counted."""
    done = await ask(script, max_attempts=max(2, requests))
    assert done.desk.tokens == [(10, 5)] * requests


async def test_a_good_answer_without_tokens_is_told_too() -> None:
    """Whoever counts costs must know that some are missing; a failed one without tokens costs nothing that is known."""
    done = await ask(cut(chunk("a")), error(500, {}), sse(chunk("a"), finish(), DONE))
    assert done.desk.tokens == [(None, None)]


async def test_litellm_hands_on_its_providers_headers() -> None:
    """Under a prefix; they tell how long to wait all the same."""
    done = await ask(error(429, {}, llm_provider_retry_after="7"), sse(good()))
    assert done.desk.gate.settled[0] == (Outcome.RATE, None)
    done = await ask(raw(head(429, {"llm_provider-retry-after": "7", "Content-Length": "0"})), sse(good()))
    assert done.desk.gate.settled[0] == (Outcome.RATE, 7.0)


async def test_prepare_is_awaited_once_and_its_error_passes() -> None:
    """Images are read after admission, once a record; a bad one frees the slot."""
    calls = []

    async def prepare() -> list[bytes]:
        calls.append(1)
        if len(calls) > 1:
            raise RecordError("no such file", kind=Kind.BAD_IMAGE)
        return [b"[]"]

    async with Server(SERVER_ERROR, sse(good())) as server, desk(server) as counter:
        assert (await counter.client.complete(prepare)).attempts == 2
        assert len(calls) == 1
        with pytest.raises(RecordError, match="no such file"):
            await counter.client.complete(prepare)
        assert counter.gate.open == 0
        assert len(server.requests) == 2


async def test_several_endpoints_each_have_their_own_address_and_dialect() -> None:
    """What one refuses is still sent to the other."""
    refusal = error(400, {"error": {"message": "Unsupported parameter: 'seed'", "param": "seed"}})
    async with (
        Server(refusal, sse(good("one"))) as one,
        Server(sse(good("two"))) as two,
        desk(one, two, generation=Generation(seed=1)) as counter,
    ):
        assert [(await counter.ask()).text for _ in range(2)] == ["two", "one"]
        assert ["seed" in request.json for request in one.requests] == [True, False]
        assert "seed" in two.requests[0].json


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/api/paas/v4", "/api/paas/v4/chat/completions"),
        ("/v1beta/openai/", "/v1beta/openai/chat/completions"),
        ("", "/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/o/d/chat/completions?api-version=2024-10-21", "/o/d/chat/completions?api-version=2024-10-21"),
        ("/o/d?api-version=2024-10-21&x=%20y", "/o/d/chat/completions?api-version=2024-10-21&x=%20y"),
    ],
)
async def test_r11_r12_any_form_of_base_url(base: str, path: str) -> None:
    """The path is completed, the query kept."""
    async with Server(sse(good())) as server, desk(f"http://{server.host}{base}") as counter:
        await counter.ask()
        assert server.requests[0].line == f"POST {path} HTTP/1.1"


async def test_r14_no_key_no_header_and_own_headers_win() -> None:
    """Local servers get no Authorization; a given User-Agent replaces ours."""
    async with Server(sse(good())) as server:
        endpoint = Endpoint(base_url=server.url, headers={"user-agent": "me/1", "X-Title": "t"})
        async with Client([endpoint], Generation(), Limits(), cast(Admission, Gate())) as client:
            await client.complete(nothing)
        headers = server.requests[0].headers
        assert "authorization" not in headers
        assert (headers["user-agent"], headers["x-title"]) == ("me/1", "t")


async def test_a_user_and_password_in_the_address() -> None:
    """They become a header, unless there is a key; and are never told."""
    async with Server(sse(good())) as server:
        endpoint = Endpoint(base_url=f"http://me:p%40ss@{server.host}/v1")
        async with Client([endpoint], Generation(), Limits(), cast(Admission, Gate())) as client:
            await client.complete(nothing)
        request = server.requests[0]
        assert request.line == "POST /v1/chat/completions HTTP/1.1"
        assert request.headers["authorization"] == "Basic bWU6cEBzcw=="


async def nothing() -> list[bytes]:
    """Messages without any."""
    return [b"[]"]


async def test_a_doomed_run_stops_and_later_calls_ask_nothing() -> None:
    """A wrong key: one request, one sentence, and the same for everyone after."""
    told = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
    async with Server(error(401, told)) as server, desk(server) as counter:
        for _ in range(3):
            with pytest.raises(RunError, match="check the key") as caught:
                await counter.ask()
            assert KEY not in str(caught.value)
            assert caught.value.kind is Kind.CREDENTIAL
        assert len(server.requests) == 1


async def test_e05_a_401_amid_successes_gets_one_more_chance() -> None:
    """An edge's glitch is forgiven once a record; a second one stops the run."""
    wrong = error(401, {"error": {"message": "bad key"}})
    done = Server(sse(good()), wrong, sse(good()), wrong)
    async with done as server, desk(server) as counter:
        assert [(await counter.ask()).text for _ in range(2)] == ["Hello", "Hello"]
        with pytest.raises(RunError):
            await counter.ask()
        assert len(server.requests) == 5


async def test_words_alone_do_not_stop_a_run_that_works() -> None:
    """An error may echo the record; eight in a row are believed, and a code at once."""
    echo = error(400, {"error": {"message": "Cannot answer 'an unknown model'"}})
    no_money = error(400, {"error": {"message": "m", "code": "Arrearage"}})
    async with Server(sse(good()), echo, sse(good()), *[echo] * 8, no_money) as server, desk(server) as counter:
        await counter.ask()
        with pytest.raises(RecordError):
            await counter.ask()
        await counter.ask()
        for _ in range(7):
            with pytest.raises(RecordError):
                await counter.ask()
        with pytest.raises(RunError):
            await counter.ask()
        assert len(server.requests) == 11
    done = Server(sse(good()), no_money)
    async with done as server, desk(server) as counter:
        await counter.ask()
        with pytest.raises(RunError):
            await counter.ask()


async def test_e05_a_bare_403_amid_successes_fails_its_record() -> None:
    """It may be moderation; as a first answer it is the key's."""
    refusal = error(403, {"error": {"message": "Forbidden"}})
    async with Server(sse(good()), refusal, sse(good())) as server, desk(server) as counter:
        await counter.ask()
        with pytest.raises(RecordError):
            await counter.ask()
        assert (await counter.ask()).text == "Hello"
    assert (await ask(refusal)).doom.kind is Kind.CREDENTIAL


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404])
async def test_e19_redirects_and_404s_stop_the_run_after_eight_in_a_row(status: int) -> None:
    """Each fails its record; eight, and nothing else yet, are the address's fault."""
    answer = error(status, {"detail": "elsewhere"}, Location="https://other.example/v1")
    async with Server(answer) as server, desk(server) as counter:
        for _ in range(7):
            with pytest.raises(RecordError) as caught:
                await counter.ask()
            assert caught.value.status == status
        with pytest.raises(RunError, match="base-url"):
            await counter.ask()
        assert len(server.requests) == 8


async def test_e19_a_redirect_amid_successes_fails_its_record_only() -> None:
    """However many there are."""
    async with Server(sse(good()), error(302, {}, Location="/x")) as server, desk(server) as counter:
        await counter.ask()
        for _ in range(10):
            with pytest.raises(RecordError, match="/x") as caught:
                await counter.ask()
            assert caught.value.kind is Kind.REDIRECT


async def test_a_run_that_is_fataled_wakes_those_who_wait() -> None:
    """A record that backs off hears of it at once, and asks no more."""
    import anyio

    started = anyio.Event()

    async def sleep(seconds: float) -> None:
        started.set()
        await anyio.sleep(60)

    async def doom(exchange: Exchange) -> None:
        await started.wait()
        await error(402, {"error": {"message": "no money"}})(exchange)

    async with Server(SERVER_ERROR, doom) as server, desk(server) as counter:
        counter.client._sleep = sleep
        found: list[str] = []

        async def one() -> None:
            try:
                await counter.ask()
            except RunError as told:
                found.append(str(told))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(one)
                group.start_soon(one)
        assert len(found) == 2
        assert len(server.requests) == 2
