"""Outcomes → two files: each id once, nothing told done is asked again, whatever happened to the run before."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contextvqa_async.config import Reading, Saving
from contextvqa_async.errors import Kind, RunError, UsageError
from contextvqa_async.items import Failure, Record, RecordId, Row
from contextvqa_async.records import read_records
from contextvqa_async.sink import Sink
from contextvqa_async.sink.locks import Held
from contextvqa_async.sink.opening import Opening

READING = Reading()
Outcome = Callable[[Record], Row | Failure | None]


def row(record: Record, *, pairs: int = 1, id_key: str = "id") -> Row:
    """A row as the line makes them."""
    qas = [{"question": "q", "answer": "a"}] * pairs
    own = {"vqa": "text", "context_vqa": {"context": "c", "qas": qas}}
    return Row(
        id=record.id,
        fields={
            id_key: record.id,
            **record.fields,
            **own,
            "generation": {"record_sha": record.sha, "version": "0.1.0"},
        },
        pairs=pairs,
    )


def failure(record: Record, *, retryable: bool = True, stamp: str = "") -> Failure:
    """A failure as the line makes them."""
    kind = "server" if retryable else "bad_image"
    return Failure(
        id=record.id, type=kind, message="m", retryable=retryable, record=record.fields, sha=record.sha, stamp=stamp
    )


class Desk:
    """One output and what was done to it: runs of the line without a provider."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output, self.failed = folder / "out.jsonl", folder / "out.failed.jsonl"
        self.committed: list[Row | Failure] = []
        self.asked: list[RecordId] = []
        self.notes: list[str] = []
        self._more = anyio.Event()

    async def until_committed(self, count: int) -> None:
        """Wait until so many outcomes were told durable."""
        while len(self.committed) < count:
            self._more = anyio.Event()
            await self._more.wait()

    def _commit(self, items: list[Row | Failure]) -> None:
        self.committed += items
        self._more.set()

    def open(
        self, *, saving: Saving | None = None, reading: Reading = READING, model: str = "m", inputs: Sequence[Path] = ()
    ) -> AbstractAsyncContextManager[Sink]:
        """The sink, opened as a run does."""
        return Sink.open(
            self.output,
            saving or Saving(),
            reading=reading,
            fingerprint={"model": model},
            on_commit=self._commit,
            inputs=inputs,
        )

    async def run(self, source: Any, outcome: Outcome = row, **options: Any) -> Sink:
        """Ask for what is wanted of ``source``; ``outcome`` is the provider. None: the run was stopped there."""
        self.asked, self.committed = [], []
        async with self.open(**options) as sink:
            async for item in read_records(source, options.get("reading", READING), chooser=sink):
                if isinstance(item, Record):
                    self.asked.append(item.id)
                    answer = outcome(item)
                else:
                    answer = item
                if answer is None:
                    break
                await sink.append(answer)
        self.notes = sink.notes
        return sink

    def bad_lines(self) -> list[int]:
        """The numbers of the input's lines that the failed file tells of."""
        return [json.loads(line)["line"] for line in self.failed.read_bytes().splitlines()]

    def ids(self, path: Path | None = None) -> list[Any]:
        """The ids in the output, line by line."""
        path = path or self.output
        return [json.loads(line)["id"] for line in path.read_bytes().splitlines()] if path.exists() else []


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty desk."""
    return Desk(tmp_path)


def these(*ids: RecordId, **more: Any) -> list[dict[str, Any]]:
    """Records of these ids."""
    return [{"id": given, **more} for given in ids]


async def test_rows_come_with_their_fields_and_are_told_when_durable(desk: Desk) -> None:
    """Each line is the record's own object, its id in front, and on_commit hears of it after it is written."""
    await desk.run([{"x": 1, "id": "a"}, {"id": 2}])
    assert desk.output.read_bytes().startswith(b'{"id":"a","x":1,"vqa":"text",')
    assert desk.ids() == [item.id for item in desk.committed] == ["a", 2]
    assert not desk.failed.exists()


