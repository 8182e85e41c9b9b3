"""Sources of every kind → the same records; what is no record is told, and stops nothing."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from contextvqa_async.config import Reading
from contextvqa_async.errors import RecordError, RunError, UsageError
from contextvqa_async.identity import Batch
from contextvqa_async.items import Failure, Record, Turn
from contextvqa_async.jsonl import TooLong
from contextvqa_async.records import Chooser, Source, TakeAll, read_records
from contextvqa_async.records.choice import Piece, Taker
from contextvqa_async.records.parsing import parse_record
from contextvqa_async.records.position import Position

READING = Reading()


async def read(source: Source, reading: Reading = READING, **options: Any) -> list[Record | Failure]:
    """Everything a source yields."""
    return [item async for item in read_records(source, reading, **options)]


async def read_bytes(folder: Path, data: bytes, name: str = "in.jsonl") -> list[Record | Failure]:
    """Everything a file of these bytes yields."""
    path = folder / name
    path.write_bytes(data)
    return await read(path)


def ids(items: list[Record | Failure]) -> list[Any]:
    """The ids of records; of a failure, its line in brackets."""
    return [item.id if isinstance(item, Record) else [item.line] for item in items]


def records(items: list[Record | Failure]) -> list[Record]:
    """All of them, which must be records."""
    assert all(isinstance(item, Record) for item in items), items
    return [item for item in items if isinstance(item, Record)]


class Trickle(io.BytesIO):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read1(self, size: int | None = -1, /) -> bytes:
        """The next bytes, fewer than were asked for."""
        return self.read(self.most)


class Except(Chooser):
    """Wants what is not in ``done``, once, as the sink does."""

    def __init__(self, *done: bytes) -> None:
        self.known = set(done)
        self.upto = 0

    def choose(self, batch: Batch) -> Iterator[int]:
        """The positions of keys that are not known."""
        for position, key in enumerate(batch.keys):
            if key not in self.known:
                self.known.add(key)
                yield position
        self.upto = batch.upto

    def release(self, key: bytes) -> None:
        """Forget a key."""
        self.known.remove(key)


async def test_a_file_as_editors_leave_it(tmp_path: Path) -> None:
    """BOM, CRLF, blank lines and a missing last newline change nothing."""
    found = await read_bytes(tmp_path, b'\xef\xbb\xbf{"id":"a"}\r\n\r\n  \n{"id":2} \n\t{"id":"c"}')
    assert ids(found) == ["a", 2, "c"]
    assert [item.line for item in found] == [1, 4, 5]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"[]", b" [ ] \n"])
async def test_nothing_is_no_fault(tmp_path: Path, data: bytes) -> None:
    """An empty file holds no records, and that is all."""
    assert await read_bytes(tmp_path, data, "in.json") == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"nonsense", "not valid JSON"),
        (b'{"id":"a"', "not valid JSON"),
        (b'{"id":"a","n":NaN}', "not valid JSON"),
        (b'{"id":"\xff"}', "not valid UTF-8 \\(byte 8\\)"),
        (b"[1]", "no object"),
        (b"17", "no object"),
        (b'{"id":1.5}', "'id' must be a string or an integer, not a number"),
        (b'{"id":true}', "not a boolean"),
        (b'{"id":["a"]}', "not a list"),
        (b'{"image":7}', "'image' must be a path, a URL or a list of them, not a number"),
        (b'{"image":["a",{}]}', r"'image\[1\]' must be .* not an object"),
        (b'{"image":[["a"]]}', r"'image\[0\]' must be a path or a URL, not a list"),
        (b'{"conversation":"hello"}', "'conversation' must be a list of turns"),
        (b'{"conversation":["hello"]}', r"'conversation\[0\]' must be an object"),
        (b'{"conversation":[{"from":"ghost","value":"x"}]}', r"'conversation\[0\].from' must be one of .*'ghost'"),
        (b'{"conversation":[{"from":"human","value":null}]}', r"'conversation\[0\].value' must be a text, not null"),
        (
            b'{"conversation":[{"role":"user","content":[{"type":"audio"}]}]}',
            r"content\[0\]' must be a text or an image",
        ),
    ],
)
async def test_a_line_that_is_no_record_is_told_and_the_rest_goes_on(tmp_path: Path, line: bytes, told: str) -> None:
    """Its failure has the line's number, what is wrong where, and the line's own text."""
    found = await read_bytes(tmp_path, b'{"id":"before"}\n' + line + b'\n{"id":"after"}\n')
    assert [item.id for item in found if isinstance(item, Record)] == ["before", "after"]
    (failure,) = [item for item in found if isinstance(item, Failure)]
    assert (failure.id, failure.line, failure.type, failure.retryable) == (None, 2, "bad_record", False)
    assert failure.record == line.decode("utf-8", "replace")
    assert re.search(told, failure.message)


async def test_a_line_of_fifty_megabytes(tmp_path: Path) -> None:
    """A data URL of any size is one line among others."""
    big = b'{"id":"big","image":"data:image/png;base64,' + b"A" * (50 << 20) + b'"}'
    found = records(await read_bytes(tmp_path, b'{"id":"a"}\n' + big + b'\n{"id":"c"}'))
    assert ids([*found]) == ["a", "big", "c"]
    assert len(found[1].images[0]) > 50 << 20


def test_a_line_beyond_the_bound_fails_alone() -> None:
    """What is longer than memory should hold becomes a failed entry of its first thousand characters."""
    piece = Piece([b'{"id":"a"}', TooLong(b'{"id":"' + b"x" * 4000, 300 << 20), b'{"id":"c"}'], 1)
    failure, *found = Taker(READING, TakeAll(), Position()).records(piece)
    assert ids(found) == ["a", "c"]
    assert isinstance(failure, Failure)
    assert "314,572,800 bytes" in failure.message
    assert (failure.line, len(failure.record)) == (2, 1000)


@pytest.mark.parametrize("given", ["a\nb", "x" * 10_000, 7, -3, 10**30, "☃", "\ud83d", '"', "\\", "a/../b"])
async def test_ids_of_every_kind_come_out_as_they_went_in(tmp_path: Path, given: str | int) -> None:
    """Newlines, ten kilobytes, integers beyond 64 bits, lone surrogates."""
    found = await read_bytes(tmp_path, json.dumps({"id": given}).encode())
    assert ids(found) == [given]
    assert records(found)[0].fields == {"id": given}


async def test_an_id_is_made_of_the_content(tmp_path: Path) -> None:
    """Missing, null and empty ids are made: the same on every run, however the record is spelled."""
    same = [
        b'{"image":"x","n":1}',
        b'{"n":1, "image":"x"}',
        b'{"id":null,"image":"x","n":1}',
        b'{"id":"","n":1,"image":"x"}',
    ]
    found = ids(await read_bytes(tmp_path, b"\n".join([*same, b'{"image":"y","n":1}'])))
    assert len(set(found[:4])) == 1
    assert found[4] != found[0]
    assert str(found[0]).startswith("auto-")


@pytest.mark.parametrize(
    ("image", "images"),
    [(None, ()), ("", ()), ([], ()), ("  ", ()), ("a b.png", ("a b.png",)), (["a", "", None, "b"], ("a", "b"))],
)
def test_images_as_written(image: Any, images: tuple[str, ...]) -> None:
    """A string or a list; missing, null and empty ones are none."""
    assert parse_record({"id": 1, "image": image}, READING).images == images


def test_conversations_of_both_kinds() -> None:
    """DataFlow's from/value and OpenAI's role/content are the same turns; content parts may name images."""
    given = {
        "conversation": [
            {"from": "system", "value": "s"},
            {"from": "human", "value": "q"},
            {"from": "gpt", "value": "a"},
        ]
    }
    assert parse_record(given, READING).turns == (
        Turn(role="system", text="s"),
        Turn(role="user", text="q"),
        Turn(role="assistant", text="a"),
    )
    parts = [
        {"type": "text", "text": "q"},
        {"type": "image_url", "image_url": {"url": "b"}},
        {"type": "text", "text": "r"},
    ]
    record = parse_record({"image": "a", "conversation": [{"role": "user", "content": parts}]}, READING)
    assert record.turns == (Turn(role="user", text="q\nr"),)
    assert record.images == ("a", "b")


def test_keys_are_the_users() -> None:
    """--id-key, --image-key and --conversation-key say where to look."""
    reading = Reading(id_key="qid", image_key="file", conversation_key="talk")
    fields = {"id": 1, "qid": "q", "file": "x", "talk": [{"from": "human", "value": "v"}], "image": 5}
    record = parse_record(fields, reading)
    assert (record.id, record.images, record.turns[0].text) == ("q", ("x",), "v")
    with pytest.raises(RecordError, match="'qid' must be"):
        parse_record({"qid": 1.5}, reading)


ARRAY = [{"id": "a", "image": "x"}, {"id": 2, "deep": {"n": [1.5, None, True]}}, {"id": 10**30}]


@pytest.mark.parametrize("name", ["in.json", "in.dat", "in", "in.jsonl.json"])
async def test_an_array_is_streamed(tmp_path: Path, name: str) -> None:
    """A JSON array's elements are records, numbered from one."""
    found = records(await read_bytes(tmp_path, json.dumps(ARRAY, indent=1).encode(), name))
    assert [item.fields for item in found] == ARRAY
    assert [item.line for item in found] == [1, 2, 3]


