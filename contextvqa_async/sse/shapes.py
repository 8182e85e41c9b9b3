"""The shapes that a chunk's parts come in: what a server wrote in, its text or its reason out. Pure.

Rule: whatever stands in a part's place is read for what it holds, and nothing in it raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

_FINISH = {
    "stop": "stop eos eos_token end_turn stop_sequence complete completed finish_reason_stop",
    "length": "length max_tokens max_output_tokens model_length model_context_window_exceeded incomplete",
    "content_filter": "content_filter content_filtered sensitive safety recitation blocklist prohibited_content spii"
    " image_safety refusal guardrail_intervened content-filter",
    "error": "error abort aborted network_error insufficient_system_resource malformed_response",
    "tool_calls": "tool_calls function_call tool_use tool_call malformed_function_call unexpected_tool_call",
}
FINISH_REASONS = {word: reason for reason, words in _FINISH.items() for word in words.split()}
"""Every provider's word for how an answer ended, and ours; an unknown word is kept as it is."""

_NO_REASON = frozenset({"", "null", "none", "nil", "undefined"})
"""Ways of writing down that there is no finish reason yet."""


def is_error(chunk: Mapping[str, Any]) -> bool:
    """Errors that are not under ``error``: flat, FastAPI's, and those of native APIs."""
    if "choices" in chunk and chunk.get("object") != "error":
        return False
    message = chunk.get("message")
    marked = chunk.get("object") == "error" or chunk.get("type") == "error" or bool(chunk.get("code"))
    return (bool(message) and marked) or bool(chunk.get("detail")) or bool(chunk.get("errors"))


def get(value: object, key: str) -> Any:
    """A key of what may be no object."""
    return value.get(key) if isinstance(value, dict) else None


def read_reason(told: object) -> str | None:
    """A finish reason, or None in any spelling."""
    return str(told) if told and str(told).strip().lower() not in _NO_REASON else None


def join_messages(messages: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The messages that make up an answer without deltas: the last, where they grow from one to the next, or all."""
    texts = {
        index: text for index, message in enumerate(messages) if (text := split_content(message.get("content"))[0])
    }
    steps = [after.startswith(before) for before, after in pairwise(texts.values())]
    if steps.count(True) * 2 < len(steps):  # a piece may happen to begin with the one before
        return messages
    return [messages[max(texts)]] if texts else messages[-1:]


def first_text(delta: Mapping[str, Any], *keys: str) -> str:
    """The first of these keys that holds a text."""
    return next((value for key in keys if isinstance(value := delta.get(key), str) and value), "")


def split_content(content: object) -> tuple[str, str]:
    """A content's text and thinking: a string, or a list of parts."""
    if isinstance(content, str):
        return content, ""
    parts = content if isinstance(content, list) else [content] if isinstance(content, dict) else []
    text, thought = "", ""
    for part in parts:
        if isinstance(part, str):
            text += part
        elif isinstance(part, dict):
            inner = "".join(split_content(part.get("thinking") or part.get("reasoning")))
            thought += inner
            text += "" if inner else first_text(part, "text")
    return text, thought


def mended(text: str) -> str:
    """Join surrogates that were cut apart by an event's end; those that stay alone become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
