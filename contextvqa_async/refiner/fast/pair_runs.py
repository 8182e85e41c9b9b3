"""Text from its first question on comes in; a run of pairs goes out, if each is written as the first one is.

Rule: the first pair is the template of all others. Words that hold a sign of anything more are read as every line is;
where that finds more, there is no run.
"""

from __future__ import annotations

from dataclasses import dataclass

from contextvqa_async.refiner.fast.pair_template import Lead, PairTemplate, answer_lead, question_lead, template_at
from contextvqa_async.refiner.fast.plain_words import (
    LINE_MAX,
    SHORT_LINE_MAX,
    behind_label,
    close_answer,
    close_question,
    closely,
    in_bold,
    plain_answer,
    plain_question,
)
from contextvqa_async.refiner.stretch import TAIL

TRIES = 4
"""A text with more beginnings of runs than this holds no run worth looking for: each costs time in proportion to it."""
LineWords = tuple[str, str]
"""A line, and the words of its question or answer."""


@dataclass(frozen=True, slots=True)
class PairRun:
    """Pairs in a row; ``neat``: there is nothing to tidy in them; ``end`` is where the text goes on behind them."""

    pairs: list[tuple[str, str]]
    form: str
    neat: bool
    end: int


def run_of_pairs(text: str, at: int) -> PairRun | None:
    """The run of pairs that begins with the line at a place, if one does."""
    written = template_at(text, at)
    if written is None:
        return None
    pairs: list[tuple[str, str]] = []
    neat, end, plain = True, len(text), written.plain
    for line, asked, rough_asked, below, said, rough_said, rest in written.find()(text, at):
        if rest:
            end -= len(rest)
            break
        sure = asked != "" and said != ""
        pair: tuple[str, ...] = (asked, said) if plain and sure else ()
        pair = pair or _read(written, (line, asked or rough_asked), (below, said or rough_said), sure=sure)
        if not pair:
            return None
        pairs.append((pair[0], pair[1]))
        neat = neat and sure and "  " not in asked and "  " not in said
    form = "labels" if written.asked.label else "numbered"
    return PairRun(pairs, form, neat, end) if _proven(written, pairs) else None


def last_run(text: str) -> tuple[int, PairRun] | None:
    """The last run of labelled pairs in a text, and where it begins; a lone pair is none.

    >>> start, run = last_run("Owls.\\n\\nQ: Who?\\nA: Bob\\n\\nQ: Where?\\nA: Oslo\\n")
    >>> start, run.pairs
    (7, [('Who?', 'Bob'), ('Where?', 'Oslo')])
    """
    last, before = None, ""
    at = end = tries = 0
    for raw in text.split("\n"):
        if raw and at >= end and len(raw) <= LINE_MAX and tries < TRIES and question_lead(raw):
            tries += 1
            run = run_of_pairs(text, at)
            if run is None or answer_lead(before):  # no pair as the others are, or one whose answer stands before it
                return None
            end, last = run.end, (at, run) if _stands_alone(text, run) else None
        at, before = at + len(raw) + 1, raw or before
    return last if tries < TRIES else None


def _stands_alone(text: str, run: PairRun) -> bool:
    """Whether a run needs no other proof, and no line goes on with its last answer."""
    after = text[run.end : run.end + 2]
    return run.form == "labels" and len(run.pairs) > 1 and after in {"", "\n", "\n\n"}


def _proven(written: PairTemplate, pairs: list[tuple[str, str]]) -> bool:
    """Whether pairs are a run: without labels it takes two of them, counted from one."""
    if not pairs or (written.joined and _torn(written.asked, pairs[-1][1])):
        return False
    return written.said.label is not None or (len(pairs) > 1 and written.asked.text[:2] in {"1.", "1)"})


def _torn(lead: Lead, answer: str) -> bool:
    """Whether the last answer, on its question's line, may end in the beginning of the next question's label."""
    tail = TAIL.search(answer)
    return tail is not None and lead.text.lstrip(" *-+•#0123456789.)").startswith(tail["word"])


def _read(written: PairTemplate, question_line: LineWords, answer_line: LineWords, *, sure: bool) -> tuple[str, ...]:
    """A pair that its labels alone do not prove, or whose words are not ``sure`` to hold no signs; none where its
    lines hold anything else."""
    if written.joined:
        return closely(question_line[0], "question", "answer")
    question = (_after_label if written.asked.label else _numbered)(written.asked, question_line, sure)
    answer = (_after_label if written.said.label else _bare)(written.said, answer_line, sure)
    if not question or not answer or (not written.asked.label and len(answer) >= SHORT_LINE_MAX):
        return ()
    return question, answer


def _after_label(lead: Lead, line_words: LineWords, sure: bool) -> str:
    line, words = line_words
    if in_bold(words, sure=sure) if lead.closing else (sure or behind_label(words)):
        asks = lead.label is not None and lead.label.kind == "question"
        return words if words[0].isalpha() or not asks else ""
    return "".join(closely(line, lead.label.kind)) if lead.label else ""


def _numbered(lead: Lead, line_words: LineWords, sure: bool) -> str:
    line, words = line_words
    single = words.find("?") == len(words) - 1 and words[0].isalpha()
    return words if single and plain_question(words, sure=sure) else close_question(line)


def _bare(lead: Lead, line_words: LineWords, sure: bool) -> str:
    """An answer without a label; a mere number could be the next question's, and a word before a colon a label that
    the text teaches."""
    line, words = line_words
    if (words.isdigit() and len(words) < 4) or ":" in words or "：" in words:
        return ""
    return words if plain_answer(words, sure=sure) else close_answer(line)
