"""One running portal for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.base import Storm


@pytest.fixture(scope="session")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    folder: Path = tmp_path_factory.mktemp("storm")
    storm = Storm(folder)
    storm.start()
    storm.have_customers()
    yield storm
    storm.stop()


@pytest.fixture(autouse=True)
def calm(storm: Storm) -> None:
    """Each begins with empty books outside and nothing left to send."""
    storm.begin()
