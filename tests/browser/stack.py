"""The whole portal as `make run` starts it, on ports and a folder of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.world_client import World

ROOT = Path(__file__).resolve().parents[2]
OWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PII_KEYS", "PII_INDEX_KEYS", "SITE_URL", "WORLD_URL", "DATA_DIR")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Stack:
    """`start()`, then `url` and `world`; `run()` types a command as an operator; `stop()` ends every process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir(parents=True)
        web, world, smtp = free_ports(3)
        self.url = f"http://127.0.0.1:{web}"
        self.world = World(f"http://127.0.0.1:{world}", smtp)
        self.env = {
            name: value for name, value in os.environ.items() if name not in OWN and "KAVENEGAR" not in name
        } | {
            "DATA_DIR": str(folder / "var"),
            "PORT": str(web),
            "WORLD_PORT": str(world),
            "WORLD_SMTP_PORT": str(smtp),
            "TMPDIR": str(self.tmp),
        }
        self.process: subprocess.Popen[str] | None = None

    def start(self, timeout: float = 150) -> None:
        self.log = (self.folder / "up.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portal.local", "up"],
            cwd=ROOT,
            env=self.env,
            stdout=self.log,
            stderr=self.log,
            text=True,
        )
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the stack ended: {(self.folder / 'up.log').read_text()[-3000:]}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                if answer.status == 200 and "signin" in (self.folder / "up.log").read_text().replace("-", "").lower():
                    return
            time.sleep(0.2)
        raise RuntimeError(f"the stack did not answer: {(self.folder / 'up.log').read_text()[-3000:]}")

    def run(self, *command: str, check: bool = True, stdin: str | None = None) -> str:
        """`manage.py …` against the running stack; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "portal.local", "exec", "--", sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            input=stdin,
        )
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def python(self, code: str) -> Any:
        """Evaluate on the running stack's database; `code` prints one line of JSON last."""
        return json.loads(self.run("shell", "-v", "0", "-c", code).strip().splitlines()[-1])

    def signins(self) -> dict[str, dict[str, str]]:
        return {row["who"]: row for row in json.loads(self.run("demo", "--json"))["signins"]}

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
        self.log.close()
