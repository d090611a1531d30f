"""Scripted behaviour: what the next call of one operation shall do instead of behaving well, and how slow all are.

Operations have the name that their company's file gives them. The mail server's are `greet`, `rcpt` and `send` of
`smtp`, the bounce mailbox's are `login` and `quit` of `pop`.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping

Step = str | Mapping[str, object]

# Done or not done before the answer goes wrong: that is what a merchant cannot know, and must survive.
STEPS = {
    "ok": "behave well",
    "timeout": "nothing is done, no answer comes",
    "timeout_after_commit": "the work is done, no answer comes",
    "refuse": "nothing is done, the connection is closed",
    "drop_after_commit": "the work is done, the connection is closed without an answer",
    "slow": "the work is done after five seconds",
    "500": "nothing is done, HTTP 500",
    "html": "nothing is done, an HTML page with HTTP 200",
    "fault": "nothing is done, a SOAP Fault with HTTP 500",
    "truncated": "the work is done, half of the answer comes",
    "slow_drip": "the work is done, the answer comes a byte each half second",
    "huge": "the work is done, ten megabytes come",
}


# Keys of a step that is an object: an error code of the company's own, any JSON body instead of the answer, any text
# instead of it, another amount in an answer that names one, the final status of the SMS now accepted, and the status
# (RFC 3463) with which the letter now accepted bounces.
TWISTS = {"code", "json", "raw", "amount", "ends", "bounces"}
SLOW_S = 5.0


class UnknownStep(Exception):
    """No such scripted behaviour."""


class Scripts:
    """A queue of steps for each (gateway, op), and seconds that every call of a gateway takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.latency: dict[str, float] = {}
        self._queues: dict[tuple[str, str], deque[Step]] = defaultdict(deque)

    def add(self, gateway: str, op: str, steps: list[object]) -> None:
        checked: list[Step] = []
        for step in steps:
            if (isinstance(step, str) and step in STEPS) or (isinstance(step, dict) and set(step) <= TWISTS):
                checked.append(step)
            else:
                raise UnknownStep(f"{step!r}; known: {', '.join(STEPS)}, or an object with {', '.join(sorted(TWISTS))}")
        with self._lock:
            self._queues[gateway, op].extend(checked)

    def take(self, gateway: str, op: str) -> Step:
        with self._lock:
            queue = self._queues.get((gateway, op))
            return queue.popleft() if queue else "ok"

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()
            self.latency = {}
