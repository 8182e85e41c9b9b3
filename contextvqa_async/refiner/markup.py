"""A text in another markup language comes in; the same in markdown goes out: LaTeX, wikitext, reStructuredText,
AsciiDoc, Org.

Rule: only what these languages write and markdown does not; a cheap look skips each.
"""

from __future__ import annotations

import re

from contextvqa_async.refiner.lazy import lazy

LATEX = lazy(r"\\(?:(?:sub)*section\*?|textbf|begin)\{")
COMMAND = lazy(
    r"\\(?:begin|end)\{(?:document|enumerate|itemize|description|quote|quotation|center)\}(?:\[[^\[\]\n]{0,40}\])?"
    r"|\\(?:maketitle|noindent|newpage|smallskip|medskip|bigskip|clearpage|par)(?![a-zA-Z])"
    r"|\\(?:vspace|hspace|label|author|date)\*?\{[^{}\n]{0,80}\}"
    r"|(?P<named>\\item\[)(?P<label>[^\[\]\n]{1,60})\]\s*"
)
HEADING = lazy(r"\\(?:(?:sub)*section|chapter|paragraph|title)\*?\{([^{}\n]{0,200})\}")
STRONG = lazy(r"\\(?:textbf|textsc)\{([^{}\n]*+)\}")
WEAK = lazy(r"\\(?:textit|emph|underline|textsl|texttt|enquote)\{([^{}\n]*+)\}")
ITEM = lazy(r"\\item(?![a-zA-Z])\s*")
SPECIAL = lazy(r"\\([%&#_])")
TERM = lazy(r"^;[ \t]+", re.MULTILINE)
"""``; Question``, a term of wikitext."""
FIELD = lazy(r"^([ \t]*):(\w[\w ]{0,30}):(?=[ \t])", re.MULTILINE)
"""``:Question: …``, a field of reStructuredText."""
RST_LINK = lazy(r"`([^`<>\n]*[^`<>\s])\s*<[^<>\s]+>`__?")
ORG_LINK = lazy(r"\[\[https?://[^\[\]\s]+\]\[([^\[\]\n]+)\]\]")
ASCII_HEAD = lazy(r"^(={2,6})[ \t]+(?=\S)(.*[^=\s])[ \t]*$", re.MULTILINE)
ASCII_TERM = lazy(r"^(.*[?？])::[ \t]*$", re.MULTILINE)
ASCII_STYLE = lazy(r"^\[[a-z]{3,12}\]$\n?", re.MULTILINE)


def unlatex(text: str) -> str:
    r"""A document in LaTeX, with markdown's marks for headings, items and emphasis.

    >>> unlatex("\\section*{Owls} The \\textbf{owl}.")
    '\n# Owls\n The **owl**.'
    """
    if not LATEX.search(text):
        return text
    if "\\begin{document}" in text:
        text = text.split("\\begin{document}", 1)[1]
    text = COMMAND.sub(lambda found: "" if found["named"] is None else f"**{found['label']}** ", text)
    text = HEADING.sub(r"\n# \1\n", text)
    for _ in range(3):
        text = STRONG.sub(r"**\1**", WEAK.sub(r"*\1*", text))
    return SPECIAL.sub(r"\1", ITEM.sub("- ", text).replace("\\\\", "\n"))


def unwiki(text: str) -> str:
    """A text with wikitext's emphasis, with markdown's."""
    if "'''" not in text or text.count("'''") < 2 or ("```" in text and "[[" not in text):
        return text
    return text.replace("'''''", "***").replace("'''", "**").replace("''", "*")


def unlink(text: str) -> str:
    """A text in reStructuredText without its links.

    >>> unlink("Who wrote `Emma <https://e.org>`_?")
    'Who wrote Emma?'
    """
    return RST_LINK.sub(r"\1", text) if ">`_" in text else text


def unfield(text: str) -> str:
    """A text in reStructuredText without the first colon of each field.

    >>> unfield(":Question: Who?")
    'Question: Who?'
    """
    return FIELD.sub(r"\1\2:", text) if text[:1] == ":" or "\n:" in text else text


def unterm(text: str) -> str:
    """A text in wikitext without the sign before each term.

    >>> unterm("; Who?\\n: Bob")
    'Who?\\n: Bob'
    """
    return TERM.sub("", text) if text[:2] == "; " or "\n; " in text else text


def unorg(text: str) -> str:
    """A text in Org without its links."""
    return ORG_LINK.sub(r"\1", text) if "]]" in text else text


def unascii(text: str) -> str:
    """A text in AsciiDoc, with markdown's headings, and its terms in bold.

    >>> unascii("= Owls\\n\\n== Habits")
    '= Owls\\n\\n## Habits'
    """
    if not ASCII_HEAD.search(text):
        return text
    text = ASCII_HEAD.sub(lambda found: f"{'#' * len(found[1])} {found[2]}", text)
    return ASCII_TERM.sub(r"**\1**", ASCII_STYLE.sub("", text)) if "?::" in text else text


MARKUPS = (("\\", unlatex), ("'", unwiki), (">", unlink), ("", unterm), ("", unfield), ("]", unorg), ("=", unascii))
"""Each with the signs without which a text is not written in it."""
