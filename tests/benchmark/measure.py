"""A command in, what its whole process took out: CPU, wall time and peak memory, pinned to one core.

Rule: the kernel's own accounts (``wait4``), start-up and imports included. The server has another core, and tells
how busy it was: a run whose server was the bottleneck says nothing about its client.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One run of one process: seconds of CPU (user and system) and of wall time, megabytes at the peak."""

    cpu: float
    wall: float
    peak_mb: float
    server_busy: float = 0.0
    server: dict[str, float] = field(default_factory=dict)


class RunFailedError(Exception):
    """A measured process ended badly, or left something other than what it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, reached at ``http://127.0.0.1:port``."""

    port: int

    def base_url(self, manner: str) -> str:
        """What a client is given: ``manner`` is ``burst``, ``paced-10`` or ``held-500``."""
        return f"http://127.0.0.1:{self.port}/{manner}/v1"

    def take_stats(self) -> dict[str, float]:
        """The counters since this was last asked."""
        with urlopen(f"http://127.0.0.1:{self.port}/stats") as response:
            counters: dict[str, float] = json.load(response)
            return counters


def cores() -> tuple[int | None, int | None]:
    """A core for the client and one for the server, where the system lets us choose and has two."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[-1]) if len(mine) > 1 else (None, None)


@contextmanager
def _pinned(core: int | None) -> Iterator[None]:
    """Whatever is started within the block runs on ``core``, from its first instruction on."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running_server(core: int | None = None) -> Iterator[Server]:
    """A server process on ``core`` that ends with the block."""
    command = [sys.executable, "-m", "benchmark.server"]
    with _pinned(core):
        process = subprocess.Popen(
            command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RunFailedError("The benchmark's server did not start.")
        yield Server(port=int(line))
        process.stdin.close()


def run(command: Sequence[str], *, core: int | None = None, server: Server | None = None) -> Usage:
    """Run ``command`` to its end; raises RunFailedError, with the end of what it printed, where it fails."""
    if server is not None:
        server.take_stats()
    begin = time.perf_counter()
    with _pinned(core):
        process = subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RunFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()[-2000:]}")
    stats = server.take_stats() if server is not None else {}
    return Usage(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        peak_mb=usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024),
        server_busy=stats.get("cpu", 0.0) / wall,
        server=stats,
    )


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CVQA_")}
    return {**own, "PYTHONPATH": str(TESTS)}
