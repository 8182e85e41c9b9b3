"""A record and its images → the bytes of a request's ``messages``.

Rules: every piece of a user's text goes through the JSON serialiser by itself, and the base64 is set between the
pieces, so that nothing a text holds can be taken for a place to fill. A text-only turn is a plain string, which every
server accepts. The images stand in the last user turn, before its text. Turns after the last user turn are dropped
(training data holds the answer already; the model is to write it), turns of one role that follow each other are
joined, and a system turn of the record's own wins over the option.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from contextvqa_async.config import Generation
from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.items import Image, Record, Turn

DEFAULT_PROMPT = """\
Look at the image and work out what it shows. Then write two things about it.

First, an encyclopedia article, in the manner of Wikipedia, about the subject of the image. The article never speaks \
of the image, the picture or the photo itself. It holds facts that nobody could read off the image: names, dates, \
places, numbers, causes.

Second, five to ten questions with their answers. All of them keep to these eight criteria:
1. The question points at the image, for example with "this building" or "the animal in this picture".
2. The question does not name the object that the image shows.
3. To answer it, one has to recognise what the image shows and reason over the article.
4. The question is short and sounds natural.
5. The answer is taken word for word from the article.
6. The answer is not an object that can be seen in the image.
7. The answer is a single word or a short phrase; where several answers are correct, all of them are listed, \
separated by commas.
8. The answer contains neither "and" nor "or"; split it into several answers instead.

Use exactly this layout, one label at the start of each line, in plain text: no markdown, no bold, no headings, no \
lists, no JSON, and nothing before or after it.

Article: <the article, in one paragraph or several>

Q1: <question>
A1: <answer>
Q2: <question>
A2: <answer>
"""
"""What a record without a conversation asks: the eight criteria, and a layout that is read back without doubt."""

_MARK = "<image>"


def prompt_of(generation: Generation) -> str:
    """What is asked of a record without a conversation."""
    return generation.prompt or DEFAULT_PROMPT


def build_messages(record: Record, images: Sequence[Image], *, system_prompt: str, prompt: str) -> list[bytes]:
    """Return the JSON array of messages that asks ``record``'s question about ``images``, in pieces to be joined.

    ``system_prompt`` is sent unless the record brings its own system turn (or it is empty); ``prompt`` is asked
    where the record asks nothing itself. Raises RecordError for text that cannot be written as UTF-8.
    """
    system, turns = _split(record.turns, system_prompt)
    if not turns:
        turns = [Turn(role="user", text=prompt)]
    *earlier, last = turns
    if images:
        earlier = [Turn(role=turn.role, text=_unmark(turn.text)) for turn in earlier]
        last = Turn(role="user", text=_unmark(last.text))
    if not last.text.strip():
        last = Turn(role="user", text=prompt)
    pieces = [b"["]
    for turn in ([Turn(role="system", text=system)] if system.strip() else []) + earlier:
        pieces += (b'{"role":', _json(turn.role, record), b',"content":', _json(turn.text, record), b"},")
    pieces += _last_turn(last.text, images, record)
    return [*pieces, b"]"]


def _split(turns: Iterable[Turn], system_prompt: str) -> tuple[str, list[Turn]]:
    """Separate the system's text from the other turns, which then end with a user's turn or are none."""
    own = [turn.text for turn in turns if turn.role == "system"]
    talk: list[Turn] = []
    for turn in turns:
        if turn.role == "system":
            continue
        if talk and talk[-1].role == turn.role:
            turn = Turn(role=turn.role, text=f"{talk.pop().text}\n\n{turn.text}")
        talk.append(turn)
    if talk and talk[-1].role != "user":
        talk.pop()
    return ("\n\n".join(own) if own else system_prompt), talk


def _unmark(text: str) -> str:
    """Take out LLaVA's image marks, and the line break that goes with each."""
    if _MARK not in text:
        return text
    return text.replace(f"{_MARK}\n", "").replace(f"\n{_MARK}", "").replace(_MARK, "").strip()


def _last_turn(text: str, images: Sequence[Image], record: Record) -> list[bytes]:
    if not images:
        return [b'{"role":"user","content":', _json(text, record), b"}"]
    pieces = [b'{"role":"user","content":[']
    for image in images:
        pieces += (b'{"type":"image_url","image_url":{"url":', *_address(image, record), b"}},")
    return [*pieces, b'{"type":"text","text":', _json(text, record), b"}]}"]


def _address(image: Image, record: Record) -> tuple[bytes, ...]:
    if image.url:
        return (_json(image.url, record),)
    return b'"data:', _json(image.media_type, record)[1:-1], b";base64,", image.base64, b'"'


def _json(text: str, record: Record) -> bytes:
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:
        raise RecordError(
            f"The conversation of record {record.id!r} holds half of a surrogate pair, which no request can carry.",
            kind=Kind.BAD_RECORD,
        ) from None
