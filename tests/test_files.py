"""Each file of a command is one thing to it: what a run reads, or was paid for, is never written over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contextvqa_async.cli import main
from contextvqa_async.cli.refine import command as refine
from contextvqa_async.config import Reading, Saving
from contextvqa_async.errors import RunError, UsageError
from contextvqa_async.items import Failure, Record, Row
from contextvqa_async.records import read_records
from contextvqa_async.sink import Sink
from contextvqa_async.sink.failures import check_failed_file
from contextvqa_async.sink.files import lock_path
from contextvqa_async.sink.sidecar import sidecar_path

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(
    base_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Run the command line in an empty folder; return its code and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVQA_BASE_URL", base_url)

    def run(*args: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as exit_:
            main(args)
        assert isinstance(exit_.value.code, int)
        return exit_.value.code, capsys.readouterr().err

    return run


def write(path: Path | str, *items: dict[str, Any]) -> Path:
    """Objects as lines."""
    Path(path).write_text("".join(json.dumps(item) + "\n" for item in items))
    return Path(path)


def contents(folder: Path) -> dict[str, bytes]:
    """Every regular file that holds something; locks are empty."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.stat().st_size}


def entry(given: str, **more: Any) -> dict[str, Any]:
    """An entry of a failed file, of a failure for good."""
    error = {"type": "filtered", "message": "m", "retryable": False}
    return {"id": given, "error": error, "attempts": 1, "record": {}, **more}


async def fill(output: Path, source: Any, *, fails: tuple[str, ...] = (), failed: Path | None = None) -> Sink:
    """A run of the line whose records of ``fails`` fail for good."""
    sink_of = Sink.open(output, Saving(failed=failed), reading=Reading(), fingerprint={}, on_commit=lambda _: None)
    async with sink_of as sink:
        async for record in read_records(source, Reading(), chooser=sink):
            assert isinstance(record, Record)
            if record.id in fails:
                await sink.append(Failure(id=record.id, type="filtered", message="m", retryable=False))
            else:
                await sink.append(
                    Row(id=record.id, fields={"id": record.id, **record.fields, "generation": {}}, pairs=1)
                )
    return sink


def ids(path: Path) -> list[Any]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()] if path.exists() else []


SUMMARIES = [
    "out.jsonl", "./out.jsonl", "in.jsonl", "out.failed.jsonl", "out.run.json", "out.jsonl.lock", "out.jsonl.bak",
    ".out.jsonl.cvqa-new", "linked.jsonl", "hard.jsonl", "dangling", "p.txt", "c.toml",
]  # fmt: skip


@pytest.mark.parametrize("summary", SUMMARIES)
def test_the_summary_takes_no_file_of_the_run(command: Command, tmp_path: Path, summary: str) -> None:
    """By whatever name or link it is given: exit 2, and every byte is where it was."""
    write("in.jsonl", {"id": "a"})
    assert command("in.jsonl", "out.jsonl")[0] == 0
    write("in.jsonl", {"id": "a"}, {"id": "b"})
    Path("p.txt").write_text("prompt")
    Path("c.toml").write_text('seed = 1\nprompt_file = "p.txt"\nallow_mixed = true\n')
    write("out.jsonl.bak", {"id": "paid"})
    Path("linked.jsonl").symlink_to("out.jsonl")
    Path("dangling").symlink_to("out.failed.jsonl")
    os.link("out.jsonl", "hard.jsonl")
    before = contents(tmp_path)
    code, err = command("in.jsonl", "out.jsonl", "--config", "c.toml", "--summary-json", summary)
    assert code == 2, err
    assert "name another file" in err
    assert contents(tmp_path) == before