async def test_what_is_done_is_not_asked_again(desk: Desk) -> None:
    """1 and "1" are two ids; a repeated id is asked once, and counted."""
    await desk.run(these("1", 1, "a"))
    sink = await desk.run(these("1", 1, "b", "b", "a", 10**30))
    assert desk.asked == ["b", 10**30]
    assert (sink.earlier_rows, sink.counts.done, sink.counts.duplicates, sink.counts.changed) == (3, 3, 1, 0)
    assert desk.ids() == ["1", 1, "a", "b", 10**30]


async def test_a_record_that_changed_under_its_id_is_counted(desk: Desk) -> None:
    """The old row stands, and the run says how many differ."""
    await desk.run(these("a", "b", x=1))
    sink = await desk.run([*these("a", x=2), *these("b", x=1)])
    assert desk.asked == []
    assert (sink.counts.done, sink.counts.changed) == (2, 1)


async def test_ids_stand_under_the_users_key(desk: Desk) -> None:
    """With --id-key, rows carry their ids there, made ones too, and are found again; another key is refused."""
    reading = Reading(id_key="qid")
    source = [{"qid": "q", "id": 5}, {"x": 1}]
    for _ in range(2):
        await desk.run(source, partial(row, id_key="qid"), reading=reading)
    assert desk.asked == []
    assert [json.loads(line)["qid"][:5] for line in desk.output.read_bytes().splitlines()] == ["q", "auto-"]
    with pytest.raises(UsageError, match='id_key: "qid" → "id"'):
        await desk.run(source)


async def test_transient_failures_are_asked_again_and_leave_the_failed_file(desk: Desk) -> None:
    """What failed for a passing reason gets another chance; whatever comes of it replaces the entry."""
    await desk.run(these("a", "b", "c"), lambda record: row(record) if record.id == "a" else failure(record))
    assert (desk.ids(), desk.ids(desk.failed)) == (["a"], ["b", "c"])
    await desk.run(these("a", "b", "c"), lambda record: row(record) if record.id == "b" else failure(record))
    assert desk.asked == ["b", "c"]
    assert (desk.ids(), desk.ids(desk.failed)) == (["a", "b"], ["c"])
    await desk.run(these("c"))
    assert (desk.ids(), desk.failed.exists()) == (["a", "b", "c"], False)


@pytest.mark.parametrize(("mode", "asked"), [("transient", []), ("none", []), ("all", ["a"])])
async def test_final_failures_wait_for_a_word(desk: Desk, mode: Any, asked: list[str]) -> None:
    """What failed for good is asked again with --retry-failed all only."""
    await desk.run(these("a"), lambda record: failure(record, retryable=False))
    sink = await desk.run(these("a"), lambda record: failure(record, retryable=False), saving=Saving(retry_failed=mode))
    assert desk.asked == asked
    assert sink.counts.standing == 1 - len(asked)
    assert desk.ids(desk.failed) == ["a"]


async def test_a_final_failure_falls_with_its_record(desk: Desk) -> None:
    """A record that was mended is asked again."""
    await desk.run(these("a", x=1), lambda record: failure(record, retryable=False))
    await desk.run(these("a", x=2))
    assert (desk.ids(), desk.failed.exists()) == (["a"], False)


async def test_a_final_failure_falls_with_its_image(desk: Desk) -> None:
    """Where the failure has an image stamp, the same stamp stands and another one is asked again."""

    def fail(record: Record) -> Failure:
        return failure(record, retryable=False, stamp="10-99")

    await desk.run(these("a"), fail)
    async with desk.open() as sink:
        (record,) = [item async for item in read_records(these("a"), READING, chooser=sink)]
        assert isinstance(record, Record)
        assert not sink.still_stands(record, "11-99")
        assert not sink.still_stands(record, "")
        assert sink.counts.standing == 0
        assert sink.still_stands(record, "10-99")
        assert sink.counts.standing == 1
    assert desk.ids(desk.failed) == ["a"]


