"""The sink under kill -9, at every touch of a file and at random moments, and on a disk that is full.

The crashes are real: processes of this file's own ``main`` that die by ``os._exit`` or by a signal.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from contextvqa_async.config import Reading, Saving
from contextvqa_async.errors import Kind, RunError
from contextvqa_async.items import Failure, Record, Row
from contextvqa_async.records import read_records
from contextvqa_async.sink import Sink

TORN = [b"", b"", b'{"id":3,"vqa":"x', b'{"id":3,"vqa":"x' + b"\0" * 5000, b"\0" * 5000, b'{"id":99']


def outcome(record: Record, rng: random.Random) -> Row | Failure:
    """A row with or without a pair, or a failure."""
    if rng.random() < 0.3:
        return Failure(id=record.id, type="server", message="m", retryable=True, record=record.fields, sha=record.sha)
    own = {"vqa": "text " * rng.randrange(50), "context_vqa": {"qas": [{"question": "q"}] * rng.randrange(2)}}
    return Row(id=record.id, fields={"id": record.id, **record.fields, **own, "generation": {"record_sha": record.sha}})


async def work(folder: Path, seed: int, saving: Saving, told: Any) -> None:
    """One run over ``folder/in.jsonl``; ids of rows are given to ``told`` once they are durable."""

    def commit(items: list[Row | Failure]) -> None:
        told([item.id for item in items if isinstance(item, Row)])

    rng = random.Random(seed)
    source, reading = folder / "in.jsonl", Reading()
    async with Sink.open(
        folder / "out.jsonl", saving, reading=reading, fingerprint={}, on_commit=commit, inputs=[source]
    ) as sink:
        async for item in read_records(source, reading, chooser=sink):
            await sink.append(outcome(item, rng) if isinstance(item, Record) else item)
            if rng.random() < 0.1:
                await anyio.lowlevel.checkpoint()


def row_with(given: str, pairs: int, **more: str) -> str:
    """A row of the output that has so many pairs."""
    return json.dumps({"id": given, "vqa": "v", "context_vqa": {"qas": [{"question": "q"}] * pairs}, **more})


def prepare(folder: Path, records: int) -> None:
    """An input with some bad lines."""
    lines = [b"bad" if number % 20 == 7 else b'{"id":%d}' % number for number in range(records)]
    (folder / "in.jsonl").write_bytes(b"\n".join(lines))


def check(folder: Path, records: int, told: set[int]) -> None:
    """Whole lines; each id once, in one of the two files; what was told is there."""
    rows, failures = (read(folder / name) for name in ("out.jsonl", "out.failed.jsonl"))
    ids = Counter(item["id"] for item in rows) + Counter(item["id"] for item in failures if item["id"] is not None)
    wanted = {number for number in range(records) if number % 20 != 7}
    assert dict(ids) == dict.fromkeys(wanted, 1), {key: n for key, n in ids.items() if n > 1 or key not in wanted}
    assert told <= {item["id"] for item in rows}
    assert [item["line"] for item in failures if item["id"] is None] == [n + 1 for n in range(records) if n % 20 == 7]
    assert {path.name for path in folder.iterdir()} <= {
        "in.jsonl", "out.jsonl", "out.failed.jsonl", "out.run.json", "out.jsonl.lock",
    }  # fmt: skip


def read(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of whole lines."""
    data = path.read_bytes() if path.exists() else b""
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def die_at_touch(folder: Path, number: int) -> None:
    """Let this process die just before it touches a file of ``folder`` for the ``number``-th time."""
    left = [number]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        touched = event in ("open", "os.rename", "os.remove", "os.truncate")
        if touched and (str(args[0]).startswith(str(folder)) or event == "os.truncate"):
            left[0] -= 1
            if not left[0]:
                os._exit(9)

    sys.addaudithook(hook)


