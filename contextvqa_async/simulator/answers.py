"""A picture and a prompt → the text a simulated model writes, the same each time.

Rules: pure but for the decoder; the picture's colours choose the subject, a hash of picture and prompt everything
else. A picture unlike any in the table is given a subject by its hash.
"""

from __future__ import annotations

import hashlib
import io
import math
import random
from dataclasses import dataclass

from contextvqa_async.simulator.layouts import LAYOUTS, Article
from contextvqa_async.simulator.subjects import PEOPLE, PLACES, REGIONS, SEASONS, SOCIETIES, SUBJECTS, Subject

_GRID = 4
_FAR = 45.0
"""Root mean square distance of colours beyond which a picture is like none in the table."""

_PATCH = 28 * 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the simulator sees of one picture: its colours in a 4 x 4 grid, and how many tokens it counts for."""

    look: bytes
    tokens: int


class UnreadableError(Exception):
    """The bytes are no picture."""


def see(data: bytes) -> Sight:
    """Decode a picture; raises UnreadableError."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            tokens = max(1, image.width * image.height // _PATCH)
            image.draft("RGB", (64, 64))
            grid = image.convert("RGB").resize((_GRID, _GRID), Image.Resampling.BOX)
    except Exception as error:  # decoders raise anything
        raise UnreadableError(str(error)) from None
    return Sight(look=grid.tobytes(), tokens=tokens)


def seed_of(pictures: list[bytes], prompt: str) -> int:
    """One number for a picture and a prompt."""
    digest = hashlib.blake2b(prompt.encode("utf-8", "replace"), digest_size=8)
    for picture in pictures:
        digest.update(picture)
    return int.from_bytes(digest.digest())


def answer(sight: Sight | None, seed: int) -> str:
    """Write the article and its pairs, in a layout that the seed chooses."""
    rng = random.Random(seed)
    subject = _recognise(sight, rng)
    layout = rng.choice(LAYOUTS)
    return layout(_write(subject, rng))


def _recognise(sight: Sight | None, rng: random.Random) -> Subject:
    anything = rng.choice(SUBJECTS)
    if sight is None:
        return anything
    nearest = min(SUBJECTS, key=lambda subject: _distance(subject.look, sight.look))
    return nearest if _distance(nearest.look, sight.look) <= _FAR else anything


def _distance(a: bytes, b: bytes) -> float:
    return math.dist(a, b) / math.sqrt(len(a))


def _write(subject: Subject, rng: random.Random) -> Article:
    person, second = rng.sample(PEOPLE, 2)
    year = rng.randint(*subject.years)
    later = year + rng.randint(8, 30)
    facts = {
        "place": rng.choice(PLACES),
        "region": rng.choice(REGIONS),
        "person": person,
        "second": second,
        "society": rng.choice(SOCIETIES),
        "season": rng.choice(SEASONS),
        "year": year,
        "later": later,
        "last": later + rng.randint(15, 50),
        "count": rng.randint(112, 890),
        "span": rng.randint(12, 48),
        "small": rng.randint(4, 11),
    }
    paragraphs = tuple(paragraph.format(**facts) for paragraph in subject.article)
    pairs = [(question.format(**facts), reply.format(**facts)) for question, reply in subject.pairs]
    chosen = sorted(rng.sample(range(len(pairs)), rng.randint(5, len(pairs))))
    return Article(paragraphs=paragraphs, pairs=tuple(pairs[index] for index in chosen))
