"""Lengths in characters by which words are told apart: an answer from prose, a title from a sentence.

Rule: a limit that several files share stands here, so that it has one value; one that a single file needs stands there.
"""

from __future__ import annotations

ANSWER_MAX = 240
"""No answer seen that carries no label is longer; prose between pairs that is longer ends a stretch of them."""
LABELLED_MAX = 400
"""An answer that is labelled, or whose question is, may be longer than one that is not, but not longer than this."""
SHORT_ANSWER_MAX = 60
"""Answers that no label and no heading announces prove pairs only if they are shorter."""
QUESTION_MAX = 400
"""A question without a label is shorter; so is what stands before an answer's label inside a line."""
QUOTED_ANSWER_MAX = 100
"""An answer inside a line of prose, or behind a label that no table knows, is shorter."""
TITLE_MAX = 120
"""An article's title is no longer."""
ANNOUNCEMENT_MAX = 200
"""A line that only announces what follows is shorter; a longer one between a heading and pairs is prose."""
LEAD_MAX = 300
"""A line that leads over to the pairs, and speaks of them, is no longer."""
PREAMBLE_MAX = 500
"""A preamble, or an apology that goes on to an article, is no longer."""
FAREWELL_MAX = 600
"""A farewell, an offer or a remark on the pairs is no longer."""
