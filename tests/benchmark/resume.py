"""What resuming costs: a million records in, a million rows already there, nothing left to ask.

    python -m tests.benchmark.resume [--rows 1000000] [--folder /tmp] [--row-bytes 4000]

Comes out: a table on stdout. "Bare loop" reads both files in blocks and finds each line's id, in the same process and
minute: no healing, no duplicates, no changes noticed. Each is run ``--times`` times in turn; the median stands.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import orjson

from contextvqa_async.config import Reading, Saving
from contextvqa_async.items import Failure, Row
from contextvqa_async.records import read_records
from contextvqa_async.records.parsing import short_sha
from contextvqa_async.sink import Sink
from contextvqa_async.sink.index import Flag, Index
from contextvqa_async.sink.sidecar import Sidecar, sidecar_path

WORDS = [
    "the",
    "lighthouse",
    "keeper",
    "of",
    "Saint-Mathieu",
    "counted",
    "every",
    "ship",
    "that",
    "passed",
    "between",
    "1863",
    "and",
    "the",
    "year",
    "it",
    "was",
    "automated",
]


def record_line(number: int) -> bytes:
    """A record as DataFlow-MM users write them."""
    return orjson.dumps(
        {
            "id": f"sample-{number:09d}",
            "image": f"images/{number % 1000:03d}/{number:09d}.jpg",
            "conversation": [
                {"from": "human", "value": "<image>\nWrite an article about what is related to this picture."}
            ],
        }
    )


def row_line(number: int, size: int) -> bytes:
    """A row of about ``size`` bytes: the raw text, and the same as article and pairs."""
    half = size // 2 - 700
    words = [WORDS[(number + k * 7) % len(WORDS)] for k in range(half // 6)]
    context = " ".join(words)[:half]
    pairs = [(f"What did the keeper count in {1863 + k}?", f"All {number + k} ships.") for k in range(6)]
    text = f"**Article**\n\n{context}\n\n" + "\n".join(f"Q: {q}\nA: {a}" for q, a in pairs)
    record = record_line(number)
    return orjson.dumps(
        orjson.loads(record)
        | {
            "vqa": text,
            "context_vqa": {"context": context, "qas": [{"question": q, "answer": a} for q, a in pairs]},
            "generation": {
                "model": "m", "finish_reason": "stop", "attempts": 1, "prompt_tokens": 812, "completion_tokens": 640,
                "seconds": 12.5, "first_token_seconds": 0.4, "request_id": f"req-{number}",
                "record_sha": short_sha(record), "version": "0.1.0",
            },
        }
    )  # fmt: skip


def prepare(folder: Path, rows: int, size: int) -> tuple[Path, Path]:
    """Write both files and the sidecar."""
    source, output = folder / "in.jsonl", folder / "out.jsonl"
    with source.open("wb") as records, output.open("wb") as done:
        for number in range(rows):
            records.write(record_line(number) + b"\n")
            done.write(row_line(number, size) + b"\n")
    Sidecar(fingerprint={"id_key": "id"}).write(sidecar_path(output))
    return source, output


def lines_of(path: Path) -> Iterator[bytes]:
    """The bare way to lines: blocks, split."""
    rest = b""
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield from lines


def bare(source: Path, output: Path) -> float:
    """Seconds to read both files in blocks and find each line's id."""
    began = time.perf_counter()
    found = 0
    for path in (output, source):
        for line in lines_of(path):
            start = line.index(b'"id":"') + 6
            found += line[start : line.index(b'"', start)] != b""
    assert found, "no ids"
    return time.perf_counter() - began


async def resume(source: Path, output: Path) -> float:
    """Seconds from opening the sink until the input has been read to its end."""
    began = time.perf_counter()

    def nothing(items: list[Row | Failure]) -> None:
        raise AssertionError(items)

    async with Sink.open(output, Saving(), reading=Reading(), fingerprint={}, on_commit=nothing) as sink:
        async for item in read_records(source, Reading(), chooser=sink):
            raise AssertionError(item)
        assert sink.counts.done == sink.earlier_rows > 0
        assert sink.counts.changed == sink.counts.duplicates == 0
        return time.perf_counter() - began


Measured = tuple[float, float, float]
"""Seconds, seconds of CPU, and the peak of memory in MB."""


def child(what: str, source: Path, output: Path) -> Measured:
    """Measure one way, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmark.resume", "--only", what, str(source), str(output)]
    seconds, cpu, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(cpu), float(peak)


def only(what: str, source: Path, output: Path) -> None:
    """Run one way here, and print what it took."""
    began = time.process_time()
    if what == "bare":
        seconds = bare(source, output)
    else:
        seconds = anyio.run(resume, source, output, backend_options={"use_uvloop": True})
    print(seconds, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def bytes_a_row(rows: int, expected: int) -> float:
    """The most memory the index takes for a row, while ``rows`` of them come in."""
    tracemalloc.start()
    index = Index(expected)
    for number in range(rows):
        index.put(b'"sample-%09d' % number, Flag.ROW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / rows


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--row-bytes", type=int, default=4000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--only", nargs=3, metavar=("WHAT", "IN", "OUT"))
    options = parser.parse_args()
    if options.only:
        only(options.only[0], Path(options.only[1]), Path(options.only[2]))
        return
    with TemporaryDirectory(dir=options.folder) as name:
        source, output = prepare(Path(name), options.rows, options.row_bytes)
        runs = [(child("bare", source, output), child("resume", source, output)) for _ in range(options.times)]
        report(options.rows, source, output, runs)


def report(rows: int, source: Path, output: Path, runs: list[tuple[Measured, Measured]]) -> None:
    """Print the table."""
    loop, ours = ([statistics.median(run[way][what] for run in runs) for what in range(3)] for way in (0, 1))
    ratios = [statistics.median(run[1][what] / run[0][what] for run in runs) for what in range(2)]
    sizes = [os.path.getsize(path) / 1e6 for path in (source, output)]
    print(f"{rows:,} records ({sizes[0]:,.0f} MB), {rows:,} rows ({sizes[1]:,.0f} MB)\n")
    print("| | seconds | CPU | a row | peak RSS |")
    print("| --- | --- | --- | --- | --- |")
    for name, (seconds, cpu, peak) in (
        ("bare loop: blocks, each line's id", loop),
        ("resume: indexed, compared", ours),
    ):
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {seconds / rows * 1e6:.2f} µs | {peak:.0f} MB |")
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} | | |\n")
    print(
        f"Index: {bytes_a_row(rows, rows):.0f} bytes a row when sized ahead, {bytes_a_row(rows, 0):.0f} when it grows."
    )


if __name__ == "__main__":
    main()
