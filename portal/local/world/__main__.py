"""Runs the outside world: `python -m portal.local.world`.

Environment: WORLD_PORT (8001), WORLD_SMTP_PORT (WORLD_PORT+1), WORLD_POP_PORT (WORLD_SMTP_PORT+1), WORLD_DIR (a folder
that keeps its state; nothing is kept when unset), WORLD_BOUNCE_DOMAIN (bounces.localhost: whose letters lie in the POP
mailbox), WORLD_SMS_PUSH_URL (where Kavenegar tells of messages at their end; nowhere when unset). Port 0 takes a free
one. When all ports answer, one line says where.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from .push import BadPush
from .server import World, listen


def main() -> int:
    folder = os.environ.get("WORLD_DIR")
    bounce_domain = os.environ.get("WORLD_BOUNCE_DOMAIN") or "bounces.localhost"
    try:
        port = int(os.environ.get("WORLD_PORT") or 8001)
        smtp_port = int(os.environ.get("WORLD_SMTP_PORT") or (port + 1 if port else 0))
        pop_port = int(os.environ.get("WORLD_POP_PORT") or (smtp_port + 1 if smtp_port else 0))
        world = World(Path(folder) if folder else None, bounce_domain, os.environ.get("WORLD_SMS_PUSH_URL", ""))
    except ValueError:
        print("outside world: WORLD_PORT, WORLD_SMTP_PORT and WORLD_POP_PORT are numbers", file=sys.stderr)
        return 2
    except BadPush as error:
        print(f"outside world: WORLD_SMS_PUSH_URL: {error}", file=sys.stderr)
        return 2
    try:
        server = listen(world, port)
        smtp_port, pop_port = world.post_office.start(smtp_port, pop_port)
    except OSError as error:
        print(f"outside world: port {port}, {smtp_port} or {pop_port}: {error.strerror}", file=sys.stderr)
        return 1
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    print(f"outside world: http://127.0.0.1:{server.server_port}/ mail {smtp_port} pop {pop_port}", flush=True)
    ended.wait()
    server.shutdown()
    world.post_office.stop()
    with world.store.lock:
        world.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
