"""The refiner: a raw answer of any model comes in; an article and its question-answer pairs go out.

    >>> from contextvqa_async.refiner import refine
    >>> refine("The owl is a bird.\\n\\nQ: What is the animal?\\nA: a bird").as_dict()
    {'context': 'The owl is a bird.', 'qas': [{'question': 'What is the animal?', 'answer': 'a bird'}]}

    refinement     both ways to read an answer, and what a run may count of it
    survey         the common ways, at a glance: signs, plain, template, runs
    reading        all others, line by line
        unwrap     what stands around the answer: turns, markup, tags, inline
        data       what programs write: loosejson, looseyaml, keys
        taught     labels that no table knows, from the text itself
        lines      each line's evidence: labels, languages, phrases, tables
        splits     lines that hold more than one thing: answered, enumerated, alike, told, options
        scanner    stretches of pairs: regions, stretch, machine (the state machine's table stands there)
        article    what says that an article follows; context, chatter: its prose
        tidy       finished pairs
    stream         the same of a text that grows

Rule: pure, total and linear: no text raises, and none takes more than time in proportion to its length.
"""

from __future__ import annotations

from contextvqa_async.refiner.refinement import refine
from contextvqa_async.refiner.stream import PairCounter, Refiner

__all__ = ["PairCounter", "Refiner", "refine"]
