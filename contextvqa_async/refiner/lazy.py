"""A regular expression comes in; a pattern goes out that is compiled when it is first used.

Rule: most answers need few of the refiner's patterns, and one with signs of other scripts costs a millisecond or more
to compile (all of them: 60 ms at import).
"""

from __future__ import annotations

import re
from typing import Any, cast

METHODS = ("match", "search", "fullmatch", "finditer", "findall", "split", "sub", "subn", "pattern")


class LazyPattern:
    """A regular expression that is compiled at its first use: the pattern's methods then replace the look-up."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._written = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(name)
        compiled = re.compile(*self._written)
        self.__dict__.update({method: getattr(compiled, method) for method in METHODS})
        return self.__dict__[name]


def lazy(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern that costs nothing until it is used.

    >>> lazy("[a-c]+").sub("", "abacus")
    'us'
    """
    return cast("re.Pattern[str]", LazyPattern(pattern, flags))
