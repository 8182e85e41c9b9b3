"""httpx as it comes: `aiter_lines` and the standard library's json."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx

from benchmark.contenders.common import Task, image_of, request_body, run_workers


async def main() -> None:
    """Ask about every record of the command line."""
    task = Task.from_argv()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=limits) as client:

        async def ask(record: dict[str, Any]) -> str:
            picture = base64.b64encode(image_of(record)).decode()
            body = request_body(f"data:image/jpeg;base64,{picture}", stream=True)
            parts: list[str] = []
            async with client.stream("POST", f"{task.base_url}/chat/completions", json=body) as response:
                response.raise_for_status()
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        parts += [each["delta"].get("content") or "" for each in json.loads(line[6:])["choices"]]
            return "".join(parts)

        await run_workers(task, ask)


if __name__ == "__main__":
    asyncio.run(main())
