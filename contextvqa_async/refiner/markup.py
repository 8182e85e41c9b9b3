"""A text in another markup language comes in; the same in markdown goes out: LaTeX, wikitext, reStructuredText,
AsciiDoc, Org.

Rule: only what these languages write and markdown does not; a cheap look skips each.
"""

from __future__ import annotations

import re

from contextvqa_async.refiner.later import later

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
FIELD = later(r"^([ \t]*):(\w[\w ]{0,30}):(?=[ \t])", re.MULTILINE)
"""``:Question: …``, a field of reStructuredText."""
RST_LINK = later(r"`([^`<>\n]*[^`<>\s])\s*<[^<>\s]+>`__?")
ORG_LINK = later(r"\[\[https?://[^\[\]\s]+\]\[([^\[\]\n]+)\]\]")
ASCII_HEAD = later(r"^(={2,6})[ \t]+(?=\S)(.*[^=\s])[ \t]*$", re.MULTILINE)
ASCII_TERM = later(r"^(.*[?？])::[ \t]*$", re.MULTILINE)
ASCII_STYLE = later(r"^\[[a-z]{3,12}\]$\n?", re.MULTILINE)


def in_markdown(text: str) -> str:
    r"""The text in markdown.

    >>> in_markdown("== History\n\n:Question: Who?")
    '## History\n\nQuestion: Who?'
    """
    if "\\" in text and LATEX.search(text):
        text = unlatex(text)
    if "'''" in text and "```" not in text and text.count("'''") > 1:
        text = text.replace("'''''", "***").replace("'''", "**").replace("''", "*")
    if "]]" in text:
        text = ORG_LINK.sub(r"\1", text)
    if ">`_" in text:
        text = RST_LINK.sub(r"\1", text)
    if ":" in text and (text[:1] == ":" or "\n:" in text):
        text = FIELD.sub(r"\1\2:", text)
    return _asciidoc(text) if "\n= " in text or text[:2] == "= " or "\n== " in text or text[:3] == "== " else text


def _asciidoc(text: str) -> str:
    text = ASCII_HEAD.sub(lambda found: f"{'#' * len(found[1])} {found[2]}", text)
    return ASCII_TERM.sub(r"**\1**", ASCII_STYLE.sub("", text)) if "?::" in text else text


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
