"""A seed → one answer of a model as it stands on the wire: HTTP chunks of SSE events, and the same as plain JSON.

In: a number. Out: an :class:`Answer`, rendered once before anything is measured. Rule: every answer is told from
every other. Its words come from its own seed; the id in each event and the serial number in the text are left as
marks of fixed length, which the server overwrites per request without touching a length.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

EVENTS = 637
"""Events of one stream, the closing [DONE] included: what a reference run of a provider sent."""

PAIRS = 6
ID = b"chatcmpl-" + b"@" * 32
SERIAL = b"#######"
MODEL = "qwen3-vl-8b-instruct"

_CONSONANTS, _VOWELS = "bcdfghklmnprstvw", "aeiou"
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``stream`` is a whole HTTP response; ``ends[i]`` is where its i-th event ends. ``plain`` is the JSON one."""

    stream: bytes
    ends: tuple[int, ...]
    plain: bytes

    def fill(self, wire: bytes, serial: int) -> bytes:
        """Write one request's own id and serial number over the marks."""
        return wire.replace(ID, b"chatcmpl-%032x" % (serial * 0x9E3779B97F4A7C15 % 2**128)).replace(
            SERIAL, b"%07d" % serial, 1
        )


def render_answer(seed: int) -> Answer:
    """Return the answer that ``seed`` stands for."""
    rng = random.Random(seed)
    tokens = _tokens(rng)
    usage = {"prompt_tokens": 1500, "completion_tokens": len(tokens), "total_tokens": 1500 + len(tokens)}
    events = [_event({"role": "assistant", "content": ""}), *(_event({"content": token}) for token in tokens)]
    events += [_event({}, "stop"), _dump(_chunk([], usage=usage)), b"[DONE]"]
    stream, ends = _HEAD, []
    for event in events:
        stream += _frame(b"data: %b\n\n" % event)
        ends.append(len(stream))
    return Answer(stream=stream + b"0\r\n\r\n", ends=tuple(ends), plain=_plain("".join(tokens), usage))


def _tokens(rng: random.Random) -> list[str]:
    """One token a word, as small models' tokenizers cut it: an article, then the pairs."""
    pairs: list[str] = []
    for number in range(1, PAIRS + 1):
        question = ["\n", f"Q{number}", ":", *_words(rng, 12), "?", "\n", f"A{number}", ":", *_words(rng, 2)]
        pairs += ["\n", *question] if number == 1 else question
    opening = ["Article", ":", " Entry", " ", SERIAL.decode()]
    room = EVENTS - 4 - len(opening) - len(pairs)
    article: list[str] = []
    while len(article) < room - 20:
        article += [*_words(rng, rng.randint(8, 16)), rng.choice([",", ".", ".", ".\n\n"])]
    return [*opening, *article, *_words(rng, room - len(article) - 1), ".", *pairs]


def _words(rng: random.Random, count: int) -> list[str]:
    return [" " + _word(rng) for _ in range(count)]


def _word(rng: random.Random) -> str:
    if rng.random() < 0.03:
        return rng.choice(["“Café”", "Zürich", "北京", "naïve", '"so"', "1,204"])
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(rng.randint(1, 4)))


def _event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _dump(_chunk([choice]))


def _chunk(choices: list[dict[str, object]], **more: object) -> dict[str, object]:
    head = {"id": ID.decode(), "object": "chat.completion.chunk", "created": 1760000000, "model": MODEL}
    return {**head, "system_fingerprint": None, "choices": choices, **more}


def _plain(text: str, usage: dict[str, int]) -> bytes:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = _dump({**_chunk([choice], usage=usage), "object": "chat.completion"})
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _dump(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _frame(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)
