"""A reference to a picture → its bytes: a path, a ``file:`` URL or a ``data:`` URL.

Rules: only regular files are opened, since a FIFO or a device may block for ever; a file's size is known and bounded
before it is read. Each failure is a RecordError whose one sentence names the reference. All of it blocks: run it in a
thread.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import pybase64

from contextvqa_async.errors import Kind, RecordError

MAX_BYTES = 64_000_000
"""Most bytes of one picture: beyond what any provider takes (20 MiB at DashScope, 50 MB at OpenAI)."""

_SCHEME = re.compile(r"(data|file):|([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_BLANKS = re.compile(rb"[ \t\r\n\f]+")


DATA, WEB = "data", ("http", "https")
"""Schemes that are no files."""


def scheme_of(ref: str) -> str:
    """Return ``http``, ``https``, ``data``, ``file``, another scheme's name, or "" for a path."""
    found = _SCHEME.match(ref)
    return (found[1] or found[2]).lower() if found else ""


def name(ref: str | bytes) -> str:
    """How a message calls ``ref``: short, in quotes, and on one line."""
    if isinstance(ref, bytes):
        return f"of {len(ref):,} bytes"
    if len(ref) > 300:
        return f"{ref[:60]!r}… ({len(ref):,} characters)"
    return repr(ref)


def bad(
    ref: str | bytes,
    fault: str,
    *,
    kind: Kind = Kind.BAD_IMAGE,
    retryable: bool | None = None,
    status: int | None = None,
) -> RecordError:
    """The failure whose sentence is "The image ``ref`` ``fault``."."""
    return RecordError(f"The image {name(ref)} {fault}.", kind=kind, retryable=retryable, status=status)


def stat_file(ref: str, roots: Sequence[Path]) -> tuple[Path, os.stat_result]:
    """Find the file that ``ref`` names, under the first of ``roots`` that holds it; raises RecordError."""
    path = _path_of(ref)
    places = [path] if path.is_absolute() else [root / path for root in roots or (Path(),)]
    try:
        for place in places:
            try:
                return place, os.stat(place)
            except (FileNotFoundError, NotADirectoryError):
                continue
    except (OSError, ValueError) as error:
        raise _as_failure(ref, error) from None
    looked = "" if path.is_absolute() else f" (looked in {', '.join(str(root.absolute()) for root in roots)})"
    raise bad(ref, f"does not exist{looked}")


def read_file(ref: str, roots: Sequence[Path]) -> bytes:
    """Return the bytes of the regular file that ``ref`` names; raises RecordError."""
    path, _ = _checked(ref, *stat_file(ref, roots))
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb", buffering=0) as file:
            _, size = _checked(ref, path, os.fstat(handle))
            data = file.read(size + 1)
    except OSError as error:
        raise _as_failure(ref, error) from None
    if len(data) != size:
        raise bad(ref, "changed while it was read", retryable=True)
    return data


def decode_data_url(ref: str) -> bytes:
    """Return the bytes in a ``data:`` URL, in base64 or percent-encoded; raises RecordError."""
    head, comma, body = ref[5:].partition(",")
    if not comma:
        raise bad(ref, "is a data URL without a comma")
    check_size(ref, len(body) * 3 // 4 if head.lower().rstrip().endswith(";base64") else 0)
    try:
        raw = unquote_to_bytes(body) if "%" in body else body.encode()
        if not head.lower().rstrip().endswith(";base64"):
            return raw
        raw = _BLANKS.sub(b"", raw).translate(_STANDARD).rstrip(b"=")
        return pybase64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except ValueError:  # binascii's error is one, and so is that of text which is no UTF-8
        raise bad(ref, "is a data URL whose base64 is damaged") from None


_STANDARD = bytes.maketrans(b"-_", b"+/")


def check_size(ref: str | bytes, size: int) -> None:
    """Raise RecordError for a picture larger than MAX_BYTES."""
    if size > MAX_BYTES:
        fault = f"has {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are sent, so make it smaller"
        raise bad(ref, fault, kind=Kind.TOO_LARGE)


def _path_of(ref: str) -> Path:
    if scheme_of(ref) != "file":
        return Path(ref)
    parts = urlsplit(ref)
    if parts.netloc not in ("", "localhost"):
        raise bad(ref, f"lies on another host, {parts.netloc}: only files of this machine can be read")
    return Path(unquote(parts.path))


_OTHER_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _checked(ref: str, path: Path, found: os.stat_result) -> tuple[Path, int]:
    for is_kind, word in _OTHER_KINDS:
        if is_kind(found.st_mode):
            raise bad(ref, f"is {word}, not a file")
    if found.st_size == 0:
        raise bad(ref, "is empty")
    check_size(ref, found.st_size)
    return path, found.st_size


def _as_failure(ref: str, error: OSError | ValueError) -> RecordError:
    if isinstance(error, ValueError):
        return bad(ref, "is no possible path: it holds a character that paths cannot")
    if error.errno in (errno.EACCES, errno.EPERM):
        return bad(ref, "may not be read by this user (permission denied)")
    lasting = error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
    return bad(ref, f"cannot be read: {error.strerror or error}", retryable=not lasting)
