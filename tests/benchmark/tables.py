"""Measurements in, Markdown out: the same text for the terminal and for the README."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmark.contenders.entries import Contender
from benchmark.measure import Usage


def draw_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns stand under each other in plain text, too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    aligned = [
        [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (head, rule, *rows)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in aligned)


def draw_contest(runs: Mapping[Contender, Sequence[Usage]], records: int) -> str:
    """Medians over each contender's runs; ``it / ours`` is how many times as much CPU as ours it takes."""
    cost = {
        contender.name: median(use.cpu for use in uses) / records * 1000 for contender, uses in runs.items() if uses
    }
    rows = [
        [
            contender.label,
            f"{cost[contender.name]:.2f}",
            _ratio(cost[contender.name], cost.get("ours")),
            _ratio(cost.get("ours"), cost[contender.name]),
            f"{median(use.wall for use in uses):.1f} s",
            f"{median(use.peak_mb for use in uses):.0f} MB",
            f"{max(use.server_busy for use in uses):.0%}",
            f"{len(uses)}",
        ]
        if uses
        else [contender.label, "failed", *["-"] * 5, "0"]
        for contender, uses in runs.items()
    ]
    head = ["", "CPU ms a record", "it / ours", "ours / it", "wall", "peak memory", "server busy", "runs"]
    return draw_table(head, rows)


def _ratio(cost: float | None, base: float | None) -> str:
    return f"{cost / base:.2f}" if cost and base else "-"


def describe_machine() -> str:
    """The machine and the date, for the line above the tables."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {platform.system()} {platform.release()}, {python}, {datetime.now(UTC):%Y-%m-%d}"


def _processor() -> str:
    """The processor's name and family, as the system tells them."""
    told = Path("/proc/cpuinfo")
    if not told.exists():
        return platform.processor() or platform.machine()
    pairs = [line.split(":", 1) for line in told.read_text().splitlines() if ":" in line]
    values = {pair[0].strip(): pair[1].strip() for pair in pairs}
    return f"{values.get('model name', platform.machine())} (family {values.get('cpu family', '?')})"
