"""What is known of each id, in about 35 bytes: a row is there, it failed, this input named it before.

An entry is 29 bytes: 16 of hash, 4 of the record's sha, 8 of a mark (where the row lies; which images failed), and one
of flags. Entries lie side by side in small buckets of plain bytes, so that finding one is one search in C. Rule: no
Python object per id, and no false answer but by a collision of 128 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

ENTRY = 29
_FLAGS = ENTRY - 1
_FULL = 32
"""Entries a bucket holds on average before the buckets are split."""

_SPLIT = 8
"""How many buckets one is split into: seldom, since each split moves every entry."""

_BYTES_A_ROW = 2000
"""About what a row takes: an article and its pairs."""

NOTHING = b"\0\0\0\0"
"""An unknown sha."""

_word = Struct(">qq").pack
_word_and_sha = Struct(">qqI").pack
_entry = Struct(">qq4sQB").pack
_rest = Struct(">4sQB").unpack_from
_hash = Struct(">q").unpack_from


class Flag:
    """What is known of one id, as bits; plain integers, since an IntFlag's arithmetic costs a microsecond."""

    ROW = 1
    """The output holds its row."""
    EMPTY = 2
    """That row holds no pair, and is to be asked again."""
    FAILED = 4
    """The failed file holds it from an earlier run."""
    FINAL = 8
    """That failure is not asked again as long as the record is the same."""
    SEEN = 16
    """This input named it before."""
    NEW_ROW = 32
    """This run wrote its row."""
    NEW_FAILURE = 64
    """This run wrote its failure."""
    SAME = 128
    """Never stored, only returned: :meth:`Index.see` was given the sha that is known."""


class Index:
    """A map from keys to (sha, mark, flags). ``expected`` is how many keys will come, roughly."""

    def __init__(self, expected: int = 0) -> None:
        wanted = max(64, expected * 2 // _FULL)
        self._make(1 << (wanted - 1).bit_length())
        self._count = 0

    @classmethod
    def for_size(cls, size: int) -> Index:
        """An index for an output of so many bytes."""
        return cls(size // _BYTES_A_ROW)

    def __len__(self) -> int:
        return self._count

    def _make(self, buckets: int) -> None:
        self._mask, self._most = buckets - 1, buckets * _FULL
        self._buckets = [bytearray() for _ in range(buckets)]

    def put(self, key: bytes, flags: int, sha: bytes = NOTHING, mark: int = 0) -> int:
        """Set what is known of ``key``; return the flags it had."""
        first = hash(key)
        entry = _entry(first, hash(key + b"b"), sha, mark, flags)
        bucket = self._buckets[first & self._mask]
        at = bucket.find(entry[:16])
        if at < 0:
            bucket += entry
            self._count += 1
            if self._count > self._most:
                self._split()
            return 0
        old = bucket[at + _FLAGS]
        bucket[at : at + ENTRY] = entry
        return old

    def see(self, key: bytes, sha: int) -> int:
        """Mark ``key`` as seen; return the flags it had, with SAME where ``sha`` is the known one or none is known."""
        first = hash(key)
        word = _word_and_sha(first, hash(key + b"b"), sha)
        bucket = self._buckets[first & self._mask]
        at = bucket.find(word)
        if at >= 0:
            old = bucket[at + _FLAGS]
            bucket[at + _FLAGS] = old | 16  # SEEN and SAME as numbers: this runs for each record of a resume
            return old | 128
        return self._see_otherwise(bucket, word[:16])

    def _see_otherwise(self, bucket: bytearray, word: bytes) -> int:
        at = bucket.find(word)
        if at < 0:
            bucket += word + bytes(ENTRY - 17) + b"\x10"
            self._count += 1
            if self._count > self._most:
                self._split()
            return 0
        old = bucket[at + _FLAGS]
        bucket[at + _FLAGS] = old | Flag.SEEN
        return old | 128 if bucket[at + 16 : at + 20] == NOTHING else old

    def find(self, key: bytes) -> int:
        """The flags of ``key``; 0 where it is unknown."""
        bucket, at = self._place(key)
        return bucket[at + _FLAGS] if at >= 0 else 0

    def look(self, key: bytes) -> tuple[bytes, int, int]:
        """The sha, mark and flags of ``key``."""
        bucket, at = self._place(key)
        sha, mark, flags = _rest(bucket, at + 16) if at >= 0 else (NOTHING, 0, 0)
        return sha, mark, flags

    def mark(self, key: bytes, flags: int) -> int:
        """Add ``flags`` to the key's; return what they were."""
        bucket, at = self._place(key)
        if at < 0:
            return self.put(key, flags)
        old = bucket[at + _FLAGS]
        bucket[at + _FLAGS] = old | flags
        return old

    def drop(self, key: bytes, flags: int) -> None:
        """Take ``flags`` from the key's."""
        bucket, at = self._place(key)
        if at >= 0:
            bucket[at + _FLAGS] &= ~flags & 255

    def flags(self) -> Iterator[int]:
        """The flags of every key."""
        for bucket in self._buckets:
            yield from bucket[_FLAGS::ENTRY]

    def _place(self, key: bytes) -> tuple[bytearray, int]:
        first = hash(key)
        bucket = self._buckets[first & self._mask]
        return bucket, bucket.find(_word(first, hash(key + b"b")))

    def _split(self) -> None:
        old = self._buckets
        self._make(len(old) * _SPLIT)
        for number, bucket in enumerate(old):
            for at in range(0, len(bucket), ENTRY):
                self._buckets[_hash(bucket, at)[0] & self._mask] += bucket[at : at + ENTRY]
            old[number] = bytearray()
