"""``cvqa-async merge OUT IN1 IN2 …``: several outputs of one job become one."""

from __future__ import annotations

from pathlib import Path

import click

from contextvqa_async.cli.options import HELP
from contextvqa_async.config import Saving
from contextvqa_async.ledger import merge


@click.command("merge", context_settings=HELP)
@click.argument("out")
@click.argument("outputs", nargs=-1, required=True)
@click.option("--keep-first", is_flag=True, help="Where two rows of one id differ, keep the first.")
@click.option("--allow-mixed", is_flag=True, help="Join outputs that were made with different settings.")
def command(out: str, outputs: tuple[str, ...], keep_first: bool, allow_mixed: bool) -> int:
    """Join OUTPUTS, with their failed files, into OUT, which must not hold rows yet; each id stands once."""
    saving = Saving(allow_mixed=allow_mixed)
    found = merge([Path(each) for each in outputs], Path(out), saving=saving, keep_first=keep_first)
    parts = [f"{found.rows:,} rows", f"{found.failures:,} failed"]
    parts += [f"{found.identical:,} rows stood in several"] if found.identical else []
    parts += [f"{found.differing:,} rows gave way to the first of their id"] if found.differing else []
    parts += [f"{found.left_out:,} lines were no rows and are left out"] if found.left_out else []
    click.echo(f"{', '.join(parts)} → {out}", err=True)
    for path in found.unknown:
        click.echo(f"{path} has no settings beside it: what its rows were made with is not known.", err=True)
    return int(bool(found.left_out))
