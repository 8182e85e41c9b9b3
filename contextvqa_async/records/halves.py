"""Half surrogates in JSON text → stand-ins that any parser carries through, and back again. Pure.

JSON may escape half of a character alone (``\\ud83d``): what cut a text in the middle of an emoji writes so. UTF-8
has no bytes for it, and parsers written in C put another character in its place, or refuse the text. Rule: a string
that went both ways is the one that was written.
"""

from __future__ import annotations

import re

_MARK = "\ufffe"
"""No character, and so in no text: what begins a stand-in, four digits after it. Where it does occur, it gets one."""

_RAW_MARK = _MARK.encode()

_ODD = re.compile(
    rb"(?P<before>(?<!\\)(?:\\\\)*)\\u"  # behind an odd number of backslashes the last one begins no escape
    rb"(?:(?P<whole>[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<digits>[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eE]))"
)
_UNFINISHED = re.compile(
    rb"(?:(?<!\\)(?:\\\\)*(?P<escape>\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?"
    rb"|\\(?:u[0-9a-fA-F]{0,3})?)|(?P<mark>\xef\xbf?))\Z"
)
_LONGEST = 12
"""Bytes of an escaped character, both halves."""

_STAND_IN = re.compile(_MARK + "([0-9a-fA-F]{4})")


class Halves:
    """Hides the half surrogates in one text that comes in blocks; ``found`` says whether there were any so far."""

    def __init__(self) -> None:
        self.found = False
        self._held = b""

    def hide(self, block: bytes) -> bytes:
        """The text up to the end of ``block`` or the beginning of an escape that goes on in the next one."""
        text = self._held + block
        cut = len(text)
        last = text[-_LONGEST:]
        if (b"\\" in last or last.endswith((b"\xef", b"\xef\xbf"))) and (open_end := _UNFINISHED.search(text)):
            cut = max(open_end.start("escape"), open_end.start("mark"))
        self._held = text[cut:]
        return self._hidden(text[:cut])

    def flush(self) -> bytes:
        """What was held back; the text has ended."""
        rest, self._held = self._held, b""
        return self._hidden(rest)

    def _hidden(self, text: bytes) -> bytes:
        text = _ODD.sub(self._stand_in, text) if b"\\u" in text else text
        if _RAW_MARK not in text:
            return text
        self.found = True
        return text.replace(_RAW_MARK, b"\\ufffefffe")

    def _stand_in(self, found: re.Match[bytes]) -> bytes:
        if found["whole"]:
            return found[0]
        self.found = True
        return found["before"] + b"\\ufffe" + found["digits"]


def shown(text: str) -> str:
    """The string that was written, of one whose half surrogates were hidden."""
    return _STAND_IN.sub(lambda found: chr(int(found[1], 16)), text) if _MARK in text else text
