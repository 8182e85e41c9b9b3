"""What every contender does alike: its arguments, its records, the prompt, and workers that take turns.

In: the command line of the package's docstring. Out: rows ``{"id", "image", "vqa"}`` in the order of completion.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

MODEL = "qwen3-vl-8b-instruct"
SYSTEM = "You are a helpful assistant."
PROMPT = (
    "Write an encyclopedia article about the subject of this image, then six questions that need both the image "
    "and the article. Use this layout: 'Article: …', then 'Q1: …' and 'A1: …' on lines of their own. "
) * 6
"""As long as the default prompt of the line, which sends its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the command line asks for."""

    records: Path
    out: Path
    base_url: str
    concurrency: int

    @classmethod
    def from_argv(cls) -> Task:
        """Read ``sys.argv``."""
        records, out, base_url, concurrency = sys.argv[1:]
        return cls(records=Path(records), out=Path(out), base_url=base_url, concurrency=int(concurrency))

    @property
    def address(self) -> tuple[str, int, str]:
        """Host, port and path of the chat completions."""
        parts = urlsplit(self.base_url)
        return parts.hostname or "", parts.port or 80, parts.path + "/chat/completions"

    def read(self) -> Iterator[dict[str, Any]]:
        """The records, one line at a time."""
        with self.records.open("rb") as lines:
            yield from map(json.loads, lines)


def image_of(record: dict[str, Any]) -> bytes:
    """The bytes of a record's picture."""
    return Path(record["image"]).read_bytes()


def messages(address: str) -> list[dict[str, Any]]:
    """One question about one image, as OpenAI's API takes it; ``address`` is a data URL."""
    image = {"type": "image_url", "image_url": {"url": address}}
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": [image, {"type": "text", "text": PROMPT}]},
    ]


def request_body(address: str, *, stream: bool) -> dict[str, Any]:
    """The whole body of a request."""
    return {"model": MODEL, "messages": messages(address), "stream": stream}


def body_around(*, stream: bool) -> tuple[bytes, bytes]:
    """The body's bytes before and after the base64, for those who splice."""
    head, tail = json.dumps(request_body("data:image/jpeg;base64,@", stream=stream)).encode().split(b"@")
    return head, tail


def write_row(out: IO[bytes], record: dict[str, Any], answer: object) -> None:
    """Append one row."""
    out.write(json.dumps({**record, "vqa": answer}, ensure_ascii=False).encode() + b"\n")


async def run_workers(task: Task, ask: Callable[[dict[str, Any]], Awaitable[object]]) -> None:
    """Let as many workers as the task allows take records in turn, and write each answer as it comes."""
    records = task.read()
    with task.out.open("wb") as out:

        async def work() -> None:
            for record in records:
                write_row(out, record, await ask(record))

        await asyncio.gather(*(work() for _ in range(task.concurrency)))
