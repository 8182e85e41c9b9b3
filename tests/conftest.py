"""What every test file shares."""

import math
import threading
from collections.abc import Iterator

import anyio.from_thread
import pytest

from contextvqa_async.simulator import SimulatorOptions, serve


@pytest.fixture
def anyio_backend() -> str:
    """aiofiles and aiohttp are asyncio's, and so are we."""
    return "asyncio"


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """The address of a simulated server that knows no waiting, in a thread of its own."""
    ready, urls = threading.Event(), list[str]()

    def tell(url: str) -> None:
        urls.append(url)
        ready.set()

    with anyio.from_thread.start_blocking_portal() as portal:
        serving = portal.start_task_soon(serve, SimulatorOptions(speed=math.inf), "127.0.0.1", 0, tell)
        assert ready.wait(10)
        yield urls[0]
        serving.cancel()
