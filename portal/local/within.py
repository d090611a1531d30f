"""Runs one command where PostgreSQL, Valkey and secrets are: in the running stack, or in one made for the time."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from portal.local import jobs, ports
from portal.local.embedded import given_environment, local_environment, start_embedded
from portal.local.postgres import remove_data
from portal.local.process import end_with_parent
from portal.local.room import ROOT, Room, data_dir
from portal.local.supervisor import Stopping, Supervisor

FRESH = "portal-fresh-"


def run_within(command: Sequence[str]) -> int:
    """In the running stack; if none runs, its services start for as long as the command takes."""
    room = Room(data_dir())
    running = room.running()
    if running is None and not room.take():
        running = room.running()
        if running is None:
            raise SystemExit(f"the stack in {room.path} is just starting: try again in a moment")
    if running is not None:
        os.chdir(ROOT)
        _execute(command, os.environ | running)
    web = ports.chosen("PORT") or 8000
    environment = local_environment(room, given_environment(), web, web + 1, web + 2)
    try:
        return _run(room, environment, command, migrate=True)
    finally:
        room.leave()


def run_fresh(command: Sequence[str]) -> int:
    """With a database, a queue, secrets and a folder of its own that nothing else sees and that go afterwards."""
    sweep()
    room = Room(Path(tempfile.mkdtemp(prefix=FRESH)), lasting=False)
    room.path.chmod(0o755)  # PostgreSQL may run as another user; what is secret inside has a mode of its own
    room.take()
    names = contract() - {"CHROME"}
    # A shell may hold the real shop's keys and addresses: nothing that tries things out may ever use them.
    clean = {name: value for name, value in given_environment().items() if name not in names}
    try:
        return _run(room, local_environment(room, clean, *ports.several_free(3)), command, migrate=False)
    finally:
        room.leave()
        _throw_away(room)


def contract() -> set[str]:
    """Every name that `.env.example` lists."""
    return set(re.findall(r"^(?:# )?([A-Z][A-Z_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def sweep() -> None:
    """Throw away what a killed run left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FRESH}*"):
        room = Room(folder)
        if (room / "run" / "lock").exists() and folder.owner() == Path.home().owner() and not room.is_taken():
            _throw_away(room)


def _throw_away(room: Room) -> None:
    remove_data(room)
    room.remove()


def _run(room: Room, environment: dict[str, str], command: Sequence[str], *, migrate: bool) -> int:
    supervisor = Supervisor()
    supervisor.listen()
    try:
        environment = start_embedded(room, supervisor, environment, quiet=True)
        room.tell(environment)
        first = [jobs.manage(room, environment, "migrate", "--noinput", "-v", "0")] if migrate else []
        if jobs.catalogues_are_old():
            first.append(jobs.manage(room, environment, "catalogues", "compile"))
        supervisor.finish_jobs(first)
        return _obey(supervisor, command, environment)
    except Stopping:
        return 130
    finally:
        supervisor.stop([["valkey", "postgres"]])


def _obey(supervisor: Supervisor, command: Sequence[str], environment: dict[str, str]) -> int:
    """The command has the terminal: its Ctrl-C is its own affair; other signals become a Ctrl-C for it."""
    signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the command would inherit
    try:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, preexec_fn=end_with_parent(signal.SIGTERM, os.getpid())
        )
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}") from error
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: process.send_signal(signal.SIGINT))
    code = process.wait()
    return 128 - code if code < 0 else code


def _execute(command: Sequence[str], environment: dict[str, str]) -> None:
    sys.stdout.flush()
    try:
        os.execvpe(command[0], list(command), environment)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}") from error