async def test_failures_that_were_not_reached_stay(desk: Desk) -> None:
    """A run over another part of the input leaves what earlier runs left, and asks for it no more than before."""
    await desk.run(these("a", "b", "c"), failure)
    await desk.run(these("b"))
    assert sorted(desk.ids(desk.failed)) == ["a", "c"]
    await desk.run(these("c", "a"), lambda record: row(record) if record.id == "c" else None)
    assert desk.ids(desk.failed) == ["a"]


async def test_bad_lines_are_told_anew_and_not_gathered(desk: Desk) -> None:
    """Entries without an id are those of the last run that read these lines."""
    source = desk.folder / "in.jsonl"
    source.write_bytes(b'bad\n{"id":1}\nworse\n')
    for _ in range(3):
        await desk.run(source, inputs=[source])
        assert desk.bad_lines() == [1, 3]
    source.write_bytes(b'{"id":3}\n{"id":1}\n')
    await desk.run(source, lambda _: None, inputs=[source])
    assert desk.bad_lines() == [1, 3], "not read to the end: what was not reached stays"
    await desk.run(source, inputs=[source])
    assert not desk.failed.exists()


async def test_bad_lines_of_one_input_are_not_cleared_by_another(desk: Desk) -> None:
    """Each input's are cleared when it is read again, also under another name and from a folder that moved."""
    folder = desk.folder / "inputs"
    folder.mkdir()
    (one := folder / "one.jsonl").write_bytes(b'{"id":1}\nbad\n')
    (two := folder / "two.jsonl").write_bytes(b'{"id":2}\n{"id":3}\n{"id":4}\n')
    await desk.run(one, inputs=[one])
    await desk.run(two, inputs=[two])
    assert desk.bad_lines() == [2]
    two.write_bytes(b"bad\n")
    await desk.run(two, inputs=[two])
    assert desk.bad_lines() == [2, 1]
    one.write_bytes(b'{"id":1}\n{"id":5}\n')
    (link := desk.folder / "link.jsonl").symlink_to(one)
    await desk.run(link, inputs=[link])
    assert desk.bad_lines() == [1]


async def test_bad_lines_of_an_input_without_a_name_are_replaced_by_the_same_only(desk: Desk) -> None:
    """Nobody can say whether stdin is the one of the last run, nor of which input an entry of an earlier version is."""
    for wrong, lines in ((b"bad", [2]), (b"worse", [2, 2]), (b"bad", [2, 2]), (b'{"id":3}', [2, 2])):
        (source := desk.folder / "in.jsonl").write_bytes(b'{"id":1}\n' + wrong + b"\n")
        await desk.run(source)
        assert desk.bad_lines() == lines


async def test_empty_rows_are_replaced(desk: Desk) -> None:
    """--retry-empty asks again for rows without pairs; the new row replaces the old, and no id stands twice."""
    await desk.run(these("a", "b", "c", "d"), lambda record: row(record, pairs=record.id == "b"))
    again: dict[RecordId, Outcome] = {"a": row, "c": failure, "d": lambda record: row(record, pairs=0)}
    await desk.run(these("a", "b", "c", "d"), lambda record: again[record.id](record), saving=Saving(retry_empty=True))
    assert desk.asked == ["a", "c", "d"]
    assert desk.ids() == ["b", "c", "a", "d"]
    assert not desk.failed.exists(), "a record that has a row has no failed entry"
    await desk.run(these("a", "b", "c", "d"))
    assert desk.asked == []


async def test_an_interrupted_replacement_is_finished_by_the_next_run(desk: Desk) -> None:
    """A kill between the new rows and the removal of the old ones leaves both; the next run keeps the last."""
    await desk.run(these("a", "b"), lambda record: row(record, pairs=0))
    old = desk.output.read_bytes()
    await desk.run(these("a", "b"), saving=Saving(retry_empty=True))
    new = desk.output.read_bytes()
    desk.output.write_bytes(old + new)
    beside = desk.folder / "out.run.json"
    beside.write_text(beside.read_text().replace('"replacing":false', '"replacing":true'))
    await desk.run(these("a", "b"))
    assert (desk.asked, desk.output.read_bytes()) == ([], new)


