"""The control of the canary test: a planted word is found in every place and every disguise."""

import base64
import json

import pytest
import redis
from django.conf import settings

from tests.browser.leaks import Search

WORD = "زرافهcontrol٧"


@pytest.mark.parametrize(
    "blob",
    [
        f"a {WORD} b".encode(),
        json.dumps({"x": WORD}).encode(),
        json.dumps({"body": json.dumps({"x": WORD})}).encode(),
        json.dumps({"body": base64.b64encode(json.dumps([WORD]).encode()).decode()}).encode(),
        base64.urlsafe_b64encode(b"........" + WORD.encode() + b"......."),
    ],
    ids=["plain", "json", "json in json", "queue body", "base64"],
)
def test_a_planted_word_is_found_in_every_disguise(blob):
    search = Search([WORD, "absent"])
    search.look("here", blob)
    assert search.found == {(WORD, "here")}


def test_a_number_is_found_in_persian_digits():
    search = Search(["9121234567"])
    search.look("here", "شماره ۹۱۲۱۲۳۴۵۶۷".encode())
    assert search.found


def test_a_planted_word_is_found_in_files_and_their_names(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.log").write_text(f"line\n{WORD}\n")
    (tmp_path / f"{WORD}.txt").write_text("")
    search = Search([WORD])
    assert search.files("folder", tmp_path) == 2 and len(search.found) == 2


def test_a_planted_word_is_found_in_redis():
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.lpush("control-list", WORD)
    client.hset("control-hash", "f", WORD)
    try:
        search = Search([WORD])
        search.redis(settings.REDIS_URL)
    finally:
        client.delete("control-list", "control-hash")
        client.close()
    assert len({place for _, place in search.found}) == 2


def test_nothing_is_found_where_nothing_is():
    search = Search([WORD])
    search.look("here", b"nothing of that kind " * 1000)
    assert not search.found and search.looked_at > 0
