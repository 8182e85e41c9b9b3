"""What outputs hold, whether they account for an input, and how several become one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contextvqa_async.config import Cost, Reading, Saving
from contextvqa_async.errors import UsageError
from contextvqa_async.ledger import Discrepancy, Verified, merge, status, verify
from contextvqa_async.sink.sidecar import Sidecar, read_sidecar, sidecar_path


def row(given: Any, *, pairs: int = 2, tokens: int = 100) -> str:
    """A row's line."""
    qas = [{"question": "q", "answer": "a"}] * pairs
    generation = {"model": "m", "prompt_tokens": tokens, "completion_tokens": None}
    return json.dumps({"id": given, "context_vqa": {"context": "c", "qas": qas}, "generation": generation}) + "\n"


def entry(given: Any, kind: str = "server", line: int | None = None) -> str:
    """A failed entry's line."""
    return json.dumps({"id": given, "line": line, "error": {"type": kind, "retryable": True}, "record": {}}) + "\n"


def write(folder: Path, rows: str, failures: str = "", *, name: str = "out", **settings: Any) -> Path:
    """An output of these lines, with a sidecar of these settings."""
    output = folder / f"{name}.jsonl"
    output.write_text(rows)
    (folder / f"{name}.failed.jsonl").write_text(failures)
    Sidecar(fingerprint={"id_key": "id", "model": "m", **settings}).write(sidecar_path(output))
    return output


def test_status_counts_what_is_there(tmp_path: Path) -> None:
    """Rows, pairs, tokens, cost, failures by class; doubled, empty, damaged and torn lines."""
    rows = row("a") + row(1, pairs=0) + "garbage\n" + row("a") + row("b", pairs=3) + '{"id":"torn'
    failures = entry("x") + entry("x") + entry("y", "timeout") + entry("a") + entry(None, "bad_record", 7) + '{"id":'
    found = status(write(tmp_path, rows, failures), cost=Cost(price_in=10))
    assert (found.rows, found.duplicates, found.empty, found.pairs) == (3, 1, 1, 5)
    assert (found.prompt_tokens, found.completion_tokens, found.cost) == (300, 0, 0.003)
    assert (dict(found.failed), found.bad_lines) == ({"server": 1, "timeout": 1}, 1)
    assert (found.garbage, found.torn) == ([3], 11)


def test_status_changes_nothing(tmp_path: Path) -> None:
    """Not a byte, not a file: it may look while a run is writing."""
    output = write(tmp_path, row("a") + "{", entry("b"))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    status(output)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_status_of_nothing(tmp_path: Path) -> None:
    """No output is an error; an empty one is not."""
    with pytest.raises(UsageError, match="no output"):
        status(tmp_path / "out.jsonl")
    assert status(write(tmp_path, "")).rows == 0


async def check(output: Path, records: list[dict[str, Any]], **options: Any) -> Verified:
    """Verify an output against these records."""
    return await verify(output, records, reading=Reading(), **options)


async def test_verify_finds_each_id_once(tmp_path: Path) -> None:
    """Rows and failures that account for every record are all there is to wish for."""
    output = write(tmp_path, row("a") + row(1), entry("1"))
    found = await check(output, [{"id": "a"}, {"id": 1}, {"id": "1"}, {"id": 1}])
    assert found.ok
    assert (found.records, found.rows, found.failures, found.duplicates, found.extra) == (3, 2, 1, 1, 0)


async def test_verify_lists_where_not(tmp_path: Path) -> None:
    """Missing, in both, doubled, damaged, torn: each is named; ids of other inputs are counted."""
    rows = row("a") + row("a") + row("both") + row("other") + "{}\n" + '{"id":"torn","'
    output = write(tmp_path, rows, entry("both") + entry("f") + entry("f"))
    found = await check(output, [{"id": "a"}, {"id": "both"}, {"id": "f"}, {"id": "torn"}])
    assert not found.ok
    assert found.discrepancies == [
        Discrepancy("doubled", id="a"),
        Discrepancy("garbage", line=5),
        Discrepancy("torn", line=6),
        Discrepancy("both", id="both"),
        Discrepancy("doubled_failure", id="f"),
        Discrepancy("missing", id="torn", line=4),
    ]
    assert found.extra == 1


