"""The client, with its real pace, against litellm's proxy, guidellm's mock server and nginx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contextvqa_async.admission import Admission
from contextvqa_async.client import Client
from contextvqa_async.config import Endpoint, Generation, Limits
from contextvqa_async.errors import Kind, RecordError, RunError
from contextvqa_async.items import Completion

pytestmark = pytest.mark.timeout(240)

IMAGE = (
    b"iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAIAAAD9b0jDAAAAJUlEQVR4nGO8JCrKQG3ARHUTRw0dNXTU"
    b"0FFDRw0dNXTU0CFkKACzYgF5+9pPsgAAAABJRU5ErkJggg=="
)
MESSAGES = (
    b'[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,' + IMAGE + b'"}},'
    b'{"type":"text","text":"Write."}]}]'
)


@asynccontextmanager
async def asking(
    url: str, model: str = "m", *, key: str = "sk-test-1234", generation: Generation | None = None, **limits: Any
) -> AsyncIterator[Client]:
    """A client of one endpoint."""
    chosen = Limits(**limits)
    endpoint = Endpoint(base_url=url, model=model, api_key=key)
    async with Client([endpoint], generation or Generation(), chosen, Admission([endpoint.label], chosen)) as client:
        yield client


async def ask(client: Client, messages: bytes = MESSAGES) -> Completion:
    """One record."""

    async def prepare() -> list[bytes]:
        return [messages]

    return await client.complete(prepare)


@pytest.mark.parametrize("no_stream", [False, True])
async def test_litellm_good(litellm: str, no_stream: bool) -> None:
    """Text, counts and reason, streamed and not."""
    async with asking(litellm, "good", generation=Generation(no_stream=no_stream)) as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(20)))
    assert {answer.text for answer in answers} == {"An article, made up.\nQ: What?\nA: This."}
    assert {(answer.finish_reason, answer.attempts, answer.model) for answer in answers} == {("stop", 1, "good")}
    assert all(answer.completion_tokens and answer.request_id for answer in answers)


async def test_litellm_unknown_model(litellm: str) -> None:
    """The run stops."""
    async with asking(litellm, "nope") as client:
        with pytest.raises(RunError) as caught:
            await ask(client)
    assert caught.value.kind is Kind.MODEL


async def test_litellm_faults(litellm: str) -> None:
    """Broken: asked again; too long: the record's own."""
    async with asking(litellm, "broken", max_attempts=2) as client:
        with pytest.raises(RecordError) as caught:
            await ask(client)
    assert (caught.value.kind, caught.value.attempts, caught.value.status) == (Kind.SERVER, 2, 500)
    async with asking(litellm, "too-long") as client:
        with pytest.raises(RecordError) as caught:
            await ask(client)
    assert (caught.value.kind, caught.value.attempts) == (Kind.TOO_LARGE, 1)


async def test_litellm_rate_limit(litellm: str) -> None:
    """Five a minute: eight records take a minute longer, and none fails or is charged."""
    async with asking(litellm, "paced") as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(8)))
    assert {(answer.text, answer.attempts) for answer in answers} == {("Paced.", 1)}


@pytest.mark.parametrize("no_stream", [False, True])
async def test_guidellm(guidellm: str, no_stream: bool) -> None:
    """Fifty at once."""
    async with asking(guidellm, generation=Generation(no_stream=no_stream)) as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(50)))
    assert {(answer.finish_reason, answer.attempts) for answer in answers} == {("stop", 1)}
    assert all(answer.text and answer.completion_tokens and answer.prompt_tokens for answer in answers)


async def test_nginx_in_between(nginx: str) -> None:
    """Its compression, where it compresses, changes nothing."""
    async with asking(f"{nginx}/v1") as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(20)))
    assert {(answer.finish_reason, answer.attempts) for answer in answers} == {("stop", 1)}


@pytest.mark.parametrize("manner", ["polite", "blunt"])
async def test_nginx_limit_req(nginx: str, manner: str) -> None:
    """20 a second, refused by 429 or 503 pages without a word of waiting: every record is answered in the end."""
    async with asking(f"{nginx}/{manner}/v1", concurrency=16, max_attempts=8) as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(60)))
    assert {answer.finish_reason for answer in answers} == {"stop"}
    if manner == "polite":
        assert {answer.attempts for answer in answers} == {1}


async def test_nginx_body_too_large(nginx: str) -> None:
    """413, while the body is still being sent."""
    async with asking(f"{nginx}/v1") as client:
        with pytest.raises(RecordError) as caught:
            await ask(client, MESSAGES.replace(IMAGE, b"A" * 4_000_000))
    assert (caught.value.kind, caught.value.retryable) == (Kind.TOO_LARGE, False)


async def test_nginx_errors(nginx: str) -> None:
    """A redirect fails its record; a dead upstream is asked again."""
    async with asking(f"{nginx}/moved/v1") as client:
        with pytest.raises(RecordError) as caught:
            await ask(client)
    assert (caught.value.kind, caught.value.status) == (Kind.REDIRECT, 301)
    async with asking(f"{nginx}/gone/v1", max_attempts=2) as client:
        with pytest.raises(RecordError) as caught:
            await ask(client)
    assert (caught.value.kind, caught.value.status) == (Kind.SERVER, 502)
