"""One JSON object → one Record. Pure: names of images are taken as written, and nothing is opened.

Comes in: a record's own object. Goes out: a Record, or a RecordError that names the key and what is wrong there.
Rule: what a key is missing, null or empty for is left to defaults; what has the wrong type is never guessed at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from zlib import crc32

from contextvqa_async.config import Reading
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.identity import is_id
from contextvqa_async.items import Record, RecordId, Turn
from contextvqa_async.jsonl import dumps

_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
}

MADE = "auto-"
"""How the ids begin that are made from a record's content."""


def short_sha(text: bytes) -> str:
    """A record's short hash, of its text as read: 8 hex digits of CRC-32, then 8 of SHA-256.

    The first half is cheap enough to compare for each of a million records; the second makes it hard to meet.
    """
    return f"{crc32(text):08x}{sha256(text).hexdigest()[:8]}"


def parse_record(
    fields: Mapping[str, Any],
    reading: Reading,
    *,
    given: Mapping[str, Any] | None = None,
    sha: str = "",
    line: int | None = None,
) -> Record:
    """Return the record that ``fields`` describe; RecordError says which key cannot be read, and why.

    ``given`` holds the images where ``fields`` only name them: bytes, or the absolute paths of a folder's files.
    """
    images = _images((given or fields).get(reading.image_key), reading.image_key)
    turns, more = _conversation(fields.get(reading.conversation_key), reading.conversation_key)
    return Record(
        id=record_id(fields, reading.id_key), fields=fields, images=images + more, turns=turns, sha=sha, line=line
    )


def record_id(fields: Mapping[str, Any], id_key: str) -> RecordId:
    """The record's id; missing, null and "" mean one that is made of its content, the same on every run."""
    given = fields.get(id_key)
    if is_id(given) and given != "":
        return given
    if given not in (None, ""):
        raise _bad(f"{id_key!r} must be a string or an integer, not {_name(given)}")
    content = {key: value for key, value in fields.items() if key != id_key} if id_key in fields else fields
    return MADE + sha256(dumps(content, sort=True)).hexdigest()[:24]


def _images(value: Any, key: str) -> tuple[str | bytes, ...]:
    if value is None or (isinstance(value, str | bytes) and not value.strip()):
        return ()
    if isinstance(value, str | bytes):
        return (value,)
    if isinstance(value, os.PathLike):
        return (os.fspath(value),)
    if not isinstance(value, list | tuple):
        raise _bad(f"{key!r} must be a path, a URL or a list of them, not {_name(value)}")
    found: list[str | bytes] = []
    for number, member in enumerate(value):
        if isinstance(member, list | tuple):
            raise _bad(f"'{key}[{number}]' must be a path or a URL, not {_name(member)}")
        found += _images(member, f"{key}[{number}]")
    return tuple(found)


def _conversation(value: Any, key: str) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """The turns, and the images that OpenAI's content parts name."""
    if value is None or value == "" or value == []:
        return (), ()
    if not isinstance(value, list | tuple):
        raise _bad(f"{key!r} must be a list of turns, not {_name(value)}")
    turns: list[Turn] = []
    images: list[str] = []
    for number, turn in enumerate(value):
        role, content, where = _turn(turn, f"{key}[{number}]")
        text, more = _content(content, where)
        turns.append(Turn(role=role, text=text))
        images += more
    return tuple(turns), tuple(images)


def _turn(turn: Any, where: str) -> tuple[str, Any, str]:
    if not isinstance(turn, Mapping):
        raise _bad(f"'{where}' must be an object, not {_name(turn)}")
    role_key, text_key = ("from", "value") if "from" in turn else ("role", "content")
    role = turn.get(role_key)
    if not isinstance(role, str) or role.lower() not in _ROLES:
        raise _bad(f"'{where}.{role_key}' must be one of human, gpt, system, user, assistant, not {_name(role)}")
    return _ROLES[role.lower()], turn.get(text_key), f"{where}.{text_key}"


def _content(content: Any, where: str) -> tuple[str, list[str]]:
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list | tuple):
        raise _bad(f"'{where}' must be a text, not {_name(content)}")
    texts: list[str] = []
    images: list[str] = []
    for number, part in enumerate(content):
        kind, value = _part(part)
        if not isinstance(value, str):
            raise _bad(f"'{where}[{number}]' must be a text or an image_url part")
        (texts if kind == "text" else images).append(value)
    return "\n".join(texts), images


def _part(part: Any) -> tuple[str, Any]:
    """A content part as ("text" or "image", its string); anything else has no string."""
    if isinstance(part, str):
        return "text", part
    if not isinstance(part, Mapping):
        return "", None
    key = part.get("type")
    if key not in ("text", "image_url", "image"):
        return "", None
    value = part.get(key)
    return "text" if key == "text" else "image", value.get("url") if isinstance(value, Mapping) else value


def _name(value: Any) -> str:
    """What a wrong value is, in JSON's words and short."""
    words = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", dict: "an object"}
    if isinstance(value, str):
        return f"the text {value[:40]!r}" if value else "an empty text"
    return words.get(type(value), "a list" if isinstance(value, list | tuple) else type(value).__name__)


def _bad(what: str) -> RecordError:
    return RecordError(f"{what}.", kind=Kind.BAD_RECORD)
