"""``cvqa-async refine RAW OUT``: saved raw answers → rows with article and pairs, without asking any model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import anyio
import click

from contextvqa_async.cli.options import HELP
from contextvqa_async.config import Reading
from contextvqa_async.errors import UsageError
from contextvqa_async.items import Failure, Refined
from contextvqa_async.jsonl import dumps
from contextvqa_async.records import read_records
from contextvqa_async.refiner import refine
from contextvqa_async.rows import keep_complete, read_anew
from contextvqa_async.sink.files import check_apart, input_file, output_files
from contextvqa_async.sink.locks import take_locks
from contextvqa_async.sink.outfile import copy_mode, replacing, set_aside
from contextvqa_async.sink.place import check_file

_SHOWN = 10
_NO_KEY = "\0"
"""Refining needs no id, image or conversation: under a name that no object has, none of them can be wrong."""


@dataclass
class _Counts:
    rows: int = 0
    pairs: int = 0
    empty: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, refined: Refined) -> None:
        """Count one row."""
        self.rows += 1
        self.pairs += len(refined.qas)
        self.empty += not refined.qas


@click.command("refine", context_settings=HELP)
@click.argument("raw")
@click.argument("out")
@click.option("--input-key", default="vqa", show_default=True, metavar="KEY", help="Key of the raw answer.")
@click.option("--output-key", default="context_vqa", show_default=True, metavar="KEY", help="Key to write to.")
@click.option("--keep-paragraphs", is_flag=True, help="Keep blank lines between an article's paragraphs.")
def command(raw: str, out: str, input_key: str, output_key: str, keep_paragraphs: bool) -> int:
    """Read the raw answers in RAW again, and write every row to OUT with its article and pairs made anew.

    RAW is JSONL, a JSON array, or - for stdin; OUT is JSONL, or - for stdout; what it holds is kept as OUT.bak. No
    model is asked.
    """
    if output_key in (input_key, "id", "generation"):  # one would overwrite what was paid for, or what it is known by
        raise UsageError(f"--output-key must be a key of its own, not {output_key!r}.")
    counts = _Counts()
    with _opened(raw, out) as file:
        anyio.run(_refine_all, raw, file, input_key, output_key, keep_paragraphs, counts)
    for fault in counts.faults[:_SHOWN]:
        click.echo(f"{raw}, {fault}", err=True)
    bad = f", {len(counts.faults):,} lines left out" if counts.faults else ""
    click.echo(f"{counts.rows:,} rows, {counts.pairs:,} pairs, {counts.empty:,} without a pair{bad} → {out}", err=True)
    return int(bool(counts.faults))


@contextmanager
def _opened(raw: str, out: str) -> Iterator[BinaryIO]:
    """stdout, or a file that appears under its name only when it is whole; what stood there is kept as its backup."""
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = check_file(Path(out))
    check_apart([input_file(Path(raw)), *output_files(target, overwrite=True)])
    try:
        with take_locks(target), replacing(target, before=lambda: _keep_backup(target)) as file:
            if target.exists():
                copy_mode(target)
            yield file
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}.") from None


def _keep_backup(target: Path) -> None:
    if note := set_aside(target):
        click.echo(note, err=True)


async def _refine_all(
    raw: str, file: BinaryIO, input_key: str, output_key: str, keep_paragraphs: bool, counts: _Counts
) -> None:
    reading = Reading(id_key=_NO_KEY, image_key=_NO_KEY, conversation_key=_NO_KEY)
    async with aclosing(read_records(raw, reading)) as items:  # a full disk leaves it in the middle
        async for item in items:
            fields = {} if isinstance(item, Failure) else item.fields
            text = fields.get(input_key)
            if isinstance(item, Failure):
                counts.faults.append(f"line {item.line}: {item.message}")
            elif isinstance(text, str):
                refined = refine(text, keep_paragraphs=keep_paragraphs)
                refined = keep_complete(refined, truncated=_was_cut(fields))
                file.write(dumps(read_anew(fields, refined, output_key)) + b"\n")
                counts.add(refined)
            else:
                wrong = "no text" if input_key in fields else "nothing"
                counts.faults.append(f"line {item.line}: there is {wrong} under {input_key!r}.")


def _was_cut(fields: Mapping[str, Any]) -> bool:
    """Whether our own row says that the token limit cut its answer."""
    generation = fields.get("generation")
    return isinstance(generation, Mapping) and generation.get("finish_reason") == "length"
