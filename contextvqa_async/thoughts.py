"""An answer's text → what its model thought first, and the answer itself. Pure.

Rule: what is cut is reasoning for sure, since it is not kept. It stands at the very beginning: between the marks of a
model's family, or, where the chat template had opened it already, up to the first closing mark. A
mark that an answer mentions (in a sentence, in quotes, in code) is a word like any other.
"""

from __future__ import annotations

import re

__all__ = ["is_mentioned", "split_thoughts"]

_CLOSING = {
    "<think>": "</think>",  # DeepSeek, Qwen, GLM and most others
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<seed:think>": "</seed:think>",  # Seed-OSS
    "◁think▷": "◁/think▷",  # Kimi-VL
    "[THINK]": "[/THINK]",  # Magistral
    "<|begin_of_thought|>": "<|end_of_thought|>",  # Sky-T1
    "<unused94>thought": "<unused95>",  # MedGemma
    "<|channel|>analysis<|message|>": "<|end|>",  # gpt-oss
    "<|channel|>commentary<|message|>": "<|end|>",
}
"""What opens a thought, and what closes it."""

_OPEN = re.compile("|".join(map(re.escape, _CLOSING)))
_ENDS = sorted(set(_CLOSING.values()) - {"<|end|>"})
_CLOSE = re.compile("|".join(map(re.escape, _ENDS)))
_TURN = re.compile(r"\s*(?:<\|start\|>assistant)?")
_ANSWER = re.compile(r"\s*(?:(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>)?\s*")
"""What stands before a thought of gpt-oss, and between the last one and the answer."""

_OPENING_QUOTES = "\"'`“‘«„「『（([*_"
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_AFTER_A_WORD = tuple("\"'`”’»」』）)].,;:!?。，、；：！？")


def split_thoughts(text: str, *, apart: bool = False) -> tuple[str, str]:
    """Return what the model thought before it answered, without its marks, and the answer.

    ``apart``: reasoning came beside the text, so that none in it was opened by a template.

    >>> split_thoughts("An owl, then.\\n</think>\\n\\nThe owl.")
    ('An owl, then.\\n', 'The owl.')
    >>> split_thoughts("The mark </think> ends a thought.")
    ('', 'The mark </think> ends a thought.')
    """
    thoughts, rest = [], text
    if end := _end_of_prefilled(text, apart=apart):
        thoughts, rest = [text[: end.start()]], text[end.end() :]
    while opened := _OPEN.match(rest, _start(rest)):
        thought, _, rest = rest[opened.end() :].partition(_CLOSING[opened[0]])
        thoughts.append(thought)
    if not thoughts:
        return "", text
    answer = _ANSWER.match(rest)
    return "".join(thoughts), rest[answer.end() :] if answer else rest


def _start(text: str) -> int:
    turn = _TURN.match(text)
    return turn.end() if turn else 0


def _end_of_prefilled(text: str, *, apart: bool) -> re.Match[str] | None:
    """The mark that closes a thought which the template has opened; with ``apart`` only one that nothing precedes."""
    if not any(mark in text for mark in _ENDS):  # in most answers; ten times as fast as the pattern
        return None
    close = _CLOSE.search(text)
    if close is None or is_mentioned(text, close):
        return None
    before = text[: close.start()]
    return None if _OPEN.search(before) or (apart and before.strip()) else close


def is_mentioned(text: str, mark: re.Match[str]) -> bool:
    """Whether a mark in ``text`` is spoken of: a word in a sentence, quoted, or in code."""
    start, end = mark.span()
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if line.count("`") % 2 or text.count("```", 0, start) % 2:
        return True
    rest = text[end : end + 40].partition("\n")[0]
    unquoted = line.rstrip(_OPENING_QUOTES)
    if unquoted == line and line.rstrip().endswith(_SENTENCE_ENDS) and not rest.strip():
        return False
    if line.strip() and (not unquoted or unquoted[-1].isspace()):  # a word before it, as in a sentence
        return True
    if rest.startswith(_AFTER_A_WORD):
        return True
    if rest[:1].isspace() and rest.lstrip()[:1].islower():
        return True
    return _is_spaceless(line[-1:]) and _is_spaceless(rest[:1])


def _is_spaceless(letter: str) -> bool:
    """Whether it is a letter of a script that knows no case, and mostly no spaces between words."""
    return letter.isalpha() and letter.lower() == letter.upper()
