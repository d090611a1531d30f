"""Where one local stack keeps its things: a folder with a lock, its logs, and a note on what is running."""

import fcntl
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def data_dir() -> Path:
    """DATA_DIR as an absolute path; a relative one counts from the project."""
    return ROOT / (os.environ.get("DATA_DIR") or "var")


class Room:
    """A folder that belongs to at most one running stack at a time."""

    def __init__(self, path: Path, *, lasting: bool = True) -> None:
        self.path = path.resolve()
        self.lasting = lasting  # a throw-away room need not survive a power cut, so it may be faster
        self.was_killed = False  # the stack before this one could not put its note away
        self._lock: int | None = None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def _note(self) -> Path:
        return self.path / "run" / "env.json"

    @property
    def _lock_file(self) -> Path:
        return self.path / "run" / "lock"

    def log(self, name: str) -> Path:
        return self.path / "log" / f"{name}.log"

    def take(self) -> bool:
        """Make the folder and lock it; False when another stack has it. The kernel drops the lock with the process."""
        for folder in (self.path, self.path / "run", self.path / "log"):
            folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        self.was_killed = self._note.exists()
        self._note.unlink(missing_ok=True)
        return True

    def leave(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            self._note.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def remove(self, names: Sequence[str] = ()) -> None:
        """Throw away what is named, or the whole folder."""
        for path in [self.path / name for name in names] or [self.path]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def is_taken(self) -> bool:
        """Whether a living process holds the folder."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def tell(self, environment: dict[str, str]) -> None:
        """Note the environment of what runs here, so that a second command can join it."""
        write_private(self._note, json.dumps(environment, indent=1))

    def running(self) -> dict[str, str] | None:
        """The environment of the stack that runs here now, or None."""
        if not self.is_taken():
            return None
        try:
            environment: dict[str, str] = json.loads(self._note.read_text())
        except FileNotFoundError:
            return None
        return environment


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
