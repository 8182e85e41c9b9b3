"""``cvqa-async status OUT``: what an output and its failed file hold."""

from __future__ import annotations

from pathlib import Path

import click

from contextvqa_async.cli.options import HELP
from contextvqa_async.config import Cost, Saving
from contextvqa_async.errors import ADVICE, Kind
from contextvqa_async.ledger import Status, status


@click.command("status", context_settings=HELP)
@click.argument("out")
@click.option("--failed", metavar="PATH", help="The failed file (default: beside OUT).")
@click.option("--price-in", type=float, help="Price of a million prompt tokens.")
@click.option("--price-out", type=float, help="Price of a million completion tokens.")
def command(out: str, failed: str | None, price_in: float | None, price_out: float | None) -> int:
    """Tell what OUT holds: rows, pairs, tokens, cost, failures by class, duplicates, torn lines. Reads only."""
    cost = Cost(price_in=price_in, price_out=price_out)
    for line in _lines(status(Path(out), saving=Saving(failed=failed), cost=cost)):
        click.echo(line)
    return 0


def _lines(found: Status) -> list[str]:
    cost = "" if found.cost is None else f", cost {found.cost:,.4f}"
    tokens = f"{found.prompt_tokens:,} prompt + {found.completion_tokens:,} completion tokens"
    lines = [f"{found.rows:,} done, {found.pairs:,} pairs, {tokens}{cost}"]
    lines += [f"{found.empty:,} rows hold no pair (--retry-empty asks again)"] if found.empty else []
    lines += [f"{sum(found.failed.values()):,} failed in {found.failed_output}"] if found.failed else []
    lines += [f"  {count:,} × {kind}: {_advice(kind)}" for kind, count in found.failed.most_common()]
    lines += [f"{found.bad_lines:,} lines of the input were no records"] if found.bad_lines else []
    lines += [f"{found.duplicates:,} rows repeat the id of another"] if found.duplicates else []
    lines += [f"lines that are no rows: {_some(found.garbage)}"] if found.garbage else []
    lines += [f"{found.torn:,} bytes at the end are torn; the next run mends that"] if found.torn else []
    return lines


def _advice(kind: str) -> str:
    return ADVICE[Kind(kind)] if kind in set(Kind) else "of another version"


def _some(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 10:,} more" if len(numbers) > 10 else ""
    return ", ".join(map(str, numbers[:10])) + more