async def test_overwriting_keeps_the_old_files_beside(desk: Desk) -> None:
    """--overwrite starts anew, also with other settings, and nothing is destroyed."""
    await desk.run(these("a", "b"), lambda record: row(record) if record.id == "a" else failure(record))
    old, old_failed = desk.output.read_bytes(), desk.failed.read_bytes()
    await desk.run(these("a"), model="other", saving=Saving(overwrite=True))
    assert (desk.ids(), desk.failed.exists()) == (["a"], False)
    assert (desk.folder / "out.jsonl.bak").read_bytes() == old
    assert (desk.folder / "out.failed.jsonl.bak").read_bytes() == old_failed
    await desk.run([], saving=Saving(overwrite=True), model="third")
    assert (desk.folder / "out.jsonl.bak").read_bytes() == old
    assert (desk.folder / "out.jsonl.bak2").exists()
    assert "out.jsonl.bak2" in desk.notes[0]


async def test_other_settings_are_refused_and_named(desk: Desk) -> None:
    """Rows of another model are not mixed in unless it is allowed; then both settings may go on."""
    await desk.run(these("a"))
    with pytest.raises(UsageError, match='other settings: model: "m" → "n"'):
        await desk.run(these("b"), model="n")
    assert desk.ids() == ["a"]
    await desk.run(these("b"), model="n", saving=Saving(allow_mixed=True))
    await desk.run(these("c"), model="m")
    assert desk.ids() == ["a", "b", "c"]


async def test_one_run_at_a_time(desk: Desk) -> None:
    """A second run on the same output is refused, also by way of a link, and told who is there."""
    link = Desk(desk.folder / "elsewhere")
    link.folder.mkdir()
    link.output.symlink_to(desk.output)
    await desk.run(these("a"))
    async with desk.open():
        for other in (desk, link):
            with pytest.raises(UsageError, match=rf"process {os.getpid()} on .* since 20"):
                await other.run(these("a"))
    await link.run(these("b"))
    assert desk.ids() == ["a", "b"]
    assert link.output.is_symlink()


async def test_two_outputs_do_not_write_one_failed_file_at_once(desk: Desk) -> None:
    """A failed file that is named by hand has a lock of its own."""
    saving, other = Saving(failed=str(desk.folder / "failed.jsonl")), Desk(desk.folder)
    other.output = desk.folder / "other.jsonl"
    async with desk.open(saving=saving):
        with pytest.raises(UsageError, match=r"failed\.jsonl"):
            await other.run(these("a"), saving=saving)
        await other.run(these("a"))
    await other.run(these("b"), saving=saving)
    assert other.ids() == ["a", "b"]


async def test_settings_are_compared_as_they_are_stored(desk: Desk) -> None:
    """What JSON makes of a setting (a tuple is a list) does not look like another setting on the next run."""
    for _ in range(2):
        async with Sink.open(
            desk.output, Saving(), reading=READING, fingerprint={"extra": {"stop": ("a",)}, "x": 1.0}, on_commit=print
        ) as sink:
            assert sink.notes == []


@pytest.mark.parametrize("name", ["-", "folder", "missing/out.jsonl", "pipe", "/dev/stdout", "/dev/full"])
async def test_what_can_be_no_output_is_refused(desk: Desk, name: str) -> None:
    """Stdout, a folder, a missing folder, a FIFO and a device are told at once."""
    (desk.folder / "folder").mkdir()
    os.mkfifo(desk.folder / "pipe")
    desk.output = Path(name) if name == "-" else desk.folder / name
    with pytest.raises(UsageError, match=r"stdout|folder|regular file"):
        await desk.run(these("a"))


async def test_the_input_is_no_output(desk: Desk) -> None:
    """Appending rows to the input would be a loop; so would failures."""
    source = desk.folder / "in.jsonl"
    source.write_bytes(b'{"id":1}\n')
    for output in (source, desk.folder / "link"):
        if output != source:
            output.symlink_to(source)
        desk.output = output
        with pytest.raises(UsageError, match="is the input"):
            await desk.run(source, inputs=[source])
    desk.output = desk.folder / "out.jsonl"
    with pytest.raises(UsageError, match="is the input"):
        await desk.run(source, inputs=[source], saving=Saving(failed=str(source)))
    with pytest.raises(UsageError, match="another file"):
        await desk.run(source, saving=Saving(failed=str(desk.output)))


