"""A reference (path, URL, data URL or bytes) → the Image that goes into the request, or one record's failure.

    ref ─► weighing ─► loading: sources / fetch (bytes) ─► headers (plain?) ─┬─ yes ─► base64
           (memory)                                                          └─ no ──► recoding (pillow) ─► base64

weighing    what a record's images will take of the memory, and the light ones at once
loading     one reference → its Image
sources     paths, file: and data: URLs → bytes
fetch       http(s) URLs → bytes, for --inline-urls
headers     the first bytes → format, size, and whether the picture can be sent as it is
recoding    any other picture → a plain JPEG or PNG
"""

from __future__ import annotations

from contextvqa_async.images.fetch import Fetcher
from contextvqa_async.images.loading import image_roots, load_image
from contextvqa_async.images.sources import MAX_BYTES
from contextvqa_async.images.weighing import LIGHT, Weight, weigh

__all__ = ["LIGHT", "MAX_BYTES", "Fetcher", "Weight", "image_roots", "load_image", "weigh"]
