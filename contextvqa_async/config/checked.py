"""A value that the user chose comes in; it passes, or is refused by its option's name before anything is paid for.

Rule: an option's help text and bounds stand beside its default, its kind is its annotation, and all are read here.
"""

from __future__ import annotations

import math
import os
from dataclasses import field, fields
from typing import Any

from contextvqa_async.errors import UsageError


def option(default: Any, text: str, *, least: float | None = None, above: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "least": least, "above": above})


def flag(name: str) -> str:
    """The command-line spelling of an option's name."""
    return "--" + name.replace("_", "-")


class Checked:
    """Refuses a value of another kind than its field's, and a number outside the bounds beside its default."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for option in fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            least, above = option.metadata.get("least"), option.metadata.get("above")
            if value is not None and (least, above) != (None, None):
                _check_bounds(option.name, value, least, above)
            check_kind(option.name, value, str(option.type))


def _check_bounds(name: str, value: object, least: float | None, above: float | None) -> None:
    wanted = f"a number of at least {least:g}" if least is not None else f"a number above {above:g}"
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (least is not None and value < least) or (above is not None and value <= above):  # type: ignore[operator]
        raise UsageError(f"{flag(name)} must be {wanted}, not {value!r}.")


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "True or False"),
    "int": ((int,), "a whole number of at most 64 bits"),  # more than JSON's writers carry
    "float": ((int, float), "a number"),
    "str": ((str,), "a text"),
    "str | os.PathLike[str]": ((str, os.PathLike), "a path"),
}


def check_kind(name: str, value: object, kind: str) -> None:
    """UsageError where ``value`` is not of the annotation ``kind``: half a --limit would never be reached."""
    plain = kind.removesuffix(" | None")
    if plain not in _KINDS or (value is None and plain != kind):
        return
    types, wanted = _KINDS[plain]
    fits = isinstance(value, types) and isinstance(value, bool) == (plain == "bool")
    if not fits or (plain == "int" and not -(2**63) <= value < 2**63):  # type: ignore[operator]
        raise UsageError(f"{flag(name)} must be {wanted}, not {value!r}.")
    if plain == "str":
        _check_text(name, value)


def _check_text(name: str, value: Any) -> None:
    """UsageError for what a terminal that is not UTF-8 makes of other bytes: no request can carry it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{flag(name)} is no valid UTF-8: {value[:80]!r}.") from None
