"""The floor: a bare asyncio.Protocol that posts the same body and scans for the end of the answer.

No HTTP is parsed, no framing checked, no event read: what the kernel, the loop and base64 cost by themselves. Its
rows hold the number of bytes that came. A fifth argument ``uvloop`` takes that loop in place of asyncio's own.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import pybase64

from benchmark.contenders.common import Task, body_around, image_of, run_workers

_END = b"data: [DONE]\n\n\r\n0\r\n\r\n"


class Answering(asyncio.Protocol):
    """One connection; ``over`` is done with the size of the answer when its end has come."""

    over: asyncio.Future[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, head: bytes, body: bytes) -> asyncio.Future[int]:
        """Post ``body``; wait for its answer."""
        self.parts: list[bytes] = []
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


async def main(task: Task) -> None:
    """Ask about every record of the command line."""
    host, port, path = task.address
    before, after = body_around(stream=True)
    loop = asyncio.get_running_loop()
    idle: list[Answering] = []

    async def ask(record: dict[str, Any]) -> int:
        body = b"".join((before, pybase64.b64encode(image_of(record)), after))
        line = f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
        connection = idle.pop() if idle else (await loop.create_connection(Answering, host, port))[1]
        size = await connection.ask(f"{line}content-length: {len(body)}\r\n\r\n".encode(), body)
        idle.append(connection)
        return size

    await run_workers(task, ask)


if __name__ == "__main__":
    runner = asyncio.run
    if sys.argv[5:] == ["uvloop"]:
        import uvloop

        sys.argv.pop()
        runner = uvloop.run
    runner(main(Task.from_argv()))
