"""Where records end: rows and failures → two JSONL files by id, durable in groups, resumable after any crash.

    open:   lock (place.py) ─► sidecar ─► rows (healed, indexed) ─► failed file     opening.py
    choose: identity ─► new? done? failed for good? named before?                   index.py
    append: queue ─► in the file ─► one fdatasync for a group ─► on_commit          writer.py
    close:  drain ─► what was replaced or settled goes ─► unlock                    sink.py

One door: :class:`Sink`.
"""

from contextvqa_async.sink.sink import Counts, Sink

__all__ = ["Counts", "Sink"]
