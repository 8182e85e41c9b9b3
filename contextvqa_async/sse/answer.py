"""One answer as it grows: parsed chunks in, at its end text and counts, or the fault that it is. Pure.

Rule: no chunk is believed to be well-formed; unknown keys are ignored, and the last word is spoken once, at the end
: an error inside the stream beats everything, a finish reason beats a cut, and a stream that has
neither a finish reason nor ``[DONE]`` is truncated, however much text came. A finish reason that text came after
was none; the next one proves nothing without ``[DONE]``, or the end of a body that says how long it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contextvqa_async.errors import Kind
from contextvqa_async.faults import ErrorBody, Fault, Verdict, classify, read_error
from contextvqa_async.sse.shapes import (
    FINISH_REASONS,
    first_text,
    get,
    is_error,
    join_messages,
    mended,
    read_reason,
    split_content,
)
from contextvqa_async.thoughts import split_thoughts


class Answer:
    """What an answer's chunks have told so far; ``length``: characters of its text and its reasoning.

    ``doubted``: text came after a finish reason; ``ended``: its body came to the end that it had announced.
    """

    __slots__ = (
        "_closed",
        "_messages",
        "_reasoning",
        "_text",
        "done",
        "doubted",
        "ended",
        "error",
        "events",
        "finish",
        "length",
        "model",
        "oddities",
        "refusal",
        "request_id",
        "thought",
        "tools",
        "usage",
    )

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._messages: list[Mapping[str, Any]] = []
        self._closed = False
        self.done = False
        self.doubted = False
        self.ended = False
        self.error: object = None
        self.events = 0
        self.finish: str | None = None
        self.length = 0
        self.model = ""
        self.oddities: set[str] = set()
        self.refusal = ""
        self.request_id: str | None = None
        self.thought = False
        self.tools = False
        self.usage: Mapping[str, Any] | None = None

    # What comes in.

    def add_text(self, text: str) -> None:
        """Take a piece of the answer itself."""
        if text:
            self._take_back_finish()
            self._text.append(text)
            self.length += len(text)

    def add_reasoning(self, text: str) -> None:
        """Take a piece of what the model thought before it answered."""
        if text:
            self._take_back_finish()
            self._reasoning.append(text)
            self.length += len(text)
            self.thought = True

    def _take_back_finish(self) -> None:
        """The answer goes on: a finish reason that came before was not its end."""
        if self.finish is not None and not self._closed:
            self.finish, self.doubted = None, True

    def fail(self, error: object) -> None:
        """Take an error that came inside the answer: an object, or words; the first one counts."""
        if self.error is None:
            self.error = error

    def take(self, chunk: object) -> bool:
        """Take one event's object; return whether it brought the answer forward (a ping or a role does not)."""
        if isinstance(chunk, list):
            return sum(self.take(item) for item in chunk if isinstance(item, dict)) > 0
        if not isinstance(chunk, dict):
            return False
        choices = chunk.get("choices")
        self.events += choices is not None
        if chunk.get("error") or (not choices and is_error(chunk)):
            self.fail(chunk)
            return True
        if not self.model and isinstance(model := chunk.get("model"), str):
            self.model = model
        for usage in (chunk.get("usage"), get(chunk.get("x_groq"), "usage")):
            if isinstance(usage, dict) and usage:
                self.usage = usage
        return isinstance(choices, list) and self._take_choices(choices)

    def _take_choices(self, choices: list[Any]) -> bool:
        ours = [choice for choice in choices if isinstance(choice, dict) and choice.get("index") in (None, 0, "0")]
        if len(choices) > 1 or not ours:
            self.oddities.update(["several_choices"] if choices else [])
        return bool(ours) and self._take_choice(ours[0])

    def _take_choice(self, choice: Mapping[str, Any]) -> bool:
        if isinstance(usage := choice.get("usage"), dict) and usage:
            self.usage = usage
        if choice.get("error"):
            self.fail(choice)
        moved = self._take_delta(choice.get("delta"))
        if isinstance(message := choice.get("message"), dict):
            moved = True
            if not self._text:  # else it repeats what came piece by piece
                if split_content(message.get("content"))[0]:
                    self._take_back_finish()
                self._messages.append(message)
        if (reason := read_reason(choice.get("finish_reason"))) and self.finish is None:
            self.finish, moved = reason, True
        return moved

    def _take_delta(self, delta: object) -> bool:
        if not isinstance(delta, dict):
            return False
        text, thought = split_content(delta.get("content"))
        reasoning = first_text(delta, "reasoning_content", "reasoning") or thought
        if text:
            self.add_text(text)
        if reasoning:
            self.add_reasoning(reasoning)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self.refusal += refusal
        if called := bool(delta.get("tool_calls") or delta.get("function_call")):
            self.tools = True
        return bool(text or reasoning or refusal or called)

    def holds_only(self, *, text: str = "", reasoning: str = "") -> bool:
        """Whether this is all that was ever told, before :meth:`close`."""
        told = (self.done, self.error, self.finish, self.oddities, self.refusal, self.tools, self.usage, self._messages)
        return not any(told) and ("".join(self._text), "".join(self._reasoning)) == (text, reasoning)

    # What it comes to.

    @property
    def whole(self) -> bool:
        """Whether it came as one message, not piece by piece."""
        return bool(self._messages)

    @property
    def begun(self) -> bool:
        """Whether anything of it was generated: it may be charged for."""
        return bool(any(self._text) or self.thought or self.refusal or self.tools or self._messages)

    @property
    def complete(self) -> bool:
        """Whether the answer said that it is over; usage, [DONE] or the end of the body may still come."""
        return self.done or (self.finish is not None and not self.doubted)

    def close(self) -> None:
        """Settle what only the end can tell: whole messages in place of deltas, and thoughts inside the text."""
        self._closed = True
        if not self._text:
            for message in join_messages(self._messages):
                self._take_delta(message)
        thoughts, text = split_thoughts("".join(self._text), apart=self.thought)
        self.add_reasoning(thoughts)
        self._text = [mended(text)]

    @property
    def text(self) -> str:
        """The answer without its reasoning, after :meth:`close`."""
        return "".join(self._text)

    @property
    def finish_reason(self) -> str | None:
        """The finish reason in our words."""
        return None if self.finish is None else FINISH_REASONS.get(self.finish.lower(), self.finish)

    def tokens(self, *path: str) -> int | None:
        """A count out of the usage, read defensively."""
        value: object = self.usage
        for key in path:
            value = get(value, key)
        if isinstance(value, str | float) and not isinstance(value, bool):
            try:
                value = int(float(value))
            except (ValueError, OverflowError):
                return None
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of the request."""
        told = self.tokens("prompt_tokens")
        return self.tokens("input_tokens") if told is None else told

    @property
    def completion_tokens(self) -> int | None:
        """Tokens of the answer, its reasoning included."""
        told = self.tokens("completion_tokens")
        return self.tokens("output_tokens") if told is None else told

    @property
    def told_tokens(self) -> tuple[int | None, int | None]:
        """Tokens of the request and of the answer."""
        return self.prompt_tokens, self.completion_tokens

    @property
    def reasoning_tokens(self) -> int | None:
        """Tokens spent on thinking, wherever the provider counts them."""
        nested = self.tokens("completion_tokens_details", "reasoning_tokens")
        return self.tokens("reasoning_tokens") if nested is None else nested

    def warnings(self) -> tuple[str, ...]:
        """What was odd about an answer that is good all the same."""
        odd = set(self.oddities)
        if self.finish is None:
            odd.add("no_finish_reason")
        elif self.finish.lower() not in FINISH_REASONS:
            odd.add("unknown_finish_reason")
        if self.tools:
            odd.add("tool_calls")
        return tuple(sorted(odd))

    def fault(self, host: str = "", hint: Callable[[str], float | None] = lambda _: None) -> Fault | None:
        """The verdict, once the answer ended and is closed: None is a success.

        ``hint`` reads from an error's words how many seconds it asks to wait.
        """
        if self.error is not None:
            return _inner_fault(self.error, host, hint)
        for kind, verdict, message, tries in self._endings():
            return Fault(kind=kind, verdict=verdict, message=message, status=200, tries=tries, code=self.finish)
        return None

    def _endings(self) -> Iterable[tuple[Kind, Verdict, str, int | None]]:
        reason, text = self.finish_reason, self.text.strip()
        over = self.done or (reason is not None and (self.ended or not self.doubted))
        if reason == "error":
            yield Kind.SERVER, Verdict.TRANSIENT, f"The endpoint broke the answer off: {self.finish}.", None
        if reason == "content_filter":
            yield Kind.FILTERED, Verdict.RECORD, f"The provider's filter stopped the answer: {self.finish}.", None
        if not over:
            words = "The answer broke off: neither a finish reason nor [DONE] came."
            yield Kind.TRUNCATED, Verdict.TRANSIENT, words, None
        if text:
            return
        if self.refusal:
            yield Kind.REFUSED, Verdict.RECORD, f"The model refused: {self.refusal[:200]}", None
        if reason == "length":
            spent = "on reasoning" if self.thought else "without a word of text"
            yield Kind.LENGTH, Verdict.RECORD, f"The token limit was spent {spent}.", None
        if reason == "tool_calls" or (self.tools and reason):
            yield Kind.TOOL_CALL, Verdict.RECORD, "The model called a tool instead of answering.", None
        yield Kind.EMPTY, Verdict.TRANSIENT, "The answer was empty.", 3


def _inner_fault(error: object, host: str, hint: Callable[[str], float | None]) -> Fault:
    told = ErrorBody(message=error, raw=error) if isinstance(error, str) else read_error(error)
    return classify(told, status=None, host=host, wait=hint(told.raw))
