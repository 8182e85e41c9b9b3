"""aiohttp itself on uvloop, streaming, with orjson and a byte splitter: as far as one gets without own transport."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
import pybase64
import uvloop

from benchmark.contenders.common import Task, body_around, image_of, run_workers


async def main() -> None:
    """Ask about every record of the command line."""
    task = Task.from_argv()
    head, tail = body_around(stream=True)
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=unlimited, timeout=aiohttp.ClientTimeout(total=None)) as session:

        async def ask(record: dict[str, Any]) -> str:
            body = b"".join((head, pybase64.b64encode(image_of(record)), tail))
            async with session.post(f"{task.base_url}/chat/completions", data=body) as response:
                response.raise_for_status()
                return await _collect(response)

        await run_workers(task, ask)


async def _collect(response: aiohttp.ClientResponse) -> str:
    parts: list[str] = []
    rest = b""
    async for piece in response.content.iter_any():
        *events, rest = (rest + piece).split(b"\n\n")
        for event in events:
            if event.startswith(b"data: {"):
                parts += [each["delta"].get("content") or "" for each in orjson.loads(event[6:])["choices"]]
    return "".join(parts)


if __name__ == "__main__":
    uvloop.run(main())
