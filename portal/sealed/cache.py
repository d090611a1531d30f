"""Cache keys under HMAC: rate limits are kept by address, and an address must not stand in a key."""

import hmac

from .keys import index_keys


def keyed(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION."""
    return f"{key_prefix}:{version}:{hmac.digest(index_keys('cache')[0], str(key).encode(), 'sha256').hex()}"
