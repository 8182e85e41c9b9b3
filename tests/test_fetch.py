"""``--inline-urls``: what may be fetched, from where, and how much of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.images import Fetcher, load_image
from contextvqa_async.images import sources as sources_module
from contextvqa_async.images.fetch import is_public
from contextvqa_async.threads import Threads

PICTURE = Path(__file__).parent.parent / "examples" / "images" / "bridge.png"


@asynccontextmanager
async def serving(*, to: str = "") -> AsyncIterator[str]:
    """A server with a picture, redirects, errors and a body without end."""

    async def picture(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PICTURE)

    async def hop(request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        target = f"/hop/{left - 1}" if left else "/picture"
        return web.Response(status=302, headers={"Location": target})

    async def away(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": to})

    async def status(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["code"]))

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(100_000))

    async def silent(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    routes = {"/picture": picture, "/hop/{left}": hop, "/away": away, "/status/{code}": status}
    for path, handler in {**routes, "/endless": endless, "/silent": silent}.items():
        app.router.add_get(path, handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    """The open internet may be asked."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::"),
    ],
)
def test_other_addresses_are_not(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, reserved, and each of them wrapped in IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "127.1", "0"),
        *("１２７.0.0.1", "127.0.0.1."),
    ],
)
async def test_this_machine_is_not_asked_however_it_is_written(host: str) -> None:
    """Names are resolved before they are judged, and numbers are judged in every spelling."""
    async with serving() as base_url, Fetcher() as fetch:
        port = base_url.rpartition(":")[2]
        with pytest.raises(RecordError) as caught:
            await fetch(f"http://{host}:{port}/picture")
    assert caught.value.kind is Kind.BAD_IMAGE
    assert "not on the public internet" in str(caught.value) or "no valid URL" in str(caught.value)
    assert not caught.value.retryable


async def test_a_private_address_may_be_allowed() -> None:
    """``--allow-private-urls`` fetches from this machine, by number and by name; the picture becomes base64."""
    reading = Reading(inline_urls=True, allow_private_urls=True)
    async with serving() as base_url, Fetcher(allow_private=True) as fetch:
        for url in (
            f"{base_url}/picture",
            f"{base_url}/hop/3",
            base_url.replace("127.0.0.1", "localhost") + "/picture",
        ):
            image = await load_image(url, roots=(), reading=reading, threads=Threads(), fetch=fetch)
            assert image.media_type == "image/png"
            assert image.url == ""


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("http://127.0.0.2:1/x.png", "leads to 127.0.0.2"),
        ("http://localhost:1/x.png", "leads to localhost"),
        ("file:///etc/passwd", "no http or https URL"),
        ("ftp://example.com/x.png", "no http or https URL"),
        ("//localhost:1/x.png", "leads to localhost"),
    ],
)
async def test_a_redirect_is_judged_like_a_url(to: str, told: str) -> None:
    """A server that may be asked cannot send us where we may not go."""
    async with serving(to=to) as base_url, Fetcher(judge=_Once()) as fetch:
        with pytest.raises(RecordError, match=told):
            await fetch(f"{base_url}/away")


class _Once:
    """Allows the first address, and no other."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, address: str) -> bool:
        is_public(address)
        self._asked += 1
        return self._asked == 1


@pytest.mark.parametrize(
    ("path", "told", "retryable"),
    [
        ("/status/404", "answered 404", False),
        ("/status/503", "answered 503", True),
        ("/status/302", "answered 302", True),
        ("/hop/9", "redirected more than", False),
    ],
)
async def test_a_server_that_gives_no_picture_is_told(path: str, told: str, retryable: bool) -> None:
    """The status is in the sentence; what may pass is asked again by the next run."""
    async with serving() as base_url, Fetcher(allow_private=True) as fetch:
        with pytest.raises(RecordError, match=told) as caught:
            await fetch(base_url + path)
    assert caught.value.retryable is retryable


async def test_size_and_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body without end, and an answer that never comes, cost a bounded amount."""
    monkeypatch.setattr(sources_module, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr("contextvqa_async.images.fetch.MAX_BYTES", 1_000_000)
    async with serving() as base_url:
        async with Fetcher(allow_private=True) as fetch:
            with pytest.raises(RecordError) as caught:
                await fetch(f"{base_url}/endless")
            assert caught.value.kind is Kind.TOO_LARGE
        async with Fetcher(allow_private=True, time_limit=0.05) as fetch:
            with pytest.raises(RecordError) as caught:
                await fetch(f"{base_url}/silent")
            assert caught.value.kind is Kind.TIMEOUT


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.png", "http://no-such-host.invalid/x.png"])
async def test_an_unreachable_server_is_told_and_asked_again(url: str) -> None:
    """Nobody there: the next run may find somebody."""
    async with Fetcher(allow_private=True) as fetch:
        with pytest.raises(RecordError, match="cannot be fetched") as caught:
            await fetch(url)
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["http://[bad/x.png", "http://x:99999/y.png"])
async def test_a_url_that_is_none_is_told(url: str) -> None:
    """A broken URL is the record's own fault."""
    async with Fetcher() as fetch:
        with pytest.raises(RecordError, match="URL"):
            await fetch(url)
