"""What `python -m portal.local` can be asked for."""

from collections.abc import Callable, Sequence

from portal.local import browser, check, stack, venv, within
from portal.local.postgres import remove_data
from portal.local.room import Room, data_dir

# Backups, benchmark tables and screenshots in the same folder are not the stack's to throw away.
EMBEDDED = ["valkey", "world", "media", "static", "log", "run", "secrets.env", "demo-loaded"]


def setup(arguments: Sequence[str]) -> int:
    venv.ensure()
    return 0


def exec_(arguments: Sequence[str]) -> int:
    fresh = list(arguments[:1]) == ["--fresh"]
    command = list(arguments[fresh:])
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise SystemExit("exec: which command? (python -m portal.local exec [--fresh] -- COMMAND)")
    return within.run_fresh(command) if fresh else within.run_within(command)


def print_browser(arguments: Sequence[str]) -> int:
    print(browser.find())
    return 0


def reset(arguments: Sequence[str]) -> int:
    """Only what the embedded stack made, and only while nothing uses it."""
    room = Room(data_dir())
    if not (room / "run" / "ports.json").exists():
        print(f"nothing embedded is kept in {room.path}")
        return 0
    if not room.take():
        print(f"the stack in {room.path} is running: stop it first")
        return 1
    remove_data(room)
    room.leave()
    room.remove(EMBEDDED)
    print(f"{room.path} starts empty the next time")
    return 0


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "setup": setup,
    "up": stack.up,
    "exec": exec_,
    "browser": print_browser,
    "check": lambda arguments: check.main(),
    "reset": reset,
}
