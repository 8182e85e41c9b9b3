"""Inputs that are damaged, or too deep to be written: told in one sentence each, before anything is asked."""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from contextvqa_async import run_async
from contextvqa_async.config import Reading
from contextvqa_async.errors import RunError, UsageError
from contextvqa_async.items import Failure, Record
from contextvqa_async.jsonl import MAX_DEPTH, dumps, is_too_deep
from contextvqa_async.records import Source, read_records
from contextvqa_async.records.unpacked import UNREADABLE, Unpacked


async def read(source: Source, into: list[Record | Failure] | None = None) -> list[Record | Failure]:
    """Everything a source yields, in ``into`` also where it ends in an error."""
    into = [] if into is None else into
    async for item in read_records(source, Reading()):
        into.append(item)
    return into


def nested(levels: int, kind: type = list) -> Any:
    """Lists in lists (or objects in objects), so many of them."""
    value: Any = kind()
    for _ in range(levels - 1):
        value = [value] if kind is list else {"k": value}
    return value


def text_of(levels: int, kind: type) -> str:
    """A record of so many levels as JSON, which Python's own json would not write."""
    begin, end, innermost = ("[", "]", "[]") if kind is list else ('{"k":', "}", "{}")
    return '{"id":"deep","x":' + begin * (levels - 2) + innermost + end * (levels - 2) + "}"


@pytest.mark.parametrize("kind", [list, dict])
@pytest.mark.parametrize("levels", [MAX_DEPTH, MAX_DEPTH + 1, 500, 980, 1100, 5000])
@pytest.mark.parametrize("shape", ["lines", "id last", "array", "iterable"])
async def test_a_record_too_deep_to_be_written_fails_alone(
    base_url: str, tmp_path: Path, kind: type, levels: int, shape: str
) -> None:
    """Whatever way it comes in, it is refused before it is asked, and the others are done; nothing is asked twice."""
    if shape == "iterable" and levels > 980:
        pytest.skip("as a value it is the caller's own")
    deep = text_of(levels, kind)
    if shape == "id last":
        deep = '{"x"' + deep.split('"x"', 1)[1][:-1] + ',"id":"deep"}'
    lines = ['{"id":"a"}', deep, '{"id":"b"}']
    source: Any = [{"id": "a"}, {"id": "deep", "x": nested(levels - 1, kind)}, {"id": "b"}]
    if shape != "iterable":
        source = tmp_path / ("in.json" if shape == "array" else "in.jsonl")
        source.write_text("[" + ",".join(lines) + "]" if shape == "array" else "\n".join(lines))
    first = await run_async(source, tmp_path / "out.jsonl", base_url=base_url)
    fails = levels > MAX_DEPTH
    assert (first.done, first.failed, first.stopped) == (3 - fails, int(fails), None)
    second = await run_async(source, tmp_path / "out.jsonl", base_url=base_url)
    assert (second.done, second.skipped, second.stopped) == (0, 3 - fails, None)
    if fails:
        entry = json.loads((tmp_path / "out.failed.jsonl").read_bytes())
        said = "nested deeper" if levels < 1000 or shape == "array" else "depth limit exceeded"
        assert (entry["line"], said in entry["error"]["message"]) == (2, True)


def test_depth_is_counted_in_levels_and_not_in_brackets() -> None:
    """Many lists side by side, or brackets in a text, are not deep; a value that holds itself is."""
    wide = {"id": 1, "x": [[]] * 1000, "text": "[{" * 1000}
    assert not is_too_deep(dumps(wide), wide)
    for levels, expected in ((MAX_DEPTH, False), (MAX_DEPTH + 1, True)):
        value = {"wide": [[], {}] * 300, "x": nested(levels - 1)}
        assert is_too_deep(json.dumps(value).encode(), value) is expected
    own: dict[str, Any] = {}
    own["a"] = own["b"] = own
    assert is_too_deep(b"[" * (MAX_DEPTH + 1), own)


