"""Prints the workers' events as lines of JSON, as anybody at the broker could: `… -m tests.browser.listen URL`."""

import json
import sys

from celery import Celery


def main(url: str) -> None:
    app = Celery(broker=url)
    with app.connection_for_read() as connection:
        heard = app.events.Receiver(connection, handlers={"*": lambda e: print(json.dumps(e, default=str), flush=True)})
        app.control.enable_events()
        heard.capture(limit=None, timeout=None, wakeup=True)


if __name__ == "__main__":
    main(sys.argv[1])