async def test_verify_parses_what_resume_believes(tmp_path: Path) -> None:
    """Damage inside a row, between a good beginning and a good end, is found here."""
    good = row("a").replace("}}\n", ',"record_sha":"0123456789abcdef","version":"1"}}\n').replace('"id": ', '"id":')
    output = write(tmp_path, good + good.replace('"a"', '"b"').replace("qas", 'q"as'))
    found = await check(output, [{"id": "a"}, {"id": "b"}])
    assert found.discrepancies == [Discrepancy("garbage", line=2), Discrepancy("missing", id="b", line=2)]


async def test_verify_knows_bad_lines(tmp_path: Path) -> None:
    """A line that is no record needs an entry of its number."""
    source = tmp_path / "in.jsonl"
    source.write_text('{"id":"a"}\nbad\n{"id":"b",bad}\n')
    output = write(tmp_path, row("a"), entry(None, "bad_record", 2))
    found = await verify(output, source, reading=Reading())
    assert (found.discrepancies, found.bad_lines, found.records, found.extra) == (
        [Discrepancy("untold", line=3)],
        2,
        1,
        0,
    )


def test_merge_joins_rows_and_failures(tmp_path: Path) -> None:
    """Each id once; identical rows are one; a failure gives way to another output's row."""
    one = write(tmp_path, "\ufeff" + row("a") + row(1), entry("b") + entry("c"), name="one")
    two = write(tmp_path, row("b") + row(1) + "garbage\n" + '{"id":"t', entry("c") + entry("d"), name="two")
    done = merge([one, two], tmp_path / "all.jsonl")
    assert (done.rows, done.identical, done.differing, done.left_out, done.failures) == (3, 1, 0, 1, 2)
    assert (tmp_path / "all.jsonl").read_text() == row("a") + row(1) + row("b")
    assert (tmp_path / "all.failed.jsonl").read_text() == entry("c") + entry("d")
    sidecar = read_sidecar(tmp_path / "all.run.json")
    assert sidecar is not None
    assert sidecar.fingerprint == {"id_key": "id", "model": "m"}


