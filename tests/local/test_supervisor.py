"""Children: started again when they die, gone when the stack stops, whatever happened."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.local.process import Child
from portal.local.room import ROOT
from portal.local.supervisor import Stopping, Supervisor

FOREVER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
# Starts a process of its own and tells its number.
PARENT = (
    "import subprocess, sys, time; "
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True); time.sleep(600)"
)


def exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def soon(check: Callable[[], object], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.02)
    return bool(check())


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    supervisor.stop([])


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., Child]:
    def make(name: str, code: str, **how: object) -> Child:
        return Child(name, [sys.executable, "-c", code], tmp_path / f"{name}.log", os.environ, tmp_path, **how)

    return make


def pid(child: Child) -> int:
    assert child.process
    return child.process.pid


def test_a_killed_child_is_started_again_and_the_terminal_says_so(
    supervisor: Supervisor, child: Callable[..., Child], capsys: pytest.CaptureFixture[str]
) -> None:
    web = supervisor.start(child("web", FOREVER))
    first = pid(web)
    os.kill(first, signal.SIGKILL)
    assert soon(lambda: supervisor.look() or (web.is_alive() and pid(web) != first))
    said = capsys.readouterr().out
    assert "web │ was ended by SIGKILL; starting again in 0.5 s" in said
    assert "web │ started again" in said


def test_the_pause_grows_with_each_death_in_a_row_and_has_a_limit(child: Callable[..., Child]) -> None:
    web = child("web", FOREVER)
    web.started_at = time.monotonic()
    assert [web.schedule() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    web.started_at = time.monotonic() - 3600
    assert web.schedule() == 0.5


def test_what_a_dead_child_left_in_its_session_goes_before_it_is_started_again(
    supervisor: Supervisor, child: Callable[..., Child], tmp_path: Path
) -> None:
    web = supervisor.start(child("web", PARENT))
    assert soon(lambda: (tmp_path / "web.log").read_text().strip())
    left = int((tmp_path / "web.log").read_text())
    os.kill(pid(web), signal.SIGKILL)
    assert soon(lambda: supervisor.look() or not exists(left))


def test_stop_leaves_no_process_not_even_a_deaf_one_or_a_grandchild(
    supervisor: Supervisor, child: Callable[..., Child], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(child("parent", PARENT))
    supervisor.start(child("deaf", STUBBORN, grace=0.3))
    assert soon(lambda: (tmp_path / "parent.log").read_text().strip() and (tmp_path / "deaf.log").read_text())
    everyone = [int((tmp_path / "parent.log").read_text()), *map(pid, supervisor.children)]
    supervisor.stop([["parent"], ["deaf"]])
    assert soon(lambda: not any(map(exists, everyone)))
    assert "deaf │ did not stop by itself: killed" in capsys.readouterr().out


def test_dependants_stop_first(supervisor: Supervisor, child: Callable[..., Child], tmp_path: Path) -> None:
    tell = "import signal, sys, time; end = lambda *_: sys.exit(print(time.time_ns(), flush=True))"
    tell += "; signal.signal(signal.SIGTERM, end)"
    for name in ("postgres", "web"):
        supervisor.start(child(name, f"{tell}; print('ready', flush=True); time.sleep(600)"))
    assert soon(lambda: all((tmp_path / f"{name}.log").read_text() for name in ("postgres", "web")))
    supervisor.stop([["web"], ["postgres"]])
    ended = [int((tmp_path / f"{name}.log").read_text().split()[1]) for name in ("web", "postgres")]
    assert ended == sorted(ended)


def test_a_child_that_dies_while_starting_ends_the_start_with_its_last_words(
    supervisor: Supervisor, child: Callable[..., Child]
) -> None:
    supervisor.start(child("web", "raise SystemExit('refused to start: SECRET_KEY is not set')"))
    with pytest.raises(SystemExit, match=r"web ended with 1 .*\n.*SECRET_KEY is not set"):
        supervisor.wait_until(lambda: False, "web")


def test_something_that_never_becomes_ready_is_named(supervisor: Supervisor, child: Callable[..., Child]) -> None:
    supervisor.start(child("web", FOREVER))
    with pytest.raises(SystemExit, match="web was not ready after 0 s"):
        supervisor.wait_until(lambda: False, "web", seconds=0.1)


def test_a_job_that_fails_ends_the_start_and_its_neighbour(supervisor: Supervisor, child: Callable[..., Child]) -> None:
    with pytest.raises(SystemExit, match=r"migrate ended with 3 .*\nno such column"):
        supervisor.finish_jobs([child("migrate", "print('no such column', flush=True); raise SystemExit(3)")])


def test_ctrl_c_while_starting_is_heard(supervisor: Supervisor, child: Callable[..., Child]) -> None:
    supervisor.asked = 1
    job = child("migrate", FOREVER)
    with pytest.raises(Stopping):
        supervisor.finish_jobs([job])
    assert not job.is_alive()


def test_errors_in_a_log_are_repeated_on_the_terminal_and_nothing_else_is(
    supervisor: Supervisor, child: Callable[..., Child], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.log").write_text("ERROR of yesterday\n")
    supervisor.start(child("web", f"print('GET /'); print('ERROR here', flush=True); {FOREVER}"))
    said: list[str] = []

    def heard() -> bool:
        supervisor.look()
        said.append(capsys.readouterr().out)
        return "ERROR here" in "".join(said)

    assert soon(heard)
    assert "GET /" not in "".join(said)
    assert "yesterday" not in "".join(said)


def test_a_log_that_grew_too_long_is_put_aside(
    supervisor: Supervisor, child: Callable[..., Child], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.local.process.LOG_LIMIT", 10)
    (tmp_path / "web.log").write_text("a long story\n")
    supervisor.start(child("web", FOREVER))
    assert (tmp_path / "web.old.log").read_text() == "a long story\n"
    assert (tmp_path / "web.log").read_text() == ""


SUPERVISED = """
import os, sys
from pathlib import Path
from portal.local.process import Child
from portal.local.supervisor import Supervisor
here = Path(sys.argv[1])
supervisor = Supervisor()
supervisor.listen()
for name in ("web", "worker"):
    child = Child(name, [sys.executable, "-c", sys.argv[2]], here / f"{name}.log", os.environ, here, grace=60)
    supervisor.start(child)
    supervisor.wait_until(child.last_words, name)
    print(child.process.pid, flush=True)
supervisor.watch()
print("stopping", flush=True)
supervisor.stop([])
"""


@contextlib.contextmanager
def supervised(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own, with two children that do not listen."""
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path), STUBBORN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, [int(process.stdout.readline()) for _ in range(2)]
        finally:
            process.kill()


if sys.platform == "linux":  # no other kernel tells a child that its parent was killed

    def test_kill_9_of_the_supervisor_takes_every_child_along(tmp_path: Path) -> None:
        with supervised(tmp_path) as (process, children):
            assert all(map(exists, children))
            process.kill()
            assert soon(lambda: not any(map(exists, children)))


def test_a_second_ctrl_c_does_not_wait_any_longer(tmp_path: Path) -> None:
    with supervised(tmp_path) as (process, children):
        process.send_signal(signal.SIGINT)
        assert process.stdout
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGTERM)  # at once: the same wish, passed on by make
        time.sleep(1.2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert soon(lambda: not any(map(exists, children)))
