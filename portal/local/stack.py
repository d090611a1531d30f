"""The whole portal on one machine: what starts, in which order, and how all of it ends."""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portal.local import box, jobs, ports, venv
from portal.local.embedded import given_environment, local_environment, start_embedded
from portal.local.process import Child, end_with_parent
from portal.local.room import ROOT, Room, data_dir
from portal.local.supervisor import Stopping, Supervisor, answers, say

# A worker for each lane, so that none waits for another, and one for periodic work.
THREADS = {"codes": 4, "money": 2, "tickets": 2, "bulk": 2, "default": 2}
# Who depends on others stops before them.
WAVES = [["web", "beat"], ["relay", *(f"worker-{queue}" for queue in THREADS)], ["world"], ["valkey", "postgres"]]


def up(arguments: Sequence[str] | None = None) -> int:
    """Run the stack in the foreground until Ctrl-C or SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(prog="up", description="Run the whole portal on this machine until Ctrl-C.")
    parser.add_argument("--json", action="store_true", help="print the addresses and sign-ins as one line of JSON")
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this one ends")
    given = list(sys.argv[2:] if arguments is None else arguments)
    options = parser.parse_args(given)
    python = venv.ensure()
    if python.parent.parent.resolve() != Path(sys.prefix).resolve():
        os.chdir(ROOT)
        os.execv(python, [str(python), "-m", "portal.local", "up", *given])  # noqa: S606  (no shell is wanted)
    if options.with_parent:
        end_with_parent(signal.SIGTERM, os.getppid())()
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    room = Room(data_dir())
    if not room.take():
        running = room.running()
        print(f"already running at {running['SITE_URL']}" if running else f"already starting or in use: {room.path}")
        return 1
    supervisor = Supervisor()
    supervisor.listen()
    code = 0
    try:
        shown = _start(room, supervisor)
        shown["seconds"] = round(time.monotonic() - began, 1)
        print(json.dumps(shown, ensure_ascii=False) if options.json else box.draw(shown), flush=True)
        supervisor.watch()
    except Stopping:
        pass
    except SystemExit as error:
        say("stack", str(error))
        code = 1
    finally:
        say("stack", f"stopping after {supervisor.heard}")
        supervisor.stop(WAVES)
        room.leave()
    say("stack", "stopped")
    return code


def _start(room: Room, supervisor: Supervisor) -> dict[str, Any]:
    web = ports.chosen("PORT") or 8000
    world = ports.chosen("WORLD_PORT") or web + 1
    smtp = ports.chosen("WORLD_SMTP_PORT") or world + 1
    for name, port in {"PORT": web, "WORLD_PORT": world, "WORLD_SMTP_PORT": smtp}.items():
        _require_free(room, supervisor, name, port)
    given = local_environment(room, given_environment(), web, world, smtp)
    environment = start_embedded(room, supervisor, given)
    if secret := environment.get("KAVENEGAR_PUSH_SECRET"):
        environment.setdefault("WORLD_SMS_PUSH_URL", f"http://{ports.HOST}:{web}/hooks/sms/{secret}/")
    room.tell(environment)
    jobs.prepare(room, environment, supervisor)
    signins = jobs.load_demo(room, environment, supervisor)
    for child in processes(room, environment, web):
        supervisor.start(child)
    here, outside = f"http://{ports.HOST}:{web}", f"http://{ports.HOST}:{world}"
    for url in (f"{outside}/", f"{here}/healthz", f"{here}/readyz"):
        supervisor.wait_until(lambda url=url: answers(url), url)  # type: ignore[misc]
    for child in supervisor.children:
        say(child.name, f"running (log: {child.log})")
    site = environment["SITE_URL"]
    return {"portal": f"{site}/", "admin": f"{site}/admin/", "outside world": f"{outside}/", "signins": signins}


def _require_free(room: Room, supervisor: Supervisor, name: str, port: int) -> None:
    if room.was_killed:  # what is left of the last run is on its way out
        with contextlib.suppress(SystemExit):
            supervisor.wait_until(lambda: ports.is_free(port), name, seconds=10)
    if not ports.is_free(port):
        raise SystemExit(f"port {port} is busy: stop what listens there, or choose another with {name}=…")


def processes(room: Room, environment: dict[str, str], web: int) -> list[Child]:
    """What serves the portal; each may be killed at any time and is started again."""

    def child(name: str, *command: str, **how: Any) -> Child:
        return Child(
            name=name, command=[sys.executable, *command], log=room.log(name), env=environment, cwd=ROOT, **how
        )

    def worker(queue: str, threads: int) -> Child:
        name = f"worker-{queue}"
        quiet = ["--without-gossip", "--without-mingle", "-l", "INFO"]  # lanes need not know of each other
        command = ["-m", "celery", "-A", "portal.celery", "worker", "-n", f"{name}@%h", "-Q", queue]
        return child(name, *command, "--pool", "threads", "-c", str(threads), *quiet, grace=20.0)

    gunicorn = ["-m", "gunicorn", "portal.wsgi", "--bind", f"{ports.HOST}:{web}", "--no-control-socket"]
    gunicorn += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--graceful-timeout", "10"]
    beat = ["-m", "celery", "-A", "portal.celery", "beat", "-s", str(room / "run" / "beat"), "--pidfile=", "-l", "INFO"]
    return [
        child("world", "-m", "portal.local.world"),
        child("web", *gunicorn, grace=15.0, orphan_signal=signal.SIGINT),
        *(worker(queue, threads) for queue, threads in THREADS.items()),
        child("beat", *beat),
        child("relay", "manage.py", "relay"),
    ]
