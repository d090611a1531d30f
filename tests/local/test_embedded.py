"""The embedded PostgreSQL and Valkey: a killed one comes back where it was, with every committed row."""

import importlib.util
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from portal.local.embedded import local_environment, start_embedded
from portal.local.postgres import Postgres, remove_data
from portal.local.process import Child
from portal.local.room import Room
from portal.local.supervisor import Supervisor
from portal.local.valkey import Valkey


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "var")
    room.take()
    yield room
    room.leave()
    remove_data(room)


@pytest.fixture
def supervisor(room: Room) -> Iterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    supervisor.stop([["valkey", "postgres"]])


def start(room: Room, supervisor: Supervisor, **given: str) -> dict[str, str]:
    return start_embedded(room, supervisor, local_environment(room, given, 1, 2, 3), quiet=True)


def kill(child: Child) -> None:
    assert child.process
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()


def brought_back(supervisor: Supervisor, check: object) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        supervisor.look()
        try:
            check()
        except (psycopg.OperationalError, redis.ConnectionError):
            time.sleep(0.1)
        else:
            return True
    return False


def test_kill_9_of_postgres_loses_no_committed_row(room: Room, supervisor: Supervisor) -> None:
    url = start(room, supervisor, REDIS_URL="redis://elsewhere/0")["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE note (word text)")
        connection.execute("INSERT INTO note VALUES ('kept')")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO note VALUES ('never committed')")
        kill(supervisor.children[0])
        connection.close()

    def rows() -> list[tuple[str]]:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT word FROM note").fetchall()

    assert brought_back(supervisor, rows)
    assert rows() == [("kept",)]


def test_kill_9_of_valkey_keeps_what_was_queued_a_second_ago(room: Room, supervisor: Supervisor) -> None:
    url = start(room, supervisor, DATABASE_URL="postgresql://elsewhere/x")["REDIS_URL"]
    with redis.Redis.from_url(url) as queue:
        queue.lpush("codes", "job")
        time.sleep(1.5)
        kill(supervisor.children[0])
        assert brought_back(supervisor, queue.ping)
        assert queue.lrange("codes", 0, -1) == [b"job"]


def test_data_ports_and_passwords_are_the_same_at_the_next_start(room: Room, supervisor: Supervisor) -> None:
    first = start(room, supervisor)
    with psycopg.connect(first["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE note (word text)")
    supervisor.stop([["valkey", "postgres"]])
    again = Supervisor()
    try:
        assert start(room, again) == first
        with psycopg.connect(first["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
    finally:
        again.stop([["valkey", "postgres"]])


def test_a_pid_file_that_outlived_its_server_does_not_stop_the_next_start(room: Room, supervisor: Supervisor) -> None:
    start(room, supervisor, REDIS_URL="redis://elsewhere/0")
    note = Postgres(room, "").data / "postmaster.pid"
    lines = note.read_text().splitlines()
    supervisor.stop([["postgres"]])
    owner = note.parent.stat()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")  # the number is somebody else's by now
    os.chown(note, owner.st_uid, owner.st_gid)
    again = Supervisor()
    try:
        start(room, again, REDIS_URL="redis://elsewhere/0")
    finally:
        again.stop([["postgres"]])


def test_nothing_is_started_that_the_environment_names(room: Room, supervisor: Supervisor) -> None:
    environment = start(room, supervisor, DATABASE_URL="postgresql://db/x", REDIS_URL="redis://queue/0")
    assert supervisor.children == []
    assert (environment["DATABASE_URL"], environment["REDIS_URL"]) == ("postgresql://db/x", "redis://queue/0")


def test_nobody_without_the_password_gets_in(room: Room, supervisor: Supervisor) -> None:
    environment = start(room, supervisor)
    password = environment["DATABASE_URL"].split(":")[2].partition("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(environment["DATABASE_URL"].replace(password, "guess"))
    stranger = redis.Redis.from_url(environment["REDIS_URL"].replace(password, "guess"))
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    for child in supervisor.children:
        assert child.process
        assert password not in " ".join(map(str, child.command))


@pytest.mark.parametrize(("service", "name"), [(Postgres, "DATABASE_URL"), (Valkey, "REDIS_URL")])
def test_a_missing_package_is_one_line_that_says_what_to_do(
    room: Room, monkeypatch: pytest.MonkeyPatch, service: type[Postgres | Valkey], name: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=f"`make setup` installs .*, or set {name}"):
        service(room, "")
