"""The embedded server: it speaks OpenAI's dialect, tells what fits the picture, and never passes for real."""

from __future__ import annotations

import asyncio
import io
import math
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pybase64
import pytest
from PIL import Image as Pillow

from contextvqa_async.errors import UsageError
from contextvqa_async.refiner import refine
from contextvqa_async.simulator import MODEL, Simulator, SimulatorOptions, serve, wire
from contextvqa_async.simulator.answers import answer, see
from contextvqa_async.simulator.layouts import LAYOUTS, Article
from contextvqa_async.simulator.subjects import SUBJECTS, Subject

PICTURES = sorted((Path(__file__).parent.parent / "examples" / "images").iterdir())
AT_ONCE = SimulatorOptions(speed=math.inf)


def body(*pictures: bytes, text: str = "Write.", **more: Any) -> dict[str, Any]:
    """A request about pictures."""
    urls = [f"data:image/png;base64,{pybase64.b64encode(data).decode()}" for data in pictures]
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"model": "m", "messages": [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}], **more}


@asynccontextmanager
async def running(options: SimulatorOptions = AT_ONCE) -> AsyncIterator[aiohttp.ClientSession]:
    """A simulator, and a session that talks to it."""
    async with (
        Simulator(options) as base_url,
        aiohttp.ClientSession(f"{base_url}/", connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield session


async def ask(session: aiohttp.ClientSession, asked: Any) -> tuple[int, bytes, Any]:
    """Status, bytes and headers of one answer."""
    data = asked if isinstance(asked, bytes) else orjson.dumps(asked)
    async with session.post("chat/completions", data=data) as response:
        return response.status, await response.read(), response.headers


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, which ends as it should."""
    *events, done, rest = stream.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [orjson.loads(event.removeprefix(b"data: ")) for event in events]


async def test_every_answer_says_that_it_is_simulated() -> None:
    """By the model's name, the fingerprint and a header; whole and streamed."""
    async with running() as session:
        _, whole, headers = await ask(session, body())
        _, stream, streamed = await ask(session, body(stream=True))
    assert headers["x-cvqa-simulated"] == streamed["x-cvqa-simulated"] == "true"
    for data in (orjson.loads(whole), *chunks(stream)):
        assert (data["model"], data["system_fingerprint"]) == ("m (simulated)", "simulated")
    assert headers["x-request-id"] == orjson.loads(whole)["id"]


async def test_the_same_request_has_the_same_answer() -> None:
    """Streamed or whole, today or tomorrow; another picture or prompt has another."""
    first, second = (path.read_bytes() for path in PICTURES[:2])
    async with running() as session:
        texts = []
        for asked in (body(first), body(first), body(second), body(first, text="Else.")):
            _, whole, _ = await ask(session, asked)
            texts.append(orjson.loads(whole)["choices"][0]["message"]["content"])
        _, stream, _ = await ask(session, body(first, stream=True))
    assert texts[0] == texts[1] == "".join(c["choices"][0]["delta"].get("content", "") for c in chunks(stream))
    assert len(set(texts)) == 3


async def test_usage_is_told_where_it_is_asked_for() -> None:
    """The last event counts tokens, as many as there were, and has no choice."""
    async with running() as session:
        _, stream, _ = await ask(session, body(stream=True, stream_options={"include_usage": True}))
        _, bare, _ = await ask(session, body(stream=True))
    *events, last = chunks(stream)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == len(events) - 2
    assert [event["choices"][0]["finish_reason"] for event in events][-2:] == [None, "stop"]
    assert not any("usage" in event for event in chunks(bare))


async def test_max_tokens_cut_an_answer() -> None:
    """The finish reason says so."""
    async with running() as session:
        _, whole, _ = await ask(session, body(max_tokens=7))
    data = orjson.loads(whole)
    assert data["choices"][0]["finish_reason"] == "length"
    assert data["usage"]["completion_tokens"] == 7


async def test_it_listens_on_loopback_and_knows_its_model() -> None:
    """Any prefix of the path will do."""
    async with Simulator(AT_ONCE) as base_url, aiohttp.ClientSession() as session:
        assert base_url.startswith("http://127.0.0.1:")
        root = base_url.removesuffix("/v1")
        for address in (f"{base_url}/models", f"{root}/models", f"{root}/compatible-mode/v1/models"):
            async with session.get(address) as response:
                assert (await response.json())["data"][0]["id"] == MODEL
        async with session.get(f"{base_url}/else") as response:
            assert response.status == 404
            assert (await response.json())["error"]["code"] == "unknown_url"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (b"{", "invalid_json"),
        (b"[]", "missing_required_parameter"),
        ({"messages": []}, "missing_required_parameter"),
        ({"model": "m"}, "missing_required_parameter"),
        ({"model": "m", "messages": []}, "missing_required_parameter"),
        ({"model": "m", "messages": [{"role": "king", "content": ""}]}, "invalid_value"),
        ({"model": "m", "messages": [{"role": "user", "content": None}]}, "invalid_type"),
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": "x"}]}]}, "invalid_value"),
        (body(b""), "invalid_image_format"),
        (body(b"GIF89a"), "invalid_image_format"),
    ],
)
async def test_bad_requests_are_refused_in_openais_shape(asked: Any, code: str) -> None:
    """Status 400, and an object with a message, a type and a code."""
    async with running() as session:
        status, data, _ = await ask(session, asked)
    error = orjson.loads(data)["error"]
    assert (status, error["code"], error["type"]) == (400, code, "invalid_request_error")
    assert error["message"]


