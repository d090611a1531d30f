"""The commands that end by themselves: before the first page can be served, and only when they have work."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.local.process import Child
from portal.local.room import ROOT, Room, write_private
from portal.local.supervisor import Supervisor


def manage(room: Room, environment: dict[str, str], *command: str) -> Child:
    """One `manage.py` command as a child."""
    return Child(
        name=command[0],
        command=[sys.executable, ROOT / "manage.py", *command],
        log=room.log(command[0]),
        env=environment,
        cwd=ROOT,
    )


def catalogues_are_old() -> bool:
    """Whether a translation was edited since it was last compiled."""
    for source in ROOT.glob("portal/locale/*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            return True
    return False


def static_mark() -> str:
    """Changes with every file that `collectstatic` would collect, ours or a package's."""
    mark = hashlib.sha256()
    for path in sorted(_static_files()):
        seen = path.stat()
        mark.update(f"{path}{seen.st_mtime_ns}{seen.st_size}".encode())
    return mark.hexdigest()


def _static_files() -> Iterator[Path]:
    yield from ROOT.glob("requirements*.txt")
    for app in ROOT.glob("*/apps.py"):
        yield from (path for path in (app.parent / "static").rglob("*") if path.is_file())


def prepare(room: Room, environment: dict[str, str], supervisor: Supervisor) -> None:
    """Bring the database, the translations and the static files up to date, side by side."""
    jobs = [manage(room, environment, "migrate", "--noinput", "-v", "1")]
    if catalogues_are_old():
        jobs.append(manage(room, environment, "catalogues", "compile"))
    mark, known = static_mark(), room / "run" / "static"
    collects = not (room / "static").exists() or not known.exists() or known.read_text() != mark
    if collects:
        jobs.append(manage(room, environment, "collectstatic", "--noinput", "-v", "0"))
    supervisor.finish_jobs(jobs)
    if collects:
        known.write_text(mark)


def load_demo(room: Room, environment: dict[str, str], supervisor: Supervisor) -> list[dict[str, Any]]:
    """Demo customers, once for each database; returns who can sign in with what."""
    database = hashlib.sha256(environment["DATABASE_URL"].rpartition("@")[2].encode()).hexdigest()
    known = room / "demo-loaded"
    loaded: dict[str, Any] = json.loads(known.read_text()) if known.exists() else {}
    if loaded.get("database") != database:
        job = manage(room, environment, "demo", "--json")
        job.log.unlink(missing_ok=True)
        supervisor.finish_jobs([job])
        said = job.log.read_text()
        job.log.unlink()  # it holds passwords
        answer, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])  # a warning may stand around it
        loaded = answer | {"database": database}
        write_private(known, json.dumps(loaded, ensure_ascii=False, indent=1))
    signins: list[dict[str, Any]] = loaded.get("signins", [])
    return signins
