"""Runs the outside world: `python -m portal.local.world`.

Environment: WORLD_PORT (8001), WORLD_SMTP_PORT (WORLD_PORT+1), WORLD_DIR (a folder that keeps its state; memory when
unset). Port 0 takes a free one. When both ports answer, one line says where.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from .server import World, listen


def main() -> int:
    folder = os.environ.get("WORLD_DIR")
    try:
        port = int(os.environ.get("WORLD_PORT") or 8001)
        smtp_port = int(os.environ.get("WORLD_SMTP_PORT") or (port + 1 if port else 0))
    except ValueError:
        print("outside world: WORLD_PORT and WORLD_SMTP_PORT are numbers", file=sys.stderr)
        return 2
    world = World(Path(folder) if folder else None)
    try:
        server = listen(world, port)
        smtp_port = world.mail_server.start(smtp_port)
    except OSError as error:
        print(f"outside world: port {port} or {smtp_port}: {error.strerror}", file=sys.stderr)
        return 1
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    print(f"outside world: http://127.0.0.1:{server.server_port}/ mail {smtp_port}", flush=True)
    ended.wait()
    server.shutdown()
    world.mail_server.stop()
    with world.store.lock:
        world.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