def in_child(folder: Path, touch: int, seed: int, saving: Saving) -> tuple[bool, set[int]]:
    """Work in a forked process that dies at its ``touch``-th touch of a file; whether it did, and what it told."""
    out, into = os.pipe()
    if not (child := os.fork()):
        die_at_touch(folder, touch)
        anyio.run(work, folder, seed, saving, lambda ids: os.write(into, json.dumps(ids).encode() + b"\n"))
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as lines:
        told = {number for line in lines for number in json.loads(line)}
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, told


def crash_everywhere(saving: Saving) -> int:
    """Kill a run at each of its touches of a file; check what the next run makes of it. Returns how many there were."""
    for touch in count(1):
        with TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder, 60)
            _, told = in_child(folder, 0, 1, Saving())
            crashed, more = in_child(folder, touch, 2, saving)
            replaced = set() if saving.retry_empty else told
            again, last = in_child(folder, 0, 3, Saving())
            assert not again
            assert not last & (replaced | more), "asked again for what was told"
            check(folder, 60, told | more)
            if not crashed:
                return touch - 1
    raise AssertionError


def die_nameless(folder: Path, told: list[list[int]]) -> None:
    """A run whose output is removed when it first tells of rows, and that is killed when it tells of the next."""

    def tell(ids: list[int]) -> None:
        print(*ids, flush=True)
        told.append(ids)
        if len(told) == 1:
            (folder / "out.jsonl").unlink()
        elif ids:
            os.kill(os.getpid(), signal.SIGKILL)

    anyio.run(work, folder, 1, Saving(), tell)


def die_replacing(folder: Path, answered: list[str]) -> None:
    """A run with --retry-empty that is killed when rows with a pair of ``answered`` are durable."""

    async def replace() -> None:
        saving, reading, waiting = Saving(retry_empty=True), Reading(), set(answered)

        def tell(items: list[Row | Failure]) -> None:
            waiting.difference_update(str(item.id) for item in items)
            if not waiting:
                os.kill(os.getpid(), signal.SIGKILL)

        async with Sink.open(folder / "out.jsonl", saving, reading=reading, fingerprint={}, on_commit=tell) as sink:
            async for item in read_records(folder / "in.jsonl", reading, chooser=sink):
                if item.id in answered:
                    await sink.append(Row(id=str(item.id), fields=json.loads(row_with(str(item.id), 1))))
            await anyio.sleep_forever()

    anyio.run(replace)


def main(what: str, *args: str) -> None:
    """What the tests run in a process of its own."""
    if what == "replacing":
        die_replacing(Path(args[0]), list(args[1:]))
    if what == "nameless":
        die_nameless(Path(args[0]), [])
    if what == "everywhere":
        print(crash_everywhere(Saving(retry_empty=args[0] == "empty", retry_failed="all")))
        return
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    anyio.run(work, Path(args[0]), int(args[1]), Saving(), lambda ids: print(*ids))


