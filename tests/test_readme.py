"""The README tells the truth: its code runs, its help is the command's, its files exist."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shutil
from pathlib import Path

import click
import pytest
from help_in_readme import README, with_help

from contextvqa_async.cli import COMMANDS, cli
from contextvqa_async.settings import RunOptions

ROOT = README.parent
TEXT = README.read_text("utf-8")
PYTHON_BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_the_readme_holds_code() -> None:
    """A moved README cannot pass."""
    assert len(PYTHON_BLOCKS) >= 3


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=lambda block: block.splitlines()[-1][:40])
def test_the_readmes_code_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block by itself, as a notebook's cell would run it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, {})
    if inspect.iscoroutine(result):
        asyncio.run(result)


def test_the_help_in_the_readme_is_todays() -> None:
    """`python tests/help_in_readme.py` writes it anew."""
    assert with_help(TEXT) == TEXT


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    """A command has a help, and stands in the README; so does each of its options."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, param.name
            assert any(option in TEXT for option in param.opts), param.opts


def test_every_keyword_of_run_async_is_a_flag() -> None:
    """One name in all places; only the key itself has no flag, since command lines can be seen by others."""
    command = cli.get_command(click.Context(cli), "run")
    assert command is not None
    assert set(RunOptions.__annotations__) - {param.name for param in command.params} == {"api_key"}