@pytest.mark.parametrize("url", ["data:image/png;base64,@@", "data:text/plain,x", "ftp://x/y.png", "nonsense"])
async def test_bad_image_urls_are_refused(url: str) -> None:
    """Neither junk nor another kind of address is a picture."""
    part = {"type": "image_url", "image_url": {"url": url}}
    async with running() as session:
        status, data, _ = await ask(session, {"model": "m", "messages": [{"role": "user", "content": [part]}]})
    assert status == 400
    assert orjson.loads(data)["error"]["code"] in ("invalid_base64", "invalid_image_url")


async def test_too_many_at_once_are_told_to_wait() -> None:
    """Above the limit: 429 with Retry-After; within it, answers."""
    async with running(SimulatorOptions(speed=math.inf, rpm=2)) as session:
        replies = [await ask(session, body()) for _ in range(3)]
    assert [status for status, _, _ in replies] == [200, 200, 429]
    assert int(replies[-1][2]["Retry-After"]) == pytest.approx(60, abs=2)

    endless = orjson.dumps(body(stream=True))
    async with (
        running(SimulatorOptions(speed=1e-6, concurrency_limit=1)) as session,
        session.post("chat/completions", data=endless) as held,
    ):
        assert held.status == 200
        status, _, headers = await ask(session, body())
    assert (status, headers["Retry-After"]) == (429, "1")


async def test_faults_come_as_asked_for_and_repeat_with_the_seed() -> None:
    """All requests fail at a rate of one, in several ways."""

    async def outcomes(session: aiohttp.ClientSession) -> list[str]:
        told = []
        for _ in range(20):
            try:
                async with asyncio.timeout(0.1):
                    status, data, _ = await ask(session, body(stream=True))
                told.append(str(status) if status != 200 else "error" if b'"error"' in data else "?")
            except aiohttp.ClientError:
                told.append("cut")
            except TimeoutError:
                told.append("stall")
        return told

    async with running(SimulatorOptions(speed=math.inf, error_rate=1, seed=3)) as session:
        first = await outcomes(session)
    async with running(SimulatorOptions(speed=math.inf, error_rate=1, seed=3)) as session:
        assert await outcomes(session) == first
    assert set(first) == {"429", "500", "cut", "error", "stall"}


