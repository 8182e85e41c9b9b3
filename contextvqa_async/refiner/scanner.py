"""All lines come in; the stretches that hold pairs go out, each with what was read in it.

Rule: look ahead before deciding. A numbered question is a pair's only if an answer follows in the manner of its
neighbours; a heading is one over pairs only if pairs follow; a dialogue quoted in an article is prose.
"""

from __future__ import annotations

from contextvqa_async.refiner.asked import Asked
from contextvqa_async.refiner.chatter import closes, opens
from contextvqa_async.refiner.lazy import lazy
from contextvqa_async.refiner.limits import ANNOUNCEMENT_MAX, ANSWER_MAX, LABELLED_MAX, QUESTION_MAX, SHORT_ANSWER_MAX
from contextvqa_async.refiner.lines import ARTICLE, QUESTION, TERM, Line
from contextvqa_async.refiner.regions import Region, label_kind, look_ahead, next_words, speaks
from contextvqa_async.refiner.relabel import relabel
from contextvqa_async.refiner.same_line import split_command, split_question
from contextvqa_async.refiner.sentences import asks, bulk
from contextvqa_async.refiner.stretch import Stretch

SENTENCES = lazy(r"[^\W\d_]{2}[.!][\"”’)]?\s|[。！][\"”’」）]?(?!$)")