async def test_a_value_that_holds_itself_fails_alone() -> None:
    """A caller's own mistake."""
    own: dict[str, Any] = {"id": 1}
    own["own"] = [own]
    bad, good = await read([own, {"id": 2}])
    assert isinstance(bad, Failure)
    assert isinstance(good, Record)


async def test_a_number_beyond_any_exponent_ends_an_array_in_a_sentence(tmp_path: Path) -> None:
    """What stands before it is read."""
    path = tmp_path / "in.json"
    path.write_text('[{"id":1},{"id":2,"x":1e99999999999999999999},{"id":3}]')
    found = await read(path)
    assert isinstance(found[-1], Failure)
    assert found[-1].message.startswith("The array cannot be read further")


DAMAGES = {
    "a byte in the middle": lambda data: data[: len(data) // 2] + b"\xff" * 40 + data[len(data) // 2 + 40 :],
    "the end is missing": lambda data: data[: len(data) // 2],
    "the checksum": lambda data: data[:-8] + bytes(8),
    "something follows": lambda data: data + b"not gzip",
    "a second member is damaged": lambda data: data + data[:10] + b"\xff" * 50,
}


@pytest.mark.parametrize("name", ["in.jsonl.gz", "in.json.gz"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_what_stands_before_a_damage_is_read(tmp_path: Path, damage: Any, name: str) -> None:
    """A packed file ends in one sentence where it is damaged, however small it is; the lines before that are read.

    An array ends with what is no JSON, if that comes first.
    """
    rng = random.Random(7)
    lines = [json.dumps({"id": number, "x": rng.randbytes(40).hex()}) for number in range(2000)]
    text = "\n".join(lines) if name == "in.jsonl.gz" else f"[{','.join(lines)}]"
    path = tmp_path / name
    path.write_bytes(damage(gzip.compress(text.encode())))
    found: list[Record | Failure] = []
    try:
        await read(path, found)
        assert isinstance(found[-1], Failure)
        told = found[-1].message
    except RunError as error:
        told = str(error)
    assert re.match(rf"The (array|input .*{name}) cannot be read further: ", told)
    first = [item.id for item in found if isinstance(item, Record)]
    assert len(first) > 600
    assert first[:600] == list(range(600))


async def test_rows_from_before_a_damage_are_kept(base_url: str, tmp_path: Path) -> None:
    """The run stops, and what it was answered is in the output; the mended file goes on from there."""
    rng, path, output = random.Random(7), tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl"
    whole = b"".join(json.dumps({"id": n, "x": rng.randbytes(400).hex()}).encode() + b"\n" for n in range(100))
    packed = gzip.compress(whole)
    path.write_bytes(packed[: len(packed) // 2] + b"\xff" * 100 + packed[len(packed) // 2 + 100 :])
    stopped = await run_async(path, output, base_url=base_url)
    assert "cannot be read further" in (stopped.stopped or "")
    assert stopped.exit_code == 3
    path.write_bytes(packed)
    summary = await run_async(path, output, base_url=base_url)
    assert summary.skipped == stopped.done
    assert summary.done + summary.skipped == 100


def test_a_fault_comes_after_what_was_unpacked() -> None:
    """Whatever the fault; and again at each further reading."""
    for fault in (OSError("disk"), EOFError("end"), zlib.error("bits")):

        class Packed:
            """Two pieces, then the fault."""

            def __init__(self, fault: Exception) -> None:
                self.pieces, self.fault = [b"a", b"b"], fault

            def read1(self, size: int = -1, /) -> bytes:
                """A piece."""
                if not self.pieces:
                    raise self.fault
                return self.pieces.pop(0)

        file = Unpacked(Packed(fault))
        assert file.read(100) == b"ab"
        for _ in range(2):
            with pytest.raises(UNREADABLE):
                file.read(100)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["in.jsonl", "in.json", "in.jsonl.gz"])
async def test_utf_16_is_wrong_usage(tmp_path: Path, encoding: str, name: str) -> None:
    """With a byte order mark or without: one sentence, and not one failure a line."""
    data = json.dumps([{"id": 1}] if name == "in.json" else {"id": 1}).encode(encoding)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(UsageError, match="save it as UTF-8"):
        await read(path)
