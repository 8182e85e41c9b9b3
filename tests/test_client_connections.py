"""Connections: used again, never trusted, never leaked; proxies and certificates as the environment names them."""

from __future__ import annotations

import asyncio
import gc
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from asking import ask, desk, sockets_to
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
    cut,
    error,
    finish,
    good,
    hang,
    head,
    sse,
)

from contextvqa_async.client.proxies import find_proxy
from contextvqa_async.errors import Kind, RecordError, RunError, UsageError
from contextvqa_async.pacing import Outcome

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/net/tcp")

STREAM = head(200, {"Transfer-Encoding": "chunked"})
BIG = b'"' + b"x" * 3_000_000 + b'"'


async def test_h06_an_answer_is_read_to_its_end() -> None:
    """The connection serves again, also where the end of the body comes a moment after [DONE]."""

    async def late(exchange: Exchange) -> None:
        await exchange.send(STREAM, chunked(good()))
        await asyncio.sleep(0.005)
        await exchange.send(END)

    async with Server(late) as server, desk(server) as counter:
        for _ in range(10):
            await counter.ask()
        assert server.connections == 1


async def test_h06_an_error_is_read_to_its_end() -> None:
    """Refusals reuse their connection too."""
    async with Server(error(500, {"error": "x"}), sse(good())) as server, desk(server) as counter:
        assert (await counter.ask()).attempts == 2
        assert server.connections == 1


def closing(delay: float) -> Script:
    """A whole answer that announces keep-alive, and hangs up after it."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(
            head(200, {"Transfer-Encoding": "chunked", "Connection": "keep-alive"}), chunked(good()), END
        )
        await asyncio.sleep(delay)
        exchange.hang_up()

    return script


@pytest.mark.parametrize("delay", [0, 0.003, 0.02])
async def test_h08_a_server_that_hangs_up_after_each_answer(delay: float) -> None:
    """It costs no attempt and no error, however often."""
    async with Server(closing(delay)) as server, desk(server) as counter:
        answers = [await counter.ask() for _ in range(30)]
        assert {answer.attempts for answer in answers} == {1}
        assert counter.retries == []
        assert {outcome for outcome, _ in counter.gate.settled} <= {Outcome.OK, Outcome.VOID}


async def test_h08_a_connection_that_dies_as_it_is_used_again() -> None:
    """The server reads the second request, and hangs up without a word: once a request this is a stale connection."""
    seen: dict[int, int] = {}

    async def second(exchange: Exchange) -> None:
        peer = exchange.writer.get_extra_info("peername")[1]
        seen[peer] = seen.get(peer, 0) + 1
        if seen[peer] > 1:
            exchange.reset()
        else:
            await sse(good())(exchange)

    async with Server(second) as server, desk(server) as counter:
        answers = [await counter.ask() for _ in range(5)]
        assert {answer.attempts for answer in answers} == {1}
        assert server.connections == 5 + 0


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_new_connection_that_dies_is_charged(how: str) -> None:
    """Closed before the status line, on a connection of its own: an attempt like any other."""

    async def die(exchange: Exchange) -> None:
        exchange.reset() if how == "rst" else exchange.hang_up()

    done = await ask(die, sse(good()))
    assert (done.good.attempts, done.desk.gate.settled[0][0]) == (2, Outcome.FAULT)
    assert done.desk.gate.ended[0].headers is None


async def test_a_refused_connection() -> None:
    """Nobody listens: transient, told as what it is, and nobody answered."""
    async with Server(sse(good())) as server:
        url = server.url
    async with desk(url, max_attempts=2) as counter:
        with pytest.raises(RecordError, match=r"(?i)refused|connect") as caught:
            await counter.ask()
        assert (caught.value.kind, caught.value.attempts) == (Kind.CONNECTION, 2)
        assert counter.gate.settled == [(Outcome.GONE, None)] * 2


async def test_a_name_that_does_not_resolve() -> None:
    """Told as what it is."""
    async with desk("http://nowhere.invalid/v1", max_attempts=1) as counter:
        with pytest.raises(RecordError) as caught:
            await counter.ask()
        assert caught.value.kind is Kind.CONNECTION


@pytest.mark.parametrize("garbage", [b"<html>bad gateway</html>\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 x\r\n\r\n"])
async def test_h04_an_answer_that_is_no_http(garbage: bytes) -> None:
    """Garbage in place of a status line is asked again."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(garbage)
        exchange.hang_up()

    done = await ask(script, sse(good()))
    assert (done.good.text, done.good.attempts) == ("Hello", 2)


