"""openai-python's AsyncOpenAI, streaming: the way its own documentation shows.

The long timeout is DataFlow's: with the default, 5 s to connect, 1,024 streams at once end in an error.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import openai  # type: ignore[import-not-found, unused-ignore]

from benchmark.contenders.common import MODEL, Task, image_of, messages, run_workers


async def main() -> None:
    """Ask about every record of the command line."""
    task = Task.from_argv()
    async with openai.AsyncOpenAI(api_key="none", base_url=task.base_url, timeout=1800) as client:

        async def ask(record: dict[str, Any]) -> str:
            picture = base64.b64encode(image_of(record)).decode()
            stream = await client.chat.completions.create(
                model=MODEL, messages=messages(f"data:image/jpeg;base64,{picture}"), stream=True
            )
            parts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            return "".join(parts)

        await run_workers(task, ask)


if __name__ == "__main__":
    asyncio.run(main())