async def test_a_foreign_file_is_refused_and_a_foreign_output_taken_with_a_word(desk: Desk) -> None:
    """Text is never appended to; rows with ids are, and it is said that nothing can be compared."""
    desk.output.write_bytes(b"my\nnotes")
    with pytest.raises(UsageError, match="none of its lines is a row"):
        await desk.run(these("a"))
    assert desk.output.read_bytes() == b"my\nnotes"
    desk.output.write_bytes(b'{"id":"a","vqa":"by hand"}\n')
    await desk.run(these("a", "b"))
    assert (desk.asked, desk.ids()) == (["b"], ["a", "b"])
    assert "cannot be compared" in desk.notes[0]


@pytest.mark.parametrize(
    "line", [{"id": "a"}, {"id": "a", "image": "x.png", "generation": "of a data set"}, {"id": "a", "vqa": ""}]
)
@pytest.mark.parametrize("more", [b"", b'{"id":"z","vqa":"by hand"}\n'])
async def test_records_are_not_taken_for_rows(desk: Desk, line: dict[str, Any], more: bytes) -> None:
    """An input copied over the output, or given in its place: nothing would be asked, and all would look done."""
    copied = more + json.dumps(line).encode() + b"\n"
    desk.output.write_bytes(copied)
    with pytest.raises(UsageError, match=rf"records that nobody answered \(line {2 if more else 1}:"):
        await desk.run(these("a"))
    assert desk.output.read_bytes() == copied
    await desk.run(these("a"), saving=Saving(overwrite=True))
    assert desk.asked == ["a"]


@pytest.mark.parametrize(
    "answer", [{"vqa": "text"}, {"context_vqa": {"context": "c", "qas": []}}, {"generation": {"version": "0.1.0"}}]
)
async def test_rows_of_other_tools_and_versions_are_rows(desk: Desk, answer: dict[str, Any]) -> None:
    """A raw answer, an article with its pairs, or our own account of an answer: each alone says that one was given."""
    desk.output.write_text(json.dumps({"id": "a", **answer}) + "\n")
    await desk.run(these("a", "b"))
    assert desk.asked == ["b"]


async def test_rows_whose_answer_stands_under_the_users_key_are_rows(desk: Desk) -> None:
    """The key that the run is given says where."""
    desk.output.write_bytes(b'{"id":"a","raw":"text"}\n')
    await desk.run(these("a"), reading=Reading(answer_key="raw"))
    assert desk.asked == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
async def test_rows_saved_as_utf_16_are_refused_and_not_cut_out(desk: Desk, encoding: str) -> None:
    """Its zeros are no crash's: every row would be dropped, and paid for again."""
    await desk.run(these("a", "b"))
    desk.output.write_bytes(saved := desk.output.read_text("utf-8").encode(encoding))
    with pytest.raises(UsageError, match="UTF-16"):
        await desk.run(these("a", "b"))
    assert desk.output.read_bytes() == saved


async def test_rows_saved_in_another_layout_are_not_asked_again(desk: Desk) -> None:
    """An indented array holds no row on a line of its own: all of it would be paid for twice."""
    await desk.run(these("a", "b"))
    rows = [json.loads(line) for line in desk.output.read_bytes().splitlines()]
    desk.output.write_text(json.dumps(rows, indent=1))
    with pytest.raises(UsageError, match="none of its lines is a row"):
        await desk.run(these("a", "b"))
    assert json.loads(desk.output.read_bytes()) == rows


async def test_a_byte_order_mark_hides_no_row(desk: Desk) -> None:
    """Editors put one before the first row, and before the first failure; neither is asked for twice."""
    await desk.run(
        these("a", "b", "c"), lambda record: failure(record, retryable=False) if record.id == "c" else row(record)
    )
    for path in (desk.output, desk.failed):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    await desk.run(these("a", "b", "c"))
    assert desk.asked == []


