"""Bytes of a response → the answer in them, or the fault that it is. Pure: no sockets, no clock.

decoder    bytes, however cut ─► lines ─► events
template   the shape of a stream's events, learnt and proven: text without parsing
shapes     the odd forms of a chunk's parts ─► texts and reasons
answer     events ─► text, counts, and the last word
"""

from contextvqa_async.sse.answer import Answer
from contextvqa_async.sse.decoder import Decoder, TooLong

__all__ = ["Answer", "Decoder", "TooLong"]
