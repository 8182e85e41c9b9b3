"""A text comes in; the characters that make it more than plain English go out, each once.

Rule: one pass over the text says which of the steps to come have nothing to look for.
"""

from __future__ import annotations

COMMON = bytes(byte for byte in range(128) if chr(byte).isalnum() or chr(byte) in " \n,.;:!?()-/%#")


def uncommon(text: str) -> set[str]:
    """The characters of a text but for ASCII letters, digits and the commonest signs of English.

    >>> sorted(uncommon("Owls — *small* ones — hunt."))
    ['*', '—']
    """
    rest = text.encode("utf-8", "surrogatepass").translate(None, COMMON)
    return set(rest.decode("utf-8", "surrogatepass"))
