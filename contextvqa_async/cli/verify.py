"""``cvqa-async verify OUT --input IN``: whether every record of an input ended exactly once."""

from __future__ import annotations

from pathlib import Path

import anyio
import click

from contextvqa_async.cli.options import HELP
from contextvqa_async.config import Reading, Saving
from contextvqa_async.ledger import Discrepancy, Verified, verify

_SHOWN = 50


@click.command("verify", context_settings=HELP)
@click.argument("out")
@click.option("--input", "source", required=True, metavar="IN", help="The input that OUT was made from.")
@click.option("--failed", metavar="PATH", help="The failed file (default: beside OUT).")
@click.option("--id-key", metavar="KEY", help="Key of a record's id (default: the one that OUT was made with).")
def command(out: str, source: str, failed: str | None, id_key: str | None) -> int:
    """Check that every record of IN stands exactly once in OUT or in its failed file. Reads only.

    Exit code 1, and a list on stdout, where it does not.
    """

    async def compare() -> Verified:
        reading = None if id_key is None else Reading(id_key=id_key)
        return await verify(Path(out), source, reading=reading, saving=Saving(failed=failed))

    found = anyio.run(compare)
    for discrepancy in found.discrepancies[:_SHOWN]:
        click.echo(_line(discrepancy))
    if len(found.discrepancies) > _SHOWN:
        click.echo(f"… and {len(found.discrepancies) - _SHOWN:,} more")
    click.echo(_summary(found), err=True)
    return int(not found.ok)


def _line(discrepancy: Discrepancy) -> str:
    where = f"line {discrepancy.line}" if discrepancy.id is None else f"id {discrepancy.id!r:.200}"
    return f"{discrepancy.what}: {where}"


def _summary(found: Verified) -> str:
    counts = ", ".join(f"{count:,} {what}" for what, count in found.counts.most_common()) or "all accounted for"
    seen = f"{found.records:,} records: {found.rows:,} rows, {found.failures:,} failed"
    more = [f"{found.duplicates:,} repeat an id"] if found.duplicates else []
    more += [f"{found.bad_lines:,} lines are no records"] if found.bad_lines else []
    more += [f"{found.extra:,} ids are of another input"] if found.extra else []
    return "; ".join([seen, counts, *more])