async def test_h04_a_body_shorter_than_its_length() -> None:
    """Told as cut off, and asked again."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(head(200, {"Content-Length": "1000"}), chunk("Half"))
        exchange.hang_up()

    assert (await ask(script, sse(good()))).good.attempts == 2
    assert (await ask(script, max_attempts=1)).failure.kind is Kind.TRUNCATED


@pytest.mark.parametrize("status", [413, 429])
async def test_h05_an_early_answer_to_a_big_upload(status: int) -> None:
    """The server answers behind the headers and reads no more: the status is seen, not a write error."""

    async def script(exchange: Exchange) -> None:
        if len(exchange.server.requests) > 1:
            length = int(exchange.request.headers["content-length"])
            await exchange.reader.readexactly(length)
            return await sse(good())(exchange)
        await error(status, {"error": {"message": "no"}}, Retry_After="1")(exchange)
        await asyncio.sleep(0.2)
        exchange.hang_up()
        return None

    async with Server(script, read_body=False) as server, desk(server) as counter:
        if status == 413:
            with pytest.raises(RecordError) as caught:
                await counter.ask(BIG * 10)
            assert (caught.value.kind, caught.value.retryable) == (Kind.TOO_LARGE, False)
            assert len(server.requests) == 1
        else:
            assert (await counter.ask(BIG * 10)).attempts == 1
            assert counter.gate.settled[0] == (Outcome.RATE, 1.0)


async def test_h05_a_reset_in_the_middle_of_a_big_upload() -> None:
    """Perhaps too large, perhaps throttled: three requests, then terminal with that hint; the server is not blamed."""

    async def script(exchange: Exchange) -> None:
        await exchange.reader.readexactly(1000)
        exchange.reset()

    async with Server(script, read_body=False) as server, desk(server) as counter:
        with pytest.raises(RecordError, match="too large") as caught:
            await counter.ask(BIG * 5)
        assert (caught.value.kind, caught.value.retryable, len(server.requests)) == (Kind.TOO_LARGE, False, 3)
        assert {outcome for outcome, _ in counter.gate.settled} == {Outcome.VOID}


async def test_http_1_0_and_interim_responses() -> None:
    """Old servers, and 1xx before the answer."""

    async def old(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", good("Old"))
        exchange.hang_up()

    async def interim(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n")
        await sse(good("New"))(exchange)

    assert (await ask(old)).good.text == "Old"
    assert (await ask(interim)).good.text == "New"


async def test_one_byte_a_write() -> None:
    """Headers, chunk sizes and events, cut everywhere."""

    async def script(exchange: Exchange) -> None:
        await exchange.send_cut(STREAM + chunked(chunk("Hé")) + chunked(chunk("llo")) + chunked(finish() + DONE) + END)

    assert (await ask(script)).good.text == "Héllo"


async def test_cookies_are_not_kept() -> None:
    """Requests of a batch are strangers to each other."""
    async with Server(sse(good(), headers={"Set-Cookie": "a=b; Path=/"})) as server, desk(server) as counter:
        for _ in range(2):
            await counter.ask()
        assert all("cookie" not in request.headers for request in server.requests)


def named(exchange: Exchange, way: str = "stream") -> bytes:
    """An answer that says which request it is for: the last message's text."""
    text = exchange.request.json["messages"][-1]["content"]
    if way == "json":
        data = orjson.dumps(completion(text))
        return head(200, {"Content-Length": str(len(data))}, "application/json") + data
    if way == "length":
        return head(200, {"Content-Length": str(len(good(text)))}) + good(text)
    return STREAM + b"".join(map(chunked, [good(text)])) + END


def question(text: str) -> bytes:
    """The messages that ask for this text."""
    return orjson.dumps([{"role": "user", "content": text}])


