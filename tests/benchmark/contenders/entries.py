"""Who takes part: a name for the table, and the command line that does the work.

Rule: ours runs as its users run it, the installed command with its defaults; only the display is off and the number
of requests in flight is fixed, as it is for everyone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.rows import check_floor, check_ours, check_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One contender's work: these records, to that file, from there, so many at a time."""

    records: Path
    out: Path
    base_url: str
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """``command`` makes the command line; ``check`` raises where the rows are not what was asked for."""

    name: str
    label: str
    command: Callable[[Run, str], Sequence[str]]
    check: Callable[[Path, int], None] = check_texts
    peer: bool = True
    slow: bool = False


def ours(run: Run, *more: str) -> Sequence[str]:
    """The command of this project, beside the interpreter that runs the benchmark."""
    return (
        str(Path(sys.executable).with_name("cvqa-async")),
        *(str(run.records), str(run.out), "--base-url", run.base_url),
        *("--concurrency", str(run.concurrency), "--no-adaptive", "--max-inflight-mb", "4096", "--progress", "none"),
        *more,
    )


def _program(module: str, *more: str) -> Callable[[Run, str], Sequence[str]]:
    def command(run: Run, python: str) -> Sequence[str]:
        words = str(run.records), str(run.out), run.base_url, str(run.concurrency)
        return (python, "-m", f"benchmark.contenders.{module}", *words, *more)

    return command


CONTENDERS = (
    Contender(name="ours", label="**cvqa-async**", command=lambda run, _: ours(run), check=check_ours, peer=False),
    *(
        Contender(
            name=f"{what}-{loop}",
            label=f"bare {loop}, {words}",
            command=_program("floor", what, loop),
            check=check,
        )
        for what, words, check in (("bytes", "bytes counted", check_floor), ("events", "events read", check_texts))
        for loop in ("asyncio", "uvloop")
    ),
    Contender(name="aiohttp", label="aiohttp, orjson, uvloop", command=_program("aiohttp_stream")),
    Contender(name="httpx", label="httpx, json", command=_program("httpx_plain"), slow=True),
    Contender(name="openai", label="openai-python, streaming", command=_program("openai_stream"), slow=True),
    Contender(
        name="openai-threads",
        label="openai-python, threads, no stream (DataFlow)",
        command=_program("openai_threads"),
    ),
    Contender(
        name="ours-no-stream",
        label="**cvqa-async --no-stream**",
        command=lambda run, _: ours(run, "--no-stream"),
        check=check_ours,
        peer=False,
    ),
    Contender(name="aiohttp-plain", label="aiohttp, no stream", command=_program("aiohttp_plain")),
    Contender(
        name="aiohttp-refined",
        label="aiohttp, no stream, answers refined",
        command=lambda run, _: _program("aiohttp_refined")(run, sys.executable),
        peer=False,
    ),
)
"""In the order in which they take turns."""
