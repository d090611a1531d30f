"""The virtual environment: made once, brought up to date only when the pinned requirements changed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from portal.local.room import ROOT

HOME = ROOT / ".venv"
PYTHON = HOME / "bin" / "python"
STAMP = HOME / ".installed"
REQUIREMENTS = ["requirements.txt", "requirements-local.txt", "requirements-lock.txt"]


def wanted() -> str:
    """What the environment must have been made from: this project at this place, this Python, these pins."""
    mark = hashlib.sha256(f"{HOME}\n{sys.version_info[:2]}\n".encode())
    for name in REQUIREMENTS:
        mark.update((ROOT / name).read_bytes())
    return mark.hexdigest()


def is_elsewhere() -> bool:
    """Whether this Python belongs to another virtual environment, which its owner then keeps up to date."""
    return sys.prefix != sys.base_prefix and Path(sys.prefix).resolve() != HOME.resolve()


def ensure() -> Path:
    """Make or update the environment if needed; returns its Python."""
    if is_elsewhere():
        return Path(sys.executable)
    lock = os.open(ROOT, os.O_RDONLY)  # two commands at once must not install over each other
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (STAMP.exists() and STAMP.read_text() == wanted() and PYTHON.exists()):
            _install()
    finally:
        os.close(lock)
    return PYTHON


def _install() -> None:
    if not _works():
        print("making .venv", flush=True)
        _make()
    print("installing the pinned requirements (once)", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-qq"]
    if os.geteuid() == 0:
        pip.append("--root-user-action=ignore")
    if subprocess.run([*pip, "-r", "requirements-local.txt"], cwd=ROOT).returncode:
        raise SystemExit("the requirements could not be installed (pip says why above)")
    STAMP.write_text(wanted())


def _works() -> bool:
    """Whether there is an environment here with a Python of this version that has pip."""
    if not PYTHON.exists():
        return False
    ask = "import sys, pip; print(sys.prefix, *sys.version_info[:2])"
    answer = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True)
    return answer.stdout.split() == [str(HOME), *map(str, sys.version_info[:2])]


def _make() -> None:
    for way in (_plainly, _with_the_pip_outside, _with_apt):
        shutil.rmtree(HOME, ignore_errors=True)
        if way(getattr(sys, "_base_executable", sys.executable)):
            return
    shutil.rmtree(HOME, ignore_errors=True)
    raise SystemExit("Python's venv module is incomplete: install it (Debian, Ubuntu: apt-get install python3-venv)")


def _plainly(base: str) -> bool:
    return _run(base, "-m", "venv", HOME)


def _with_the_pip_outside(base: str) -> bool:
    """Debian keeps `ensurepip` in a package of its own; a pip that is there already can stand in for it."""
    return (
        _run(base, "-m", "pip", "--version")
        and _run(base, "-m", "venv", "--without-pip", HOME)
        and _run(base, "-m", "pip", "--python", PYTHON, "install", "pip")
    )


def _with_apt(base: str) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("installing python3-venv with apt-get (once)", flush=True)
    major, minor = sys.version_info[:2]
    return (
        _run("apt-get", "update")
        and (
            _run("apt-get", "install", "-y", f"python{major}.{minor}-venv")
            or _run("apt-get", "install", "-y", "python3-venv")
        )
        and _plainly(base)
    )


def _run(*command: str | Path) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, capture_output=True, env=environment).returncode == 0
