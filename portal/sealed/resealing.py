"""The arithmetic of turning keys, in processes of their own that know the keys and nothing else of the portal."""

import hmac
from collections.abc import Callable
from typing import Any, NamedTuple

from cryptography.fernet import Fernet, InvalidToken

BINDING = 16  # bytes before the value (portal/sealed/fields.py)
BAD = -1  # no key opens this token


class Index(NamedTuple):
    """How a column's companion is made: its keys, newest first; the normaliser; what is kept of the HMAC."""

    keys: list[bytes]
    normalise: Callable[[str], str]
    tag: Callable[[bytes], Any]


class Found(NamedTuple):
    """What a token turned out to be: which key opens it, whether it is in its place, and its newest tag."""

    key: int
    is_moved: bool
    tag: Any


_boxes: dict[str, list[Fernet]] = {}
_indexes: dict[str, Index] = {}


def know(keys: dict[str, list[bytes]], indexes: dict[str, Index]) -> None:
    """Start of a process: Fernet keys by purpose, newest first, and the indexes by `table.column`."""
    _boxes.update({purpose: [Fernet(key) for key in each] for purpose, each in keys.items()})
    _indexes.update(indexes)


def again(purpose: str, tokens: list[str | None]) -> list[str | int | None]:
    """Each token under the newest key: a new one, None where it is so already, BAD where no key opens it."""
    return [None if token is None else _again(purpose, token) for token in tokens]


def _again(purpose: str, token: str) -> str | int | None:
    place, inside = _open(purpose, token)
    if place == BAD:
        return BAD
    # The time is 0, so that a dump does not say for whom keys were turned when.
    return None if place == 0 else _boxes[purpose][0].encrypt_at_time(inside, 0).decode()


def examine(purpose: str, values: list[tuple[str, str | None, bytes]]) -> list[Found | None]:
    """For each (`table.column`, token, binding) what it is; no value, nothing. An empty binding binds nothing."""
    return [None if token is None else _examine(purpose, column, token, binding) for column, token, binding in values]


def _examine(purpose: str, column: str, token: str, binding: bytes) -> Found:
    place, inside = _open(purpose, token)
    if place == BAD or not inside.startswith(binding):
        return Found(place, is_moved=place != BAD, tag=None)
    if not (index := _indexes.get(column)):
        return Found(place, is_moved=False, tag=None)
    normal = index.normalise(inside[BINDING:].rstrip(b"\0")[:-1].decode())
    tag = index.tag(hmac.digest(index.keys[0], normal.encode(), "sha256")) if normal else None
    return Found(place, is_moved=False, tag=tag)


def _open(purpose: str, token: str) -> tuple[int, bytes]:
    for place, box in enumerate(_boxes[purpose]):
        try:
            return place, box.decrypt(token)
        except InvalidToken:
            continue
    return BAD, b""