@pytest.mark.parametrize("way", ["stream", "length", "json"])
@pytest.mark.parametrize("together", [True, False])
async def test_an_answer_that_nobody_asked_for_is_nobodys(way: str, together: bool) -> None:
    """Sent in one piece with the first, or while the connection rests: no other record gets it, now or later."""
    rested = asyncio.Event()

    async def twice(exchange: Exchange) -> None:
        answer = named(exchange, way)
        await exchange.send(*([answer * 2] if together else [answer, answer]))
        rested.set()

    async with Server(twice) as server, desk(server) as counter:
        for number in range(6):
            rested.clear()
            assert (await counter.ask(question(f"r{number}"))).text == f"r{number}"
            await rested.wait()
        assert len(server.requests) == 6
        assert server.connections == 6


async def test_an_answer_that_nobody_asked_for_still_in_the_kernel() -> None:
    """It came while the loop was busy elsewhere: the connection is looked at before it is used again."""

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            peer, _ = listener.accept()
            with peer:
                text = orjson.loads(read_request(peer))["messages"][-1]["content"]
                data = orjson.dumps(completion(text))
                whole = head(200, {"Content-Length": str(len(data))}, "application/json") + data
                peer.sendall(whole)
                asked.wait(5)
                peer.sendall(whole)
                sent.set()
                peer.recv(1)

    def read_request(peer: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data or not data.endswith(b"}"):
            data += peer.recv(65536)
        return data.partition(b"\r\n\r\n")[2]

    asked, sent = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        async with desk(f"http://127.0.0.1:{listener.getsockname()[1]}/v1") as counter:
            assert (await counter.ask(question("one"))).text == "one"
            asked.set()
            sent.wait(5)  # the loop stands still: nothing is read
            assert (await counter.ask(question("two"))).text == "two"
        thread.join(5)


async def test_answers_that_are_one_too_far_are_asked_for_again() -> None:
    """The unasked answer came when the next request was out already: what follows it gives it away."""

    async def behind(exchange: Exchange) -> None:
        await exchange.send(named(exchange))
        late = named(exchange)
        if exchange.number == 0:  # it crosses the second request, whose own answer then comes unasked
            await exchange.reader.readuntil(b"\r\n\r\n")
            await exchange.send(late + STREAM + chunked(good("r1")) + END)
            exchange.hang_up()

    async with Server(behind) as server, desk(server) as counter:
        assert [(await counter.ask(question(f"r{number}"))).text for number in range(4)] == ["r0", "r1", "r2", "r3"]
        assert counter.slept  # the doubted answer was an attempt: it may have been paid for
        assert server.connections == 4


@pytest.mark.parametrize("fast", [True, False])
async def test_a_408_that_crosses_a_request_is_not_the_records(fast: bool) -> None:
    """It says that the connection idled too long; the record is asked on another one, at once and uncharged."""

    async def idle(exchange: Exchange) -> None:
        await sse(good("ok"))(exchange)
        if not fast:
            await exchange.reader.readuntil(b"\r\n\r\n")
        await error(408, {}, Connection="close")(exchange)
        exchange.hang_up()

    async with Server(idle) as server, desk(server) as counter:
        answers = [await counter.ask() for _ in range(5)]
        assert {(answer.text, answer.attempts) for answer in answers} == {("ok", 1)}
        assert (counter.retries, counter.slept) == ([], [])
        assert server.connections <= 6


@pytest.mark.parametrize("stray", [b"GARBAGE", b"\r\n", b"\0" * 70_000, b"data: [DONE]\n\n", b"HTTP/1.1 x\r\n\r\n"])
@pytest.mark.parametrize("way", ["stream", "length", "json"])
async def test_stray_bytes_behind_an_answer_cost_the_connection_only(way: str, stray: bytes) -> None:
    """The answer was complete: it is kept, and asked for once; also where it came in one piece with them."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(named(exchange, way) + stray)

    async with Server(script) as server, desk(server) as counter:
        for number in range(3):
            answer = await counter.ask(question(f"r{number}"))
            assert (answer.text, answer.attempts) == (f"r{number}", 1)
        assert len(server.requests) == 3


@pytest.mark.parametrize("short", [1, 14, 16])
async def test_a_length_that_is_too_short_for_done(short: int) -> None:
    """What is missing is [DONE] at most: the finish reason says that it is all there."""
    data = good("Hello")
    done = await ask(head(200, {"Content-Length": str(len(data) - short)}) + data, max_attempts=1)
    assert (done.good.text, done.asked) == ("Hello", 1)


@pytest.mark.parametrize("attempts", [1, 2])
async def test_who_hangs_up_later_had_the_request(attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an end at once is a stale connection's; a model may have worked since, and --max-attempts holds."""
    monkeypatch.setattr("contextvqa_async.client.wire._STALE_SECONDS", 0.02)

    async def worked(exchange: Exchange) -> None:
        await asyncio.sleep(0.05)
        exchange.hang_up()

    async with Server(sse(good()), worked) as server, desk(server, max_attempts=attempts) as counter:
        await counter.ask()
        with pytest.raises(RecordError) as caught:
            await counter.ask()
        assert (caught.value.attempts, len(server.requests)) == (attempts, 1 + attempts)


@linux
async def test_h03_cancelling_leaks_nothing() -> None:
    """Hundreds of requests cancelled in every phase; then it serves as on the first day, on few sockets."""
    rng = random.Random(5)

    async def any_manner(exchange: Exchange) -> None:
        await asyncio.sleep(rng.random() * 0.02)
        scripts: list[Script] = [sse(good()), hang(chunk("a")), cut(chunk("a")), closing(0), hang(), body(b"x", 500)]
        await rng.choice(scripts)(exchange)

    async with Server(any_manner) as server, desk(server) as counter:

        async def impatient() -> None:
            with anyio.move_on_after(rng.random() * 0.03):
                await counter.ask()

        for _ in range(6):
            async with anyio.create_task_group() as group:
                for _ in range(100):
                    group.start_soon(impatient)
        server.scripts = (sse(good("Still here")),)
        await anyio.sleep(0.05)
        assert (await counter.ask()).text == "Still here"
        gc.collect()
        assert sockets_to(server.port) < 60
        assert counter.gate.open == 0
    assert sockets_to(server.port) == 0


@linux
async def test_cancelling_in_the_middle_of_an_upload_closes_the_socket() -> None:
    """Though the server would never read the rest."""

    async def deaf(exchange: Exchange) -> None:
        await exchange.server.done.wait()

    async with Server(deaf, read_body=False) as server, desk(server) as counter:
        with anyio.move_on_after(0.1):
            await counter.ask(BIG * 10)
        await anyio.wait_all_tasks_blocked()
        assert sockets_to(server.port) == 0


@linux
async def test_stalled_requests_leave_no_sockets() -> None:
    """Deadlines abort; nothing waits for the other side."""
    async with Server(hang(chunk("a"))) as server, desk(server, stall_timeout=0.05, max_attempts=2) as counter:
        results = await asyncio.gather(*(counter.ask() for _ in range(50)), return_exceptions=True)
        assert all(isinstance(result, RecordError) for result in results)
        assert sockets_to(server.port) == 0


# Proxies and certificates (H-11).


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("http://h/v1", {}, None),
        ("http://h/v1", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://h/v1", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://h/v1", {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://p:1"}, "http://low:1"),
        ("https://h/v1", {"ALL_PROXY": "p:1"}, "http://p:1"),
        ("https://h/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://a.b.c/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x, .b.c"}, None),
        ("https://a.b.c/v1", {"HTTPS_PROXY": "http://p:1", "no_proxy": "b.c"}, None),
        ("https://a.b.c/v1", {"HTTPS_PROXY": "http://p:1", "no_proxy": "*.b.c"}, None),
        ("https://ab.c/v1", {"HTTPS_PROXY": "http://p:1", "no_proxy": "b.c"}, "http://p:1"),
        ("http://127.0.0.1:80/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.0/8"}, None),
        ("http://10.1.2.3/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/16"}, "http://p:1"),
        ("http://h:8000/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "h:8000"}, None),
        ("http://h:8001/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "h:8000"}, "http://p:1"),
        ("http://[::1]:8/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "[::1]"}, None),
        ("http://[fe80::1]/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "fe80::/10"}, None),
        ("https://h/v1", {"HTTPS_PROXY": "", "ALL_PROXY": " "}, None),
    ],
)
def test_h11_the_proxy_of_an_address(url: str, environ: dict[str, str], proxy: str | None) -> None:
    """As curl and urllib read the variables."""
    assert find_proxy(url, environ) == proxy


def test_h11_a_proxy_that_is_not_spoken() -> None:
    """It is refused, not gone around."""
    with pytest.raises(UsageError, match="socks5"):
        find_proxy("https://h", {"ALL_PROXY": "socks5://p:1"})


async def test_h11_http_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its user and password, also on a connection that is used again."""
    async with Server(sse(good("By proxy"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:p%40ss@{proxy.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with desk("http://far.invalid/v1") as counter:
            for _ in range(2):
                assert (await counter.ask()).text == "By proxy"
        assert [request.line for request in proxy.requests] == [
            "POST http://far.invalid/v1/chat/completions HTTP/1.1"
        ] * 2
        assert {request.headers.get("proxy-authorization") for request in proxy.requests} == {"Basic bWU6cEBzcw=="}
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
        async with Server(sse(good("Directly"))) as server, desk(server) as counter:
            assert (await counter.ask()).text == "Directly"


async def test_h11_a_proxy_that_wants_a_password_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """407 is a credential, not a fault of the record."""
    async with Server(error(407, {})) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with desk("http://far.invalid/v1") as counter:
            with pytest.raises(RunError) as caught:
                await counter.ask()
            assert caught.value.kind is Kind.CREDENTIAL


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, made for this test; its key lies in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(["openssl", *options.split(), *names, *files], check=True, capture_output=True)
    with path.open("a") as both:
        both.write(Path(f"{path}.crt").read_text("ascii"))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """A server's side of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def tunnel(exchange: Exchange) -> None:
    """A proxy's CONNECT."""
    host, _, port = exchange.request.line.split()[1].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await exchange.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    await asyncio.gather(pump(exchange.reader, writer), pump(reader, exchange.writer), return_exceptions=True)
    writer.close()
    exchange.hang_up()


async def test_h11_a_certificate_that_is_not_trusted_stops_the_run(tls: ssl.SSLContext) -> None:
    """Nobody asks eight times; the sentence says what to do."""
    async with Server(sse(good()), ssl=tls) as server, desk(server) as counter:
        with pytest.raises(RunError, match="certificate"):
            await counter.ask()
        assert server.requests == []


async def test_h11_ssl_cert_file(tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's roots are trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with Server(sse(good("Safe")), ssl=tls) as server, desk(server) as counter:
        for _ in range(3):
            assert (await counter.ask()).text == "Safe"
        assert server.connections == 1


async def test_h11_https_goes_through_the_proxy(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a tunnel that is used again, and with the proxy's password."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with Server(sse(good("Tunnelled")), ssl=tls) as server, Server(tunnel) as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:pass@{proxy.host}")
        async with desk(server) as counter:
            for _ in range(3):
                assert (await counter.ask()).text == "Tunnelled"
        assert [request.line for request in proxy.requests] == [f"CONNECT {server.host} HTTP/1.1"]
        assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6cGFzcw=="
        assert "proxy-authorization" not in server.requests[0].headers


@linux
async def test_a_tls_connection_that_is_cancelled_is_gone_at_once(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No polite goodbye is waited for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with Server(hang(chunk("a")), ssl=tls) as server, desk(server) as counter:
        with anyio.move_on_after(0.2):
            await counter.ask()
        await anyio.sleep(0.01)
        assert sockets_to(server.port) == 0


@pytest.mark.parametrize("use_uvloop", [False, True])
def test_a_stop_does_not_wait_for_name_servers(use_uvloop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that hangs ends with its request, and keeps neither the loop nor the program from ending."""
    answered = threading.Event()
    look_up = socket.getaddrinfo

    def unanswered(host: str, *args: Any, **options: Any) -> Any:
        if host == "hangs.example":
            answered.wait(20)
        return look_up(host, *args, **options)

    async def run() -> None:
        async with desk("http://hangs.example/v1", connect_timeout=0.05, max_attempts=1) as counter:
            with pytest.raises(RecordError) as caught:
                await counter.ask()
            assert caught.value.kind is Kind.TIMEOUT

    monkeypatch.setattr(socket, "getaddrinfo", unanswered)
    started = time.monotonic()
    try:
        anyio.run(run, backend_options={"use_uvloop": use_uvloop})
        assert time.monotonic() - started < 10
    finally:
        answered.set()


async def test_names_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of the name servers is kept for a while."""
    asked = []
    look_up = socket.getaddrinfo

    def counted(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    async with Server(sse(good())) as server, desk(server.url.replace("127.0.0.1", "localhost")) as counter:
        await asyncio.gather(*(counter.ask() for _ in range(4)))
    assert asked == ["localhost"]
