"""Blocks of one JSON array → its elements, however large the array is.

Rule: an element is the value that the same text would be on a line of JSONL; what follows a fault in the array's text
cannot be read.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import ijson

from contextvqa_async.records.choice import Piece
from contextvqa_async.records.halves import Halves, shown


async def read_array(start: bytes, blocks: AsyncIterator[bytes]) -> AsyncGenerator[Piece, None]:
    """The elements of the array that begins with ``start``; a Piece may hold none."""
    found, halves = ijson.sendable_list(), Halves()
    parser = ijson.items_coro(found, "item")
    block: bytes | None = start
    first = 1
    while True:
        broken = _feed(parser, halves.flush() if block is None else halves.hide(block))
        if block is None and broken is None:
            broken = _feed(parser, None)
        elements = [_plain_if_shallow(item, hidden=halves.found) for item in found]
        yield (piece := Piece(elements, first, broken=broken))
        if block is None or broken is not None:
            return
        first = piece.upto + 1
        del found[:]
        block = await anext(blocks, None)


def _feed(parser: Any, text: bytes | None) -> str | None:
    """Push some text (None: the end) into ijson's parser; what is wrong with the array, if anything."""
    try:
        if text is None:
            parser.close()
        elif text:
            parser.send(text)
    except (ijson.JSONError, StopIteration, ValueError, ArithmeticError) as error:  # 1e99999999999999999999
        what = str(error).strip().split("\n")[0] or "something follows its end"
        return f"The array cannot be read further: {what}."
    return None


def _plain_if_shallow(item: Any, *, hidden: bool) -> Any:
    """The element as JSON's own types, or as it is where it is too deep to be a record."""
    try:
        plain = _plain(item)
        return _shown(plain) if hidden else plain
    except RecursionError:
        return item


def _plain(value: Any) -> Any:
    """ijson's decimals as the floats that they are elsewhere; what no float can hold stays, and fails later."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if value is None or isinstance(value, str | int):
        return value
    number = float(value)
    return number if math.isfinite(number) else value


def _shown(value: Any) -> Any:
    """The value with the half surrogates that were hidden from the parser."""
    if isinstance(value, dict):
        return {shown(key): _shown(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_shown(member) for member in value]
    return shown(value) if isinstance(value, str) else value
