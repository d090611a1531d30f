"""Ports on this machine: which are free, and which one a service had the last time."""

import json
import os
import socket
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that just closed counts as free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def chosen(name: str) -> int | None:
    """A port named by the environment, if it is named there."""
    value = os.environ.get(name)
    if not value:
        return None
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise SystemExit(f"{name}={value} is not a port number")
    return int(value)


def kept(memory: Path, name: str, first_choice: int) -> int:
    """The port of an embedded service: the one it had before, else the first choice, else any free one."""
    known: dict[str, int] = json.loads(memory.read_text()) if memory.exists() else {}
    port = next((p for p in (known.get(name), first_choice) if p and is_free(p)), None) or several_free(1)[0]
    memory.write_text(json.dumps(known | {name: port}))
    return port


def several_free(count: int) -> list[int]:
    """Different free ports, held together while they are looked for."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
