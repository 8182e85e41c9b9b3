"""aiohttp itself on uvloop, not streaming: what `--no-stream` is measured by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import pybase64
import uvloop

from benchmark.contenders.common import Task, body_around, image_of, run_workers


async def main(finish: Callable[[dict[str, Any], str], None] = lambda record, text: None) -> None:
    """Ask about every record of the command line; ``finish`` does with each answer what else there is to do."""
    task = Task.from_argv()
    head, tail = body_around(stream=False)
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=unlimited, timeout=aiohttp.ClientTimeout(total=None)) as session:

        async def ask(record: dict[str, Any]) -> str:
            body = b"".join((head, pybase64.b64encode(image_of(record)), tail))
            async with session.post(f"{task.base_url}/chat/completions", data=body) as response:
                response.raise_for_status()
                text: str = orjson.loads(await response.read())["choices"][0]["message"]["content"]
                finish(record, text)
                return text

        await run_workers(task, ask)


if __name__ == "__main__":
    uvloop.run(main())
