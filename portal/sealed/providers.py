"""Where key lists come from when not from the environment: `PII_KEYS_PROVIDER=portal.sealed.providers.from_file`.

A provider for a vault or a cloud's key service is a function of the same shape: the setting's name in, the list out
(`k2:<64 hex> k1:<64 hex>`, newest first). It is asked once a process, at start; never for a value.
"""

import os
from pathlib import Path


def from_file(setting: str) -> str:
    """The content of the file that `<SETTING>_FILE` names, as systemd's LoadCredential and Vault's agent write it.

    Raises PermissionError when anybody but its owner may read it, OSError and KeyError when it is not there.
    """
    path = Path(os.environ[f"{setting}_FILE"])
    if path.stat().st_mode & 0o077:
        raise PermissionError("others may read this file")
    return path.read_text(encoding="utf-8").strip()
