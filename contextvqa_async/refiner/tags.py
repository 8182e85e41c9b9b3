"""A text with HTML or XML tags comes in; the same text in lines, with marks for what tags said, goes out.

Rule: a tag has a known name, or is both opened and closed; ``x < y`` and ``<Ambystoma>`` are words.
"""

from __future__ import annotations

import re
from functools import cache

from contextvqa_async.refiner.labels import kinds
from contextvqa_async.refiner.languages import split_words
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.lines import ANSWER, ARTICLE, BREAK, COUNTED, DEFINITION, END, HEAD, NOTE, QUESTION, TERM

TAG = lazy(r"<(?P<close>/?)(?P<name>[^\W\d_][\w:.-]{0,40})(?P<attrs>\s[^<>]*+)?/?>")
DECLARED = lazy(r"<!DOCTYPE[^<>]*+>|<\?xml[^<>]*+\?>|<!\[CDATA\[|\]\]>|<ref[^<>]*+/>", re.IGNORECASE)
GONE = lazy(r"<!--|<(?P<name>script|style|ref|svg)(?:\s[^<>]*+)?>", re.IGNORECASE)
ROW = lazy(r"^[ \t]*\|.*$", re.MULTILINE)
BR = lazy(r"\s*<br\s*/?>\s*", re.IGNORECASE)
BLOCKS = split_words(
    "p|div|section|br|hr|tr|table|tbody|thead|tfoot|ul|ol|dl|blockquote|header|footer|main|html|body|head|pre"
    "|details|nav|figure|figcaption|center|fieldset|form|caption|colgroup|aside"
)
INLINE = split_words(
    "span|u|sub|sup|small|mark|font|code|a|img|input|label|cite|abbr|time|kbd|samp|var|ins|del|s|strike|q|big|tt"
)
STRONG = frozenset(["b", "strong"])
WEAK = frozenset(["i", "em"])
WRAPS = split_words(
    "qa|qas|pair|pairs|qa_pairs|qa_pair|qapairs|qapair|qa-pairs|qa-pair|output|response|result|root|document"
    "|final|final_answer|questions|answers|question_answer_pairs|question_answers|question_answer"
    "|questionanswerpairs|questionanswer|vqa|data|item|items|entry|faq|question-answer-pairs|question-answer"
    "|faqs|quiz|qna|content_block|wiki_qa|answer_output|completion"
)

KNOWN = (
    BLOCKS
    | INLINE
    | STRONG
    | WEAK
    | split_words("h1|h2|h3|h4|h5|h6|li|td|th|dt|dd|summary|title|meta|link|script|style|ref|svg")
)


@cache
def _named(name: str) -> str:
    """What a tag with an unusual name says: ``<question_1>`` a question, ``<wikipedia_article>`` an article."""
    word = re.sub(r"[_\-.:\d]+", " ", name.lower()).strip()
    kind = kinds().get(word, "")
    if kind in {"question", "answer", "article", "title", "note"} and (
        len(word) > 1 or word in "qa" or word >= "\u2e80"
    ):
        return kind
    if word in WRAPS or name.lower() in WRAPS or kind in {"questions", "answers", "pair"}:
        return "wrap"
    return "article" if "article" in word.split() else ""


def untag(text: str) -> str:
    """The text without tags; what they said stands as marks and markdown.

    >>> untag("<p>The <b>owl</b>.</p>").strip()
    'The **owl**.'
    """
    if "<" not in text or not TAG.search(text):
        return text
    if "<!" in text or "<?" in text or "]]>" in text or "<ref" in text:
        text = DECLARED.sub("", text)
    text = _without(text)
    if "|" in text and "<br" in text:
        text = ROW.sub(lambda row: BR.sub(BREAK, row.group()), text)
    return Untagger(_answers_wrap(text)).text(text)


def _without(text: str) -> str:
    """The text without comments, scripts, styles and references."""
    kept: list[str] = []
    at = 0
    while found := GONE.search(text, at):
        close = f"</{found['name']}>" if found["name"] else "-->"
        stop = text.find(close, found.end())
        if stop < 0:
            break
        kept.append(text[at : found.start()])
        at = stop + len(close)
    return "".join((*kept, text[at:])) if kept else text


def _answers_wrap(text: str) -> bool:
    """Whether ``<answer>`` wraps the whole reply, as after reasoning, rather than one answer."""
    opens = re.findall(r"<answer(?:\s[^<>]*+)?>", text)
    return len(opens) == 1 and not re.search(r"<(?:question|q)\d*(?:\s[^<>]*+)?>", text)


MARKER = lazy(rf"(^[ ]*(?:{COUNTED}\d{{1,3}}\.|-)[ ])\s+(?=[^\s{COUNTED}])", re.MULTILINE)
"""An item's number or bullet whose words stand on a line below it."""


