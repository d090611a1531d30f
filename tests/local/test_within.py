"""Commands that run beside a database of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from portal.local.room import ROOT

TELL = "import json, os; print(json.dumps(dict(os.environ)))"


def fresh(*command: str) -> list[str]:
    return [sys.executable, "-m", "portal.local", "exec", "--fresh", "--", *command]


def run(command: list[str], tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
    )


def test_a_fresh_command_sees_services_of_its_own_and_no_key_of_the_shell(tmp_path: Path) -> None:
    done = run(
        fresh(sys.executable, "-c", TELL),
        tmp_path,
        DATABASE_URL="postgresql://real/shop",
        KAVENEGAR_API_KEY="real-key",
        SEP_TERMINAL_ID="real-terminal",
        CHROME="/a/browser",
    )
    assert done.returncode == 0, done.stderr
    assert "@127.0.0.1:" in done.stdout
    assert "real-" not in done.stdout
    assert "real/" not in done.stdout
    assert "/a/browser" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_its_exit_code_is_passed_on(tmp_path: Path) -> None:
    assert run(fresh("sh", "-c", "exit 7"), tmp_path).returncode == 7


def test_a_command_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    done = run(fresh("no-such-command"), tmp_path)
    assert done.returncode == 1
    assert done.stderr == "no-such-command: No such file or directory\n"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_behind_goes_with_the_next_run(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = fresh("sh", "-c", "echo started; exec sleep 600")
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "started\n"
        killed.kill()
    assert len(list(tmp_path.iterdir())) == 1
    time.sleep(1)  # its services hear of it from the kernel
    assert run(fresh("true"), tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_sigterm_is_a_ctrl_c_for_the_command_and_everything_is_cleaned_up(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    code = "import time\nprint('started', flush=True)\ntry: time.sleep(600)\nexcept KeyboardInterrupt: print('heard')"
    command = fresh(sys.executable, "-c", code)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "heard\n"
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


def test_exec_without_a_command_is_one_line(tmp_path: Path) -> None:
    done = run([sys.executable, "-m", "portal.local", "exec", "--fresh", "--"], tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("exec: which command?")
