"""How a run ends before its input does: reasons in, three events of growing haste out.

    draining    nothing further is read or asked; each answer in flight has its own deadlines
    hurried     somebody waits for the end: the answers in flight have ``GRACE_SECONDS``
    now         the answers in flight are dropped

Rule: an answer in flight is paid for, so only a person's or a batch system's wish, or an output that takes no more
rows, drops it. The first reason is the one that is reported.
"""

from __future__ import annotations

import anyio

from contextvqa_async.errors import CvqaError, Kind, RunError

GRACE_SECONDS = 30.0
"""How long answers in flight are awaited once somebody waits for the end. Batch systems kill after about as long."""


class Stop:
    """Ends one run early. A reason of the run's own drains it; a person's wish hurries it, and the second ends it.

    ``hint``: what a person may do where draining takes long, as the end of a notice.
    """

    def __init__(self, hint: str = "") -> None:
        self.hint = hint
        self.reason: str | None = None
        self.exit_code = 0
        self.kind: Kind | None = None
        self.fault: Exception | None = None
        """What the caller's own code raised (its source, its callback); raised again when all is drained."""
        self.unstarted: anyio.CancelScope | None = None
        """What the run does before it asks for anything (an earlier output is read): cancelled by a stop."""
        self.draining = anyio.Event()
        self.hurried = anyio.Event()
        self.now = anyio.Event()

    def request(self, reason: str, exit_code: int) -> None:
        """Stop because a person or a batch system asks: the first time within ``GRACE_SECONDS``, then at once."""
        if self.hurried.is_set():
            self.now.set()
        self.end(reason, exit_code)
        self.hurried.set()

    def end(self, reason: str, exit_code: int = 3, kind: Kind | None = None) -> None:
        """End the run for a reason of its own; every answer in flight may still arrive."""
        if not self.draining.is_set():
            self.reason, self.exit_code, self.kind = reason, exit_code, kind
            self.draining.set()
            if self.unstarted is not None:
                self.unstarted.cancel()

    def abort(self, error: RunError) -> None:
        """End the run because nothing more can succeed, or nothing more can be stored."""
        self.end(str(error), kind=error.kind)
        if error.kind is Kind.CONNECTION:  # an outage longer than the user allows: what is in flight hangs in it
            self.hurried.set()
        if not error.keeps:
            self.hurried.set()
            self.now.set()

    def fail(self, fault: Exception) -> None:
        """End the run because the caller's own code raised; what is paid for still arrives, and then it is raised."""
        self.fault = self.fault or fault
        self.end(str(fault) if isinstance(fault, CvqaError) else f"{type(fault).__name__}: {fault}")