class Scanner:
    """Reads stretches of pairs out of lines."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        relabel(lines)
        self.ahead = look_ahead(lines)

    def regions(self) -> list[Region]:
        """Every stretch that could hold pairs, in order."""
        found: list[Region] = []
        at, anchored = 0, False
        while at < len(self.lines):
            line = self.lines[at]
            if (line.pairs_head or (line.is_label("pair") and not line.rest)) and not line.sealed:
                anchored = True
            elif self.starts(at, anchored):
                region, stop = self.scan(at, anchored)
                if region.pairs and anchored:
                    self._commanded(region)
                if region.pairs:
                    found.append(region)
                anchored, at = False, max(stop, at + 1)
                continue
            elif line.kind == "text" and anchored and len(line.words) >= ANNOUNCEMENT_MAX:
                anchored = False
            at += 1
        return found

    def _commanded(self, region: Region) -> None:
        """Take in the pair right before a stretch, whose question is a command, if it is written as the others are."""
        before = [at for at in range(max(0, region.start - 4), region.start) if self.lines[at].kind == "text"]
        lines, first = [self.lines[at] for at in before], self.lines[region.start]
        if lines and split_question(first, first.body) and self._alike(lines[-1], first):
            if split := split_command(lines[-1], lines[-1].body):
                region.lead_with(Asked(split[0], None, [split[1]]), before[-1])
        elif len(lines) > 1 and first.style in {"bold", "head"} and self._alike(lines[-2], first):
            asked, said = lines[-2].body, lines[-1]
            if asked.endswith(".") and said.style == "text" and len(said.body) < ANSWER_MAX:
                region.lead_with(Asked(asked, None, [said.body]), before[-2])

    @staticmethod
    def _alike(line: Line, first: Line) -> bool:
        """Whether a line looks as the first question does, and is no heading over it."""
        return line.style == first.style and line.label is None and not line.pairs_head

    def starts(self, at: int, anchored: bool) -> bool:
        """Whether a question may begin here."""
        line = self.lines[at]
        if line.kind == "data":
            return True
        if line.kind != "text" or line.mark == ARTICLE or line.sealed:
            return False
        if line.mark in {QUESTION, TERM}:
            return line.mark == QUESTION or line.asks or self.ahead.kind[at] == "answer"
        if line.label is not None:
            if line.label.kind == "question" and self._is_labelled_prose(at):
                return False
            if line.label.kind == "question":
                return not line.label.plural or bool(line.rest)
            return line.label.kind == "pair" and len(line.rest) > 8
        return self._asks_bare(at, anchored)

    def _is_labelled_prose(self, at: int) -> bool:
        """Whether a labelled line is prose: sentences that ask nothing, no answer to them, and pairs further on."""
        line = self.lines[at]
        sentences = line.rest[-1:] == "." and (". " in line.rest or '" ' in line.rest) and not line.asks
        return sentences and self.ahead.kind[at] in {"question", "break", "data"}

    def _dotted(self, at: int) -> bool:
        """Whether the next line of words is several sentences, no answer to an item of a list."""
        after = next_words(self.lines, at)
        return after is not None and len(after.rest) > 60 and ". " in after.rest

    @staticmethod
    def _is_prose(line: Line) -> bool:
        """Whether a line without any look of its own is more than one sentence."""
        return line.style == "text" and SENTENCES.search(line.body) is not None

    def _asks_bare(self, at: int, anchored: bool) -> bool:
        """Whether a line without a label looks like a question that an answer follows."""
        line = self.lines[at]
        if (
            len(line.body) > QUESTION_MAX
            or not line.body
            or (line.style == "text" and bulk(line.body) > ANSWER_MAX and not line.asks)
        ):
            return False
        if (
            self.ahead.kind[at] == "answer"
            and not self.ahead.gap[at]
            and (
                line.asks
                or (anchored and not self._is_prose(line))
                or ((line.decor or line.bold) and not self._dotted(at))
            )
        ):
            return True
        if line.asks:
            return line.style != "text" or len(line.body) < ANSWER_MAX
        decorated = line.style != "text"
        if not (decorated or anchored):
            return False
        split = split_question(line, line.body)
        if split and (decorated or anchored) and split[2] in {"sign", "brackets", "space"}:
            return anchored or line.decor != "item" or line.number in {0, 1, None}
        if anchored and split and line.style in {"item", "bullet", "text"}:
            return line.style != "text" or bool(line.bolds)
        return anchored and line.decor == "item" and line.number == 1 and len(line.body) < ANSWER_MAX

    def scan(self, start: int, anchored: bool) -> tuple[Region, int]:
        """Read pairs from ``start`` on, until something ends them; the region, and the line that ended it."""
        first = self.lines[start]
        labelled = bool(label_kind(first)) or first.is_label("pair")
        region = Region(
            start,
            start,
            "label" if labelled else first.style,
            labelled=labelled,
            anchored=anchored,
            quoted=first.quoted,
            first=first.number,
            key=self._key(first),
        )
        reader = Stretch(self.lines, self.ahead, region, first)
        at = start
        while at < len(self.lines) and not reader.ends(at):
            if reader.take(at):
                region.end = at + 1
            at += 1
        reader.answer_first()
        region.pairs = reader.machine.pairs()
        region.unanswered = len(reader.machine.asked) - len(region.pairs)
        return region, at

    @staticmethod
    def _key(line: Line) -> str:
        """How a question looks: the word of its label, whether that has a number, and its decoration."""
        if line.kind == "data" and line.label is None:
            return "data"
        label = line.label
        return f"{label.word}{'#' if label.number is not None else ''}" if label else line.style


def choose(regions: list[Region], lines: list[Line]) -> list[Region]:
    """The stretches that hold the pairs, without decoys."""
    real = [region for region in regions if _credible(region, lines)]
    real = [region for region in real if not speaks(lines[region.start])] or real
    if not real:
        return []
    main = _main(real)
    real = [region for region in real if region is main or not _quoted(region, main, lines)]
    anchored = [region for region in real if region.anchored]
    if anchored:
        return _behind_heading(real, anchored, lines)
    labelled = [region for region in real if region.labelled or region.answers]
    kept = labelled or real
    if len(kept) < 2:
        return [region for region in kept if len(region.pairs) > 1 or not _amid(region, len(lines), lines)]
    main = _main(kept)
    kept = [region for region in kept if not _amid_before(region, main, lines)]
    return [region for region in kept if _like(region, main) or len(region.pairs) * 2 > len(main.pairs)]


def _main(regions: list[Region]) -> Region:
    """The stretch that holds most pairs, and is no quotation if any is none."""
    return max(regions, key=lambda region: (not region.quoted, len(region.pairs)))


def _quoted(region: Region, main: Region, lines: list[Line]) -> bool:
    """Whether a stretch is what the article quotes: before the main one, at most half as long, and with prose in it or
    behind it, or with a heading over other pairs behind it."""
    between = lines[region.end : main.start]
    if region.start >= main.start or len(region.pairs) * 2 > len(main.pairs) or _labels_article(between):
        return False
    long = any(bulk(asked.answer) > ANSWER_MAX // 2 for asked in region.pairs)
    headed = not _like(region, main) and any(line.pairs_head for line in between)
    return long or headed or _prose(lines, region.end, main.start)


def _labels_article(lines: list[Line]) -> bool:
    return any(line.mark == ARTICLE or line.is_label("article") for line in lines)


def _behind_heading(real: list[Region], anchored: list[Region], lines: list[Line]) -> list[Region]:
    """Where a heading stands over pairs, what looks like pairs in the prose before it is prose."""
    first = anchored[0]
    kept: list[Region] = []
    for region in real:
        if region.start < first.start:
            if (region.labelled and not _prose(lines, region.end, first.start) and not region.quoted) or (
                _like(region, first) and not _prose(lines, 0, region.start)
            ):
                kept.append(region)
        elif (
            region.anchored
            or _like(region, first)
            or region.labelled
            or (not any(kept_region.labelled for kept_region in kept) and not _prose(lines, kept[-1].end, region.start))
        ):
            kept.append(region)
    return kept


def _prose(lines: list[Line], start: int, stop: int) -> bool:
    return any(line.kind == "text" and bulk(line.words) > 80 and not _announces(line) for line in lines[start:stop])


def _announces(line: Line) -> bool:
    """Whether a line is no prose, but only announces what follows or says farewell."""
    return len(line.words) < ANNOUNCEMENT_MAX and (
        opens(line.words) or closes(line.words) or line.words.endswith((":", "："))
    )


def _amid(region: Region, stop: int, lines: list[Line]) -> bool:
    """Whether a stretch stands in the middle of the prose before a line: a dialogue, or a pair that it quotes."""
    return _prose(lines, 0, region.start) and _prose(lines, region.end, stop)


def _amid_before(region: Region, main: Region, lines: list[Line]) -> bool:
    """Whether a stretch stands in the middle of the article to which the main one belongs."""
    before = region.start < main.start and not _labels_article(lines[region.end : main.start])
    return before and _amid(region, main.start, lines)


def _like(one: Region, other: Region) -> bool:
    return one.key == other.key and one.quoted == other.quoted


def _credible(region: Region, lines: list[Line]) -> bool:
    """Whether a stretch proves itself: labels do, a heading does, bare questions must be several and answers short."""
    if not region.pairs or _rambles(region):
        return False
    if region.labelled and (region.answers or region.key == "data"):
        return True
    sizes = sorted(bulk(asked.answer) for asked in region.pairs)
    if sizes[len(sizes) // 2] > (LABELLED_MAX if region.labelled else ANSWER_MAX):
        return False
    if region.anchored or region.answers:
        return True
    if region.labelled:
        return sum(asks(asked.question) for asked in region.pairs) * 2 > len(region.pairs)
    if region.style == "item" and region.first not in {0, 1, None}:
        return False
    if region.style == "text":
        return len(region.pairs) > 2 or (
            len(region.pairs) == 2 and sizes[-1] < SHORT_ANSWER_MAX and _last(region, lines)
        )
    return len(region.pairs) > 1 or (len(lines) < 12 and sizes[0] < SHORT_ANSWER_MAX)


def _rambles(region: Region) -> bool:
    """Whether a stretch is but one question, and prose behind it."""
    most = LABELLED_MAX if region.answers else ANSWER_MAX
    return region.key != "data" and len(region.pairs) == 1 and bulk(region.pairs[0].answer) > most


def _last(region: Region, lines: list[Line]) -> bool:
    """Whether nothing but a farewell follows a stretch."""
    return not any(line.kind == "text" and not closes(line.words) for line in lines[region.end :])
