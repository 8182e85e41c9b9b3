"""A value that the user chose comes in; it passes, or is refused by its option's name before anything is paid for.

Rule: an option's kind, help text and bounds stand beside its default. They are checked here, and the command line reads
the same kinds.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from contextvqa_async.errors import UsageError

OptionKind = type | tuple[str, ...]
"""What a value is: bool, int, float, str, Path (a text will do), Mapping (a JSON object), or one of a tuple's words."""

_KINDS: Mapping[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "True or False"),
    int: ((int,), "a whole number of at most 64 bits"),  # more than JSON's writers carry
    float: ((int, float), "a number"),
    str: ((str,), "a text"),
    Path: ((str, os.PathLike), "a path"),
    Mapping: ((Mapping,), "a JSON object"),
}


def option(
    default: Any, text: str, kind: OptionKind | None = None, *, least: float | None = None, above: float | None = None
) -> Any:
    """A field that is an option. Its kind is the default's unless given; where the default is None, None is allowed."""
    kind = kind or type(default)
    if not isinstance(kind, tuple) and kind not in _KINDS:
        raise TypeError(f"no option can be of the kind {kind!r}")
    return field(default=default, metadata={"help": text, "kind": kind, "least": least, "above": above})


def flag(name: str) -> str:
    """The command-line spelling of an option's name."""
    return "--" + name.replace("_", "-")


class Checked:
    """Refuses a value of another kind than its option's, and a number outside the bounds beside its default."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for option in fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            least, above = option.metadata["least"], option.metadata["above"]
            if value is not None and (least, above) != (None, None):
                _check_bounds(option.name, value, least, above)
            if value is not None or option.default is not None:
                check_kind(option.name, value, option.metadata["kind"])


def _check_bounds(name: str, value: object, least: float | None, above: float | None) -> None:
    wanted = f"a number of at least {least:g}" if least is not None else f"a number above {above:g}"
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (least is not None and value < least) or (above is not None and value <= above):  # type: ignore[operator]
        raise UsageError(f"{flag(name)} must be {wanted}, not {value!r}.")


def check_kind(name: str, value: object, kind: OptionKind) -> None:
    """UsageError where ``value`` is of another kind: half a --limit would never be reached."""
    if isinstance(kind, tuple):
        if value not in kind:
            raise UsageError(f"{flag(name)} must be {', '.join(kind[:-1])} or {kind[-1]}, not {value!r}.")
        return
    types, wanted = _KINDS[kind]
    fits = isinstance(value, types) and isinstance(value, bool) == (kind is bool)
    if not fits or (kind is int and not -(2**63) <= value < 2**63):  # type: ignore[operator]
        shown = "" if kind is Mapping else f", not {value!r}"  # an object may be long
        raise UsageError(f"{flag(name)} must be {wanted}{shown}.")
    if kind is str:
        _check_text(name, value)


def _check_text(name: str, value: Any) -> None:
    """UsageError for what a terminal that is not UTF-8 makes of other bytes: no request can carry it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{flag(name)} is no valid UTF-8: {value[:80]!r}.") from None
