"""The refiner: a raw answer of any model comes in; an article and its question-answer pairs go out.

    >>> from contextvqa_async.refiner import refine
    >>> refine("The owl is a bird.\\n\\nQ: What is the animal?\\nA: a bird").as_dict()
    {'context': 'The owl is a bird.', 'qas': [{'question': 'What is the animal?', 'answer': 'a bird'}]}

    refinement         the fast path, or else the reading line by line; what a run may count of an answer
    fast               shortcuts for the commonest ways of writing an answer; they change no result
    reading            any answer, line by line:
        unwrap             what stands around the answer: turns, markup, tags, inline
        data               what programs write: loosejson, looseyaml, values, keys
        learned_labels     labels that no table knows, from the text itself
        lines              each line's evidence: labels, numbers, headings, languages, phrases, sentences, tables
        splits             lines that hold more than one thing: inner_labels, same_line, enumerated, commands,
                           quoted_pairs, choices
        scanner            stretches of pairs: relabel, regions, stretch, tokens, asked, machine (a state machine)
        article            what says that an article follows; context, chatter: its prose
        tidy               finished pairs
    stream             how many pairs a text that still grows holds so far

Rule: pure, total and linear: no text raises, and none takes more than time in proportion to its length.
"""

from __future__ import annotations

from contextvqa_async.refiner.refinement import refine
from contextvqa_async.refiner.stream import Refiner

__all__ = ["Refiner", "refine"]
