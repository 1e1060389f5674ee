from collections.abc import AsyncIterator

import pytest_asyncio

from tests.faults.place import Place, place


@pytest_asyncio.fixture(scope="session")
async def broken_place() -> AsyncIterator[Place]:
    """One for the whole folder: its servers are started again by whoever kills them."""
    async with place() as made:
        yield made