def _paired(text: str) -> frozenset[str]:
    """The names of tags that are opened and closed: what has both is a tag, whatever it is called."""
    names: dict[bool, set[str]] = {False: set(), True: set()}
    for found in TAG.finditer(text):
        names[bool(found["close"])].add(found["name"].lower())
    return frozenset(names[False] & names[True])


DEEPEST = 8
"""Lists within lists are indented so far and no further: many that are never closed would fill the text with spaces."""

MARKS = {"question": QUESTION, "answer": ANSWER, "title": HEAD, "note": NOTE}
"""What a tag of the model's own leaves where it opens."""
CELLS = {(False, False): "", (False, True): " | ", (True, False): "\n| ", (True, True): "\n"}


class Untagger:
    """Walks over the tags; knows in which list, table and summary it is."""

    def __init__(self, answer_wraps: bool) -> None:
        self.answer_wraps = answer_wraps
        self.lists: list[int] = []
        self.paired: frozenset[str] = frozenset()

    def text(self, text: str) -> str:
        """The text without tags."""
        self.paired = _paired(text)
        out: list[str] = []
        at = 0
        for found in TAG.finditer(text):
            said = self._tag(found)
            if said is None:
                continue
            out.extend((text[at : found.start()], said))
            at = found.end()
        out.append(text[at:])
        plain = "".join(out)
        return MARKER.sub(r"\1", plain) if "<li" in text else plain

    def _tag(self, found: re.Match[str]) -> str | None:
        """What stands in a tag's place; None if it is no tag."""
        name, close = found["name"].lower(), bool(found["close"])
        attrs = found["attrs"] or ""
        if name == "a":  # without an address it is an answer, not a link
            return "" if close or "href" in attrs or "name=" in attrs else f"\n{ANSWER}"
        if name == "q" and not attrs:
            return "\n" if close else f"\n{QUESTION}"
        return self._html(name, close, attrs) if name in KNOWN else self._custom(found, name, close, attrs)

    def _html(self, name: str, close: bool, attrs: str) -> str:
        """What stands in place of a known tag."""
        if name in STRONG:
            return "**"
        if name in WEAK:
            return "*"
        if len(name) == 2 and name[0] == "h" and name[1].isdigit():
            return "\n" if close else f"\n\n{HEAD}"
        if name in {"li", "ul", "ol"}:
            return self._list(name, close)
        if name in {"td", "th", "tr"}:
            return CELLS[name == "tr", close]
        if name in {"dt", "summary"}:
            return "\n" if close else f"\n{TERM}"
        if name in {"dd", "title"}:
            return "\n" if close else f"\n{DEFINITION if name == 'dd' else HEAD}"
        if name == "br":
            return "\n"
        return "\n\n" if name in BLOCKS else ""

    def _list(self, name: str, close: bool) -> str:
        """What stands in place of a list's or an item's tag."""
        if name == "li":
            if close:
                return "\n"
            indent = "   " * (min(len(self.lists), DEEPEST) - 1)
            if self.lists and self.lists[-1] >= 0:
                self.lists[-1] += 1
                return f"\n{indent}{COUNTED}{self.lists[-1]}. "
            return f"\n{indent}- "
        if close:
            if self.lists:
                self.lists.pop()
            return "\n"
        self.lists.append(0 if name == "ol" else -1)
        return "\n"

    def _custom(self, found: re.Match[str], name: str, close: bool, attrs: str) -> str | None:
        """What stands in place of a tag of the model's own; None if it is no tag."""
        kind = _named(name)
        if not kind:
            return self._unknown(found) if name in self.paired else None
        if kind == "answer" and self.answer_wraps:
            return "\n"
        if kind == "wrap" or (kind == "title" and close):
            return "\n\n" + self._attributes(attrs)
        if kind == "article":
            return f"\n{END}\n" if close else f"\n{ARTICLE}"
        if close:
            return "\n"
        return f"\n{MARKS.get(kind, '')}"

    @staticmethod
    def _unknown(found: re.Match[str]) -> str:
        """A tag that says nothing: it parts lines where it stands at the edge of one."""
        start, end = found.span()
        before, after = found.string[max(0, start - 40) : start], found.string[end : end + 1]
        edge = after in {"", "\n"} if found["close"] else before.rstrip(" \t")[-1:] in {"", "\n"}
        return "\n" if edge else ""

    @staticmethod
    def _attributes(attrs: str) -> str:
        """A pair written in the attributes of a tag."""
        asked = re.search(r'\b(?:question|q)\s*=\s*"([^"]*)"', attrs)
        answered = re.search(r'\b(?:answer|a)\s*=\s*"([^"]*)"', attrs)
        return f"{QUESTION}{asked[1]}\n{ANSWER}{answered[1]}\n" if asked and answered else ""
