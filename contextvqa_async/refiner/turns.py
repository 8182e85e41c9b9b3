"""A raw completion comes in; the model's answer to the reader goes out: no echo of the prompt, no reasoning, no control
tokens, and no further turns that the model invented behind its own.

Rule: a turn is known by its token or its name, reasoning by its tag; what is only opened reaches to the end.
"""

from __future__ import annotations

import re

from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.thoughts import is_mentioned

TOKENS = lazy(
    r"<[|｜][^<>|｜\n]{0,60}[|｜]>|</?s>|<(?:bos|eos|pad|unk|(?:start|end)_of_(?:turn|utterance|text|sentence|image))>(?:model\n)?|\[/?INST\]"
)
TORN = lazy(r"<(?:[|｜][^<>\n]{0,40}|/[\w:-]{0,30})?$")
TORN_TAG = lazy(r"\s*<[a-z][\w:-]{0,30}$")
CHANNEL = lazy(r"<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>")
FINAL = lazy(r"<\|channel\|>\s*final[^<]*<\|message\|>")
USER = (
    r"(?:\[INST\]|<\|im_start\|>\s*(?:system|user)|<\|start_header_id\|>\s*(?:system|user)|<start_of_turn>\s*user"
    r"|<\|user\|>|<｜User｜>|(?:#{2,4} ?)?(?:USER|User|Human|HUMAN)\s?:"
    r"|#{2,4} ?(?:Instruction|Prompt|Input|User|Human)s?\b:?)"
)
SPOKEN = r"(?:^|(?<=\s))(?:ASSISTANT|Assistant)\s?:"
MODEL = (
    r"(?:\[/INST\]|<\|im_start\|>\s*assistant|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>"
    r"|<start_of_turn>\s*model|<\|assistant\|>|<｜Assistant｜>"
    rf"|{SPOKEN}"
    r"|^#{2,4} ?(?:Response|Assistant|Output)\b:?)"
)
TALK = lazy(SPOKEN)
AT_USER = rf"(?:\s|</?s>|<bos>|<\|begin_of_text\|>)*+{USER}"
AT_MODEL = rf"\s*+(?:{MODEL}|(?:assistant|ASSISTANT|Assistant)\s*\n)\s*"
ECHO = lazy(AT_USER)
REPLY = lazy(MODEL, re.MULTILINE)
ROLE = lazy(AT_MODEL)
TURN = lazy(rf"(?:<\|im_end\|>|<\|eot_id\|>|<end_of_turn>|</s>|<\|end\|>|<\|endoftext\|>)\s*(?:<s>\s*)?{USER}")
NAMES = (
    r"think|thinking|thought|thoughts|reasoning|reason|reflection|analysis|scratchpad|inner_monologue|seed:think"
    r"|internal_reasoning|planning|plan"
)
THINK_OPEN = lazy(
    rf"<(?P<tag>{NAMES})(?:\s[^<>]*+)?>|(?P<moon>◁think▷)|(?P<mistral>\[THINK\])|(?P<begin><\|begin_of_thought\|>)|(?P<gem><unused94>thought)",
    re.IGNORECASE,
)
THINK_CLOSE = lazy(rf"</(?:{NAMES})\s*>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<unused95>", re.IGNORECASE)
CLOSES = {"moon": "◁/think▷", "mistral": "[/THINK]", "begin": "<|end_of_thought|>", "gem": "<unused95>"}
DETAILS = lazy(r"<details[^<>]*+>\s*<summary>(?P<summary>[^<]*+)</summary>", re.IGNORECASE)
THOUGHT = (
    r"\s*+[*#_ ]*+(?i:(?:Thinking|Thoughts?|Reasoning|Analysis)(?: process)?[*_ ]*+[:：]|Let(?: me|'s| us) think\b)"
)
ALOUD = lazy(THOUGHT)
FINALLY = lazy(
    r"^[*#_ \t]*+Final (?:Answer|Output|Response|Reply|Result)[*_ ]*+[:：]?+[*_ \t]*+$", re.IGNORECASE | re.MULTILINE
)
"""Reasoning in plain words, and the line that ends it."""
TURNS = lazy(rf"{AT_USER}|{AT_MODEL}|{THOUGHT}")


def begins_with_turn(text: str) -> bool:
    """Whether a text begins with a turn's name or with thinking aloud."""
    return TURNS.match(text) is not None


def without_reasoning(text: str) -> str:
    """The text without reasoning in tags, and without control tokens.

    >>> without_reasoning("<think>Draft. Q: what?</think>The owl.<|im_end|>")
    'The owl.'
    """
    if "<" not in text and "◁" not in text and "THINK]" not in text:
        return text
    text = _tokens(unreason(text))
    text = text[:-60] + TORN.sub("", text[-60:])
    return text[:-60] + TORN_TAG.sub("", text[-60:]) if "</" in text else text


def final_answer(text: str) -> str:
    """The text behind ``Final answer:``, where it begins with thinking aloud."""
    final = FINALLY.search(text) if ALOUD.match(text) else None
    return text[final.end() :] if final else text


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


MOST_MENTIONS = 8
"""So many closing tags at the end are judged: each judgement looks at all that stands before its tag."""


def _after_close(text: str) -> str:
    """Reasoning whose opening was in the prompt: all before the last closing tag."""
    latest = list(THINK_CLOSE.finditer(text))[-MOST_MENTIONS:]
    last = next((mark for mark in reversed(latest) if not is_mentioned(text, mark)), None)
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


def reply(text: str) -> str:
    """The model's own turn: without the prompt that was echoed before it.

    >>> reply("USER: Write an article. ASSISTANT: The owl.")
    'The owl.'
    """
    if not begins_with_turn(text):
        return text
    echoed = ECHO.match(text) is not None and len(TALK.findall(text)) < 2
    start = REPLY.search(text) if echoed else ROLE.match(text)
    return text[start.end() :].lstrip() if start else text


def own_turn(text: str) -> str:
    """The text without turns that the model invented behind it.

    >>> own_turn("The owl.</s>USER: Thanks!")
    'The owl.'
    """
    turn = TURN.search(text)
    return text[: turn.start()] if turn else text


def _tokens(text: str) -> str:
    """No control tokens."""
    return TOKENS.sub("", text) if "<|" in text or "<｜" in text or TOKENS.search(text) else text
