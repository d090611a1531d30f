"""The whole portal on one machine, as `make run` starts it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.local.ports import HOST, several_free
from portal.local.room import ROOT
from portal.local.within import contract
from tests.local.test_supervisor import exists, soon

UP = [sys.executable, "-m", "portal.local", "up"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A shell that names nothing but free ports and a folder."""
    clean = {name: value for name, value in os.environ.items() if name not in contract()}
    names = dict(zip(("PORT", "WORLD_PORT", "WORLD_SMTP_PORT"), map(str, several_free(3)), strict=True))
    environment = clean | names | {"DATA_DIR": str(tmp_path / "var")}
    yield environment
    subprocess.run([*UP[:-1], "reset"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def run(*verb: str, env: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*UP[:-1], *verb], cwd=ROOT, env=env, capture_output=True, text=True, input=stdin)


def children(pid: int) -> dict[int, str]:
    """Number and command of each child."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def test_one_stack_from_its_start_to_its_end(environment: dict[str, str]) -> None:
    command = [*UP, "--json"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            said = next((line for line in process.stdout if line.startswith("{")), None)
            assert said, "the stack did not start"
            shown = json.loads(said)
            assert answers(shown["portal"])
            assert answers(shown["outside world"])
            assert {"who", "email", "mobile", "password"} <= set(shown["signins"][0])

            second = run("up", env=environment)
            assert (second.returncode, second.stdout) == (1, f"already running at {shown['portal'].rstrip('/')}\n")
            assert run("reset", env=environment).returncode == 1
            joined = run(
                "exec", "--", sys.executable, "-c", "import os; print(os.environ['SITE_URL'])", env=environment
            )
            assert joined.stdout == f"{shown['portal'].rstrip('/')}\n"
            shell = run(
                "exec", "--", sys.executable, "manage.py", "shell", "-v", "0", env=environment, stdin="print(6*7)"
            )
            assert shell.stdout.strip() == "42"

            everyone = children(process.pid)
            assert len(everyone) == 11
            web = next(pid for pid, line in everyone.items() if "gunicorn" in line)
            os.kill(web, signal.SIGKILL)
            assert soon(lambda: web not in children(process.pid))
            assert soon(lambda: answers(f"{shown['portal']}healthz"), 30)
            everyone = children(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert not any(map(exists, everyone))
        finally:
            process.kill()


def test_a_busy_port_is_one_line(environment: dict[str, str]) -> None:
    with socket.create_server((HOST, int(environment["PORT"]))):
        done = run("up", env=environment)
    assert done.returncode == 1
    assert f"port {environment['PORT']} is busy: stop what listens there, or choose another with PORT=…" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_reset_has_nothing_to_do_where_nothing_was_kept(environment: dict[str, str], tmp_path: Path) -> None:
    done = run("reset", env=environment)
    assert done.returncode == 0
    assert done.stdout == f"nothing embedded is kept in {tmp_path / 'var'}\n"


def test_help_needs_nothing(environment: dict[str, str]) -> None:
    assert run("up", "--help", env=environment).returncode == 0
    assert "reset" in run("help", env=environment).stdout
    assert run("nonsense", env=environment).returncode == 2
