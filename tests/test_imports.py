"""The shape of the package: imports go down only, no station imports another, and what is pure stays pure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import contextvqa_async

ROOT = Path(contextvqa_async.__file__).parent

LEVELS = (
    {"errors", "items"},
    {"config", "jsonl", "faults", "threads", "thoughts"},
    {"settings", "identity", "stop", "resolver"},
    {"records", "images", "prompt", "sse", "pacing", "refiner", "sink", "rows", "tally", "inflight", "quota"},
    {"admission"},
    {"client"},
    {"pipeline", "progress", "simulator", "ledger"},
    {"asker", "summary_text", "display"},
    {"run"},
    {"api"},
    {"cli"},
)
"""From the ground up: a file imports from lower levels only, so that no station imports another."""

PURE = {
    "errors",
    "items",
    "config",
    "settings",
    "jsonl",
    "identity",
    "faults",
    "thoughts",
    "prompt",
    "sse",
    "pacing",
    "refiner",
    "rows",
    "tally",
}
IMPURE_LIBRARIES = {"httpx", "aiohttp", "anyio", "asyncio", "aiofiles", "rich", "click"}


def modules() -> list[tuple[str, Path]]:
    """Each file with the first name of its dotted path."""
    found = [(path.relative_to(ROOT).parts[0].removesuffix(".py"), path) for path in sorted(ROOT.rglob("*.py"))]
    return [(name, path) for name, path in found if not name.startswith("__")]


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def level(name: str) -> int:
    """The level a file stands on."""
    return next(number for number, names in enumerate(LEVELS) if name in names)


def test_every_file_has_a_level() -> None:
    """A new file is placed, here and in the reader's mind."""
    assert {name for name, _ in modules()} == set().union(*LEVELS)


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: str(value).rpartition("contextvqa_async/")[2])
def test_imports_go_down_only(name: str, path: Path) -> None:
    """A station knows the values below it, and no other station."""
    for dotted in imported(path):
        package, _, rest = dotted.partition(".")
        other = rest.partition(".")[0]
        if package == "contextvqa_async" and other and other != name:
            assert level(other) < level(name), f"{path.name} imports {dotted}"


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: str(value).rpartition("contextvqa_async/")[2])
def test_what_is_pure_imports_nothing_that_waits_or_prints(name: str, path: Path) -> None:
    """Pure files take bytes, text and times, and can be tested with nothing else."""
    if name in PURE:
        assert not {dotted.partition(".")[0] for dotted in imported(path)} & IMPURE_LIBRARIES


def test_importing_the_package_loads_none_of_its_libraries() -> None:
    """Names are loaded at first use, so that start-up stays light."""
    code = "import sys, contextvqa_async; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & (IMPURE_LIBRARIES | {"PIL", "orjson"})


def test_the_public_names_are_these() -> None:
    """What users may rely on; each can be loaded, and each is documented."""
    assert contextvqa_async.__all__ == sorted(contextvqa_async.__all__, key=lambda name: (name[0].islower(), name))
    for name in contextvqa_async.__all__:
        assert getattr(contextvqa_async, name).__doc__, name
    with pytest.raises(AttributeError, match="nonsense"):
        contextvqa_async.nonsense  # noqa: B018