async def test_failures_are_found_where_a_run_was_told_to_put_them(tmp_path: Path) -> None:
    """status, verify and merge read the failed files that --failed named, and of those only this output's entries."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    one, two = write(tmp_path, row("a"), name="one"), write(tmp_path, row("b"), name="two")
    mine = {"output": "../two.jsonl", "input": "../in.jsonl"}
    entries = [{**json.loads(text), **mine} for text in (entry("q"), entry(None, "bad_record", 3))]
    entries.append({**json.loads(entry("other")), "output": "../one.jsonl"})
    (folder / "failed.jsonl").write_text("".join(json.dumps(each) + "\n" for each in entries))
    sidecar = read_sidecar(sidecar_path(two))
    assert sidecar is not None
    sidecar.failed = ["elsewhere/failed.jsonl", "elsewhere/gone.jsonl"]
    sidecar.write(sidecar_path(two))
    (tmp_path / "in.jsonl").write_text('{"id":"b"}\n{"id":"q"}\nbad\n')
    assert (dict(status(two).failed), status(two).bad_lines) == ({"server": 1}, 1)
    assert (await verify(two, tmp_path / "in.jsonl")).ok
    assert merge([one, two], folder / "all.jsonl").failures == 2
    merged = [json.loads(line) for line in (folder / "all.failed.jsonl").read_bytes().splitlines()]
    assert [(each["id"], each["input"], "output" in each) for each in merged] == [
        ("q", "../in.jsonl", False),
        (None, "../in.jsonl", False),
    ]
    assert (await verify(folder / "all.jsonl", tmp_path / "in.jsonl")).ok


def test_merge_names_the_output_that_differs(tmp_path: Path) -> None:
    """Also behind one without a sidecar, which is told of: nobody compared it."""
    one, two, three = (write(tmp_path, row(name), name=name, model=model) for name, model in ("am", "bm", "cn"))
    sidecar_path(one).unlink()
    with pytest.raises(UsageError, match=r"c\.jsonl was made with other settings"):
        merge([one, two, three], tmp_path / "all.jsonl")
    assert merge([one, two], tmp_path / "all.jsonl").unknown == [one]


async def test_records_are_rows_to_nobody(tmp_path: Path) -> None:
    """Where no sidecar vouches for them, lines without an answer are told as what they are by all three."""
    output = write(tmp_path, row("a") + '{"id":"b","image":"b.png"}\n')
    assert status(output).rows == 2
    sidecar_path(output).unlink()
    assert (status(output).rows, status(output).garbage) == (1, [2])
    found = await verify(output, [{"id": "a"}, {"id": "b"}])
    assert [each.what for each in found.discrepancies] == ["garbage", "missing"]
    assert merge([output], tmp_path / "all.jsonl").left_out == 1


async def test_verify_takes_the_keys_from_the_sidecar(tmp_path: Path) -> None:
    """An output that was made with --id-key is verified without saying so again; what is said wins."""
    output = write(tmp_path, row("a").replace('"id"', '"uid"'), id_key="uid")
    assert (await verify(output, [{"uid": "a"}])).ok
    assert (await verify(output, [{"uid": "a"}], reading=Reading())).counts["garbage"] == 1


async def test_an_entry_of_another_input_tells_of_no_line_of_this_one(tmp_path: Path) -> None:
    """A line that was no record counts as told by an entry that names its input, or none."""
    (source := tmp_path / "in.jsonl").write_text("bad\nworse\n")
    told = {**json.loads(entry(None, "bad_record", 1)), "input": "other.jsonl"}
    output = write(tmp_path, "", json.dumps(told) + "\n" + entry(None, "bad_record", 2))
    assert (await verify(output, source)).discrepancies == [Discrepancy("untold", line=1)]


def test_merge_leaves_a_clash_to_the_user(tmp_path: Path) -> None:
    """Two different rows of one id stop the merge without a trace, unless the first is to stand."""
    one, two = (write(tmp_path, row("a", pairs=pairs), name=f"n{pairs}") for pairs in (1, 2))
    target = tmp_path / "all.jsonl"
    with pytest.raises(UsageError, match=r"1 ids have different rows .*'a'"):
        merge([one, two], target)
    assert not [path for path in tmp_path.glob("all*") if path.suffix != ".lock"]
    assert merge([one, two], target, keep_first=True).differing == 1
    assert target.read_text() == row("a", pairs=1)


def test_merge_mixes_settings_only_when_told(tmp_path: Path) -> None:
    """Outputs of different models are not joined unseen; when allowed, the new sidecar remembers both."""
    one, two = write(tmp_path, row("a"), name="one"), write(tmp_path, row("b"), name="two", model="n")
    with pytest.raises(UsageError, match='model: "m" → "n"'):
        merge([one, two], tmp_path / "all.jsonl")
    merge([one, two], tmp_path / "all.jsonl", saving=Saving(allow_mixed=True))
    sidecar = read_sidecar(tmp_path / "all.run.json")
    assert sidecar is not None
    assert [settings["model"] for settings in (sidecar.fingerprint, *sidecar.earlier)] == ["m", "n"]


def test_merge_writes_over_nothing(tmp_path: Path) -> None:
    """A target that holds something, is one of the outputs, or cannot be, is refused."""
    one, two = write(tmp_path, row("a"), name="one"), write(tmp_path, row("b"), name="two")
    for target, told in ((two, "is the input"), (tmp_path, "folder"), (tmp_path / "no" / "x.jsonl", "does not exist")):
        with pytest.raises(UsageError, match=told):
            merge([one, two], target)
    (tmp_path / "all.jsonl").write_text("x")
    with pytest.raises(UsageError, match="exists already"):
        merge([one, two], tmp_path / "all.jsonl")
    with pytest.raises(UsageError, match="no output"):
        merge([one, tmp_path / "missing.jsonl"], tmp_path / "new.jsonl")


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"fingerprint":1,"earlier":2}', b"\xff", None])
def test_a_sidecar_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    """Whatever stands there, a folder too."""
    output = write(tmp_path, row("a"))
    beside = sidecar_path(output)
    beside.unlink()
    beside.mkdir() if content is None else beside.write_bytes(content)
    with pytest.raises(UsageError, match=r"out\.run\.json cannot be read"):
        status(output)


def test_merge_writes_none_of_the_files_that_it_reads(tmp_path: Path) -> None:
    """Neither an output, nor its failed file, nor its sidecar is the target, by any name or link."""
    one = write(tmp_path, row("a"), name="one")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "one.failed.jsonl")
    for target in ("one.jsonl", "one.failed.jsonl", "one.run.json", "link.jsonl"):
        with pytest.raises(UsageError, match="name another file"):
            merge([one], tmp_path / target)
    (tmp_path / "link.jsonl").unlink()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
