"""The whole line in Python, on the embedded simulator: `python examples/quickstart.py`."""

import asyncio
from pathlib import Path

from contextvqa_async import run_async

HERE = Path(__file__).parent


async def main() -> None:
    """Ask about the example pictures; what stands in the output already is not asked again."""
    summary = await run_async(HERE / "records.jsonl", "quickstart.jsonl", concurrency=8, simulate=True)
    print(f"{summary.done} rows, {summary.pairs} pairs, {summary.failed} failed → {summary.output}")


if __name__ == "__main__":
    asyncio.run(main())
