"""The first bytes of a picture → what it is, how large it is, and whether it can be sent as it is.

Rules: the bytes decide, never a name. JPEG, PNG, WebP and GIF are read here in microseconds and without a decoder;
``None`` means none of them, or one too odd for these readers, and a decoder has the say. "Plain" is what every
provider takes: whole, 8 bits, grey or RGB, one frame. Every walk has a bound: a file made to be slow is not plain.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header says; ``cut`` is the end of a first picture that others follow (MPO), ``gap`` their index."""

    media_type: str
    width: int
    height: int
    plain: bool
    cut: int | None = None
    gap: tuple[int, int] = (0, 0)


def read_header(data: bytes) -> Header | None:
    """Return the header of a JPEG, PNG, WebP or GIF, or None for anything else."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _read_webp(data)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return _read_gif(data)
    except (IndexError, struct.error):  # it ends within its header
        return None
    return None


_OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer; run 'git lfs pull' to get the picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<?xml", "an XML or SVG document; draw it as a PNG first"),
    (b"<svg", "an SVG drawing; draw it as a PNG first"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"{", "a JSON text"),
)


def name_other(data: bytes) -> str:
    """Say what bytes that are no picture seem to be, for a failure's message."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, name in _OTHERS:
        if start.startswith(magic.lower()):
            return name
    if not any(data[:4096]):
        return "nothing but zero bytes"
    return "no image that can be read"


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))
_EOI = b"\xff\xd9"
_STEPS = 10_000
_LONG_STEPS = 1_000_000


def _read_jpeg(data: bytes) -> Header | None:
    frame, gap, at = None, (0, 0), 2
    for _ in range(_STEPS):
        marker = data[at + 1]
        if data[at] != 0xFF:
            return None
        if marker == 0xFF:
            at += 1
        elif marker in _BARE:
            at += 2
        else:
            size = int.from_bytes(data[at + 2 : at + 4])
            if marker in _FRAMES:
                frame = marker, struct.unpack_from(">BHHB", data, at + 4)
            elif marker == 0xE2 and data[at + 4 : at + 8] == b"MPF\0":
                gap = at, at + 2 + size
            elif marker == 0xDA:
                break
            at += 2 + max(size, 2)
    if frame is None or marker != 0xDA:
        return None
    kind, (depth, height, width, components) = frame
    plain = kind in (0xC0, 0xC1, 0xC2) and depth == 8 and components in (1, 3) and data.rfind(_EOI, at) > 0
    cut = _end_of_jpeg(data, at) if plain and gap[1] else None
    return Header(media_type="image/jpeg", width=width, height=height, plain=plain, cut=cut, gap=gap)


def _end_of_jpeg(data: bytes, at: int) -> int | None:
    """Where the picture ends whose first scan begins at ``at``: segments are skipped, scans searched."""
    for _ in range(_LONG_STEPS):
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        scan = marker in (0x00, 0xFF) or marker in _BARE
        at = data.find(b"\xff", at + 1 if scan else at + 2 + int.from_bytes(data[at + 2 : at + 4]))
        if not 0 <= at < len(data) - 1:
            return None
    return None


def _read_png(data: bytes) -> Header | None:
    if data[12:16] != b"IHDR":
        return None
    width, height, depth = struct.unpack_from(">IIB", data, 16)
    plain = depth <= 8 and data.rfind(b"IEND") > 0
    return Header(media_type="image/png", width=width, height=height, plain=plain)


def _read_webp(data: bytes) -> Header | None:
    whole = len(data) >= 8 + int.from_bytes(data[4:8], "little")
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    elif kind == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack_from("<I", data, 21)[0]
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8X" and len(data) >= 30:
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        whole = whole and not data[20] & 0x02  # animated
    else:
        return None
    return Header(media_type="image/webp", width=width, height=height, plain=whole)


def _read_gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    plain = _is_single_gif(data, 13 + _table_size(flags))
    return Header(media_type="image/gif", width=width, height=height, plain=plain)


def _is_single_gif(data: bytes, at: int) -> bool:
    frames = 0
    for _ in range(_STEPS):
        kind = data[at]
        if kind == 0x3B:
            return frames == 1
        if kind == 0x2C:
            frames += 1
            at += 11 + _table_size(data[at + 9])
        elif kind == 0x21:
            at += 2
        else:
            return False
        if frames > 1:
            return False
        for _ in range(_LONG_STEPS):
            size = data[at]
            at += 1 + size
            if not size:
                break
    return False


def _table_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
