"""A record's request → its Completion: the one station that knows httpx.

client       which endpoint, how often, when to stop ─► Completion, RecordError or RunError
endpoint     one endpoint: address, headers, parameters; and one record's attempts
exchange     one request under its deadlines         ─► an answer or a fault
response     one response's status, headers and body ─► an answer or a fault
transport    httpx over aiohttp: bodies, TLS, proxies
connections  which connection a request gets
wire         one attempt's connection, and the deadlines that abort it
dialect      parameters that an endpoint refuses, learnt once a run      pure
masking      secrets in messages ─► asterisks                            pure
proxies      the environment's proxy variables ─► one address's proxy    pure
inflate      compressed bytes ─► plain ones, bounded                     pure
trouble      what httpx and aiohttp raise ─► faults                      pure
"""

from contextvqa_async.client.client import Client

__all__ = ["Client"]