def test_the_summary_is_not_the_backup_that_the_run_makes(command: Command, tmp_path: Path) -> None:
    """With --overwrite the next backup's name is taken, too; without it, anyone may use it."""
    write("in.jsonl", {"id": "a"})
    args = ("in.jsonl", "out.jsonl", "--summary-json", "out.jsonl.bak")
    assert command(*args, "--overwrite")[0] == 2
    assert command(*args)[0] == 0
    assert json.loads(Path("out.jsonl.bak").read_text())["done"] == 1


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("data.run.json", "data.jsonl"),
        ("data.ndjson-run.json", "data.ndjson"),
        ("data.jsonl.lock", "data.jsonl"),
        ("data.failed.jsonl", "data.jsonl"),
        (".data.jsonl.cvqa-new", "data.jsonl"),
        ("data.jsonl.bak", "data.jsonl"),
        ("folder/../data.run.json", "data.jsonl"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--overwrite",)], ids=["plain", "overwrite"])
def test_an_input_is_not_written_whatever_its_name(
    command: Command, tmp_path: Path, source: str, output: str, more: tuple[str, ...]
) -> None:
    """An input that is named like what stands beside an output is refused, or read, and never replaced."""
    Path("folder").mkdir()
    before = write(source, {"id": "a"}).read_bytes()
    code, err = command(source, output, *more)
    assert Path(source).read_bytes() == before
    assert code == (0 if source.endswith(".bak") else 2), err


def test_a_file_that_is_no_sidecar_is_kept_when_overwriting(command: Command, tmp_path: Path) -> None:
    """What only has the name of one is somebody's."""
    write("in.jsonl", {"id": "a"})
    Path("out.run.json").write_text("mine")
    assert command("in.jsonl", "out.jsonl", "--overwrite")[0] == 0
    assert Path("out.run.json.bak").read_text() == "mine"


def test_outputs_of_one_stem_have_settings_of_their_own(command: Command, tmp_path: Path) -> None:
    """Suffixes, none at all, and names that end in another's never share a sidecar."""
    names = ["out.jsonl", "out.ndjson", "out.txt", "out", "out.ndjson.jsonl", "out.JSONL", ".jsonl"]
    assert len({sidecar_path(Path(name)) for name in names}) == len(names)
    assert sidecar_path(Path("out.jsonl")) == Path("out.run.json")
    write("in.jsonl", {"id": "a"}, {"id": "b"})
    for seed, name in enumerate(names):
        assert command("in.jsonl", name, "--seed", str(seed))[0] == 0
    for seed, name in enumerate(names):
        code, err = command("in.jsonl", name, "--seed", str(seed + 1))
        assert (code, f"seed: {seed} → {seed + 1}" in err) == (2, True), err


def test_settings_under_the_shared_name_of_old_are_taken_over(command: Command, tmp_path: Path) -> None:
    """They are compared, and stand under the output's own name from then on; a ``.jsonl``'s are left to it."""
    write("in.jsonl", {"id": "a"})
    assert command("in.jsonl", "out.ndjson", "--seed", "1")[0] == 0
    Path("out.ndjson-run.json").rename("out.run.json")
    assert command("in.jsonl", "out.ndjson", "--seed", "2")[0] == 2
    assert command("in.jsonl", "out.ndjson", "--seed", "1")[0] == 0
    assert (Path("out.ndjson-run.json").exists(), Path("out.run.json").exists()) == (True, False)
    assert command("in.jsonl", "out.jsonl", "--seed", "3")[0] == 0
    Path("out.ndjson-run.json").unlink()
    assert command("in.jsonl", "out.ndjson", "--seed", "1")[0] == 0


@pytest.mark.parametrize("out", ["pipe", "link-to-pipe", "folder", ".", "", "/dev/stdout"])
def test_refine_replaces_nothing_but_files(command: Command, tmp_path: Path, out: str) -> None:
    """A pipe or a folder stays what it is, also behind a link, and is told in one sentence."""
    write("raw.jsonl", {"id": "a", "vqa": "Article: A.\n\nQ1: What?\nA1: This"})
    os.mkfifo("pipe")
    Path("link-to-pipe").symlink_to("pipe")
    Path("folder").mkdir()
    code, err = command("refine", "raw.jsonl", out)
    assert (code, err.count("\n"), err.startswith("Error: ")) == (2, 1, True), err
    assert Path("pipe").is_fifo()
    assert Path("link-to-pipe").is_symlink()


@pytest.mark.parametrize("key", ["vqa", "id", "generation"])
def test_refine_writes_over_no_key_that_was_paid_for(command: Command, tmp_path: Path, key: str) -> None:
    """The raw answer, and what a row is known by, stay."""
    rows = write("rows.jsonl", {"id": "a", "vqa": "Q: Who?\nA: Bob"})
    code, told = command("refine", str(rows), "new.jsonl", "--output-key", key)
    assert (code, "--output-key" in told, Path("new.jsonl").exists()) == (2, True, False)


def test_refine_keeps_what_out_held(command: Command, tmp_path: Path) -> None:
    """Each time as a backup of its own; a link stays a link, and RAW is never OUT by any link."""
    write("raw.jsonl", {"id": "a", "vqa": "Article: A.\n\nQ1: What?\nA1: This"})
    paid = write("real.jsonl", {"id": "paid"}).read_bytes()
    Path("out.jsonl").symlink_to("real.jsonl")
    Path("real.jsonl").chmod(0o600)
    os.link("raw.jsonl", "hard.jsonl")
    for number in range(2):
        code, err = command("refine", "raw.jsonl", "out.jsonl")
        assert code == 0
        assert f"kept as real.jsonl.bak{number + 1 if number else ''}" in err
    assert Path("out.jsonl").is_symlink()
    assert ids(tmp_path / "real.jsonl") == ["a"]
    assert Path("real.jsonl").stat().st_mode & 0o777 == 0o600
    assert Path("real.jsonl.bak").read_bytes() == paid
    assert ids(tmp_path / "real.jsonl.bak2") == ["a"]
    for out in ("raw.jsonl", "hard.jsonl"):
        assert command("refine", "raw.jsonl", out)[0] == 2
    assert ids(tmp_path / "raw.jsonl") == ["a"]


async def test_refine_waits_for_no_run(tmp_path: Path) -> None:
    """An output that a run is writing is refused."""
    raw, out = write(tmp_path / "raw.jsonl", {"vqa": "x"}), tmp_path / "out.jsonl"
    async with Sink.open(out, Saving(), reading=Reading(), fingerprint={}, on_commit=lambda _: None):
        result = CliRunner().invoke(refine, [str(raw), str(out)])
    assert isinstance(result.exception, UsageError)
    assert "Another run is writing" in str(result.exception)


def test_a_lock_guards_an_output_and_its_failed_file() -> None:
    """Whichever of the two names a run was given, as either of them."""
    names = ["a/out.jsonl", "a/out.failed.jsonl", "a/out.failed.failed.jsonl"]
    assert {lock_path(Path(name)) for name in names} == {Path("a/out.jsonl.lock")}


async def test_a_failed_file_is_locked_whoever_named_it(tmp_path: Path) -> None:
    """One run's default is another's --failed, or its output: at once only one of them writes, in either order."""
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    beside = tmp_path / "one.failed.jsonl"
    (tmp_path / "link.jsonl").symlink_to(beside)
    calls = [(one, None), (two, beside), (two, tmp_path / "link.jsonl"), (beside, None)]
    for first in calls:
        output, failed = first
        sink = Sink.open(output, Saving(failed=failed), reading=Reading(), fingerprint={}, on_commit=lambda _: None)
        async with sink:
            for other in calls:
                with pytest.raises(UsageError, match="Another run is writing"):
                    await fill(other[0], [{"id": "x"}], failed=other[1])


async def test_entries_of_another_output_are_left_alone(tmp_path: Path) -> None:
    """They neither stand for this output's records nor are cleared: the file is refused, untouched."""
    one, two, shared = tmp_path / "one.jsonl", tmp_path / "two.jsonl", tmp_path / "shared.jsonl"
    source = [{"id": "a"}, {"id": "b"}]
    await fill(two, source[:1], failed=shared)  # it wrote nothing there: the file is free
    await fill(one, source, fails=("b",), failed=shared)
    before = shared.read_bytes()
    for failed in (shared, tmp_path / "x" / ".." / "shared.jsonl"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match=r"holds the failed records of .*one\.jsonl"):
            await fill(two, source, failed=failed)
    assert shared.read_bytes() == before
    assert ids(two) == ["a"]
    sink = await fill(one, source, failed=shared)
    assert (sink.counts.standing, shared.read_bytes()) == (1, before)


async def test_the_failed_file_beside_an_output_is_that_outputs(tmp_path: Path) -> None:
    """Its entries need not say so; once the output is gone, the file may be anyone's."""
    one, two, beside = tmp_path / "one.jsonl", tmp_path / "two.jsonl", tmp_path / "one.failed.jsonl"
    await fill(one, [{"id": "a"}, {"id": "b"}], fails=("a",))
    with pytest.raises(UsageError, match="holds the failed records of"):
        await fill(two, [{"id": "a"}], failed=beside)
    assert ids(beside) == ["a"]
    assert "output" not in json.loads(beside.read_bytes())
    one.unlink()
    assert (await fill(two, [{"id": "a"}], failed=beside)).counts.standing == 1


async def test_a_folder_that_moves_keeps_its_failed_files(tmp_path: Path) -> None:
    """An entry names its output as it is found from there."""
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "f").mkdir(parents=True)
    await fill(old / "out.jsonl", [{"id": "a"}], fails=("a",), failed=old / "f" / "x.jsonl")
    old.rename(new)
    sink = await fill(new / "out.jsonl", [{"id": "a"}], failed=new / "f" / "x.jsonl")
    assert sink.counts.standing == 1


