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
    from contextvqa_async.errors import CvqaError, RecordError, RunError, UsageError
    from contextvqa_async.items import Pair, Refined
    from contextvqa_async.refiner import refine

__all__ = [
    "CvqaError",
    "Pair",
    "RecordError",
    "Refined",
    "RunError",
    "UsageError",
    "refine",
]

_HOMES = {
    "CvqaError": "errors",
    "Pair": "items",
    "RecordError": "errors",
    "Refined": "items",
    "RunError": "errors",
    "UsageError": "errors",
    "refine": "refiner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
