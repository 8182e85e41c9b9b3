"""The command as a new user meets it: exit codes, one-sentence errors, nothing of one record's fault on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contextvqa_async.cli import main

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "examples" / "images" / "bridge.png"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    base_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Run the command line in this process, in an empty folder; return its code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("CVQA_API_KEY", "DF_API_KEY", "DASHSCOPE_API_KEY", "CVQA_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CVQA_BASE_URL", base_url)

    def run(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert isinstance(exit_.value.code, int)
        return exit_.value.code, out, err

    return run


def write_jsonl(path: Path, *items: Any) -> Path:
    """Objects as lines; strings and bytes as they are."""
    lines = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in items]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_the_examples_become_rows_and_are_not_asked_again(command: Command, tmp_path: Path) -> None:
    """The main job, twice."""
    code, out, err = command(ROOT / "examples/records.jsonl", "out.jsonl", "--simulate", "--summary-json", "s.json")
    assert code == 0, err
    assert out == ""
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert len(rows) == len(read_jsonl(ROOT / "examples/records.jsonl"))
    for row in rows:
        assert row["context_vqa"]["qas"], row["vqa"]
        assert row["context_vqa"]["context"]
        assert "simulated" in row["generation"]["model"]
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["done"], summary["failed"], summary["simulated"]) == (len(rows), 0, True)
    assert "SIMULATED" in err
    code, _, err = command(ROOT / "examples/records.jsonl", "out.jsonl", "--simulate")
    assert code == 0
    assert f"{len(rows)} skipped" in err
    assert len(read_jsonl(tmp_path / "out.jsonl")) == len(rows)


def test_every_kind_of_bad_line_fails_alone(command: Command, tmp_path: Path) -> None:
    """Broken JSON, no object, wrong types, invalid UTF-8: each with its line's number, and the good ones pass."""
    write_jsonl(
        tmp_path / "in.jsonl",
        {"id": "good", "image": str(PICTURE)},
        b'{"id": "broken',
        b"[1, 2]",
        {"id": 1.5},
        {"id": "t", "image": 7},
        b'{"id": "\xff\xfe"}',
        b"",
        {"id": "c", "conversation": "hello"},
        {"id": 8, "conversation": [{"from": "human", "value": "Write."}]},
    )
    code, _, err = command("in.jsonl", "out.jsonl")
    assert code == 1
    assert {row["id"] for row in read_jsonl(tmp_path / "out.jsonl")} == {"good", 8}
    failed = read_jsonl(tmp_path / "out.failed.jsonl")
    assert sorted(entry["line"] for entry in failed) == [2, 3, 4, 5, 6, 8]
    assert {entry["error"]["type"] for entry in failed} == {"bad_record"}
    assert "6 × bad_record" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "image", ["missing.png", "folder", "empty.png", "words.png", "bare\x00name.png", "ftp://h/i.png", "n" * 5000]
)
def test_a_bad_image_fails_its_record_alone(command: Command, tmp_path: Path, image: str) -> None:
    """One clear sentence that names the image."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "words.png").write_text("not a picture")
    write_jsonl(tmp_path / "in.jsonl", {"id": "bad", "image": image}, {"id": "good", "image": str(PICTURE)})
    code, _, _ = command("in.jsonl", "out.jsonl")
    assert code == 1
    assert [row["id"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["good"]
    (entry,) = read_jsonl(tmp_path / "out.failed.jsonl")
    assert entry["error"]["type"] in ("bad_image", "too_large")
    assert entry["record"]["image"] == image
    assert "\n" not in entry["error"]["message"]


def test_odd_paths_and_ids_pass_through(command: Command, tmp_path: Path) -> None:
    """Spaces, dots and other scripts in paths; newlines, numbers and 10 kB in ids; no image at all, in three ways."""
    folder = tmp_path / "a b" / "图片"
    folder.mkdir(parents=True)
    (folder / "é 1.png").write_bytes(PICTURE.read_bytes())
    records: list[dict[str, Any]] = [
        {"id": 1, "image": "a b/图片/é 1.png"},
        {"id": "1", "image": ["a b/../a b/图片/é 1.png"]},
        {"id": "new\nline", "image": []},
        {"id": "x" * 10_000, "image": None},
        {"image": str(folder / "é 1.png"), "kept": {"deep": [1, None]}},
        {"id": 1, "image": "a b/图片/é 1.png"},
    ]
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(json.dumps(r, ensure_ascii=False) for r in records).encode())
    code, _, err = command("in.jsonl", "out.jsonl")
    assert code == 0, err
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert {row["id"] for row in rows} >= {1, "1", "new\nline", "x" * 10_000}
    assert len(rows) == 5
    assert next(row for row in rows if "kept" in row)["kept"] == {"deep": [1, None]}
    assert "repeat an id of this input: 1;" in err
    assert "for want of an image: 2 " in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["missing.jsonl", "o.jsonl"], "missing.jsonl"),
        (["in.jsonl", "folder"], "folder"),
        (["in.jsonl", "."], "OUTPUT"),
        (["in.jsonl", ""], "OUTPUT"),
        (["in.jsonl", "o.jsonl", "--failed", "o.run.json"], "--failed"),
        (["in.jsonl", "o.jsonl", "--failed", "o.jsonl.lock"], "--failed"),
        (["in.jsonl", "o.jsonl", "--answer-key", "a", "--output-key", "a"], "--answer-key"),
        (["in.jsonl", "o.jsonl", "--header", ""], "--header"),
        (["in.jsonl", "o.jsonl", "--seed", "1" * 20], "--seed"),
        (["in.jsonl", "o.jsonl", "--model", "\udcff"], "--model"),
        (["in.jsonl", "o.jsonl", "--summary-json", "no/such.json"], "--summary-json"),
        ([str(PICTURE), "o.jsonl"], "is an image"),
        (["in.jsonl", "no/such/o.jsonl"], "no/such"),
        (["in.jsonl", "o.jsonl", "--concurrency", "0"], "--concurrency"),
        (["in.jsonl", "o.jsonl", "--concurrency", "100000"], "--concurrency"),
        (["in.jsonl", "o.jsonl", "--concurrency", "many"], "--concurrency"),
        (["in.jsonl", "o.jsonl", "--base-url", "https://h.example/v1"], "--simulate"),
        (["in.jsonl", "o.jsonl", "--base-url", "nonsense"], "--base-url"),
        (["in.jsonl", "o.jsonl", "--extra-body", "{"], "JSON"),
        (["in.jsonl", "o.jsonl", "--config", "none.toml"], "none.toml"),
        (["in.jsonl", "o.jsonl", "--config", "typo.toml"], "concurrency"),
        (["in.jsonl", "o.jsonl", "--prompt-file", "none.txt"], "none.txt"),
        (["in.jsonl", "o.jsonl", "--max-cost", "1"], "--price-in"),
        (["in.jsonl", "o.jsonl", "--no-such-option"], "--no-such-option"),
        (["in.jsonl"], "OUTPUT"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(command: Command, tmp_path: Path, args: list[str], words: str) -> None:
    """Before anything is read or paid for, and without a traceback."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    (tmp_path / "folder").mkdir()
    (tmp_path / "typo.toml").write_text("concurency = 3\n")
    code, out, err = command(*args)
    assert code == 2
    assert words in err
    assert out == ""
    assert "Traceback" not in err
    assert not (tmp_path / "o.jsonl").exists()