async def test_somebodys_notes_are_no_failed_file(desk: Desk) -> None:
    """A file that holds anything else is neither healed nor appended to."""
    notes = desk.folder / "notes.txt"
    notes.write_bytes(b"line\nno newline")
    with pytest.raises(UsageError, match="no file of failed records"):
        await desk.run(these("a"), saving=Saving(failed=str(notes)))
    assert notes.read_bytes() == b"line\nno newline"


async def test_garbage_in_the_middle_is_told_and_kept(desk: Desk) -> None:
    """A line that somebody edited is named by its number; its record is asked again."""
    await desk.run(these("a", "b", "c", "d"))
    lines = desk.output.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:40] + b"\n"
    lines[2] = b"# " + lines[2]
    desk.output.write_bytes(b"".join(lines))
    await desk.run(these("a", "b", "c", "d"))
    assert sorted(desk.asked) == ["b", "c"]
    assert "Lines 2, 3 of out.jsonl" in desk.notes[0]
    assert desk.output.read_bytes().startswith(b"".join(lines))


async def test_a_row_glued_of_two_halves_is_no_row(desk: Desk) -> None:
    """A line that begins as one row and ends as another holds neither: both are asked again."""
    await desk.run([{"id": name, "x": name} for name in "abcd"])
    lines = desk.output.read_bytes().splitlines(keepends=True)
    desk.output.write_bytes(lines[0] + lines[1][:40] + lines[2] + lines[3])
    sink = await desk.run([{"id": name, "x": name} for name in "abcd"])
    assert sorted(desk.asked) == ["b", "c"]
    assert sink.counts.changed == 0
    assert any("damaged" in note for note in desk.notes)


async def test_doubled_rows_are_counted_and_kept(desk: Desk) -> None:
    """An id that stands twice (two outputs joined by hand) is told, and asked no more."""
    await desk.run(these("a", "b"))
    desk.output.write_bytes(desk.output.read_bytes() * 2)
    sink = await desk.run(these("a", "b"))
    assert (desk.asked, sink.earlier_rows, sink.counts.done) == ([], 2, 2)
    assert "2 rows" in desk.notes[0]


WHOLE = [b'{"id":"a","vqa":"x}"}', b'{"id":7,"vqa":"1"}', '{"id":"é","n":[1,{"id":"no"}]}'.encode()]


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, sum(len(line) + 1 for line in WHOLE)),
    st.integers(0, 3) | st.integers(4000, 4100),
    st.sampled_from([b"", b"\n", b"x", b'e":1}\n', b'{"id":"z","vqa":"1"}\n']),
)
def test_any_torn_tail_heals_to_whole_rows(cut: int, zeros: int, after: bytes) -> None:
    """Every prefix of a valid file, with zeros and pieces after it, becomes whole rows; torn ones are asked again."""
    torn = (b"\n".join(WHOLE) + b"\n")[:cut] + b"\0" * zeros + (after if zeros else b"")
    with TemporaryDirectory() as name:
        desk = Desk(Path(name))
        anyio.run(desk.run, [])
        desk.output.write_bytes(torn)
        source = these("a", 7, "é", "z")
        anyio.run(desk.run, source)
        lines = desk.output.read_bytes().split(b"\n")
        assert lines.pop() == b""
        kept = [line for line in WHOLE if line in torn[:cut]]
        assert lines[: len(kept)] == kept
        rows = [json.loads(line) for line in lines]
        assert sorted(str(item["id"]) for item in rows) == ["7", "a", "z", "é"]
        assert len(desk.asked) == 4 - len(kept) - (b"z" in after and zeros > 0)


async def test_a_queue_longer_than_a_group_is_written_in_order(desk: Desk) -> None:
    """Thousands of outcomes at once come out whole, each told once, in groups."""
    groups: list[int] = []
    source = these(*range(5000))
    async with Sink.open(
        desk.output, Saving(), reading=READING, fingerprint={}, on_commit=lambda items: groups.append(len(items))
    ) as sink:
        async for item in read_records(source, READING, chooser=sink):
            assert isinstance(item, Record)
            await sink.append(row(item))
    assert desk.ids() == list(range(5000))
    assert sum(groups) == 5000
    assert len(groups) < 200


