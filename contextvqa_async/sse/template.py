"""The constant bytes around the one string in which the events of a stream differ. Pure.

Rule: nothing is guessed. A place counts as the text's only if parsing the event with another string there *proves*
it, and what does not follow the template to the byte is parsed like any other event.
"""

from __future__ import annotations

import re

import orjson

from contextvqa_async.sse.answer import Answer

__all__ = ["Template", "learn"]


class Template:
    """What stands before and after the text in a ``data:`` line; ``line_end`` tells what parts one from the next."""

    __slots__ = ("_gap", "_part", "head", "reasoning", "tail")

    def __init__(self, head: bytes, tail: bytes, line_end: bytes, *, reasoning: bool) -> None:
        self.head = head
        self.tail = tail
        self.reasoning = reasoning
        self._part = line_end * 2
        self._gap = tail + self._part + head

    def cut_line(self, line: bytes) -> str | None:
        """The text of one line, or None where it has another shape."""
        if len(line) < len(self.head) + len(self.tail) or not line.startswith(self.head):
            return None
        return _text(line[len(self.head) : -len(self.tail)]) if line.endswith(self.tail) else None

    def cut_block(self, block: bytes) -> tuple[str, bytes] | None:
        """The text of all events in a row from the block's start, and the rest of the block."""
        end = block.rfind(self.tail) + len(self.tail)
        body, rest = block[:end], block[end:]
        if not body.startswith(self.head) or rest[:1] not in (b"\n", b"\r"):
            return None
        first, last = len(self.head), -len(self.tail)
        events = body.split(b"\n")[::2] if self._part == b"\n\n" else body.split(self._part)
        texts = [event[first:last] for event in events]
        if body != self.head + self._gap.join(texts) + self.tail:  # faster than to look at each event
            return None
        joined = b"".join(texts)
        if b"\\" in joined and any([text.endswith(b"\\") for text in texts]):  # noqa: C419 - a third faster
            return None
        text = _text(joined)
        return None if text is None else (text, rest)


def _text(raw: bytes) -> str | None:
    """What a JSON string's inside says, or None where ``raw`` is not just that."""
    if b"\n" in raw or b"\r" in raw:
        return None
    try:
        if b"\\" in raw:
            return str(orjson.loads(b'"' + raw + b'"'))
        return None if b'"' in raw else raw.decode()
    except ValueError:
        return None


_PLACE = re.compile(rb'"(?:content|reasoning_content|reasoning)"\s*:\s*"')
_STRING = re.compile(rb'(?:[^"\\]|\\.)*')
_MARK = "\ue000"


def learn(line: bytes, line_end: bytes) -> Template | None:
    """Return the template of a ``data:`` line that does nothing but add text, or None where it has no such shape.

    The proof: with another string in that place, an empty answer holds that string and nothing else.
    """
    for match in _PLACE.finditer(line):
        inside = _STRING.match(line, match.end())
        end = inside.end() if inside else match.end()
        probe = Answer()
        try:
            probe.take(orjson.loads(line[5 : match.end()] + _MARK.encode() + line[end:]))
        except orjson.JSONDecodeError:
            continue
        if probe.holds_only(text=_MARK) or probe.holds_only(reasoning=_MARK):
            return Template(line[: match.end()], line[end:], line_end, reasoning=probe.holds_only(reasoning=_MARK))
    return None
