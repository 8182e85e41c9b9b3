"""A contender's output file in, nothing out, or an error that says what is wrong with it.

Rule: speed counts only for work that was done. Every row is there once, every text is whole and another one's; each
row of ours has all its pairs and a finished answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.answers import PAIRS
from benchmark.measure import RunFailedError


def check_texts(out: Path, count: int) -> None:
    """Every record has one row, with a text that begins, ends and differs as the server's answers do."""
    _check(out, count, lambda row: _is_whole(row["vqa"]), lambda row: row["vqa"][:40])


def check_floor(out: Path, count: int) -> None:
    """Every record has one row, which counted the bytes of a whole answer."""
    _check(out, count, lambda row: row["vqa"] > 100_000, lambda row: row["id"])


def check_ours(out: Path, count: int) -> None:
    """As the others' texts; and each row has its article, its pairs and a finished answer."""
    check_texts(out, count)
    for row in _rows(out):
        refined, generation = row["context_vqa"], row["generation"]
        if len(refined["qas"]) != PAIRS or not refined["context"] or generation["finish_reason"] != "stop":
            raise RunFailedError(f"{out}: row {row['id']} is not what the server answered.")


def _check(out: Path, count: int, whole: Any, mark: Any) -> None:
    ids, marks, rows = set(), set(), 0
    for row in _rows(out):
        rows += 1
        ids.add(row["id"])
        marks.add(mark(row))
        if not whole(row):
            raise RunFailedError(f"{out}: row {row['id']} holds no whole answer.")
    if not rows == len(ids) == len(marks) == count:
        raise RunFailedError(f"{out}: {rows} rows, {len(ids)} ids, {len(marks)} answers for {count} records.")


def _is_whole(text: str) -> bool:
    return text.startswith("Article: Entry ") and f"\nA{PAIRS}: " in text


def _rows(out: Path) -> Iterator[dict[str, Any]]:
    with out.open("rb") as lines:
        yield from map(json.loads, lines)
