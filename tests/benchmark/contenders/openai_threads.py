"""openai-python in threads, not streaming: how DataFlow's own client asks."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import openai  # type: ignore[import-not-found, unused-ignore]

from benchmark.contenders.common import MODEL, Task, image_of, messages, write_row


def main() -> None:
    """Ask about every record of the command line."""
    task = Task.from_argv()
    client = openai.OpenAI(api_key="none", base_url=task.base_url)

    def ask(record: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        picture = base64.b64encode(image_of(record)).decode()
        answer = client.chat.completions.create(
            model=MODEL, messages=messages(f"data:image/jpeg;base64,{picture}"), timeout=1800
        )
        return record, answer.choices[0].message.content

    with ThreadPoolExecutor(task.concurrency) as pool, task.out.open("wb") as out:
        for future in as_completed([pool.submit(ask, record) for record in task.read()]):
            write_row(out, *future.result())


if __name__ == "__main__":
    main()