async def test_a_cancelled_run_keeps_what_was_handed_over(desk: Desk) -> None:
    """Cancelling drains the queue: what append took is on the disk, and the lock is free."""
    with anyio.CancelScope() as scope:
        async with desk.open() as sink:
            await sink.append(row(Record(id="a", fields={"id": "a"})))
            scope.cancel()
            await anyio.sleep_forever()
    assert desk.ids() == ["a"]
    await desk.run(these("a"))
    assert desk.asked == []


async def test_what_breaks_the_body_comes_out_as_it_is(desk: Desk) -> None:
    """The caller's error is not wrapped in a group, and what was handed over is kept."""

    async def fail() -> None:
        async with desk.open() as sink:
            await sink.append(row(Record(id="a", fields={"id": "a"})))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert desk.ids() == ["a"]


async def test_a_start_that_is_given_up_changes_nothing(desk: Desk) -> None:
    """Ctrl-C while a large output is being read leaves it as it was, torn end and all."""
    await desk.run(these("a"))
    torn = desk.output.read_bytes() + b'{"id":"b"'
    desk.output.write_bytes(torn)

    def give_up() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Opening(Held(desk.output), Held(desk.failed), Saving(), READING, {"model": "m"}, give_up)._run()
    assert desk.output.read_bytes() == torn


async def test_a_folder_that_is_read_only_is_told(desk: Desk) -> None:
    """Nothing is asked where nothing can be written."""
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    desk.folder.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        await desk.run(these("a"))


async def test_the_output_keeps_its_mode_when_it_is_replaced(desk: Desk) -> None:
    """A file that was made private stays private."""
    await desk.run(these("a"), lambda record: row(record, pairs=0))
    desk.output.chmod(0o600)
    await desk.run(these("a"), saving=Saving(retry_empty=True))
    assert stat.S_IMODE(desk.output.stat().st_mode) == 0o600


async def test_an_unreadable_sidecar_is_told(desk: Desk) -> None:
    """What the rows were made with is not guessed at."""
    await desk.run(these("a"))
    for text in ("{", '{"fingerprint": {}, "earlier": [], "replacing": false, "running": 5}'):
        (desk.folder / "out.run.json").write_text(text)
        with pytest.raises(UsageError, match="remove it"):
            await desk.run(these("a"))


async def test_rows_that_orjson_cannot_write(desk: Desk) -> None:
    """Lone surrogates and huge integers in a record or an answer are written, and read again."""
    source = [{"id": "\ud83d", "n": 10**40}]
    await desk.run(source)
    await desk.run(source)
    assert desk.asked == []
    assert json.loads(desk.output.read_bytes())["n"] == 10**40


async def test_a_disk_error_stops_the_run_with_one_sentence(desk: Desk) -> None:
    """Opening the failed file where it cannot be made is told as a storage error, and the rows stay."""
    await desk.run(these("a"))
    desk.failed.mkdir()
    with pytest.raises((UsageError, RunError), match="folder"):
        await desk.run(these("b"), failure)
    assert desk.ids() == ["a"]


def replaced(path: Path) -> None:
    """As ``sed -i``, ``rsync`` and editors save: the content so far, under the old name."""
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


def moved(path: Path) -> None:
    """``mv``: the file has another name."""
    path.rename(path.with_name("elsewhere"))


def record(given: RecordId) -> Record:
    """A record of this id alone."""
    return Record(id=given, fields={"id": given})


async def write(desk: Desk, *steps: RecordId | Callable[[], object], **options: Any) -> None:
    """A run that does these steps: an id is a row to append and to hear of as durable, anything else is called."""
    before, rows = len(desk.committed), 0
    async with desk.open(**options) as sink:
        for step in steps:
            if callable(step):
                step()
                continue
            with suppress(RunError):
                await sink.append(row(record(step)))
            rows += 1
            await desk.until_committed(before + rows)