@pytest.mark.parametrize("what", ["failed", "empty"])
def test_a_crash_at_any_touch_of_a_file_is_mended(what: str) -> None:
    """Wherever a run dies, the next one finds whole lines and each id once, and asks nothing twice."""
    done = subprocess.run([sys.executable, __file__, "everywhere", what], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 15


def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    """Runs that are killed again and again end with every record once, whatever stood at the end of the file."""
    rng = random.Random(11)
    records, told = 4000, set[int]()
    prepare(tmp_path, records)
    for seed in range(12):
        command = [sys.executable, __file__, "run", str(tmp_path), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line, _ in zip(process.stdout, range(rng.randrange(1, 4)), strict=False):
                now = {int(number) for number in line.split()}
                assert not now & told, "asked again for what was told"
                told |= now
            process.send_signal(signal.SIGKILL)
            rest = {int(number) for line in process.stdout for number in line.split() if line.endswith("\n")}
            assert not rest & told
            told |= rest
        with (tmp_path / "out.jsonl").open("ab") as file:
            file.write(rng.choice(TORN))
    done: list[list[int]] = []
    anyio.run(work, tmp_path, 99, Saving(), done.append)
    assert not {number for ids in done for number in ids} & told
    check(tmp_path, records, told)


@pytest.mark.parametrize("version", ["this", "earlier"])
def test_a_killed_retry_empty_costs_no_row_that_stood_before(tmp_path: Path, version: str) -> None:
    """What it had replaced gives way in the next run; of rows that stood twice before it, none does.

    A sidecar of an earlier version does not say which rows those are: there, only empty ones give way.
    """
    good, rest = [row_with("good", 6), row_with("good", 0)], [row_with("twice", 0, n="1"), row_with("twice", 0, n="2")]
    (tmp_path / "in.jsonl").write_text("".join(f'{{"id":"{name}"}}\n' for name in ("good", "twice", "empty", "new")))
    output, beside = tmp_path / "out.jsonl", tmp_path / "out.run.json"
    output.write_text("\n".join([*good, *rest, row_with("empty", 0), ""]))
    killed = subprocess.run([sys.executable, __file__, "replacing", str(tmp_path), "empty", "new"], check=False)
    assert killed.returncode == -signal.SIGKILL
    if version == "earlier":
        sidecar = json.loads(beside.read_bytes())
        del sidecar["replacing_from"], sidecar["failed"]
        beside.write_text(json.dumps(sidecar))
    anyio.run(work, tmp_path, 1, Saving(), lambda _: None)
    new = [row_with(name, 1) for name in ("empty", "new")]
    assert [json.loads(line) for line in output.read_bytes().splitlines()] == [
        json.loads(line) for line in [*good, *(rest if version == "this" else rest[1:]), *new]
    ]
    assert not json.loads(beside.read_bytes())["replacing"]


def test_a_kill_loses_nothing_of_a_file_that_lost_its_name(tmp_path: Path) -> None:
    """A row that was told is found by a name: in the file beside the one that was removed."""
    prepare(tmp_path, 20_000)
    command = [sys.executable, __file__, "nameless", str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    told = {int(number) for number in done.stdout.split()}
    kept = (tmp_path / "out.jsonl.rescued").read_bytes().split(b"\n")[:-1]
    assert told
    assert told <= {json.loads(line)["id"] for line in kept}


@contextmanager
def most_bytes_a_file(most: int) -> Iterator[None]:
    """No file of this process may grow beyond ``most`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


async def test_no_room_in_mid_write_leaves_no_half_row(tmp_path: Path) -> None:
    """The run stops with one sentence; what was told done is there, nothing is torn, and the next run goes on."""
    prepare(tmp_path, 2000)
    told: list[list[int]] = []
    with (
        most_bytes_a_file(50_000),
        pytest.raises(RunError, match=r"out.*jsonl cannot be written: .*; .*is kept") as caught,
    ):
        await work(tmp_path, 1, Saving(), told.append)
    assert caught.value.kind is Kind.STORAGE
    ids = {number for group in told for number in group}
    assert {item["id"] for item in read(tmp_path / "out.jsonl")} == ids
    again: list[list[int]] = []
    await work(tmp_path, 2, Saving(), again.append)
    assert not {number for group in again for number in group} & ids
    check(tmp_path, 2000, ids)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


async def test_a_full_disk(small_disk: Path) -> None:
    """The same on a disk that is really full; once there is room, the run is completed."""
    prepare(small_disk, 2000)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 800_000)
    told: list[list[int]] = []
    with pytest.raises(RunError, match=r"the disk is full; make room"):
        await work(small_disk, 1, Saving(), told.append)
    ids = {number for group in told for number in group}
    assert {item["id"] for item in read(small_disk / "out.jsonl")} == ids
    with pytest.raises(RunError, match=r"the disk is full; make room"):
        await work(small_disk, 2, Saving(), told.append)
    ballast.unlink()
    again: list[list[int]] = []
    await work(small_disk, 3, Saving(), again.append)
    assert not {number for group in again for number in group} & ids
    check(small_disk, 2000, ids)


if __name__ == "__main__":
    main(*sys.argv[1:])
