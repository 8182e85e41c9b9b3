"""One line with markdown's inline marks comes in; its words, and where they were bold, go out.

Rule: a mark is removed only where markdown would read it as one, so ``snake_case``, ``5*3`` and ``C*-algebra`` survive.
Every step is linear in the line's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from contextvqa_async.refiner.lazy import lazy

Spans = tuple[tuple[int, int], ...]

MARKED = lazy(r"[*_`~\\\[<$]")
POINT = lazy(r"[\\`$*_~!\[<]")
"""Where a mark may stand."""
SOLITARY = lazy(r"[\\`$*_~]")
"""Where a mark may stand, in a line that closes no bracket."""
TOKEN = lazy(
    r"(?P<esc>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>`++)"
    r"|(?P<math>\${1,2})"
    r"|(?P<emph>\*++|_++|~~)"
    r"|(?P<image>!\[[^\[\]]*+\]\((?:[^()\s]|\([^()\s]*+\))*+[^()]*+\))"
    r"|(?P<foot>\[\^[^\[\]\s]++\]:?)"
    r"|(?P<wiki>\[\[[^\[\]|]*+(?:\|[^\[\]|]*+)?\]\])"
    r"|(?P<link>\[(?P<words>(?:[^\[\]\\]|\\.)*+)\](?:\((?:[^()\s]|\([^()\s]*+\))*+(?:\s[^()]*+)?\)|\[[^\[\]]*+\]))"
    r"|(?P<auto><(?:https?://|mailto:)[^<>\s]++>)"
)
CITED = lazy(r"\[\d{1,3}\]\[")
"""Two citations side by side are no link."""
MATHS = lazy(r"[\\^_{}=]|^\S{1,3}$")
LATEX_CLOSE = {"\\(": "\\)", "\\[": "\\]"}


@dataclass(slots=True)
class MarkRun:
    """A run of emphasis marks: where, how many are left, and what it may do."""

    at: int
    char: str
    left: int
    opens: bool
    closes: bool
    size: int = 0


def plain(text: str) -> tuple[str, Spans]:
    """The words of ``text``, and the stretches of them that were bold.

    >>> plain("**Question:** how many `snake_case` *names*, 5*3?")
    ('Question: how many snake_case names, 5*3?', ((0, 9),))
    """
    if not MARKED.search(text):
        return text, ()
    quick = _quick(text)
    if quick:
        return quick
    pieces, runs = _pieces(text)
    bold = _match(runs) if runs else []
    return _join(pieces, bold)


OTHER = lazy(r"[`~\\\[<$]")
SIMPLE = lazy(r"(?<![\w*])([*_]{1,3})(?=[^\s*_])([^*_]+)(?<=[^\s*_])\1(?![\w*_])")


def _quick(text: str) -> tuple[str, Spans] | None:
    """The common cases: one bold stretch that begins a line, and long prose with plain emphasis in it."""
    if OTHER.search(text):
        return None
    parts = text.split("**") if "_" not in text else []
    if len(parts) % 2 and text.count("*") == 2 * len(parts) - 2 and len(parts) < 20:
        return _alternating(parts)
    if len(text) < 160:
        return None
    words = SIMPLE.sub(r"\2", text)
    first = SIMPLE.match(text) if text[:2] in {"**", "__"} else None
    return None if "*" in words or "_" in words else (words, ((0, len(first[2])),) if first else ())


def _alternating(parts: list[str]) -> tuple[str, Spans] | None:
    """Plain and bold stretches by turns, if each bold one begins and ends with words and none cuts a number."""
    spans: list[tuple[int, int]] = []
    size = 0
    for at, part in enumerate(parts):
        if at % 2:
            if not part or part[0].isspace() or part[-1].isspace() or parts[at - 1][-1:].isdigit():
                return None
            spans.append((size, size + len(part)))
        size += len(part)
    return "".join(parts), tuple(spans)


def _pieces(text: str) -> tuple[list[str | MarkRun], list[MarkRun]]:
    """Cut the line in words and runs of emphasis marks; links, code and escapes are already words."""
    pieces: list[str | MarkRun] = []
    runs: list[MarkRun] = []
    at = 0
    missing: set[str] = set()
    look = 0
    points = POINT if "]" in text or ">" in text else SOLITARY
    while point := points.search(text, look):
        found = TOKEN.match(text, point.start())
        if found is None:
            look = point.end()
            continue
        pieces.append(text[at : found.start()])
        kind, at = found.lastgroup or "", found.end()
        if kind == "emph":
            run = _run(text, found.start(), at)
            runs.append(run)
            pieces.append(run)
        else:
            words, at = _words(text, found, kind, missing)
            pieces.append(words)
        look = at
    pieces.append(text[at:])
    return pieces, runs


def _words(text: str, found: re.Match[str], kind: str, missing: set[str]) -> tuple[str, int]:
    """What a mark other than emphasis leaves behind, and where reading goes on."""
    token, end = found.group(), found.end()
    if kind == "esc":
        close = LATEX_CLOSE.get(token)
        return _until(text, found, close, missing, keep=True) if close else (token[1], end)
    if kind == "code":
        return _code(text, found, missing)
    if kind == "math":
        return _math(text, found, missing)
    if kind in {"image", "foot"}:
        return "", end
    if kind == "wiki":
        return token[2:-2].rpartition("|")[2], end
    if kind == "auto":
        return token[1:-1], end
    if token[-1] == "]" and CITED.match(token):
        return token, end
    return plain(found.group("words"))[0], end


def _until(text: str, found: re.Match[str], close: str, missing: set[str], *, keep: bool) -> tuple[str, int]:
    """From a mark to its closing one, word for word; a mark that is never closed stands for itself."""
    start, end = found.span()
    stop = -1 if close in missing else text.find(close, end)
    if stop < 0:
        missing.add(close)
        return found.group()[-1] if found.group()[0] == "\\" else found.group(), end
    after = stop + len(close)
    return (text[start:after] if keep else text[end:stop].strip() or text[start:after]), after


def _code(text: str, found: re.Match[str], missing: set[str]) -> tuple[str, int]:
    return _until(text, found, found.group(), missing, keep=False)


def _math(text: str, found: re.Match[str], missing: set[str]) -> tuple[str, int]:
    """A formula word for word; a dollar before a price is only a dollar."""
    end, close = found.end(), found.group()
    stop = -1 if close in missing else text.find(close, end)
    if stop < 0:
        missing.add(close)
        return close, end
    inside = text[end:stop]
    after = stop + len(close)
    formula = inside and not inside[0].isspace() and not inside[-1].isspace() and len(inside) < 2000
    if formula and not text[after : after + 1].isdigit() and MATHS.search(inside):
        return text[found.start() : after], after
    return close, end


def _run(text: str, start: int, end: int) -> MarkRun:
    """Whether a run may open or close emphasis, by what stands beside it."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    char, size = text[start], end - start
    left, right = not after.isspace(), not before.isspace()
    wordy = _wordy(before) and _wordy(after)
    if (char == "_" and before.isalnum() and after.isalnum()) or (
        wordy and (size == 1 or (before.isdigit() and after.isdigit()))
    ):
        left = right = False
    elif left and right:
        left = not _wordy(before) or _wordy(after)
        right = not _wordy(after) or _wordy(before)
    if char == "*" and size == 1 and right and not left and before.isdigit():
        right = not after.isspace() or _opened(text, start)
    if size > 3 and char != "~" and not (left and right):
        left, right = left and before.isspace(), right and after.isspace()
    return MarkRun(start, char, size, left, right, size)


