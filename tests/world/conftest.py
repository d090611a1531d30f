"""The outside world for its own tests, and a client that is no client of the portal."""

from collections.abc import Iterator

import pytest

from tests.world.wire import Wire
from tests.world_client import World


@pytest.fixture(scope="session")
def outside() -> Iterator[World]:
    running = World().start()
    yield running
    running.stop()


@pytest.fixture
def outer(outside: World) -> World:
    """The running outside world with empty books."""
    outside.reset()
    return outside


@pytest.fixture
def wire(outer: World) -> Wire:
    return Wire(outer.url)
