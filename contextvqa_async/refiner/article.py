"""The lines outside the pairs come in; those that say that an article follows, and what stands under each, go out.

Rule: a label says it once, and the same label may say it again; a title is no prose, a section's heading is.
"""

from __future__ import annotations

from functools import cache

from contextvqa_async.refiner.chatter import opens
from contextvqa_async.refiner.labels import lowered
from contextvqa_async.refiner.languages import column
from contextvqa_async.refiner.limits import TITLE_MAX
from contextvqa_async.refiner.lines import ARTICLE, HEAD, Line
from contextvqa_async.refiner.sentences import bulk, ended


@cache
def sections() -> frozenset[str]:
    """Words that head a section of an article as well as the article."""
    return column("sections")


def is_section(line: Line) -> bool:
    """Whether a heading is one of those that sections have."""
    return lowered(line.body).strip(" :") in sections()


def article_labels(lines: list[Line], part: tuple[int, int]) -> list[int]:
    """Lines that say that an article follows; in the middle of prose only those that say it like the first."""
    found: list[int] = []
    paragraphs = 0
    in_prose = False
    for at in range(*part):
        line = lines[at]
        if line.kind == "blank":
            continue
        if line.mark == ARTICLE or (line.label is not None and not line.sealed and says_article(line)):
            again = bool(found) and _same(lines[found[0]], line)
            if in_prose and not again and (_counted(line) or _section(line)):
                continue
            sure = line.mark == ARTICLE or _strong(line)
            if sure or (not paragraphs and not found) or again:
                found.append(at)
        elif line.kind != "text":
            continue
        elif not paragraphs and bulk(line.words) > (100 if line.words[-1:] == "." else 160) and not opens(line.words):
            paragraphs += 1
        in_prose = in_prose or (
            line.kind == "text" and line.style == "text" and line.label is None and not opens(line.words)
        )
    return found


def _counted(line: Line) -> bool:
    """Whether a heading may be one of many inside an article, as ``Article 2`` is in a treaty."""
    return line.label is not None and line.label.number is not None and "wiki" not in line.label.word


def says_article(line: Line) -> bool:
    """Whether a line's label says that an article follows."""
    label = line.label
    if line.kind != "text" or label is None or label.kind != "article":
        return False
    if label.sign in {"colon", "last"}:
        return (
            label.sign == "colon" or line.decor == "head" or line.bold or len(label.word) > 3 or label.word > "\u2e80"
        )
    if label.sign == "mark" or (label.sign == "dash" and line.rest[:1].isupper()):
        return bool(line.rest) and label.number is None
    return label.sign == "brackets" or line.decor == "head" or bool(line.bolds)


def _strong(line: Line) -> bool:
    word = line.label.word if line.label else ""
    return (line.decor == "head" or line.bold or "wiki" in word) and ("wiki" in word or not line.rest)


def _section(line: Line) -> bool:
    """Whether a heading says what a section of an article may be called as well."""
    return line.decor == "head" and line.label is not None and line.label.word in sections()


def _same(one: Line, other: Line) -> bool:
    return bool(one.label and other.label) and one.label.word == other.label.word and one.decor == other.decor  # type: ignore[union-attr]


def under_labels(lines: list[Line], part: tuple[int, int], labelled: list[int]) -> list[list[Line]]:
    """The blocks under each label of a stretch."""
    starts = [at for at in labelled if part[0] <= at < part[1]]
    blocks: list[list[Line]] = []
    for at, start in enumerate(starts):
        stop = starts[at + 1] if at + 1 < len(starts) else part[1]
        blocks.append(_labelled_block(lines[start:stop]))
    return blocks


def _labelled_block(block: list[Line]) -> list[Line]:
    """A label's block: the words on the label's own line are the title, or the prose begins there."""
    head, body = block[0], block[1:]
    end = next((at for at, line in enumerate(body) if line.kind == "end"), None)
    if end is not None:
        body = body[:end]
    rest = head.rest if head.is_label("article") else (head.words if head.mark == ARTICLE else "")
    if rest in {"|", ">", "|-", ">-"}:
        rest = ""
    titled = head.decor == "head" or head.bold
    rest = _unquoted(rest)
    if rest and not titled and not _title_like(rest, body):
        return [Line("text", words=rest, body=rest), *body]
    return untitled(body, already=bool(rest), same=rest)


def _unquoted(rest: str) -> str:
    """A label's words without the quotes around all of them, as a file of data has them."""
    whole = len(rest) > 20 and rest[0] == rest[-1] == '"' and '"' not in rest[1:-1].replace('\\"', "")
    return rest[1:-1].replace('\\"', '"') if whole else rest


def _title_like(rest: str, body: list[Line]) -> bool:
    """Whether the words after a label name the article rather than begin it."""
    if len(rest) > TITLE_MAX or (ended(rest) and not rest.endswith((".)", "?", "!"))):
        return False
    return any(line.kind == "text" and bulk(line.words) > (30 if ended(line.words) else 60) for line in body[:6])


def untitled(block: list[Line], *, already: bool = False, same: str = "") -> list[Line]:
    """A block without its title line, if it begins with one."""
    at = next((at for at, line in enumerate(block) if line.kind not in {"blank", "rule"}), None)
    if at is None:
        return block
    line = block[at]
    if line.is_label("title") and line.rest and not already:
        return untitled(block[at + 1 :], already=True, same=line.rest)
    if already:
        return block[at + 1 :] if same and _repeats(line, same) else block[at:]
    follows = next((later for later in block[at + 1 :] if later.kind == "text"), None)
    if follows is None or not _names(line, follows, block[at + 1] if at + 1 < len(block) else None):
        return block[at:]
    return untitled(block[at + 1 :], already=True, same=line.body)


def _repeats(line: Line, title: str) -> bool:
    """Whether a line is the title once more, or a second title that begins with it."""
    words, title = lowered(line.body).strip(" :*"), lowered(title).strip(" :*")
    titled = (line.decor == "head" or line.bold) and len(words) <= TITLE_MAX
    return words == title or (titled and words.startswith(title))


def _names(line: Line, follows: Line, after: Line | None) -> bool:
    """Whether a first line is the article's title."""
    if (
        line.kind != "text"
        or len(line.words) > TITLE_MAX
        or line.decor in {"bullet", "item"}
        or line.mark not in {"", HEAD}
    ):
        return False
    if is_section(line):
        return False
    if line.decor == "head" or line.bold:
        return True
    if follows.pairs_head:
        return False
    apart = after is not None and after.kind in {"blank", "rule"}
    return not ended(line.words) and len(line.words) < 90 and (apart or bulk(follows.words) > 160)
