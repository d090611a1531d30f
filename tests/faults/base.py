"""The portal as it runs, a hand that kills its processes, and the books of both sides to compare afterwards."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests.browser.stack import Stack

CUSTOMERS = 100
SENDERS = ("relay", "celery")  # what sends, by a word of its command line
# Committed to by `tell` in a process of the portal's own, so the words are sealed and the transaction is the caller's.
TELL = """
from django.contrib.auth import get_user_model
from django.db import transaction
from notifications.flows import tell
people = list(get_user_model().objects.filter(is_staff=False, ref__in={refs!r}))
for wave in range({first}, {last}):
    with transaction.atomic():
        for person in people:
            tell(person, {message!r}, about=f"{about}:{{wave}}", key=f"{about}:{{wave}}:{{person.pk}}", context={{}})
"""
MAKE = """
from tests.base import make_customer
for n in range({count}):
    print("ref", make_customer(f"storm{{n}}@example.com", f"+98913{{n:07}}", language="en").ref)
"""
OWED = "SELECT count(*) FROM notifications_delivery WHERE status IN ('queued', 'sending', 'unknown')"


class Storm(Stack):
    """A stack whose processes can be killed by name, with a hundred customers to be told something."""

    def have_customers(self) -> None:
        said = self.run("shell", "-v", "0", stdin=MAKE.format(count=CUSTOMERS))
        self.refs = [line.split()[1] for line in said.splitlines() if line.startswith("ref ")]
        assert len(self.refs) == CUSTOMERS, said

    def begin(self) -> None:
        self.until(lambda: self.count(OWED) == 0, 120)
        self.world.reset()
        self.began = self.ask("SELECT now()")[0][0]

    def tell(self, about: str, waves: range, message: str = "password_changed") -> None:
        """Each customer one event a wave: two deliveries each."""
        words = {"refs": self.refs, "first": waves.start, "last": waves.stop, "about": about, "message": message}
        self.run("shell", "-v", "0", stdin=TELL.format(**words))

    # --- its processes -----------------------------------------------------------------------------------------------

    def processes(self, *words: str) -> list[int]:
        """Children of the supervisor whose command line holds one of the words."""
        assert self.process is not None
        return [pid for pid, command in children(self.process.pid) if any(word in command for word in words)]

    def kill(self, *words: str, how: signal.Signals = signal.SIGKILL) -> bool:
        """One of them, chosen by chance; False when none runs just now."""
        if not (found := self.processes(*words)):
            return False
        self.signal(random.choice(found), how)
        return True

    def signal(self, pid: int, how: signal.Signals = signal.SIGTERM) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)

    @contextlib.contextmanager
    def frozen(self, *words: str) -> Iterator[None]:
        pids = self.processes(*words)
        assert pids, words
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                self.signal(pid, signal.SIGCONT)

    # --- its books ---------------------------------------------------------------------------------------------------

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url(), autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def count(self, statement: str) -> int:
        try:
            return int(self.ask(statement)[0][0])
        except psycopg.OperationalError:  # the server is just restarting
            return -1

    def until(self, holds: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds} s; {self.standing()}"
            time.sleep(0.3)

    def standing(self) -> dict[str, int]:
        rows = self.ask("SELECT channel || ' ' || status, count(*) FROM notifications_delivery GROUP BY 1")
        return dict(rows)

    def settle(self, seconds: float) -> None:
        """Until nothing is owed any more."""
        self.until(lambda: self.count(OWED) == 0, seconds)

    def compare(self, deliveries: int) -> Counter[str]:
        """Ours and theirs are the same set, nothing is lost, no SMS came twice; how many letters came twice."""
        rows = self.ask(
            "SELECT d.channel, d.status, d.local_ref FROM notifications_delivery d"
            " JOIN notifications_event e ON e.id = d.event_id WHERE e.at >= %s",
            self.began,
        )
        assert len(rows) == deliveries
        taken = [row for row in rows if row[1] in ("accepted", "delivered")]
        assert len(taken) == deliveries, Counter(row[1] for row in rows)
        ours = {ref for channel, _status, ref in taken if channel == "sms"}
        letters = {ref for channel, _status, ref in taken if channel == "email"}
        theirs = self.world.sms_localids()
        assert len(theirs) == len(set(theirs)), "an SMS was doubled"
        assert set(theirs) == ours
        # A second one under another number would not show there.
        assert self.world.sms_summary()["count"] == len(ours)
        mail = self.world.mail_summary()
        assert mail["distinct_message_ids"] == len(letters)
        return Counter({"letters": len(letters), "letters twice": mail["count"] - len(letters)})


def children(pid: int) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                yield int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")
