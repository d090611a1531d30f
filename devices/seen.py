"""When each sign-in was last seen, without a query in anybody's request.

Sightings gather in memory and a thread of the process writes them once a minute in one statement. A process that is
killed loses a minute of "last seen" and nothing else.
"""

import logging
import threading
from datetime import datetime

from django.db import connection
from django.utils import timezone

from devices.models import SignIn

EVERY = 60  # seconds
log = logging.getLogger(__name__)

_waiting: dict[int, datetime] = {}
_lock = threading.Lock()
_writer: threading.Thread | None = None


def saw(sign_in_id: int) -> None:
    """Remember that this sign-in was here now."""
    _waiting[sign_in_id] = timezone.now()
    if _writer is None:
        _start()


def flush() -> int:
    """Write what has gathered; answers how many sign-ins were seen."""
    global _waiting
    seen, _waiting = _waiting, {}
    if seen:
        SignIn.objects.saw(seen)
    return len(seen)


def _start() -> None:
    # Started by the first sighting and not at import, so that it lives in the worker and not in the parent that forked.
    global _writer
    with _lock:
        if _writer is None:
            _writer = threading.Thread(target=_keep_writing, name="devices.seen", daemon=True)
            _writer.start()


def _keep_writing() -> None:
    pause = threading.Event()
    while not pause.wait(EVERY):
        try:
            flush()
        except Exception as error:  # a lost minute is no reason to stop writing the next ones
            log.warning("sightings of one minute were not written: %s", type(error).__name__)
        finally:
            connection.close()
