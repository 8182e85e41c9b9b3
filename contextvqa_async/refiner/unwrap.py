"""A raw answer comes in; the text meant for the reader goes out: no reasoning, no control tokens, plain line ends.

Rule: only wrapping is taken off here. Every step is skipped by a cheap look when the text holds nothing of its kind.
"""

from __future__ import annotations

import html
import re

from contextvqa_async.refiner.later import later
from contextvqa_async.refiner.signs import uncommon

BREAKS = later("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
INVISIBLE = later("[\ufeff\u200b\u2060\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\x00-\x08\x0e-\x1f\ue000-\ue00f]")
ODD = frozenset("\r\x0b\x0c\x85\u2028\u2029\ufeff\u200b\u2060\u200e\u200f\u061c").union(
    map(chr, (*range(9), *range(14, 32), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE000, 0xE010)))
)
TOKENS = later(
    r"<[|｜][^<>|｜\n]{0,60}[|｜]>|</?s>|<(?:bos|eos|pad|unk|end_of_turn|start_of_turn)>(?:model\n)?|\[/?INST\]"
)
TORN = later(r"<(?:[|｜][^<>\n]{0,40}|/[\w:-]{0,30})?$")
TORN_TAG = later(r"\s*<[a-z][\w:-]{0,30}$")
CHANNEL = later(r"<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>")
FINAL = later(r"<\|channel\|>\s*final[^<]*<\|message\|>")
ROLE = later(
    r"\s*<\|(?:im_start|start_header_id)\|>\s*assistant(?:<\|end_header_id\|>)?\s*|\s*(?:assistant|ASSISTANT|Assistant):?\s*\n"
)
NAMES = (
    r"think|thinking|thought|thoughts|reasoning|reason|reflection|analysis|scratchpad|inner_monologue|seed:think"
    r"|internal_reasoning|planning|plan"
)
THINK_OPEN = later(
    rf"<(?P<tag>{NAMES})(?:\s[^<>]*+)?>|(?P<moon>◁think▷)|(?P<mistral>\[THINK\])|(?P<begin><\|begin_of_thought\|>)|(?P<gem><unused94>thought)",
    re.IGNORECASE,
)
THINK_CLOSE = later(rf"</(?:{NAMES})\s*>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<unused95>", re.IGNORECASE)
CLOSES = {"moon": "◁/think▷", "mistral": "[/THINK]", "begin": "<|end_of_thought|>", "gem": "<unused95>"}
DETAILS = later(r"<details[^<>]*+>\s*<summary>(?P<summary>[^<]*+)</summary>", re.IGNORECASE)
ENTITY = later(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
BRACKET_TAG = later(
    r"\[(/?(?:article|context|wikipedia[ _]article|questions?|answers?|q|a|qas?|qa_pairs?|pairs?)\d{0,2})\]",
    re.IGNORECASE,
)
TRIPLE = later(r"^([ \t]*\w+[ \t]*[:=][ \t]*)(\"\"\"|''')(.*?)\2", re.MULTILINE | re.DOTALL)
ESCAPED_TAG = later(r"&lt;/[a-z][\w-]{0,20}&gt;", re.IGNORECASE)
ESCAPED = later(r"\\([!-/:-@\[-`{-~])")
LATEX = later(r"\\(?:(?:sub)*section\*?|textbf|begin)\{")
COMMAND = later(
    r"\\(?:begin|end)\{(?:document|enumerate|itemize|description|quote|quotation|center)\}(?:\[[^\[\]\n]{0,40}\])?"
    r"|\\(?:maketitle|noindent|newpage|smallskip|medskip|bigskip|clearpage|par)(?![a-zA-Z])"
    r"|\\(?:vspace|hspace|label|author|date)\*?\{[^{}\n]{0,80}\}"
    r"|(?P<named>\\item\[)(?P<label>[^\[\]\n]{1,60})\]\s*"
)
HEADING = later(r"\\(?:(?:sub)*section|chapter|paragraph|title)\*?\{([^{}\n]{0,200})\}")
STRONG = later(r"\\(?:textbf|textsc)\{([^{}\n]*+)\}")
WEAK = later(r"\\(?:textit|emph|underline|textsl|texttt|enquote)\{([^{}\n]*+)\}")
ITEM = later(r"\\item(?![a-zA-Z])\s*")
SPECIAL = later(r"\\([%&#_])")
FENCE = later(r"^[ \t>]*(?:`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*$", re.MULTILINE)


def unwrap(text: str) -> str:
    """The answer without wrapping.

    >>> unwrap("<think>Draft. Q: what?</think>\\r\\nThe owl.<|im_end|>")
    '\\nThe owl.'
    """
    if not ODD.isdisjoint(uncommon(text)):
        text = INVISIBLE.sub("", BREAKS.sub("\n", text))
    if "\\" in text:
        text = unescape_lines(text)
    if "<" in text or "◁" in text or ("[" in text and ("[THINK" in text or "[/THINK" in text)):
        text = _tokens(unreason(text))
        text = text[:-60] + TORN.sub("", text[-60:])
        text = text[:-60] + TORN_TAG.sub("", text[-60:]) if "</" in text else text
    if "\\" in text:
        text = unescape_marks(text)
        text = unlatex(text) if LATEX.search(text) else text
    if "[" in text and "[/" in text and len(BRACKET_TAG.findall(text)) > 1:
        text = BRACKET_TAG.sub(r"<\1>", text)
    if '"""' in text or "'''" in text:
        text = TRIPLE.sub(r"\1\n\3\n", text)
    if "&" in text and "&lt;/" in text and len(ESCAPED_TAG.findall(text)) > 2:
        text = html.unescape(text)
    if "'''" in text and "```" not in text and text.count("'''") > 1:
        text = text.replace("'''''", "***").replace("'''", "**").replace("''", "*")
    return text


def unreason(text: str) -> str:
    """The text without its reasoning: closed, only opened (all that follows is reasoning), or only closed."""
    if "<|channel|>" in text:
        text = _channels(text)
    kept: list[str] = []
    at = 0
    while found := THINK_OPEN.search(text, at):
        name = found.lastgroup or ""
        close = CLOSES.get(name) or f"</{found['tag']}>"
        stop = _find_close(text, close, found.end())
        kept.append(text[at : found.start()])
        if stop < 0:
            return _after_close("".join(kept))
        at = stop + len(close)
    kept.append(text[at:])
    return _details(_after_close("".join(kept)))


def _find_close(text: str, close: str, at: int) -> int:
    found = re.compile(re.escape(close), re.IGNORECASE).search(text, at)
    return found.start() if found else -1


def _after_close(text: str) -> str:
    """Reasoning whose opening was in the prompt: all before the last closing tag."""
    last = max(THINK_CLOSE.finditer(text), key=re.Match.end, default=None)
    return text[last.end() :] if last else text


def _channels(text: str) -> str:
    """Only the final channel of an answer in the harmony format; none at all where it was cut before that."""
    final = max(FINAL.finditer(text), key=re.Match.end, default=None)
    if final:
        return text[final.end() :]
    first = CHANNEL.search(text)
    return text[: first.start()] if first else text


def _details(text: str) -> str:
    found = DETAILS.search(text) if "<details" in text else None
    if not found or not re.search("think|thought|reason", found["summary"], re.IGNORECASE):
        return text
    stop = text.find("</details>", found.end())
    return text[: found.start()] + (text[stop + 10 :] if stop >= 0 else "")


def _tokens(text: str) -> str:
    """No control tokens, and no role before the answer."""
    if "<|" not in text and "<｜" not in text and not TOKENS.search(text):
        return text
    role = ROLE.match(text)
    text = text[role.end() :] if role else text
    return TOKENS.sub("", text)


def unescape_lines(text: str) -> str:
    r"""A text whose line ends were written as ``\n``: one line that holds several, or a whole JSON string.

    >>> unescape_lines("Article: Owls.\\n\\nQ: Who?\\nA: Owls")
    'Article: Owls.\n\nQ: Who?\nA: Owls'
    """
    bare = text.strip()
    written = bare.count("\\n")
    if bare[:1] in "{[" or written < 2 or bare.count("\n") * 3 > written or "```" in bare[:20]:
        return text
    if bare[0] == bare[-1] == '"':
        bare = bare[1:-1]
    bare = re.sub(r"\\r\\n|\\n(?![a-z]{2,}\b(?=[\s\\{}^_$]))", "\n", bare)
    return re.sub(r'\\(["\'])', r"\1", bare).replace("\\t", " ")


def unescape_marks(text: str) -> str:
    r"""A text whose markdown was escaped as a whole (``\*\*Q1:\*\*``), with its marks."""
    if "\\*" not in text and "\\#" not in text:
        return text
    escaped = text.count("\\*\\*") + ("\\#" in text and len(re.findall(r"^\s*\\#", text, re.MULTILINE)))
    return ESCAPED.sub(r"\1", text) if escaped > 1 and escaped * 2 > text.count("**") - text.count("\\*\\*") else text


def unlatex(text: str) -> str:
    r"""A document in LaTeX, with markdown's marks for headings, items and emphasis.

    >>> unlatex("\\section*{Owls} The \\textbf{owl}.")
    '\n# Owls\n The **owl**.'
    """
    if "\\begin{document}" in text:
        text = text.split("\\begin{document}", 1)[1]
    text = COMMAND.sub(lambda found: "" if found["named"] is None else f"**{found['label']}** ", text)
    text = HEADING.sub(r"\n# \1\n", text)
    for _ in range(3):
        text = STRONG.sub(r"**\1**", WEAK.sub(r"*\1*", text))
    return SPECIAL.sub(r"\1", ITEM.sub("- ", text).replace("\\\\", "\n"))


def entities(text: str) -> str:
    """``&amp;`` and its kin as characters."""
    return ENTITY.sub(lambda found: html.unescape(found.group()), text) if "&" in text else text


def unfence(text: str) -> str:
    """A text without the lines that open and close code fences."""
    return FENCE.sub("", text) if "```" in text or "~~~" in text else text
