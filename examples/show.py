"""Prints the rows of an output so that people can read them: `.venv/bin/python examples/show.py out.jsonl [N]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield an output's rows."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def show(row: dict[str, Any]) -> Panel:
    """One row: its images, the article, the pairs, and who wrote it."""
    told = row.get("context_vqa") or {}
    generation = row.get("generation") or {}
    images = row.get("image") or []
    images = [images] if isinstance(images, str) else images
    pairs = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    pairs.add_column("Question", ratio=3)
    pairs.add_column("Answer", ratio=2, style="green")
    for pair in told.get("qas", ()):
        pairs.add_row(escape(pair["question"]), escape(pair["answer"]))
    return Panel(
        Group(Text(told.get("context", "")), Padding(pairs, (1, 0, 0, 0))),
        title=f"[bold]{escape(str(row.get('id')))}[/bold] · {escape(', '.join(map(str, images)) or 'text only')}",
        title_align="left",
        subtitle=escape(
            f"{generation.get('model', '?')} · {generation.get('completion_tokens') or '?'} tokens"
            f" · {generation.get('seconds') or 0:.1f} s"
        ),
        subtitle_align="right",
        border_style="dim",
    )


def main(path: str, count: str = "3") -> int:
    """Print the first rows of ``path``, and say how many there are."""
    console = Console()
    try:
        rows = list(read_rows(Path(path)))
    except (OSError, ValueError) as error:
        console.print(f"{path} cannot be shown: {error}", style="red", markup=False)
        return 1
    for row in islice(rows, int(count)):
        console.print(show(row))
    pairs = sum(len((row.get("context_vqa") or {}).get("qas", ())) for row in rows)
    console.print(f"{len(rows)} rows with {pairs} question answer pairs in {path}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]) if len(sys.argv) > 1 else __doc__)
