"""Starts what the environment does not name: PostgreSQL, Valkey, and secrets of our own."""

import os

from portal.local import ports
from portal.local.keys import own_keys
from portal.local.postgres import Postgres
from portal.local.room import Room
from portal.local.supervisor import Supervisor, say
from portal.local.valkey import Valkey


def start_embedded(room: Room, supervisor: Supervisor, given: dict[str, str], *, quiet: bool = False) -> dict[str, str]:
    """Returns `given` completed with secrets, DATABASE_URL and REDIS_URL."""
    keys = own_keys(room / "secrets.env", needed_by=room / "run" / "ports.json")
    password = keys.pop("LOCAL_PASSWORD")
    environment = keys | given
    memory = room / "run" / "ports.json"

    def port(name: str, first_choice: int) -> int:
        return ports.kept(memory, name, first_choice) if room.lasting else ports.several_free(1)[0]

    postgres = valkey = None
    if not environment.get("DATABASE_URL"):
        postgres, postgres_port = Postgres(room, password), port("postgres", 54320)
        postgres.prepare()
        postgres_child = supervisor.start(postgres.child(postgres_port))
    if not environment.get("REDIS_URL"):
        valkey, valkey_port = Valkey(room, password), port("valkey", 63790)
        valkey.prepare(valkey_port)
        supervisor.start(valkey.child())
    if postgres:
        # after a crash it first reads its journal again, which may take a while
        supervisor.wait_until(lambda: postgres.is_ready(postgres_port), "postgres", seconds=120)
        environment["DATABASE_URL"] = postgres.url(postgres_port)
        supervisor.overlook(postgres_child)  # it refused our knocks until it was ready
    if valkey:
        supervisor.wait_until(lambda: valkey.is_ready(valkey_port), "valkey")
        environment["REDIS_URL"] = valkey.url(valkey_port)
    if not quiet:
        if postgres:
            say("postgres", f"{ports.HOST}:{postgres_port}")
        if valkey:
            say("valkey", f"{ports.HOST}:{valkey_port}")
    return environment


def given_environment() -> dict[str, str]:
    """The shell's environment; an empty value counts as unset."""
    return {name: value for name, value in os.environ.items() if value}


def local_environment(room: Room, given: dict[str, str], web: int, world: int, smtp: int) -> dict[str, str]:
    """Where things are on this machine, as the settings and the outside world want to hear it; `given` wins."""
    defaults = {
        "PORT": str(web),
        "SITE_URL": f"http://{ports.HOST}:{web}",
        "ALLOWED_HOSTS": f"{ports.HOST},localhost",
        "WORLD_PORT": str(world),
        "WORLD_SMTP_PORT": str(smtp),
        "WORLD_URL": f"http://{ports.HOST}:{world}",
        "PYTHONUNBUFFERED": "1",
    }
    return defaults | given | {"DATA_DIR": str(room.path), "WORLD_DIR": str(room / "world")}