@pytest.mark.parametrize("meddle", [Path.unlink, replaced, moved])
async def test_rows_of_a_file_that_lost_its_name_are_kept_beside_it(desk: Desk, meddle: Callable[[Path], None]) -> None:
    """The run stops with a sentence that names the file; what still arrives is kept too, and can be gone on with."""
    await desk.run(these("a", "b"))
    told = r"out\.jsonl was replaced or removed .* kept as .*out\.jsonl\.rescued:"
    with pytest.raises(RunError, match=told) as caught:
        await write(desk, "c", lambda: meddle(desk.output), "d", "e")
    assert (caught.value.kind, caught.value.keeps) == (Kind.STORAGE, True)
    assert [item.id for item in desk.committed[-3:]] == ["c", "d", "e"]
    rescued = desk.folder / "out.jsonl.rescued"
    assert desk.ids(rescued) == ["a", "b", "c", "d", "e"]
    rescued.rename(desk.output)
    await desk.run(these("a", "b", "c", "d", "e"))
    assert desk.asked == []


async def test_whoever_appends_hears_that_the_output_lost_its_name(desk: Desk) -> None:
    """Not only the run's end: until then, answers would be paid for that nobody finds."""
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(desk.open())
        desk.output.unlink()
        await sink.append(row(record("a")))
        await desk.until_committed(1)
        with pytest.raises(RunError, match="rescued"):
            await sink.append(row(record("b")))
        with pytest.raises(RunError, match="rescued"):
            await stack.aclose()


async def test_an_output_that_lost_its_name_after_the_last_row_is_noticed_at_the_end(desk: Desk) -> None:
    """What stands under the name by then is somebody's: it is left as it is, and so is an earlier rescued file."""
    (desk.folder / "out.jsonl.rescued").write_bytes(b"of another day")
    with pytest.raises(RunError, match=r"out\.jsonl\.rescued2"):
        await write(desk, "a", desk.output.unlink, lambda: desk.output.write_bytes(b"somebody's"))
    assert desk.output.read_bytes() == b"somebody's"
    assert desk.ids(desk.folder / "out.jsonl.rescued2") == ["a"]


async def test_a_failed_file_that_was_removed_is_kept_beside_it(desk: Desk) -> None:
    """Lines that were no records are told there and nowhere else."""

    def fail_and_remove(given: Record) -> Failure | None:
        if desk.failed.exists():
            desk.failed.unlink()
        return failure(given)

    with pytest.raises(RunError, match=r"out\.failed\.jsonl was replaced or removed"):
        await desk.run(these("a", "b"), fail_and_remove)
    assert desk.ids(desk.folder / "out.failed.jsonl.rescued") == ["a", "b"]


async def test_a_file_whose_folder_moved_is_written_to_its_end(desk: Desk) -> None:
    """There is no place beside the old name; the rows are in the file, wherever it is now."""
    desk.output = desk.folder / "results" / "out.jsonl"
    desk.output.parent.mkdir()
    with pytest.raises(RunError, match="wherever it is now"):
        await write(desk, "a", lambda: desk.output.parent.rename(desk.folder / "moved"), "b")
    assert desk.ids(desk.folder / "moved" / "out.jsonl") == ["a", "b"]


async def test_an_output_that_is_cut_short_stops_the_run(desk: Desk) -> None:
    """Rewritten in its place by another program: what it lost cannot be known, and is asked again."""
    await desk.run(these("a", "b"))
    with pytest.raises(RunError, match="cut short by another program"):
        await write(desk, lambda: os.truncate(desk.output, 0), "c")
    await desk.run(these("a", "b", "c"))
    assert desk.asked == ["a", "b"]


async def test_a_link_that_is_turned_to_another_file_loses_nothing(desk: Desk) -> None:
    """The run writes the file that the link led to, and that file still has its own name."""
    first, second, link = (desk.folder / name for name in ("v1.jsonl", "v2.jsonl", "out.jsonl"))
    link.symlink_to(first)
    async with desk.open() as sink:
        await sink.append(row(record("a")))
        link.unlink()
        link.symlink_to(second)
        await sink.append(row(record("b")))
    assert (desk.ids(first), second.exists()) == (["a", "b"], False)
