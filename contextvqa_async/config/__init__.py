"""What the user chose: values that are checked where they are made, so that a wrong one stops a run before it begins.

    groups      Generation, Limits, Reading, Saving, Cost: one class for each station, one field for each option
    endpoint    Endpoint: an address, the model there, and which key may go there
    checked     how a value is checked: its kind, and its bounds

Rule: a wrong value is refused by its option's name, before anything is read or paid for. An option has one name in all
places: the field ``stall_timeout`` is the flag ``--stall-timeout``, the keyword of ``run_async()``, the key of a TOML
file and the variable ``CVQA_STALL_TIMEOUT``.
"""

from __future__ import annotations

from contextvqa_async.config.checked import OptionKind, check_kind, flag
from contextvqa_async.config.endpoint import DEFAULT_BASE_URL, DEFAULT_MODEL, Endpoint, find_api_key
from contextvqa_async.config.groups import Cost, Generation, Limits, Reading, RetryFailed, Saving

__all__ = [
    "DEFAULT_BASE_URL",
    "DEFAULT_MODEL",
    "Cost",
    "Endpoint",
    "Generation",
    "Limits",
    "OptionKind",
    "Reading",
    "RetryFailed",
    "Saving",
    "check_kind",
    "find_api_key",
    "flag",
]