def test_a_proxy_that_is_not_spoken_is_wrong_usage(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, and no record is failed for it."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    code, _, err = command("in.jsonl", "o.jsonl")
    assert (code, "socks5" in err) == (2, True), err
    assert not (tmp_path / "o.failed.jsonl").exists()


def test_certificates_that_cannot_be_read_are_wrong_usage(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named once, and no record is failed for it."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    for path in ("none.pem", "in.jsonl"):
        monkeypatch.setenv("SSL_CERT_FILE", path)
        code, _, err = command("in.jsonl", "o.jsonl", "--base-url", "https://127.0.0.1:1/v1")
        assert (code, "SSL_CERT_FILE" in err) == (2, True), err
        assert not (tmp_path / "o.failed.jsonl").exists()


def test_simulating_asks_no_proxy(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--simulate needs no network, also where the network lies behind a proxy."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    code, _, err = command("in.jsonl", "o.jsonl", "--simulate", "--max-downtime", "5")
    assert code == 0, err


@pytest.mark.usefixtures("command")  # its folder and variables; a process's own stderr takes more than UTF-8
def test_the_summary_tells_of_a_path_that_is_no_utf_8(tmp_path: Path) -> None:
    """JSON spells it, and the run's end is no traceback."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    args = [sys.executable, "-m", "contextvqa_async", "in.jsonl", "o\udcff.jsonl", "--summary-json", "summary.json"]
    subprocess.run(args, check=True, capture_output=True)
    assert json.loads((tmp_path / "summary.json").read_text())["output"] == "o\udcff.jsonl"


@pytest.mark.usefixtures("command")
def test_no_file_takes_the_place_of_a_closed_stderr(tmp_path: Path) -> None:
    """Under number 2, the output would get what libraries write to stderr; and the run goes well without any."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    run = [sys.executable, "-m", "contextvqa_async", "in.jsonl", "o.jsonl"]
    result = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *run], check=False, timeout=60)
    assert result.returncode == 0
    assert [row["id"] for row in read_jsonl(tmp_path / "o.jsonl")] == [1]


def test_an_empty_input_is_done_at_once(command: Command, tmp_path: Path) -> None:
    """Nothing to do is no error."""
    (tmp_path / "in.jsonl").touch()
    assert command("in.jsonl", "out.jsonl")[0] == 0


def test_a_toml_file_and_variables_set_options_and_flags_win(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name in all places."""
    write_jsonl(tmp_path / "in.jsonl", *({"id": n} for n in range(9)))
    (tmp_path / "run.toml").write_text('limit = 5\nanswer_key = "raw"\n')
    assert command("in.jsonl", "out.jsonl", "--config", "run.toml")[0] == 0
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 5
    assert "raw" in read_jsonl(tmp_path / "out.jsonl")[0]
    monkeypatch.setenv("CVQA_LIMIT", "2")
    assert command("in.jsonl", "out.jsonl", "--config", "run.toml")[0] == 0
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 7
    assert command("in.jsonl", "out.jsonl", "--config", "run.toml", "--limit", "1")[0] == 0
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 8


def test_one_of_what_may_be_several_is_a_plain_text(
    command: Command, base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In TOML without brackets, and in a variable with the blank that every header has."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1})
    monkeypatch.delenv("CVQA_BASE_URL")
    (tmp_path / "run.toml").write_text(f'base_url = "{base_url}"\nheader = "X-Title: two words"\n')
    code, _, err = command("in.jsonl", "a.jsonl", "--config", "run.toml")
    assert code == 0, err
    monkeypatch.setenv("CVQA_HEADER", "X-Title: two words\nX-More: 1")
    code, _, err = command("in.jsonl", "b.jsonl", "--base-url", base_url)
    assert code == 0, err


def test_another_model_or_prompt_is_not_mixed_in(command: Command, tmp_path: Path) -> None:
    """The refusal says what differs; --allow-mixed and --overwrite are the two ways on."""
    write_jsonl(tmp_path / "in.jsonl", {"id": 1}, {"id": 2})
    assert command("in.jsonl", "out.jsonl", "--limit", "1")[0] == 0
    code, _, err = command("in.jsonl", "out.jsonl", "--temperature", "0.5")
    assert code == 2
    assert "temperature" in err
    assert "0.5" in err
    assert command("in.jsonl", "out.jsonl", "--temperature", "0.5", "--allow-mixed")[0] == 0
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 2
    assert command("in.jsonl", "out.jsonl", "--temperature", "0.7", "--overwrite")[0] == 0
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 2


def test_a_cost_limit_stops_the_run_with_exit_3(command: Command, tmp_path: Path) -> None:
    """What is done stays; the next run goes on."""
    write_jsonl(tmp_path / "in.jsonl", *({"id": n} for n in range(50)))
    price = ("--price-out", "1000000", "--max-cost", "1", "--concurrency", "2")
    code, _, err = command("in.jsonl", "out.jsonl", *price)
    assert code == 3
    assert "--max-cost" in err
    assert 1 <= len(read_jsonl(tmp_path / "out.jsonl")) <= 5


def test_refine_reads_saved_answers_again(command: Command, tmp_path: Path) -> None:
    """Every field is kept, only the article and the pairs are made anew; bad lines are told and counted."""
    write_jsonl(
        tmp_path / "raw.jsonl",
        {"id": 1, "text": "Article: A.\n\nQ1: What?\nA1: This", "context_vqa": "old", "x": 1},
        b"not json",
        {"id": 2},
        {"id": 3, "text": ""},
    )
    code, out, err = command("refine", "raw.jsonl", "out.jsonl", "--input-key", "text", "--output-key", "parsed")
    assert code == 1
    assert out == ""
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == [1, 3]
    assert rows[0]["parsed"] == {"context": "A.", "qas": [{"question": "What?", "answer": "This"}]}
    assert (rows[0]["context_vqa"], rows[0]["x"]) == ("old", 1)
    assert "line 2" in err
    assert "line 3" in err


def test_refine_empties_no_file_that_it_reads(command: Command, tmp_path: Path) -> None:
    """OUT is written beside its name first: that file is never RAW, whose answers were paid for."""
    write_jsonl(tmp_path / "raw.jsonl.tmp", {"vqa": "Article: One.\n\nQ1: What?\nA1: This"})
    code, _, err = command("refine", "raw.jsonl.tmp", "raw.jsonl")
    assert code == 0, err
    assert len(read_jsonl(tmp_path / "raw.jsonl")) == len(read_jsonl(tmp_path / "raw.jsonl.tmp")) == 1


def test_refine_writes_to_stdout_and_keeps_paragraphs(command: Command, tmp_path: Path) -> None:
    """stdout is data alone."""
    write_jsonl(tmp_path / "raw.jsonl", {"vqa": "Article: One.\n\nTwo.\n\nQ1: What?\nA1: This"})
    code, out, _ = command("refine", "raw.jsonl", "-", "--keep-paragraphs")
    assert code == 0
    assert json.loads(out)["context_vqa"]["context"] == "One.\n\nTwo."


def test_a_first_word_that_names_a_command_is_the_command(command: Command, tmp_path: Path) -> None:
    """A file of that name is written ./refine."""
    code, out, _ = command("--help")
    assert code == 0
    assert "--stall-timeout" in out
    assert command("--version")[1].startswith("cvqa-async")
    write_jsonl(tmp_path / "refine", {"id": 1})
    assert command("./refine", "out.jsonl")[0] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a file that is always full")
def test_a_full_standard_output_is_told_in_one_sentence() -> None:
    """What cannot be printed ends in exit code 3 and one sentence."""
    with Path("/dev/full").open("wb") as full:
        run = [sys.executable, "-m", "contextvqa_async", "--help"]
        result = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert result.returncode == 3
    assert result.stderr.decode() == "Error: Standard output: No space left on device.\n"


def test_as_a_module_it_is_the_same_command() -> None:
    """``python -m contextvqa_async``."""
    result = subprocess.run([sys.executable, "-m", "contextvqa_async", "--version"], capture_output=True, check=False)
    assert result.returncode == 0


def test_a_failure_for_good_is_asked_again_only_when_its_image_changed(command: Command, tmp_path: Path) -> None:
    """Or when the user says so; the failed file is empty once nothing fails."""
    (tmp_path / "p.png").write_text("not a picture")
    write_jsonl(tmp_path / "in.jsonl", {"id": "bad", "image": "p.png"}, {"id": "good", "image": str(PICTURE)})
    assert command("in.jsonl", "out.jsonl")[0] == 1
    code, _, err = command("in.jsonl", "out.jsonl")
    assert code == 1
    assert "0 done, 0 failed, 2 skipped" in err
    code, _, err = command("in.jsonl", "out.jsonl", "--retry-failed", "all")
    assert code == 1
    assert "1 failed, 1 skipped" in err
    assert len(read_jsonl(tmp_path / "out.failed.jsonl")) == 1
    (tmp_path / "p.png").write_bytes(PICTURE.read_bytes())
    assert command("in.jsonl", "out.jsonl")[0] == 0
    assert {row["id"] for row in read_jsonl(tmp_path / "out.jsonl")} == {"good", "bad"}
    assert read_jsonl(tmp_path / "out.failed.jsonl") == []


def test_status_verify_and_merge_read_what_runs_left(command: Command, tmp_path: Path) -> None:
    """Two shards of one input, told, checked and joined."""
    records = [{"id": n, "image": str(PICTURE)} for n in range(6)] + [{"id": "bad", "image": "none.png"}]
    write_jsonl(tmp_path / "all.jsonl", *records)
    write_jsonl(tmp_path / "a.jsonl", *records[:3])
    write_jsonl(tmp_path / "b.jsonl", *records[3:])
    assert command("a.jsonl", "out-a.jsonl")[0] == 0
    assert command("b.jsonl", "out-b.jsonl")[0] == 1
    code, out, _ = command("status", "out-b.jsonl", "--price-out", "1")
    assert code == 0
    assert "3 done" in out
    assert "cost" in out
    assert "1 × bad_image" in out
    code, out, err = command("verify", "out-a.jsonl", "--input", "all.jsonl")
    assert code == 1
    assert out.count("missing: id") == 4
    assert "4 missing" in err
    assert command("merge", "out.jsonl", "out-a.jsonl", "out-b.jsonl")[0] == 0
    code, out, err = command("verify", "out.jsonl", "--input", "all.jsonl")
    assert (code, out) == (0, "")
    assert "7 records: 6 rows, 1 failed; all accounted for" in err
    code, _, err = command("merge", "out.jsonl", "out-a.jsonl")
    assert code == 2
    assert "exists already" in err
    assert command("all.jsonl", "out.jsonl")[2].startswith("0 done, 0 failed, 7 skipped")


@pytest.mark.parametrize("args", [["status", "none"], ["verify", "none", "--input", "in"], ["merge", "o", "none"]])
def test_commands_that_read_outputs_say_that_there_is_none(command: Command, args: list[str]) -> None:
    """One sentence, exit 2."""
    code, out, err = command(*args)
    assert (code, out) == (2, "")
    assert "no output none" in err


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8:strict"])
def test_a_report_is_whole_in_any_terminal(command: Command, tmp_path: Path, encoding: str) -> None:
    """What its encoding lacks is spelt out: ids of other scripts, and paths that are no UTF-8."""
    write_jsonl(tmp_path / "in.jsonl", {"id": "bad", "image": "none.png"})
    write_jsonl(tmp_path / "other.jsonl", {"id": "中文"}, {"id": "b"})
    assert command("in.jsonl", "o\udcff.jsonl")[0] == 1

    def told(*args: str) -> str:
        run = [sys.executable, "-m", "contextvqa_async", *args]
        environ = {**os.environ, "PYTHONIOENCODING": encoding}
        result = subprocess.run(run, capture_output=True, check=False, timeout=60, env=environ)
        assert b"Traceback" not in result.stderr
        return result.stdout.decode(encoding.partition(":")[0])

    listed = told("verify", "o\udcff.jsonl", "--input", "other.jsonl")
    assert ("中文" if "utf" in encoding else r"\u4e2d\u6587") in listed
    assert "missing: id 'b'" in listed
    status = told("status", "o\udcff.jsonl")
    assert r"1 failed in o\udcff.failed.jsonl" in status
    assert "1 × bad_image" in status.replace(r"\xd7", "×")
