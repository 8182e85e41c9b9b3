"""A record's request → its Completion: the one station that knows httpx.

asking      which endpoint, how often, when to stop ─► Completion, RecordError or RunError
exchange    one request under its deadlines         ─► an answer or a fault
transport   httpx over aiohttp: connections, bodies, deadlines that abort
dialect     parameters that an endpoint refuses, learnt once a run      pure
proxies     the environment's proxy variables ─► one address's proxy    pure
inflate     compressed bytes ─► plain ones, bounded                     pure
"""

from contextvqa_async.client.asking import Client

__all__ = ["Client"]
