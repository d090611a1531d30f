"""The same with a million customers; `make bench-large` alone runs it."""

from typing import Any

from tests.benchmarks import lookup


def run() -> dict[str, Any]:
    return lookup.run(1_000_000)
