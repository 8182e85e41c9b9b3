"""Bytes → lines → identities: the same as splitting at once and parsing each."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contextvqa_async.identity import IdScanner, key_of
from contextvqa_async.jsonl import Lines, TooLong, dumps, loads

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
IDS = st.text(max_size=8) | st.integers(-(10**20), 10**20) | st.none() | st.booleans() | st.floats(0, 9)
GAPS, COLONS = st.sampled_from(["", "", " "]), st.sampled_from([":", ": ", " : "])
NAMES = st.sampled_from(["id", "image", "i", '"id"', "x:id", "ID", "\\id", ""]) | st.text(max_size=4)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


def spell(members: list[tuple[str, Any]], *, escaped: bool, gap: str, colon: str) -> bytes:
    """An object with these members, doubled ones too, in one of JSON's many spellings."""

    def name(text: str) -> str:
        return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"' if escaped and text.isascii() else json.dumps(text)

    inner = f",{gap}".join(f"{name(key)}{colon}{json.dumps(value)}" for key, value in members)
    return ("{" + gap + inner + gap + "}").encode()


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """Lines that are JSON objects, most with an id, some with two."""
    members = draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    for _ in range(draw(st.integers(0, 2))):
        members.insert(draw(st.integers(0, len(members))), ("id", draw(IDS)))
    if draw(st.booleans()):
        members.insert(0, ("id", draw(IDS)))
    return spell(members, escaped=draw(st.booleans()), gap=draw(GAPS), colon=draw(COLONS))


@given(st.binary(), st.lists(st.integers(0, 400)))
def test_lines_do_not_depend_on_the_cuts(data: bytes, cuts: list[int]) -> None:
    """However the bytes arrive, the lines are the ones of all bytes at once."""
    data = data.replace(b"x", b"\n")
    lines = Lines()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    found = [line for start, end in pairwise(edges) for line in lines.feed(data[start:end])] + lines.flush()
    expected = data.split(b"\n")
    assert found == (expected[:-1] if expected[-1] == b"" else expected)


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(1, 30))
def test_a_line_beyond_the_bound_is_told_and_not_held(sizes: list[int], step: int) -> None:
    """A line that is too long comes with its size, and the lines around it come whole."""
    data = b"".join(b"a" * size + b"\n" for size in sizes)
    lines = Lines(longest=20)
    found = [line for at in range(0, len(data), step) for line in lines.feed(data[at : at + step])]
    told = [line.size if isinstance(line, TooLong) else len(line) for line in found]
    assert told == sizes
    assert all(isinstance(line, TooLong) == (size > 20) for line, size in zip(found, sizes, strict=True) if step <= 20)


@given(objects())
def test_a_scanned_id_is_the_parsed_one(line: bytes) -> None:
    """Wherever the scanner answers, parsing gives the same id."""
    key = IdScanner("id").scan(line)
    parsed = loads(line).get("id")
    if key is not None:
        assert isinstance(parsed, str | int)
        assert not isinstance(parsed, bool)
        assert key == key_of(parsed)
        try:
            assert orjson.loads(line)["id"] == parsed
        except orjson.JSONDecodeError:
            assert b"\\ud" in line, "only lone surrogates are beyond orjson"


@given(st.lists(objects(), min_size=1, max_size=5), st.integers(0, 30))
def test_scanning_many_lines_is_scanning_each(lines: list[bytes], begun: int) -> None:
    """The quick pass over a block gives each line's key, or leaves the block to the slow one."""
    scanner = IdScanner("id")
    block = b"\n".join([lines[0][begun:], *lines[1:]]) + b"\n"
    keys = scanner.scan_all(lines, block)
    if keys is not None:
        assert keys == [scanner.scan(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"id":"a","image":"x"}', b'"a'),
        (b'{"id":"\xc3\xa9"}', b'"\xc3\xa9'),
        (b'{"id":7}', b"7"),
        (b'{"id":0,"a":1}', b"0"),
        (b'{"id":"a","b":{"id":"c"}}', None),
        (b'{"id":"a","\\u0069d":"c"}', None),
        (b'{"id":"a","i\\u0064":"c"}', None),
        (b'{"id":"a\\n"}', None),
        (b'{"id":1.5}', None),
        (b'{"id":12345678901234567890}', None),
        (b'{"id":""}', None),
        (b'{"id": "a"}', b'"a'),
        (b'{"id": 7, "a": 1}', b"7"),
        (b'{"id":  "a"}', None),
        (b'{"id" :"a"}', None),
        (b'{ "id":"a"}', None),
        (b'{"image":"x","id":"a"}', None),
    ],
)
def test_what_is_doubtful_is_left_to_the_parser(line: bytes, key: bytes | None) -> None:
    """A simple id in front is told; nested, doubled, escaped and unusual ones are not."""
    assert IdScanner("id").scan(line) == key


def test_quick_pass_takes_the_usual_files() -> None:
    """Blocks of plain records, with ids as text or as numbers, are done in one pass."""
    for ids in (["a", "b"], [1, 20]):
        records = [{"id": given, "image": "x", "t": "é\n"} for given in ids]
        for lines in ([dumps(record) for record in records], [json.dumps(record).encode() for record in records]):
            assert IdScanner("id").scan_all(lines, b"\n".join(lines)) == [key_of(given) for given in ids]


@given(VALUES)
def test_what_was_read_is_written_again(value: Any) -> None:
    """Integers of any size, floats, and lone surrogates survive reading and writing."""
    text = dumps({"v": value})
    assert loads(text) == {"v": value}
    assert dumps(loads(text)) == text


@pytest.mark.parametrize(
    "text", [b'{"a":"\\ud83d"}', b'{"a":123456789012345678901234567890}', b'{"a":-9223372036854775809}']
)
def test_what_orjson_refuses_or_rounds_is_kept(text: bytes) -> None:
    """A lone surrogate and an integer beyond 64 bits come out as they went in."""
    assert dumps(loads(text)) == text


NO_JSON = [
    b"",
    b"{",
    b"NaN",
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":1e999}',
    b'{"a":"\\ud83d","b":NaN}',
    b'{"a":"\xff"}',
]
NO_JSON += [b'{"a":"\\ud83d\xff"}', b"[" * 5000 + b"]" * 5000, b'{"a":1}{"b":2}', b'{"a":"\x00"}', b"9" * 5000]


@pytest.mark.parametrize("text", NO_JSON)
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    """Broken text raises one kind of error, however it is broken."""
    with pytest.raises(ValueError, match=r"\w"):
        loads(text)


@given(st.text() | st.integers(), st.text() | st.integers())
def test_keys_tell_ids_apart(one: str | int, other: str | int) -> None:
    """Two ids have one key exactly when JSON calls them the same."""
    assert (key_of(one) == key_of(other)) == (type(one) is type(other) and one == other)
