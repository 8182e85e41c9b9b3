"""The benchmark's parts work together: few records, no figures. `make bench` measures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from benchmark.answers import EVENTS, PAIRS, render_answer
from benchmark.contenders.entries import CONTENDERS
from benchmark.contests import Bench
from benchmark.material import Material
from benchmark.measure import RunFailedError, running_server
from benchmark.rows import check_texts


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_server() as server:
        yield Bench(server=server, core=None, material=Material(tmp_path_factory.mktemp("material")), peers="")


@pytest.mark.parametrize("contender", [each for each in CONTENDERS if not each.peer], ids=lambda each: each.name)
@pytest.mark.parametrize("manner", ["burst", "paced-0.1", "held-20"])
def test_ours_passes_its_own_check(bench: Bench, contender: object, manner: str) -> None:
    """The command's rows are whole, distinct and refined, in whichever manner the server answers."""
    ours = next(each for each in CONTENDERS if each is contender)
    usage = bench.measure(ours, 6, manner, 3, size=2_000)
    assert usage.server["requests"] == 6


def test_an_answer_is_what_a_provider_sends() -> None:
    """An answer has its number of events and pairs, each event ends where the server was told."""
    answer = render_answer(1)
    assert len(answer.ends) == EVENTS == answer.stream.count(b"data: ")
    assert all(answer.stream[:end].endswith(b"\n\n\r\n") for end in answer.ends)
    assert answer.plain.count(b"\\nA") == PAIRS
    assert len(answer.fill(answer.stream, 12)) == len(answer.stream)


def test_a_lost_row_is_found(tmp_path: Path) -> None:
    """A contender that answers one record for another, or not at all, does not count."""
    row = {"id": "a", "vqa": f"Article: Entry 0000001 …\nA{PAIRS}: yes"}
    out = tmp_path / "out.jsonl"
    out.write_bytes(orjson.dumps(row) + b"\n")
    check_texts(out, 1)
    out.write_bytes((orjson.dumps(row) + b"\n") * 2)
    with pytest.raises(RunFailedError):
        check_texts(out, 2)
