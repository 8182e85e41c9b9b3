"""As aiohttp_plain, and each answer refined by our own parser: what `--no-stream` does beside asking and storing."""

from __future__ import annotations

from typing import Any

import uvloop

from benchmark.contenders.aiohttp_plain import main
from contextvqa_async.refiner import refine


def add_pairs(record: dict[str, Any], text: str) -> None:
    """Put article and pairs into the record, which becomes the row."""
    record["context_vqa"] = refine(text).as_dict()


if __name__ == "__main__":
    uvloop.run(main(add_pairs))