async def test_jsonl_under_a_name_that_says_json(tmp_path: Path) -> None:
    """A .json file that is really JSONL works, and so does any name."""
    for name in ("in.json", "in.txt", "in"):
        assert ids(await read_bytes(tmp_path, b'{"id":1}\n{"id":2}\n', name)) == [1, 2]


@pytest.mark.parametrize("tail", [b', {"id": NaN}, {"id": 3}]', b', {"id"', b"", b"] more", b",]"])
async def test_a_broken_array_gives_what_stands_before(tmp_path: Path, tail: bytes) -> None:
    """What follows a fault cannot be read; the records before it are there, and the fault is told."""
    *before, failure = await read_bytes(tmp_path, b'[{"id":1}, 7, {"id":2}' + tail, "in.json")
    assert sorted(map(str, ids(before))) == ["1", "2", "[2]"]
    assert isinstance(failure, Failure)
    assert "array cannot be read further" in failure.message


async def test_packed_files_and_stdin(tmp_path: Path) -> None:
    """.jsonl.gz and "-" are read like the file itself; a packed file that breaks off stops the run."""
    data = b'{"id":1}\n{"id":2}\n'
    assert ids(await read_bytes(tmp_path, gzip.compress(data), "in.jsonl.gz")) == [1, 2]
    assert ids(await read("-", stdin=io.BytesIO(data))) == [1, 2]
    assert ids(await read("-", stdin=io.BytesIO(b' [{"id":1}]'))) == [1]
    with pytest.raises(RunError, match="cannot be read further"):
        await read_bytes(tmp_path, gzip.compress(os.urandom(5000))[:3000], "in.jsonl.gz")


