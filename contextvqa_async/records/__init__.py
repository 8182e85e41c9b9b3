"""What is read: JSONL, a JSON array, a folder of images, stdin or an iterable → Records, in constant memory.

    source ─► pieces ─► identities ─► chosen? ─► parsed ─► Record, or a Failure for what is none
    (blocks)            (unparsed)    (the sink)

One door: :func:`read_records`.
"""

from contextvqa_async.records.choice import Chooser, TakeAll
from contextvqa_async.records.position import Position
from contextvqa_async.records.reader import Source, check_source, read_records

__all__ = ["Chooser", "Position", "Source", "TakeAll", "check_source", "read_records"]
