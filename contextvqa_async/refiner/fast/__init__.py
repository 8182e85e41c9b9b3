"""The fast path: shortcuts for the commonest ways of writing an answer. Skip this package on a first reading.

    whole_answer     a label or a title, paragraphs, a heading, pairs on lines of their own, a farewell: all at once
    pair_runs        pairs in a row that are written as the first of them is
    pair_template    how the first pair of a run is written
    plain_words      words that are read as they stand

Rule: the fast path changes no result, only the time. Where it answers, it says what reading line by line says (a test
compares the two); where it is not sure, it answers nothing. Without it, refining takes about twice as long.

The rest of the refiner uses the names below, and no others of this package.
"""

from __future__ import annotations

from contextvqa_async.refiner.fast.pair_runs import last_run
from contextvqa_async.refiner.fast.plain_words import is_plain
from contextvqa_async.refiner.fast.whole_answer import is_prose, read_fast

__all__ = ["is_plain", "is_prose", "last_run", "read_fast"]
