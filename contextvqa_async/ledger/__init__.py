"""What outputs hold: what is in one, whether it accounts for an input, and how several become one. No model is asked.

status   output ─► counts                        reads only, also while a run is writing
verify   output, input ─► where they disagree    reads only
merge    outputs ─► one output                   or nothing
"""

from contextvqa_async.ledger.merging import Merged, merge
from contextvqa_async.ledger.status import Status, status
from contextvqa_async.ledger.verifying import Discrepancy, Verified, verify

__all__ = ["Discrepancy", "Merged", "Status", "Verified", "merge", "status", "verify"]