ROW = b'{"id":"r","vqa":"paid","generation":{"record_sha":"00"}}'
LINES = {
    "rows": ROW + b"\n" + ROW + b"\n",
    "one row without its newline": ROW,
    "a row cut short": ROW[:30],
    "rows, the last without its newline": ROW + b"\n" + ROW,
    "a row whose record has an error": b'{"id":"r","error":{"type":"x"},"vqa":"paid","generation":{}}',
    "a row behind an entry": json.dumps(entry("a")).encode() + b"\n" + ROW,
    "python's spaces": b'{"id": "r", "vqa": "pa',
    "a byte order mark": b"\xef\xbb\xbf" + ROW,
    "notes": b"my notes",
}


@pytest.mark.parametrize("more", [{}, {"overwrite": True}], ids=["plain", "overwrite"])
@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
async def test_rows_are_no_failed_file(tmp_path: Path, text: bytes, more: dict[str, bool]) -> None:
    """Another output given with --failed is refused before a byte of anything is changed."""
    other, output = tmp_path / "other.jsonl", tmp_path / "out.jsonl"
    other.write_bytes(text)
    output.write_bytes(b'{"id":"a","vqa":"v"}\n{"id":"torn')
    saving = Saving(failed=other, **more)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no file of failed records"):
        async with Sink.open(output, saving, reading=Reading(), fingerprint={}, on_commit=lambda _: None):
            pass
    assert other.read_bytes() == text
    assert output.read_bytes().endswith(b"torn")


