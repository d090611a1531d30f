"""One child process: started, watched, started again, stopped, and never left behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_PAUSE = 30.0  # seconds
STEADY_AFTER = 30.0  # seconds of life after which an earlier death no longer counts
LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is put aside at the next start


def end_with_parent(signal_number: int, parent: int) -> Callable[[], None]:
    """For the process that calls the answer: a signal from the kernel when `parent` dies, even by kill -9 (Linux).

    The kernel means the parent's *thread*, so every child is started from the main thread.
    """
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(1, signal_number, 0, 0, 0)  # 1 is PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


@dataclass
class Child:
    """What to run, and how it wants to be stopped."""

    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str]
    cwd: Path
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL  # what the kernel sends when the supervisor is gone
    grace: float = 10.0  # seconds between the wish and the order
    user: int | None = None
    group: int | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    deaths: int = field(default=0, init=False)
    started_at: float = field(default=0.0, init=False)  # monotonic seconds
    again_at: float | None = field(default=None, init=False)  # monotonic seconds; None: nothing to start again

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops in order
                preexec_fn=end_with_parent(self.orphan_signal, os.getpid()),
            )
        self.started_at, self.again_at = time.monotonic(), None

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def how_it_ended(self) -> str:
        code = self.process.returncode if self.process else None
        if code is None:
            return "did not start"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with {code}"

    def schedule(self) -> float:
        """After a death: when to try again. Returns the pause in seconds, longer after each death in a row."""
        now = time.monotonic()
        self.deaths = 1 if now - self.started_at > STEADY_AFTER else self.deaths + 1
        pause: float = min(0.5 * 2 ** (self.deaths - 1), LONGEST_PAUSE)
        self.again_at = now + pause
        return pause

    def ask_to_stop(self, signal_number: int | None = None) -> None:
        if self.process and self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal_number or self.stop_signal)

    def finish(self, grace: float | None = None) -> bool:
        """Wait for the end that was asked for, then kill what is left of its session. True when it ended by itself."""
        if self.process is None:
            return True
        willing = True
        try:
            self.process.wait(self.grace if grace is None else grace)
        except subprocess.TimeoutExpired:
            willing = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return willing

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
