"""What went wrong with one request: a provider's words → its kind, and what follows from it. Pure.

error_body  an error's body in any provider's shape ─► message, codes, parameters
table       host, status, code, type, message, in this order of trust ─► Fault
fault       the value: kind, verdict, and the facts that go into the failed file
"""

from contextvqa_async.faults.error_body import ErrorBody, parse_json, read_error, request_id
from contextvqa_async.faults.fault import MESSAGE_LENGTH, Fault, Verdict
from contextvqa_async.faults.table import classify, obey_should_retry

__all__ = [
    "MESSAGE_LENGTH",
    "ErrorBody",
    "Fault",
    "Verdict",
    "classify",
    "obey_should_retry",
    "parse_json",
    "read_error",
    "request_id",
]