def test_any_torn_entry_may_be_mended(tmp_path: Path) -> None:
    """Wherever a crash cut the first or the last entry, with zeros after it or not."""
    failed = tmp_path / "out.failed.jsonl"
    whole = json.dumps(entry('a"\\'), separators=(",", ":")).encode()
    bad = b'{"id":null,"line":3,"error":{"type":"bad_record"},"attempts":0,"record":"x"}'
    for line in (whole, bad, b'{"id":-12,' + whole[whole.index(b'"error"') :]):
        for cut in range(1, len(line)):
            for before, after in ((b"", b""), (line + b"\n", b""), (b"", b"\0\0"), (b"\0", b"\0" + line + b"\n")):
                failed.write_bytes(before + line[:cut] + after)
                check_failed_file(failed, tmp_path / "out.jsonl")


async def test_one_file_under_two_names_has_one_writer(tmp_path: Path) -> None:
    """A hard link is the same file: a second run would pay for each record again."""
    one, two = tmp_path / "one.jsonl", tmp_path / "folder" / "two.jsonl"
    two.parent.mkdir()
    await fill(one, [{"id": "a"}])
    os.link(one, two)
    for first, second in ((one, two), (two, one)):
        async with Sink.open(first, Saving(), reading=Reading(), fingerprint={}, on_commit=lambda _: None):
            with pytest.raises(UsageError, match="Another run is writing"):
                await fill(second, [{"id": "b"}])
    await fill(two, [{"id": "a"}, {"id": "b"}])
    assert ids(one) == ["a", "b"]


def rename(path: Path) -> Path:
    """The file under another name."""
    return path.rename(path.with_name("moved.jsonl"))


def link(path: Path) -> Path:
    """The file under a second name."""
    os.link(path, other := path.with_name("linked.jsonl"))
    return other


def unlock(path: Path) -> Path:
    """The file without the lock of its name, which somebody took for stale."""
    lock_path(path).unlink()
    return path


@pytest.mark.parametrize("meddle", [rename, link, unlock])
@pytest.mark.parametrize("earlier", ["none", "torn", "zeros"])
async def test_an_output_is_held_from_the_moment_it_is_made(
    tmp_path: Path, meddle: Callable[[Path], Path], earlier: str
) -> None:
    """Also one that was mended or written anew while opening: no name and no missing lock lets in a second run."""
    output, row = tmp_path / "out.jsonl", b'{"id":"before","vqa":"v"}\n'
    if earlier != "none":
        output.write_bytes(row + (b'{"id":' if earlier == "torn" else b"\0\0" + row))
    with suppress(RunError):  # at its end, the run that wrote finds that its file was renamed
        async with Sink.open(output, Saving(), reading=Reading(), fingerprint={}, on_commit=lambda _: None):
            with pytest.raises(UsageError, match="Another run is writing"):
                await fill(meddle(output), [{"id": "b"}])


@pytest.mark.parametrize("meddle", [link, unlock])
async def test_a_failed_file_is_held_from_the_moment_it_is_made(tmp_path: Path, meddle: Callable[[Path], Path]) -> None:
    """What two runs wrote into it at once, neither could tell from its own."""
    sink = Sink.open(tmp_path / "one.jsonl", Saving(), reading=Reading(), fingerprint={}, on_commit=lambda _: None)
    async with sink as open_sink:
        await open_sink.append(Failure(id="a", type="server", message="m", retryable=True))
        failed = meddle(tmp_path / "one.failed.jsonl")
        with pytest.raises(UsageError, match="Another run is writing"):
            await fill(tmp_path / "two.jsonl", [{"id": "b"}], failed=failed)
