"""``--inline-urls``: what may be fetched, from where, and how much of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from server import Exchange, Server, head

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.images import Fetcher, load_image
from contextvqa_async.images import sources as sources_module
from contextvqa_async.images.fetch import exact_url, is_public
from contextvqa_async.pacing import wait_hint
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
    async with serving() as base_url, Fetcher(allow_private=True, sleep=Waits()) as fetch:
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
    async with Fetcher(allow_private=True, sleep=Waits()) as fetch:
        with pytest.raises(RecordError, match="cannot be fetched") as caught:
            await fetch(url)
    assert (caught.value.retryable, caught.value.kind) == (True, Kind.CONNECTION)


@pytest.mark.parametrize(("errno", "waits"), [(socket.EAI_NONAME, 0), (socket.EAI_AGAIN, 3)])
async def test_a_name_that_is_not_known_is_not_looked_up_again(
    errno: int, waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But one whose name servers are busy is."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(errno, "of no avail")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    slept = Waits()
    async with Fetcher(sleep=slept) as fetch:
        with pytest.raises(RecordError, match="of no avail"):
            await fetch("http://h.example/x.png")
    assert len(slept.seconds) == waits


class Waits:
    """Takes the place of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Note it."""
        self.seconds.append(seconds)


async def asked_of(
    *answers: bytes, path: str = "/a.png", **options: Any
) -> tuple[bytes | RecordError, list[str], Waits]:
    """What a server's raw answers in turn, the last for ever, come to; which paths were asked for; and the waits."""
    slept = Waits()

    async def script(exchange: Exchange) -> None:
        await exchange.send(answers[min(exchange.number, len(answers) - 1)])
        exchange.hang_up()

    async with (
        Server(script) as server,
        Fetcher(allow_private=True, sleep=slept, wait_hint=wait_hint, **options) as fetch,
    ):
        try:
            found: bytes | RecordError = await fetch(f"http://{server.host}{path}")
        except RecordError as error:
            found = error
        return found, [request.line.split()[1] for request in server.requests], slept


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A raw response; ``retry_after`` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return head(status, {"Content-Length": str(len(body)), **named}, "image/png") + body


GOOD = answer(200, b"picture")


@pytest.mark.parametrize("trouble", [answer(503), answer(429), answer(500), answer(502), GOOD[:-3], b"no HTTP\r\n\r\n"])
async def test_a_host_that_is_busy_is_asked_again(trouble: bytes) -> None:
    """Each wait is longer than the one before, and a few are enough."""
    found, paths, slept = await asked_of(trouble, trouble, GOOD)
    assert (found, len(paths), len(slept.seconds)) == (b"picture", 3, 2)
    assert 0.5 <= slept.seconds[0] <= 1 <= slept.seconds[1] <= 2
    found, paths, slept = await asked_of(trouble)
    assert isinstance(found, RecordError)
    assert (found.retryable, found.kind in (Kind.RATE, Kind.CONNECTION)) == (True, True)
    assert (len(paths), len(slept.seconds)) == (4, 3)


async def test_a_host_that_names_a_wait_gets_it() -> None:
    """In seconds or as a date, unless it is longer than a record should wait for its image."""
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    dated = answer(503, Date=date, Retry_After=date.replace(":20 ", ":25 "))
    found, _, slept = await asked_of(answer(429, Retry_After="7"), dated, answer(503), GOOD)
    assert (found, slept.seconds[:2]) == (b"picture", [7.0, 5.0])
    found, paths, slept = await asked_of(answer(429, Retry_After="600"), GOOD)
    assert isinstance(found, RecordError)
    assert (found.kind, found.status, found.retryable) == (Kind.RATE, 429, True)
    assert (len(paths), slept.seconds) == (1, [])
    found, paths, slept = await asked_of(answer(503, Retry_After="20"), GOOD, time_limit=10.0)
    assert (len(paths), slept.seconds) == (1, [])
    found, _, slept = await asked_of(answer(502, X_RateLimit_Reset="3600"), GOOD)
    assert found == b"picture"


@pytest.mark.parametrize("status", [204, 400, 403, 404, 410])
async def test_an_answer_that_lasts_is_not_asked_for_again(status: int) -> None:
    """It would be the same."""
    found, paths, slept = await asked_of(answer(status))
    assert isinstance(found, RecordError)
    assert (found.kind, len(paths), slept.seconds) == (Kind.BAD_IMAGE, 1, [])


SIGNED = [
    "/a%2Cb%3Ac.png?sig=x%2Fy%3A1",
    "/a//b/c%7e.png?X-Amz-Signature=a%2Fb%2Bc%3D&x=%E4%B8%AD",
    "/a+b.png?q=1+2&empty=&&r='[]'",
    "/100%.png",
]


@pytest.mark.parametrize("path", SIGNED)
async def test_a_url_is_sent_as_it_is_written(path: str) -> None:
    """A signature is of its very bytes; that of a redirect too."""
    assert (await asked_of(GOOD, path=path))[1] == [path]
    assert (await asked_of(answer(302, Location=path), GOOD))[1] == ["/a.png", path]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("http://h.example/a b.png#top", "http://h.example/a%20b.png"),
        ("http://h.example/ü.png?q=中", "http://h.example/%C3%BC.png?q=%E4%B8%AD"),
        ("HTTP://Bücher.example:80?q=%2f", "http://xn--bcher-kva.example:80/?q=%2f"),
        (" http://h.example/a\r\nX: y.png\n", "http://h.example/aX:%20y.png"),
        ("http://u:p%40@h.example/%C3%BC|", "http://u:p%40@h.example/%C3%BC%7C"),
        ("http://h.example/\udcff", "http://h.example/%FF"),
    ],
)
def test_what_no_url_may_hold_is_escaped(written: str, sent: str) -> None:
    """Blanks, other scripts and control characters; the rest stays."""
    target = exact_url(written)
    port = f":{target.explicit_port}" if target.explicit_port else ""
    user = f"{target.raw_user}:{target.raw_password}@" if target.raw_user else ""
    assert f"{target.scheme}://{user}{target.raw_host}{port}{target.raw_path_qs}" == sent


@pytest.mark.parametrize("url", ["http://[bad/x.png", "http://x:99999/y.png", "http://x/\ud83d.png", "http://"])
async def test_a_url_that_is_none_is_told(url: str) -> None:
    """A broken URL is the record's own fault."""
    async with Fetcher() as fetch:
        with pytest.raises(RecordError, match="URL"):
            await fetch(url)
