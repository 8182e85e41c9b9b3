"""The index: a dictionary in all but its size."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contextvqa_async.sink.index import Flag, Index

KEYS = st.sampled_from([b'"a', b'"b', b"1", b'"1', b'"', b'"' + b"x" * 10_000]) | st.binary(max_size=3)
FLAGS = st.integers(1, 127)
SHAS = st.binary(min_size=4, max_size=4)


class AsADictionary(RuleBasedStateMachine):
    """Whatever is done to an index and to a dictionary of (sha, mark, flags) leaves them equal."""

    def __init__(self) -> None:
        super().__init__()
        self.index = Index()
        self.known: dict[bytes, tuple[bytes, int, int]] = {}

    def was(self, key: bytes) -> tuple[bytes, int, int]:
        """What the dictionary says."""
        return self.known.get(key, (bytes(4), 0, 0))

    @rule(key=KEYS, flags=FLAGS, sha=SHAS, mark=st.integers(0, 2**64 - 1))
    def put(self, key: bytes, flags: int, sha: bytes, mark: int) -> None:
        """Putting sets everything, and tells the flags there were."""
        assert self.index.put(key, flags, sha, mark) == self.was(key)[2]
        self.known[key] = (sha, mark, flags)

    @rule(key=KEYS, sha=SHAS)
    def see(self, key: bytes, sha: bytes) -> None:
        """Seeing tells the flags there were, and whether the sha is the same or was unknown."""
        old, mark, flags = self.was(key)
        same = Flag.SAME if key in self.known and old in (sha, bytes(4)) else 0
        assert self.index.see(key, int.from_bytes(sha, "big")) == flags | same
        self.known[key] = (old, mark, flags | Flag.SEEN)

    @rule(key=KEYS, flags=FLAGS)
    def mark(self, key: bytes, flags: int) -> None:
        """Marking adds flags."""
        sha, mark, old = self.was(key)
        assert self.index.mark(key, flags) == old
        self.known[key] = (sha, mark, old | flags)

    @rule(key=KEYS, flags=FLAGS)
    def drop(self, key: bytes, flags: int) -> None:
        """Dropping takes flags away, and never an entry."""
        self.index.drop(key, flags)
        if key in self.known:
            sha, mark, old = self.known[key]
            self.known[key] = (sha, mark, old & ~flags)

    @rule(many=st.integers(0, 3000), prefix=st.binary(max_size=2))
    def fill(self, many: int, prefix: bytes) -> None:
        """Many keys at once make it grow."""
        for number in range(many):
            key = b"%b-%d" % (prefix, number)
            self.index.put(key, 1, mark=number)
            self.known[key] = (bytes(4), number, 1)

    @invariant()
    def equal(self) -> None:
        """Both hold the same."""
        assert len(self.index) == len(self.known)
        for key in [*[*self.known][:20], b"unknown"]:
            assert self.index.look(key) == self.was(key)
            assert self.index.find(key) == self.was(key)[2]

    def teardown(self) -> None:
        """No key was lost, and no flag belongs to nobody."""
        assert all(self.index.look(key) == known for key, known in self.known.items())
        assert sorted(self.index.flags()) == sorted(flags for _, _, flags in self.known.values())


TestIndex = AsADictionary.TestCase
TestIndex.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize("expected", [0, 200_000, 2_000_000])
def test_an_entry_takes_less_than_a_hundred_bytes_at_any_size(expected: int) -> None:
    """Growing included, from ten thousand ids on; also where ten times as many were expected as came."""
    tracemalloc.start()
    try:
        index = Index(expected)
        for number in range(200_000):
            index.put(b'"sample-%09d' % number, Flag.ROW)
            if number >= max(10_000, expected // 10) and number % 1000 == 0:
                assert tracemalloc.get_traced_memory()[1] < 100 * number, number
                tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
