"""Context-based VQA data from images, by way of any OpenAI-compatible vision-language model.

    records ─► images ─► prompt ─► client ─► refiner ─► sink
    (JSONL,     (bytes →   (payload   (stream,   (text →    (append by id,
     JSON …)     base64)    bytes)     retry)     pairs)     durable)

Names are loaded at first use (PEP 562), so that ``import contextvqa_async`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextvqa_async.api import run_async, stream_async
    from contextvqa_async.errors import CvqaError, Kind, RecordError, RunError, UsageError
    from contextvqa_async.items import (
        Advanced,
        Event,
        Failure,
        FailureClass,
        Finished,
        Notice,
        Pair,
        Paused,
        Refined,
        Row,
        Settled,
        Started,
        Summary,
    )
    from contextvqa_async.refiner import Refiner, refine

__version__ = "0.1.0"

__all__ = [
    "Advanced",
    "CvqaError",
    "Event",
    "Failure",
    "FailureClass",
    "Finished",
    "Kind",
    "Notice",
    "Pair",
    "Paused",
    "RecordError",
    "Refined",
    "Refiner",
    "Row",
    "RunError",
    "Settled",
    "Started",
    "Summary",
    "UsageError",
    "refine",
    "run_async",
    "stream_async",
]

_HOMES = {
    "api": ("run_async", "stream_async"),
    "errors": ("CvqaError", "Kind", "RecordError", "RunError", "UsageError"),
    "items": (
        "Advanced",
        "Event",
        "Failure",
        "FailureClass",
        "Finished",
        "Notice",
        "Pair",
        "Paused",
        "Refined",
        "Row",
        "Settled",
        "Started",
        "Summary",
    ),
    "refiner": ("Refiner", "refine"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
