"""The floors: a bare asyncio.Protocol that posts the same body and scans for the end of the answer.

Neither HTTP nor its chunks are checked. ``bytes`` reads no event, and counts what came: what the kernel, the loop and
base64 cost by themselves. ``events`` splits the events and reads each with orjson: what streaming costs in Python.
The fifth argument names one of them, the sixth the loop (``asyncio``, ``uvloop``).
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import orjson
import pybase64

from benchmark.contenders.common import Task, body_around, image_of, run_workers

_END = b"data: [DONE]\n\n\r\n0\r\n\r\n"


class Counting(asyncio.Protocol):
    """One connection; ``over`` is done with the size of the answer when its end has come."""

    over: asyncio.Future[object]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, head: bytes, body: bytes) -> asyncio.Future[object]:
        """Post ``body``; wait for its answer."""
        self.parts: list[Any] = []
        self.over = asyncio.get_running_loop().create_future()
        self.transport.write(head)
        self.transport.write(body)
        return self.over

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        tail = data if len(data) >= len(_END) or len(self.parts) == 1 else self.parts[-2] + data
        if tail.endswith(_END):
            self.over.set_result(len(b"".join(self.parts)))

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "over") and not self.over.done():
            self.over.set_exception(ConnectionError("The server hung up."))


class Reading(Counting):
    """The same; ``over`` is done with the answer's text."""

    rest = b""

    def data_received(self, data: bytes) -> None:
        *events, self.rest = (self.rest + data).split(b"\n\n")
        for event in events:
            begin = event.find(b"data: {")
            if begin >= 0:
                self.parts += [
                    each["delta"].get("content") or "" for each in orjson.loads(event[begin + 6 :])["choices"]
                ]
        if self.rest.endswith(b"\r\n0\r\n\r\n"):
            self.rest = b""
            self.over.set_result("".join(self.parts))


async def main(task: Task, kind: type[Counting | Reading]) -> None:
    """Ask about every record of the command line."""
    host, port, path = task.address
    before, after = body_around(stream=True)
    loop = asyncio.get_running_loop()
    idle: list[Counting] = []

    async def ask(record: dict[str, Any]) -> object:
        body = b"".join((before, pybase64.b64encode(image_of(record)), after))
        line = f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
        connection = idle.pop() if idle else (await loop.create_connection(kind, host, port))[1]
        answer = await connection.ask(f"{line}content-length: {len(body)}\r\n\r\n".encode(), body)
        idle.append(connection)
        return answer

    await run_workers(task, ask)


if __name__ == "__main__":
    *_, what, loop_name = sys.argv
    del sys.argv[5:]
    asyncio_or_uvloop = asyncio if loop_name == "asyncio" else __import__("uvloop")
    asyncio_or_uvloop.run(main(Task.from_argv(), Reading if what == "events" else Counting))
