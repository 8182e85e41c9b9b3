"""What is known of each id, in about 30 bytes: a row is there, it failed, this input named it before.

An entry is 16 bytes of hash, 4 of the record's sha, 4 of its image stamp, and one of flags, kept side by side in small
buckets of plain bytes. Rule: no Python object per id, and never a false answer that 128 bits of SipHash can exclude.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from struct import Struct

ENTRY = 25
_FULL = 48
"""Entries a bucket holds on average before the buckets are split: searching them is still one short scan."""

_SPLIT = 8
_pack = Struct("=qq").pack


class Flag(IntFlag):
    """What is known of one id."""

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


class Index:
    """A map from keys to flags, sha and stamp. ``expected`` is how many keys will come, roughly."""

    def __init__(self, expected: int = 0) -> None:
        wanted = max(64, expected * 2 // _FULL)
        self._mask = (1 << (wanted - 1).bit_length()) - 1
        self._buckets = [bytearray() for _ in range(self._mask + 1)]
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def find(self, key: bytes) -> int:
        """The flags of ``key``; 0 where it is unknown."""
        first = hash(key + b"a")
        bucket = self._buckets[first & self._mask]
        at = bucket.find(_pack(first, hash(key + b"b")))
        return bucket[at + 24] if at >= 0 else 0

    def look(self, key: bytes) -> tuple[int, bytes, bytes]:
        """The flags, sha and stamp of ``key``."""
        bucket, at, _ = self._place(key)
        return (
            (bucket[at + 24], bytes(bucket[at + 16 : at + 20]), bytes(bucket[at + 20 : at + 24]))
            if at >= 0
            else (0, b"", b"")
        )

    def mark(self, key: bytes, flags: int) -> int:
        """Add ``flags`` to the key's; return what they were."""
        bucket, at, word = self._place(key)
        if at < 0:
            self._add(bucket, word, b"\0\0\0\0", b"\0\0\0\0", flags)
            return 0
        old = bucket[at + 24]
        bucket[at + 24] = old | flags
        return old

    def put(self, key: bytes, flags: int, sha: bytes = b"\0\0\0\0", stamp: bytes = b"\0\0\0\0") -> int:
        """Set the key's flags, sha (4 bytes) and stamp (4 bytes); return the flags it had."""
        bucket, at, word = self._place(key)
        if at < 0:
            self._add(bucket, word, sha, stamp, flags)
            return 0
        old = bucket[at + 24]
        bucket[at + 16 : at + ENTRY] = sha + stamp + bytes((flags,))
        return old

    def drop(self, key: bytes, flags: int) -> None:
        """Take ``flags`` from the key's."""
        bucket, at, _ = self._place(key)
        if at >= 0:
            bucket[at + 24] &= ~flags & 255

    def flags(self) -> Iterator[int]:
        """The flags of every key."""
        for bucket in self._buckets:
            yield from bucket[24::ENTRY]

    def _place(self, key: bytes) -> tuple[bytearray, int, bytes]:
        first = hash(key + b"a")
        word = _pack(first, hash(key + b"b"))
        bucket = self._buckets[first & self._mask]
        return bucket, bucket.find(word), word

    def _add(self, bucket: bytearray, word: bytes, sha: bytes, stamp: bytes, flags: int) -> None:
        bucket += b"%b%b%b%c" % (word, sha, stamp, flags)
        self.count += 1
        if self.count > _FULL * (self._mask + 1):
            self._split()

    def _split(self) -> None:
        old, self._mask = self._buckets, (self._mask + 1) * _SPLIT - 1
        self._buckets = [bytearray() for _ in range(self._mask + 1)]
        unpack = Struct("=q").unpack_from
        for number, bucket in enumerate(old):
            for at in range(0, len(bucket), ENTRY):
                self._buckets[unpack(bucket, at)[0] & self._mask] += bucket[at : at + ENTRY]
            old[number] = bytearray()
