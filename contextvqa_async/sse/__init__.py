"""Bytes of a response → the answer in them, or the fault that it is. Pure: no sockets, no clock.

decoder    bytes, however cut ─► lines ─► events          (wire quirks F-*)
template   the shape of a stream's events, learnt and proven: text without parsing
shapes     the odd forms of a chunk's parts ─► texts and reasons
answer     events ─► text, counts, and the last word      (C-*, E-20 to E-24)
"""

from contextvqa_async.sse.answer import Answer
from contextvqa_async.sse.decoder import Decoder, TooLong

__all__ = ["Answer", "Decoder", "TooLong"]