async def test_a_hundred_streams_at_once_are_answered() -> None:
    """Each of them whole."""
    asked = orjson.dumps(body(stream=True, stream_options={"include_usage": True}))
    async with running() as session:
        replies = await asyncio.gather(*(ask(session, asked) for _ in range(100)))
    assert all(status == 200 and data.endswith(wire.DONE) for status, data, _ in replies)


async def test_serving_ends_when_it_is_cancelled() -> None:
    """``serve`` tells its address, and frees it."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(AT_ONCE, "127.0.0.1", 0, ready.set_result))
    base_url = await ready
    async with aiohttp.ClientSession() as session, session.get(f"{base_url}/models") as response:
        assert response.status == 200
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(OSError, match="Cannot connect"):
        async with aiohttp.ClientSession() as session:
            await session.get(f"{base_url}/models")


@pytest.mark.parametrize("options", [{"speed": 0}, {"speed": -1}, {"speed": math.nan}, {"error_rate": 1.5}])
def test_impossible_options_are_told(options: dict[str, Any]) -> None:
    """By the option's name."""
    with pytest.raises(UsageError, match="--"):
        SimulatorOptions(**options)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_example_pictures_are_recognised(path: Path) -> None:
    """By their colours, also when they are scaled and saved anew."""
    nearby = {"mountain": "summit", "chess": "game", "teapot": "porcelain", "bicycle": "Roadster", "tram": "railway"}
    word = {**nearby, "lighthouse": "Light", "bridge": "Crossing", "windmill": "polder"}[path.stem]
    out = io.BytesIO()
    Pillow.open(path).convert("RGB").resize((90, 70)).save(out, "JPEG", quality=60)
    for data in (path.read_bytes(), out.getvalue()):
        assert word in answer(see(data), seed=1)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.names[0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_told_keeps_to_the_eight_criteria(subject: Subject, seed: int) -> None:
    """Questions point at the image and do not name its object; answers are short and stand in the article."""
    names = re.compile(rf"\b({'|'.join(subject.names)})s?\b", re.IGNORECASE)
    for told in (refine(answer_of(subject, seed + 100 * n)) for n in range(20)):
        assert len(told.qas) >= 5
        for pair in told.qas:
            assert pair.question.endswith("?")
            assert re.search(r"\b(this|these|image|picture|shown here)\b", pair.question)
            assert not names.search(pair.question)
            assert not re.search(r"\b(and|or)\b", pair.answer)
            assert len(pair.answer.split()) <= 8
            for part in pair.answer.split(", "):
                assert part in told.context


def answer_of(subject: Subject, seed: int) -> str:
    """The text about a picture that looks exactly like the subject's."""
    picture = Pillow.frombytes("RGB", (4, 4), subject.look).resize((64, 64), Pillow.Resampling.NEAREST)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return answer(see(out.getvalue()), seed)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_layout_is_refined_into_what_was_told(layout: Any) -> None:
    """The line reads back what the simulator meant, in each of its layouts."""
    article = Article(
        paragraphs=("Pine is a wood. It is soft.", "It grows in the north, since 1820."),
        pairs=(("Which wood is this?", "pine"), ("Where does this grow?", "the north"), ("Since when?", "1820")),
    )
    refined = refine(layout(article))
    assert refined.context == " ".join(article.paragraphs)
    assert tuple((pair.question, pair.answer) for pair in refined.qas) == article.pairs


def test_tokens_join_to_the_text_and_are_due_in_order() -> None:
    """Nothing is lost between tokens, and speed divides every wait."""
    text = "Ünï 图片 “x”\n\n  1.5 %\t\0 end"
    assert "".join(wire.tokens_of(text)) == text
    slow = wire.due_times(100, 800, random.Random(1), 1.0)
    fast = wire.due_times(100, 800, random.Random(1), 10.0)
    assert slow == sorted(slow)
    assert slow == pytest.approx([10 * at for at in fast])
    assert 0.25 <= slow[0] <= 0.75
    assert wire.due_times(3, 0, random.Random(1), math.inf) == [0, 0, 0]
