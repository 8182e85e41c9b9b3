"""Pieces of a source → the records that are wanted of them: identities first, then the choice, then the parsing.

Rule: a line that is not wanted is not parsed, provided that its id stands in front; and no line stops the others.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.identity import Batch, IdScanner, key_of
from contextvqa_async.items import Failure, Record
from contextvqa_async.jsonl import BOM, EXCERPT, MAX_DEPTH, TooLong, dumps, excerpt, is_too_deep, loads
from contextvqa_async.records.parsing import parse_record, record_id, short_sha
from contextvqa_async.records.position import Position

_BOM_BEGINS = BOM[:1]


@dataclass(slots=True)
class Piece:
    """What was read at once: raw lines or ready objects, numbered from ``first``; ``upto`` is the last one's number.

    ``broken`` says why nothing can be read after them. ``root`` is the folder that the objects' images lie in.
    ``block`` is what the lines were split from; of the first line it may hold the end only.
    """

    items: list[Any]
    first: int
    upto: int = -1
    broken: str | None = None
    root: str | None = None
    block: bytes | None = None

    def __post_init__(self) -> None:
        if self.upto < 0:
            self.upto = self.first + len(self.items) - 1


class Chooser(Protocol):
    """Who decides which records are wanted: the sink."""

    def choose(self, batch: Batch) -> Iterator[int]:
        """The positions in ``batch`` that are wanted, in order; each counts as taken when it is yielded."""
        ...

    def release(self, key: bytes) -> None:
        """The line turned out not to be a record; forget its id."""
        ...


class TakeAll:
    """The chooser where there is no sink: wants every record, also those whose id came before."""

    def choose(self, batch: Batch) -> Iterator[int]:
        """Every position."""
        return iter(range(len(batch.keys)))

    def release(self, key: bytes) -> None:
        """Do nothing: no id is remembered."""


@dataclass(slots=True)
class _Known:
    """What had to be parsed of an item before the choice: its fields, and the images where those differ."""

    fields: Mapping[str, Any]
    given: Mapping[str, Any] | None = None


class Taker:
    """Asks ``chooser`` about each piece's records at once, and parses what it wants."""

    def __init__(self, reading: Reading, chooser: Chooser, position: Position) -> None:
        self._reading, self._chooser, self._position = reading, chooser, position
        self._scanner = IdScanner(reading.id_key)

    def records(self, piece: Piece) -> Iterator[Record | Failure]:
        """The wanted records of ``piece``, and a Failure for each item that is none."""
        batch, numbers, known, failures = self._identified(piece)
        yield from failures
        for at in self._chooser.choose(batch):
            self._position.share = (at + 1) / len(numbers)
            yield self._parse(batch, at, known.pop(at, None), numbers[at])
        self._position.share = 1.0
        if piece.broken is not None:
            yield _failure(RecordError(piece.broken, kind=Kind.BAD_RECORD), piece.upto + 1, b"")

    def _identified(self, piece: Piece) -> tuple[Batch, Sequence[int], dict[int, _Known], list[Failure]]:
        """The identities of a piece's items, at once where the lines allow it, else one by one."""
        if piece.block is not None and (keys := self._scanner.scan_all(piece.items, piece.block)):
            return Batch(keys, piece.items, piece.upto), range(piece.first, piece.upto + 1), {}, []
        batch, numbers, known, failures = Batch([], [], piece.upto), list[int](), dict[int, _Known](), list[Failure]()
        for number, item in enumerate(piece.items, piece.first):
            try:
                if isinstance(item, bytes):
                    self._identify_line(item, batch, known)
                else:
                    self._identify(item, piece.root, batch, known)
            except RecordError as error:
                failures.append(_failure(error, number, item))
            if len(batch.keys) > len(numbers):
                numbers.append(number)
        return batch, numbers, known, failures

    def _identify_line(self, line: bytes, batch: Batch, known: dict[int, _Known]) -> None:
        """Put a line's identity into ``batch``; a blank line has none.

        A byte order mark may begin any line: files that each had one were joined.
        """
        if line[-1:] != b"}" or line[:1] == _BOM_BEGINS:
            line = line.strip().removeprefix(BOM).strip()
            if not line:
                return
        key = self._scanner.scan(line) if line[-1:] == b"}" else None
        if key is None:
            fields = _object(line)
            key = self._key(fields)
            known[len(batch.keys)] = _Known(fields)
        batch.keys.append(key)
        batch.texts.append(line)

    def _identify(self, item: Any, root: str | None, batch: Batch, known: dict[int, _Known]) -> None:
        """Put an object's identity into ``batch``; images given as bytes or paths become what JSON can hold."""
        if isinstance(item, TooLong):
            raise RecordError(f"The line is too long: {item.size:,} bytes.", kind=Kind.BAD_RECORD)
        if not isinstance(item, Mapping):
            raise RecordError(f"A record must be an object, not {type(item).__name__}.", kind=Kind.BAD_RECORD)
        try:
            fields = _writable(item)
            text = dumps(fields, sort=True)
        except RecursionError:
            raise _too_deep() from None
        except (TypeError, ValueError) as error:
            raise RecordError(f"The record cannot be written as JSON: {error}.", kind=Kind.BAD_RECORD) from None
        if is_too_deep(text, fields):
            raise _too_deep()
        image = self._reading.image_key
        given = item if root is None else {image: os.path.abspath(os.path.join(root, item[image]))}
        key = self._key(fields)
        known[len(batch.keys)] = _Known(fields, given)
        batch.keys.append(key)
        batch.texts.append(text)

    def _key(self, fields: Mapping[str, Any]) -> bytes:
        return key_of(record_id(fields, self._reading.id_key))

    def _parse(self, batch: Batch, at: int, known: _Known | None, number: int) -> Record | Failure:
        text = batch.texts[at]
        try:
            known = _Known(_object(text)) if known is None else known
            sha = short_sha(text)
            return parse_record(known.fields, self._reading, given=known.given, sha=sha, line=number)
        except RecordError as error:
            self._chooser.release(batch.keys[at])
            return _failure(error, number, text)


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        value = loads(line)
    except ValueError as error:
        raise RecordError(_what_is_wrong(line, error), kind=Kind.BAD_RECORD) from None
    if not isinstance(value, dict):
        raise RecordError("The line is JSON, but no object.", kind=Kind.BAD_RECORD)
    if is_too_deep(line, value):
        raise _too_deep()
    return value


def _too_deep() -> RecordError:
    """Refused before it is asked, since its row could not be written."""
    return RecordError(f"The record is nested deeper than {MAX_DEPTH} levels.", kind=Kind.BAD_RECORD)


def _what_is_wrong(line: bytes, error: ValueError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as fault:
        return f"The line is not valid UTF-8 (byte {fault.start + 1})."
    return f"The line is not valid JSON: {str(error).replace('line 1 column', 'column')}."


def _writable(value: Any) -> Any:
    if isinstance(value, bytes):
        return "sha256:" + sha256(value).hexdigest()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: _writable(member) for key, member in value.items()}
    return [_writable(member) for member in value] if isinstance(value, list | tuple) else value


def _failure(error: RecordError, number: int, item: Any) -> Failure:
    raw = item.start if isinstance(item, TooLong) else item
    shown = excerpt(raw) if isinstance(raw, bytes) else _shown(raw)
    return Failure(id=None, type=error.kind, message=str(error), retryable=error.retryable, record=shown, line=number)


def _shown(item: Any) -> str:
    try:
        return repr(item)[:EXCERPT]
    except RecursionError:
        return reprlib.repr(item)
