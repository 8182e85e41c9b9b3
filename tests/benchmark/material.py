"""A folder in, the records and pictures of a run out, made once and before anything is measured.

Rule: no two pictures are alike. They are JPEGs by their headers (a frame, a scan, an end), random in between: sent
as they are by whoever does not decode, and incompressible.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

_HEADER = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x48\x00\x48\x00\x00"
    b"\xff\xc0\x00\x11\x08\x03\x00\x04\x00\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"  # 1024 x 768, three components
    b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
)
_END = b"\xff\xd9"


class Material:
    """Pictures and records files under one folder, each made when it is first asked for."""

    def __init__(self, folder: Path, most_bytes: int = 500_000_000) -> None:
        self._folder, self._most = folder, most_bytes

    def records(self, count: int, image_bytes: int = 300_000) -> Path:
        """A JSONL file of ``count`` records; past ``most_bytes`` the pictures come round again."""
        path = self._folder / f"records-{count}-{image_bytes}.jsonl"
        if not path.exists():
            pictures = self._pictures(min(count, self._most // image_bytes), image_bytes)
            with path.open("w") as out:
                for number in range(count):
                    image = str(pictures[number % len(pictures)])
                    out.write(json.dumps({"id": f"sample-{number:07d}", "image": image}) + "\n")
        return path

    def _pictures(self, count: int, size: int) -> list[Path]:
        folder = self._folder / f"images-{size}"
        folder.mkdir(exist_ok=True)
        paths = [folder / f"{number:06d}.jpg" for number in range(count)]
        for path in paths:
            if not path.exists():
                _write_picture(path, size)
        return paths


def _write_picture(path: Path, size: int) -> None:
    """Random bytes between a JPEG's header and its end; a marker's first byte is kept out of them."""
    noise = os.urandom(size - len(_HEADER) - len(_END)).replace(b"\xff", b"\xfe")
    path.write_bytes(_HEADER + noise + _END)
