"""The stack's own secrets, made on the first run and kept for as long as its data."""

import secrets
from collections.abc import Callable
from pathlib import Path

from portal.local.room import write_private

MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "PII_KEYS": lambda: f"k1:{secrets.token_hex(32)}",
    "PII_INDEX_KEYS": lambda: f"i1:{secrets.token_hex(32)}",
    "KAVENEGAR_API_KEY": lambda: secrets.token_hex(32),
    "KAVENEGAR_PUSH_SECRET": lambda: secrets.token_urlsafe(32),
    "LOCAL_PASSWORD": lambda: secrets.token_hex(24),  # of the embedded PostgreSQL and Valkey
}


def own_keys(path: Path, *, needed_by: Path) -> dict[str, str]:
    """Read the kept secrets; make the missing ones, but never new keys for data that old keys sealed."""
    if not path.exists() and needed_by.exists():
        raise SystemExit(
            f"{path} is gone, and the data beside it is unreadable without it: put it back, or `make reset`"
        )
    kept = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line) if path.exists() else {}
    missing = {name: make() for name, make in MAKERS.items() if name not in kept}
    if missing:
        kept |= missing
        write_private(path, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return kept
