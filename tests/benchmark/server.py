"""A model's server that costs next to nothing: requests in, answers that stand ready out, in one of three manners.

    POST /burst/v1/chat/completions     the whole answer at once
    POST /paced-10/v1/chat/completions  one event each 10 ms
    POST /held-500/v1/chat/completions  the whole answer after 500 ms: a constant latency
    GET  /stats                         counters and CPU seconds since the last GET, as JSON

Rule: one core of it is never the bottleneck. A body is counted, not kept; a request that does not ask for a stream
gets the JSON answer when its stream would have ended. `python -m benchmark.server` prints its port, and serves until
its stdin ends.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from benchmark.answers import Answer, render_answer
from benchmark.trickle import Stream, Trickle

POOL = 128
"""Answers held ready, some 170 KB each."""

_REQUEST = re.compile(rb"(?:POST /(?P<manner>burst|paced|held)(?:-(?P<ms>[\d.]+))?/|GET /stats )")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_OVERLAP = 16
"""Bytes of the last piece that are looked at again, lest the mark of a stream was cut in two."""


class Service:
    """What all connections share: the answers, the paces and the counters."""

    def __init__(self, answers: list[Answer]) -> None:
        self.stats: Counter[str] = Counter()
        self._answers = answers
        self._trickles: dict[float, Trickle] = {}
        self._serial, self._in_flight, self._cpu = 0, 0, time.process_time()

    def begin(self, manner: str, seconds: float, streamed: bool, connection: Connection) -> Callable[[], None]:
        """Start to answer a request that has been read; return what undoes it where the client goes away."""
        self._serial += 1
        self._in_flight += 1
        self.stats["requests"] += 1
        self.stats["peak"] = max(self.stats["peak"], self._in_flight)
        answer = self._answers[self._serial * 7919 % len(self._answers)]
        wire = answer.fill(answer.stream if streamed else answer.plain, self._serial)
        if manner == "paced" and streamed:
            trickle = self._trickles.setdefault(seconds, Trickle(seconds, self.stats))
            stream = Stream(wire=wire, ends=answer.ends, write=connection.write, finish=connection.finish)
            trickle.add(stream)
            return functools.partial(trickle.drop, stream)
        wait = seconds * len(answer.ends) if manner == "paced" else seconds
        return asyncio.get_running_loop().call_later(wait, connection.end_with, wire).cancel

    def leave(self) -> None:
        """One request is over, answered or not."""
        self._in_flight -= 1

    def report(self) -> bytes:
        """The counters since the last report, as an HTTP response."""
        cpu, since = time.process_time(), self._cpu
        body = json.dumps({**self.stats, "cpu": cpu - since}).encode()
        self._cpu = cpu
        self.stats.clear()
        return b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Connection(asyncio.Protocol):
    """One client's connection: a request, its answer, the next request."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._head, self._missing, self._tail = b"", 0, b""
        self._manner, self._seconds, self._streamed = "", 0.0, False
        self._undo: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._fd = self._transport.get_extra_info("socket").fileno()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._undo is not None:
            self._undo()
            self._over()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._head = b""
            self._read_head(head)
        self._read_body(data)

    def _read_head(self, head: bytes) -> None:
        request, length = _REQUEST.match(head), _LENGTH.search(head)
        if request is None or (request["manner"] and length is None):
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self._transport.close()
        elif length is None:
            self._transport.write(self._service.report())
            self._transport.close()
        else:
            self._manner, self._seconds = request["manner"].decode(), float(request["ms"] or 0) / 1000
            self._missing, self._streamed, self._tail = int(length[1]), False, b""

    def _read_body(self, data: bytes) -> None:
        if not self._missing:
            return
        if not self._streamed:
            self._streamed = bool(_STREAM.search(self._tail + data[:_OVERLAP]) or _STREAM.search(data))
            self._tail = data[-_OVERLAP:]
        self._missing -= len(data)
        if not self._missing:
            self._undo = self._service.begin(self._manner, self._seconds, self._streamed, self)

    def write(self, wire: bytes) -> None:
        """Send now, past the loop's queue, and leave to the loop only what the socket does not take."""
        if self._transport.is_closing():
            return
        if not self._transport.get_write_buffer_size():
            try:
                wire = wire[os.write(self._fd, wire) :]
            except BlockingIOError:
                pass
            except OSError:
                self._transport.abort()
                return
        if wire:
            self._transport.write(wire)

    def end_with(self, wire: bytes) -> None:
        """Write the whole answer."""
        self.write(wire)
        self.finish()

    def finish(self) -> None:
        """The answer is written; the connection waits for the next request."""
        self._over()

    def _over(self) -> None:
        self._undo = None
        self._service.leave()


async def serve(port: int = 0) -> asyncio.Server:
    """Listen on a loopback port with the answers rendered."""
    service = Service([render_answer(seed) for seed in range(POOL)])
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(service), "127.0.0.1", port, backlog=4096)


async def main() -> None:
    """Serve until stdin ends, so that no server outlives the process that started it."""
    server = await serve()
    gc.freeze()
    gc.disable()
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
