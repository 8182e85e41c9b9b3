"""The refiner: a raw answer of any model comes in; an article and its question-answer pairs go out.

    >>> from contextvqa_async.refiner import refine
    >>> refine("The owl is a bird.\\n\\nQ: What is the animal?\\nA: a bird").as_dict()
    {'context': 'The owl is a bird.', 'qas': [{'question': 'What is the animal?', 'answer': 'a bird'}]}

Rule: pure, total and linear: no text raises, and none takes more than time in proportion to its length.
"""

from __future__ import annotations

from contextvqa_async.refiner.refinement import refine
from contextvqa_async.refiner.stream import PairCounter, Refiner

__all__ = ["PairCounter", "Refiner", "refine"]
