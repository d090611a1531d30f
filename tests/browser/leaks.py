"""Looks for words wherever a portal could spill them: dump, Redis, queue, logs, files, temporary folders."""

import base64
import re
import subprocess
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import redis

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


def shapes(word: str) -> set[bytes]:
    """The bytes under which a word may hide: as it is, JSON- and URL-escaped, in other digits, in UTF-16."""
    persian = word.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    texts = {word, persian, unicodedata.normalize("NFKC", word), word.casefold()}
    found = set()
    for text in texts:
        escaped = text.encode("unicode_escape")
        found |= {
            text.encode(),
            escaped,
            escaped.replace(b"\\", b"\\\\"),
            quote(text).encode(),
            text.encode("utf-16-le"),
        }
    return found


def decoded(blob: bytes) -> Iterator[bytes]:
    """The blob, and what stands base64-encoded in it (the queue writes its bodies so)."""
    yield blob
    for match in BASE64.finditer(blob):
        text = match[0].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        try:
            yield base64.b64decode(text + b"=" * (-len(text) % 4))
        except ValueError:
            continue


class Search:
    """`look(place, blob)` as often as you like; `found` lists (word, place)."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = {word: shapes(word) for word in words}
        every = sorted({shape for group in self.words.values() for shape in group}, key=len, reverse=True)
        self.pattern = re.compile(b"|".join(re.escape(shape) for shape in every))
        self.found: set[tuple[str, str]] = set()
        self.looked_at = 0  # bytes

    def look(self, place: str, blob: bytes) -> None:
        self.looked_at += len(blob)
        for part in decoded(blob):
            for match in self.pattern.finditer(part):
                self.found |= {(word, place) for word, group in self.words.items() if match[0] in group}

    def files(self, name: str, folder: Path, skip: tuple[str, ...] = ()) -> int:
        """Every file below a folder, its name included; how many."""
        count = 0
        for path in folder.rglob("*"):
            if any(part in skip for part in path.relative_to(folder).parts):
                continue
            self.look(f"{name}: name of {path.name}", str(path.relative_to(folder)).encode())
            if path.is_file() and not path.is_symlink():
                self.look(f"{name}: {path.relative_to(folder)}", path.read_bytes())
                count += 1
        return count

    def dump(self, pg_dump: Path, database_url: str) -> None:
        """The whole database as text, as a thief of a backup would read it."""
        done = subprocess.run([str(pg_dump), "--inserts", database_url], capture_output=True, check=True)
        self.look("pg_dump", done.stdout)

    def redis(self, url: str) -> int:
        """Every key and value of every database of the server; how many keys."""
        count = 0
        client = redis.Redis.from_url(url, socket_timeout=5)
        databases = len(client.info("keyspace"))  # type: ignore[arg-type]
        for number in range(max(databases, 1)):
            with redis.Redis.from_url(url, db=number, socket_timeout=5) as each:
                for key in each.scan_iter():
                    count += 1
                    self.look("redis: key", key)
                    self.look(f"redis: {key[:40]!r}", each.dump(key) or b"")
                    self.look(f"redis: {key[:40]!r}", _values(each, key))
        client.close()
        return count


def _values(client: "redis.Redis", key: bytes) -> bytes:
    match client.type(key):
        case b"string":
            return client.get(key) or b""
        case b"list":
            return b"\n".join(client.lrange(key, 0, -1))
        case b"hash":
            return b"\n".join(part for pair in client.hgetall(key).items() for part in pair)
        case b"set":
            return b"\n".join(client.smembers(key))
        case b"zset":
            return b"\n".join(client.zrange(key, 0, -1))
        case other:
            raise AssertionError(f"nobody looked into a {other!r}")
