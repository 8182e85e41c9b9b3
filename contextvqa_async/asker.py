"""Record → Completion: admission, then the images, then the request. What a worker of the line does with a record.

Rule: an image is read and encoded only once its record may be asked, and its bytes are counted from before they are
read until the answer is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from contextvqa_async import images
from contextvqa_async.admission import Admission
from contextvqa_async.client import Client
from contextvqa_async.errors import RecordError
from contextvqa_async.inflight import ByteBudget
from contextvqa_async.items import Completion, Image, Record
from contextvqa_async.pacing import wait_hint
from contextvqa_async.prompt import build_messages, prompt_of
from contextvqa_async.settings import Settings
from contextvqa_async.threads import Threads

Tell = Callable[[str], None]
TellSeconds = Callable[[float], None]
TellTokens = Callable[[int | None, int | None], None]

MEGABYTE = 1_000_000

_LIGHT_CLAIM = 3 * images.LIGHT
"""Claimed while a record's images are weighed, and read where they are light: their bytes, and the same in base64."""


class Asker:
    """Asks for records one by one or many at once; made by :meth:`open`."""

    def __init__(self, settings: Settings, source: Path | None, admission: Admission, client: Client) -> None:
        self.settings = settings
        self._admission = admission
        self._client = client
        self._roots = images.image_roots(settings.reading, source)
        self._threads = Threads()
        self._memory = ByteBudget(int(settings.limits.max_inflight_mb * MEGABYTE))
        self._prompt = prompt_of(settings.generation)
        self._fetch: images.Fetcher | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        source: Path | None,
        *,
        on_notice: Tell,
        on_pause: TellSeconds,
        on_retry: Tell,
        on_tokens: TellTokens,
    ) -> AsyncIterator[Asker]:
        """Everything that asking needs; relative image paths are looked up beside ``source``."""
        async with AsyncExitStack() as stack:
            if settings.simulate:
                settings = settings.at(await stack.enter_async_context(_simulator()))
            labels = [endpoint.label for endpoint in settings.endpoints]
            streams = not settings.generation.no_stream
            admission = Admission(labels, settings.limits, streams=streams, on_notice=on_notice, on_pause=on_pause)
            client = await stack.enter_async_context(
                Client(
                    settings.endpoints,
                    settings.generation,
                    settings.limits,
                    admission,
                    on_notice=on_notice,
                    on_retry=on_retry,
                    on_tokens=on_tokens,
                )
            )
            asker = cls(settings, source, admission, client)
            if settings.reading.inline_urls:
                allowed = settings.reading.allow_private_urls
                fetcher = images.Fetcher(allow_private=allowed, threads=asker._threads, wait_hint=wait_hint)
                asker._fetch = await stack.enter_async_context(fetcher)
            yield asker

    def end_of_records(self) -> None:
        """Tell that no more records will be asked for."""
        self._admission.end_of_records()
        self._client.end_of_records()

    def stop(self) -> None:
        """Let no further request start; who waits for one is Withdrawn."""
        self._admission.stop()
        self._client.wake()

    async def ask(self, record: Record) -> Completion:
        """Return the answer; raises RecordError, RunError, or Withdrawn where a stop came first."""
        weight = images.Weight()
        with self._memory.claim() as claim:

            async def prepare() -> Sequence[bytes]:
                nonlocal weight
                await claim.take(_LIGHT_CLAIM)
                weight = await self.weigh(record, light=images.LIGHT)
                loaded = weight.loaded
                if loaded is None:
                    claim.shrink(0)  # before asking for more: who holds nothing blocks nobody
                    await claim.take(weight.size)
                    loaded = tuple([await self._load(ref) for ref in record.images])
                claim.shrink(weight.size)
                generation = self.settings.generation
                return build_messages(record, loaded, system_prompt=generation.system_prompt, prompt=self._prompt)

            try:
                return await self._client.complete(prepare)
            except RecordError as error:
                error.stamp = weight.stamp
                raise

    async def weigh(self, record: Record, *, light: int = 0) -> images.Weight:
        """How large the record's images are, what tells whether they changed, and the images where they are light."""
        reading = self.settings.reading
        return await images.weigh(record.images, roots=self._roots, reading=reading, threads=self._threads, light=light)

    async def _load(self, ref: str | bytes) -> Image:
        reading = self.settings.reading
        return await images.load_image(
            ref, roots=self._roots, reading=reading, threads=self._threads, fetch=self._fetch
        )


def _simulator() -> AbstractAsyncContextManager[str]:
    from contextvqa_async.simulator import Simulator

    return Simulator()
