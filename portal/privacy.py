"""How an app states what it holds about a person: `HOLDS` in its privacy.py."""

from typing import NamedTuple


class Held(NamedTuple):
    """Why a field is held and how long it is kept, in words that the policy's reader understands."""

    why: str
    keep: str
