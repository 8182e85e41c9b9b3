"""Bytes → events → an answer: server-sent events, and whatever else servers send in their place. Pure, sans I/O.

Rule: where the bytes are cut never matters, and only CR, LF and CRLF end a line.

A streamed token costs a tenth of what parsing it would: the first event of its kind is parsed and gives a template,
and of what follows that template, one ``split()`` a read cuts the text out of the bytes. All else is parsed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from contextvqa_async.faults import parse_json
from contextvqa_async.sse.answer import Answer
from contextvqa_async.sse.template import Template, learn

MAX_EVENT = 16 * 2**20
"""Images and log probabilities come as events of several MB."""
MAX_BODY = 64 * 2**20

_LESSONS = 8
"""So many events in a row are tried as templates; a stream without a constant shape is then parsed event by event."""

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


class TooLong(Exception):  # noqa: N818 - a fact about the answer, of which the client makes a fault
    """An event, or a whole body, is longer than what is worth holding."""


class Decoder:
    """Feeds the bytes of one response's body into an :class:`Answer`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._size = 0
        self._head = b""
        self._take: Callable[[bytes], bool] = self._sniff
        self._parts: list[bytes] = []  # a line, or a body that is no stream, as far as it has come
        self._held = 0
        self._skip_lf = False
        self._data: list[bytes] = []
        self._event = b""
        self._template: Template | None = None
        self._lessons = _LESSONS

    def feed(self, data: bytes) -> bool:
        """Take what arrived; return whether it brought the answer forward. Raises TooLong."""
        self._size += len(data)
        if self._size > MAX_BODY:
            raise TooLong(f"The answer is longer than {MAX_BODY >> 20} MB.")
        return self._take(data)

    def finish(self) -> None:
        """Tell that no more bytes come. What is pending counts if it is whole, else it is a cut tail."""
        body = b"".join(self._parts)
        if self._take == self._stream:
            self._read_lines(body.splitlines(), b"")
            self._dispatch(b"", pending=True)
        elif body[:1] in (b"{", b"["):
            self._read_body(body)
        self.answer.close()

    @property
    def excerpt(self) -> str:
        """The first bytes of the body, for a message about a body that was no answer."""
        return self._head.decode("utf-8", "replace")

    def _sniff(self, data: bytes) -> bool:
        """Only the first bytes tell what a body is: its content type lies both ways."""
        data = b"".join((*self._parts, data)).removeprefix(_BOM).lstrip(_SPACE)
        self._parts = [data] if data else []
        if _BOM.startswith(data):  # blank lines while the request queues, or a part of a BOM
            return False
        self._head = data[:400]
        self._parts = []
        self._take = self._gather if data[:1] in (b"{", b"[", b"<") else self._stream
        return self._take(data)

    def _gather(self, data: bytes) -> bool:
        self._parts.append(data)
        return not data.isspace()

    def _read_body(self, body: bytes) -> None:
        try:
            chunks = [parse_json(body)]
        except ValueError:
            try:
                chunks = [parse_json(line) for line in body.splitlines() if line.strip()]
            except ValueError:
                return
        with suppress(RecursionError):
            for chunk in chunks:
                self.answer.take(chunk)
        self.answer.done = self.answer.done or self.answer.whole

    def _stream(self, data: bytes) -> bool:
        if self._skip_lf and data.startswith(b"\n"):  # the CR before it has ended the line already
            data = data[1:]
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if data:
            self._skip_lf = data.endswith(b"\r")
        block = b"".join((*self._parts, data[:end])) if end and self._parts else data[:end]
        if end:
            self._parts, self._held = [], 0
        if rest := data[end:]:
            self._parts.append(rest)
            self._held += len(rest)
        moved = self._read_block(block) if block else False
        if self._held + sum(map(len, self._data)) > MAX_EVENT:
            raise TooLong(f"One event of the answer is longer than {MAX_EVENT >> 20} MB.")
        return moved

    def _read_block(self, block: bytes) -> bool:
        """Read whole lines: at once as far as they follow the template, then one by one."""
        line_end = b"\n" if b"\r" not in block else b"\r\n" if b"\n" in block else b"\r"
        template = self._template
        if template is None and self._lessons:
            return self._read_first(block, line_end)
        if template is None or self._data or self._event or self.answer.done:
            return self._read_lines(block.splitlines(), line_end)
        if (cut := template.cut_block(block)) is None:
            return self._read_lines(block.splitlines(), line_end)
        self._lessons = _LESSONS
        moved = self._add(cut[0], template)
        return self._read_lines(cut[1].splitlines(), line_end) or moved

    def _read_first(self, block: bytes, line_end: bytes) -> bool:
        """Read line by line until an event has given the template, then the rest by it."""
        moved, offset = False, 0
        for line in block.splitlines(keepends=True):
            offset += len(line)
            moved = self._read_lines([line.rstrip(b"\r\n")], line_end) or moved
            if self._template is not None:
                return self._read_block(block[offset:]) or moved
        return moved

    def _read_lines(self, lines: list[bytes], line_end: bytes) -> bool:
        moved = False
        for line in lines:
            if not line:
                if self._data or self._event:
                    moved = self._dispatch(line_end) or moved
            elif line.startswith(b"data:"):
                self._data.append(line)
            elif line.startswith(b"event:"):
                self._event = line[6:].strip()
            elif line.startswith(b"error:"):  # llama.cpp's, of old
                self._fail(line[6:].strip())
                moved = True
        return moved

    def _dispatch(self, line_end: bytes, *, pending: bool = False) -> bool:
        """Act on one event; return whether it brought the answer forward."""
        lines, self._data = self._data, []
        name, self._event = self._event, b""
        if self.answer.done or not (lines or name == b"error"):
            return False
        if len(lines) == 1 and not name and self._template is not None:
            text = self._template.cut_line(lines[0])
            if text is not None:
                return self._add(text, self._template)
        payload = b"\n".join(line[5:].removeprefix(b" ") for line in lines).strip()
        if name == b"error":
            self._fail(payload)
            return True
        moved = self._read_payload(payload, pending) if payload else False
        if moved and len(lines) == 1 and not name and self._lessons and line_end:
            self._lessons -= 1
            self._template = learn(lines[0], line_end) or self._template
        return moved

    def _read_payload(self, payload: bytes, pending: bool) -> bool:
        if payload == b"[DONE]":
            self.answer.done = True
            return False
        try:
            return self.answer.take(parse_json(payload))
        except (ValueError, RecursionError):
            pass
        if b"\n" in payload:  # servers that forget the blank line between events
            return sum(self._read_payload(line.strip(), pending) for line in payload.splitlines() if line.strip()) > 0
        if not pending:
            self._fail(payload)
        return not pending

    def _fail(self, payload: bytes) -> None:
        """An error's object, or whatever words stand where one should be."""
        try:
            self.answer.fail(parse_json(payload) or "The endpoint sent an error event without a word.")
        except ValueError:
            self.answer.fail(payload[:1000].decode("utf-8", "replace") or "The endpoint sent an empty error event.")

    def _add(self, text: str, template: Template) -> bool:
        if template.reasoning:
            self.answer.add_reasoning(text)
        else:
            self.answer.add_text(text)
        return bool(text)
