"""Keeps the children alive while the stack runs, and takes them down in order when it ends."""

import re
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from types import FrameType

from portal.local.process import Child

TROUBLE = re.compile(r"\b(ERROR|CRITICAL|FATAL|PANIC)\b")
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stopping(Exception):
    """Somebody asked for the end while we waited for something else."""


def say(name: str, text: str) -> None:
    """One line on the terminal; a reader who went away is no reason to fall."""
    prefix = f"{name:>12} │ "
    try:
        print(f"\033[2m{prefix}\033[0m{text}" if sys.stdout.isatty() else prefix + text, flush=True)
    except (BrokenPipeError, ValueError):
        sys.stdout = None  # Python then drops what is printed


def answers(url: str) -> bool:
    """Whether an address on this machine answers 200 now (never through somebody's proxy)."""
    try:
        with NO_PROXY.open(url, timeout=5) as answer:
            ok: bool = answer.status == 200
            return ok
    except (urllib.error.URLError, OSError):
        return False


class Supervisor:
    """The children in the order in which they were started."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.asked = 0  # how often somebody asked us to stop
        self.heard = "a failure"  # why we stop
        self._asked_at = 0.0  # monotonic seconds
        self._read: dict[str, int] = {}  # how far each log was looked through, in bytes

    def listen(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal all mean: stop in order. A second time means: at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # make passes on a signal that the whole group has had already: one wish, heard twice
        if not self.asked or time.monotonic() - self._asked_at > 1:
            self.asked += 1
            self.heard = signal.Signals(number).name
            self._asked_at = time.monotonic()

    def start(self, child: Child) -> Child:
        self.overlook(child)
        child.start()
        self.children.append(child)
        return child

    def wait_until(self, check: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
        """Wait for something to be ready; a child that dies meanwhile ends the start with its last words."""
        end = time.monotonic() + seconds
        while True:
            if self.asked:
                raise Stopping
            for child in self.children:
                if not child.is_alive():
                    raise SystemExit(f"{child.name} {child.how_it_ended()} ({child.log}):\n{child.last_words()}")
            if check():
                return
            if time.monotonic() > end:
                raise SystemExit(f"{what} was not ready after {seconds:.0f} s (see {self.children[-1].log.parent})")
            time.sleep(0.05)

    def finish_jobs(self, jobs: Sequence[Child]) -> None:
        """Run commands that end by themselves, side by side; the first failure ends the start."""
        for job in jobs:
            job.start()
        try:
            while any(job.is_alive() for job in jobs):
                if self.asked:
                    raise Stopping
                time.sleep(0.05)
        finally:
            for job in jobs:
                job.ask_to_stop()
                job.finish()
        for job in jobs:
            if job.process and job.process.returncode:
                raise SystemExit(f"{job.name} {job.how_it_ended()} ({job.log}):\n{job.last_words()}")

    def watch(self) -> None:
        """Until somebody asks for the end: start again what died, and repeat on the terminal what went wrong."""
        while not self.asked:
            self.look()
            time.sleep(0.1)

    def look(self) -> None:
        """One round of `watch`."""
        for child in self.children:
            self._look_after(child)
            self._repeat_trouble(child)

    def _look_after(self, child: Child) -> None:
        if child.is_alive():
            return
        if child.again_at is None:
            pause = child.schedule()
            child.finish(0)  # what it left in its session would hold its port
            say(child.name, f"{child.how_it_ended()}; starting again in {pause:g} s (log: {child.log})")
        elif time.monotonic() >= child.again_at:
            child.start()
            say(child.name, "started again")

    def overlook(self, child: Child) -> None:
        """What its log says up to now is no news."""
        self._read[child.name] = child.log.stat().st_size if child.log.exists() else 0

    def _repeat_trouble(self, child: Child) -> None:
        size = child.log.stat().st_size if child.log.exists() else 0
        start = self._read.get(child.name, 0)
        if size == start:
            return
        if size < start:  # the log was put aside
            start = 0
        with child.log.open("rb") as log:
            log.seek(start)
            fresh = log.read(64 * 1024)
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read[child.name] = start + (len(whole) or (len(fresh) if len(fresh) == 64 * 1024 else 0))
        for line in whole.decode(errors="replace").splitlines():
            if TROUBLE.search(line):
                say(child.name, line[:300])

    def stop(self, waves: Sequence[Sequence[str]]) -> None:
        """Take the children down wave by wave, dependants first; unnamed ones go with the first wave."""
        named = {name for wave in waves for name in wave}
        rest = [child.name for child in self.children if child.name not in named]
        already_asked = self.asked
        for wave in [[*rest, *(waves[0] if waves else [])], *waves[1:]]:
            leaving = [child for child in self.children if child.name in wave and child.is_alive()]
            for child in leaving:
                child.ask_to_stop()
            end = time.monotonic() + max((child.grace for child in leaving), default=0)
            while any(child.is_alive() for child in leaving) and time.monotonic() < end:
                if self.asked > already_asked:
                    break
                time.sleep(0.02)
            for child in leaving:
                if not child.finish(0):
                    say(child.name, "did not stop by itself: killed")
        for child in self.children:
            child.finish(0)
