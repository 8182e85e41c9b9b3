"""No secret of an endpoint in any text: not from its headers, its address, or what a server echoes."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import KEY, ask
from server import Server, error, raw

from contextvqa_async import run_async
from contextvqa_async.client.masking import masker
from contextvqa_async.config import Endpoint
from contextvqa_async.errors import UsageError

SECRET = "s3cret/with+odd=signs%20"
WRITTEN = "s3cret%2Fwith%2Bodd%3Dsigns%2520"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, "http://h/v1"),
        ({"Authorization": f"Token {SECRET}"}, "http://h/v1"),
        ({"X-Api-Key": SECRET}, "http://h/v1"),
        ({}, f"http://h/v1?api_key={WRITTEN}"),
        ({}, f"http://h/v1?api-version=2024-10-21-preview&sig={WRITTEN}&a=b"),
        ({}, f"http://h/v1?anything={WRITTEN}"),
        ({}, f"http://user:{WRITTEN}@h/v1"),
    ],
)
def test_a_secret_is_masked_in_every_form(headers: dict[str, str], address: str) -> None:
    """As it is, and as an address quotes it; what is none stays readable."""
    mask = masker(headers, address)
    for form in (SECRET, WRITTEN, f"Bearer {SECRET}", f"{address}/chat/completions", f"url='{address}'"):
        told = mask(f"The key {form} is odd.")
        assert "s3cret" not in told
        assert ("***" in told) == ("s3cret" in form)
    assert mask("HTTP 400 at http://h/v1?api-version=2024-10-21-preview&a=b, code 12, key") == (
        "HTTP 400 at http://h/v1?api-version=2024-10-21-preview&a=b, code 12, key"
    )


@pytest.mark.anyio
async def test_the_code_and_the_request_id_are_masked_too() -> None:
    """A server may echo the key anywhere in its error."""
    told = {"error": {"message": f"bad {KEY}", "code": f"key {KEY} is odd"}}
    failure = (await ask(error(400, told, X_Request_Id=KEY))).failure
    assert KEY not in repr(vars(failure)) + str(failure)
    assert (failure.code, failure.request_id) == ("key *** is odd", "***")


@pytest.mark.anyio
@pytest.mark.parametrize("given", ["v1?api_key=sk-VERYSECRET12345", "v1?x=1&auth=sk-VERYSECRET%2B12345"])
async def test_a_key_in_the_address_is_written_nowhere(tmp_path: Path, given: str) -> None:
    """Not where the answer is no HTTP, and the library quotes the whole address; nor in any file of the run."""
    told: list[object] = []
    redirect = error(302, {}, Location=f"http://elsewhere/{given}")
    async with Server(raw(b"garbage\r\n\r\n"), redirect) as server:
        records = [{"id": n, "conversation": [{"from": "human", "value": "Write."}]} for n in range(3)]
        summary = await run_async(
            records,
            tmp_path / "o.jsonl",
            on_event=told.append,
            base_url=f"http://{server.host}/{given}",
            max_attempts=1,
        )
    assert summary.failed == 3
    assert "VERYSECRET" not in repr(told) + repr(summary)
    assert b"VERYSECRET" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: ASYNC240


@pytest.mark.parametrize(
    "address", ["ftp://h/v1?key=hidden", "http://u:hidden@h:port/v1", "http://u:hidden@a b/?k=hidden"]
)
def test_a_wrong_address_is_told_without_its_secrets(address: str) -> None:
    """What cannot be parsed is cut where a secret may begin."""
    with pytest.raises(UsageError) as told:
        Endpoint(base_url=address)
    assert "hidden" not in str(told.value)