def _opened(text: str, start: int) -> bool:
    """Whether the mark before this one opened emphasis: ``*1999*``."""
    before = text.rfind("*", max(0, start - 200), start)
    return before >= 0 and not text[before + 1].isspace() and (not before or text[before - 1] in " (\"“'‘:")


def _wordy(char: str) -> bool:
    """A letter or digit of a script that puts spaces between words."""
    return char.isalnum() and ord(char) < 0x2E80


def _match(runs: list[MarkRun]) -> list[tuple[MarkRun, MarkRun]]:
    """Pair closing runs with opening ones; the pairs that made words bold."""
    bold: list[tuple[MarkRun, MarkRun]] = []
    waiting: dict[str, list[MarkRun]] = {"*": [], "_": [], "~": []}
    for run in runs:
        stack = waiting[run.char]
        while run.closes and run.left and stack:
            opener = stack[-1]
            used = min(opener.left, run.left)
            opener.left -= used
            run.left -= used
            if used > 1:
                bold.append((opener, run))
            if not opener.left:
                stack.pop()
        if run.opens and run.left:
            stack.append(run)
    return bold


def _join(pieces: list[str | MarkRun], bold: list[tuple[MarkRun, MarkRun]]) -> tuple[str, Spans]:
    """Words without the marks that matched, and bold stretches in the new positions."""
    out: list[str] = []
    size = 0
    where: dict[int, int] = {}
    last = len(pieces) - 1
    for index, piece in enumerate(pieces):
        if isinstance(piece, MarkRun):
            where[piece.at] = size
            piece = _leftover(piece, first=not size, last=index >= last - 1 and not pieces[-1])
        if piece:
            out.append(piece)
            size += len(piece)
    spans = sorted({(where[opener.at], where[closer.at]) for opener, closer in bold})
    return "".join(out), tuple(span for span in spans if span[1] > span[0])


def _leftover(run: MarkRun, *, first: bool, last: bool) -> str:
    """Marks without a partner are words, but for strong ones, whose other half was cut or stands on another line, and
    for what is left of them: ``**Q1:* Who?``."""
    if run.char == "~" or run.left > 3 or not (run.opens or run.closes or first or last):
        return run.char * run.left
    return "" if run.left > 1 or run.left < run.size else run.char
