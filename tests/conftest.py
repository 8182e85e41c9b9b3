"""What every test file shares."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """aiofiles and aiohttp are asyncio's, and so are we."""
    return "asyncio"