async def test_a_folder_is_its_images(tmp_path: Path) -> None:
    """Each image below a folder is a record; its relative path is the id. Hidden and other files are no records."""
    for name in ("b.png", "a.JPG", "sub/c d.webp", "sub/é.gif", ".hidden.png", "notes.txt", ".git/x.png", "z/"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_bytes(b"x")
    found = records(await read(tmp_path))
    assert ids([*found]) == ["a.JPG", "b.png", "sub/c d.webp", "sub/é.gif"]
    assert found[2].images == (str(tmp_path / "sub/c d.webp"),)
    assert found[2].fields == {"id": "sub/c d.webp", "image": "sub/c d.webp"}


async def test_iterables_of_mappings() -> None:
    """Lists, generators and asynchronous ones; images may be bytes and paths, which the row names."""
    given: list[dict[str, Any]] = [{"id": 1, "image": b"bytes"}, {"image": [Path("a"), b"b"]}]

    async def later() -> AsyncIterator[dict[str, Any]]:
        for item in given:
            yield item

    sources: list[Source] = [given, iter(given), later()]
    for source in sources:
        first, second = records(await read(source))
        assert first.images == (b"bytes",)
        assert str(first.fields["image"]).startswith("sha256:")
        assert second.images == ("a", b"b")


async def test_an_iterable_of_which_nothing_is_wanted_lets_others_work() -> None:
    """A million records that are done do not hold up the event loop."""
    done = [b"%d" % number for number in range(1000)]
    turns = []

    async def others() -> None:
        while True:
            turns.append(1)
            await checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        assert await read([{"id": number} for number in range(1000)], chooser=Except(*done)) == []
        tasks.cancel_scope.cancel()
    assert len(turns) >= 5


async def test_an_item_that_is_no_mapping_fails_alone() -> None:
    """Numbers, and values that JSON has no word for, become failures with their position."""
    items: Any = [5, {"id": 1, "x": object()}, {"id": 2}]
    assert ids(await read(items)) == [[1], [2], 2]


@pytest.mark.parametrize("name", ["missing.jsonl", "pipe", "a\0b"])
async def test_a_source_that_cannot_be_read_is_a_usage_error(tmp_path: Path, name: str) -> None:
    """A missing file, a FIFO (which would block) and a name that no file can have are told at once."""
    if name == "pipe":
        os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match="input"):
        await read(tmp_path / name)


async def test_utf16_is_told(tmp_path: Path) -> None:
    """What Windows calls Unicode is not taken for a million bad lines."""
    with pytest.raises(UsageError, match="UTF-16"):
        await read_bytes(tmp_path, '{"id":1}'.encode("utf-16"))


