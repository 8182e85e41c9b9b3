"""Options from flags, variables and a TOML file: each by its kind, and the nearer one wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contextvqa_async.cli import main


def run(*arguments: str) -> int:
    """The command's exit code."""
    with pytest.raises(SystemExit) as exit_:
        main([*arguments])
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, with one record."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1}) + "\n")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("concurrency = [1, 2]", "concurrency"),
        ("concurrency = 2.5", "concurrency"),
        ("concurrency = {a = 1}", "concurrency"),
        ("limit = 2.7", "limit"),
        ("limit = true", "limit"),
        ("price_in = 1\nmax_cost = true", "max-cost"),
        ("rpm = [60]", "rpm"),
        ("model = 5", "model"),
        ("model = ['a', 'b']", "model"),
        ("overwrite = 1", "overwrite"),
        ("header = 5", "header"),
        ("header = ['A: b', 5]", "header"),
        ("base_url = [1]", "base-url"),
        ("timeout = 2024-01-01", "timeout"),
    ],
)
def test_a_toml_value_of_another_kind_is_refused(
    line: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the option's name, with exit code 2, and nothing is written."""
    (tmp_path / "c.toml").write_text(line)
    assert run("in.jsonl", "out.jsonl", "--simulate", "--config", "c.toml") == 2
    told = capsys.readouterr().err
    assert f"--{name}" in told
    assert "Traceback" not in told
    assert not (tmp_path / "out.jsonl").exists()


def test_toml_values_of_their_kind_pass(tmp_path: Path) -> None:
    """Whole numbers where fractions may stand, texts as on the command line, a table for a JSON object."""
    (tmp_path / "c.toml").write_text(
        "timeout = 60\nrpm = 6000.5\nlimit = '0'\noverwrite = true\nheader = 'A: b'\nextra_body = {top_k = 5}\nseed = 7"
    )
    assert run("in.jsonl", "out.jsonl", "--simulate", "--config", "c.toml") == 0


@pytest.mark.parametrize(
    ("flags", "variables", "config", "prompt"),
    [
        (["--prompt-file", "a.txt"], {"CVQA_PROMPT": "b"}, "prompt = 'c'", "a"),
        (["--prompt", "a"], {"CVQA_PROMPT_FILE": "b.txt"}, "prompt_file = 'c.txt'", "a"),
        ([], {"CVQA_PROMPT_FILE": "b.txt"}, "prompt = 'c'", "b"),
        ([], {"CVQA_PROMPT": "b"}, "prompt_file = 'c.txt'", "b"),
        ([], {}, "prompt_file = 'c.txt'", "c"),
        (["--prompt", "a", "--prompt-file", "a.txt"], {}, "", None),
        ([], {"CVQA_PROMPT": "b", "CVQA_PROMPT_FILE": "b.txt"}, "", None),
        (["--prompt-file", "empty.txt"], {}, "", None),
    ],
)
def test_the_nearer_of_prompt_and_prompt_file_wins(
    flags: list[str],
    variables: dict[str, str],
    config: str,
    prompt: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Flags before variables before the file; two of one rank, and an empty file, are refused."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text(name)
    (tmp_path / "empty.txt").touch()
    (tmp_path / "c.toml").write_text(config)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code = run("in.jsonl", "out.jsonl", "--simulate", "--limit", "0", "--config", "c.toml", *flags)
    assert code == (2 if prompt is None else 0)
    if prompt is not None:
        assert json.loads((tmp_path / "out.run.json").read_text())["fingerprint"]["prompt"] == prompt