async def test_what_is_not_wanted_is_not_parsed(tmp_path: Path) -> None:
    """The chooser is asked with keys; a broken rest of a line that is done goes unseen."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"id":"a",broken}\n{"id":"b"}\n{"id":"b","again":1}\n')
    chooser = Except(b'"a')
    assert ids(await read(path, chooser=chooser)) == ["b"]
    assert chooser.upto > 3


async def test_a_bad_line_leaves_its_id_to_a_good_one(tmp_path: Path) -> None:
    """An id is taken by the first line that is a record, not by a broken one before it."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"id":"a",broken}\n{"id":"a"}\n{"id":"a","image":3}\n')
    found = await read(path, chooser=Except())
    assert ids(found) == [[1], "a"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.fixed_dictionaries({"id": st.text(min_size=1, max_size=5) | st.integers()}, optional={"x": st.text()})),
    st.integers(1, 50),
)
def test_blocks_of_any_size_give_the_same_records(items: list[dict[str, Any]], block: int) -> None:
    """Where the blocks are cut is nowhere to be seen."""
    data = b"".join(json.dumps(item).encode() + b"\n" for item in items)
    found = records(anyio.run(partial(read, "-", stdin=Trickle(data, block))))
    assert [item.fields for item in found] == items
    assert [item.line for item in found] == list(range(1, len(items) + 1))


async def test_the_position_grows_with_what_is_taken(tmp_path: Path) -> None:
    """Not with the block that was read at once: a thousand short lines are one block."""
    path, position = tmp_path / "in.jsonl", Position()
    path.write_text("".join(f'{{"id":{n}}}\n' for n in range(1000)))
    assert position.fraction is None
    seen = [position.fraction async for _ in read_records(path, READING, position=position)]
    assert seen[0] == pytest.approx(0.001)
    assert seen[499] == pytest.approx(0.5)
    assert seen[-1] == position.fraction == 1.0


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text(st.sampled_from('ab\\"\ud83d\ude00\udfff\ufffe\ufffd\U0001f600é'), max_size=12), min_size=1),
    st.booleans(),
    st.integers(1, 40),
)
def test_an_array_holds_what_its_lines_would_hold(texts: list[str], ascii_only: bool, size: int) -> None:
    """Half surrogates too, in keys and values, escaped or not, wherever the text is cut in blocks."""
    texts = [json.loads(json.dumps(text)) for text in texts]  # two halves side by side are one character in JSON
    records = [{"id": number, text: [text, {"k": text}]} for number, text in enumerate(texts)]
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    raw = [re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", line).encode() for line in lines]

    async def fields_in(text: bytes) -> list[Any]:
        return [record_of(item).fields for item in await read("-", stdin=InPieces(io.BytesIO(text), size))]

    assert anyio.run(fields_in, b"[" + b",".join(raw) + b"]") == records
    assert anyio.run(fields_in, b"\n".join(raw)) == records


def record_of(item: Record | Failure) -> Record:
    """The item, which is a record."""
    assert isinstance(item, Record), item
    return item


class InPieces(io.RawIOBase):
    """A stream that gives at most ``size`` bytes at once."""

    def __init__(self, file: io.BytesIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, size: int = -1) -> bytes:
        return self._file.read(self._size)


async def test_ids_with_half_a_character_are_the_same_in_an_array_and_in_lines(tmp_path: Path) -> None:
    """One parser made one "?" of two such ids, and ended at the other half's."""
    lines = b'{"id":"cut \\ud83d"}\n{"id":"cut \\ud83e"}\n{"id":"\\ude00 cut"}\n{"id":"\\\\ud83d"}'
    array = b"[" + lines.replace(b"\n", b",") + b"]"
    wanted = ["cut \ud83d", "cut \ud83e", "\ude00 cut", "\\ud83d"]
    assert ids(await read_bytes(tmp_path, lines)) == ids(await read_bytes(tmp_path, array, "in.json")) == wanted


async def test_a_byte_order_mark_may_begin_any_line(tmp_path: Path) -> None:
    """Files that each had one were joined; the record is the one that it would be without."""
    lines = [b'{"id":"a"}', b'{"x":1,"id":"b"}', b'{"x":2}', b"  ", b'{"id":"c"}']
    plain = await read_bytes(tmp_path, b"\n".join(lines))
    marked = await read_bytes(tmp_path, b"\n".join(b"\xef\xbb\xbf" + line for line in lines))
    assert marked == plain
    assert len(plain) == 4


class Cursor:
    """An asynchronous iterable that opens something each time that it is iterated over."""

    def __init__(self) -> None:
        self.open = 0

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        self.open += 1
        try:
            for number in range(100):
                yield {"id": number}
        finally:
            await checkpoint()
            self.open -= 1


@pytest.mark.parametrize("end", ["early", "cancelled"])
async def test_what_reading_opened_is_closed_when_it_ends_early(end: str) -> None:
    """An asynchronous iterator's own clean-up runs then, waiting included, and not at the loop's end or whenever."""
    for source in (cursor := Cursor(), aiter(cursor)):
        with anyio.CancelScope() as scope:
            async with aclosing(read_records(source, READING)) as items:
                async for _ in items:
                    assert cursor.open == 1
                    if end == "early":
                        break
                    scope.cancel()
                    await checkpoint()
        assert cursor.open == 0
