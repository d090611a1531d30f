"""Runs the portal on one machine: `python -m portal.local setup | up | exec | browser | check | reset`."""

import sys

USAGE = """python -m portal.local VERB

  setup                     make .venv and install the pinned requirements, if anything changed
  up [--json]               run the whole stack until Ctrl-C (also: manage.py up)
  exec -- COMMAND           run COMMAND in the running stack; its services start for the time if none runs
  exec --fresh -- COMMAND   run COMMAND with a database, a queue and secrets of its own, thrown away afterwards
  browser                   print the path of a browser for the tests; fetches one if there is none
  check                     style, types, settings, migrations, translations (wants an environment: see `exec`)
  reset                     throw away what the embedded stack keeps"""


def main(arguments: "list[str]") -> int:
    """Do one verb; returns the exit code."""
    # Older Pythons must be able to read this file, or nobody would hear this line.
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit("Python 3.11 or newer is needed: PYTHON=python3.12 make …")
    from portal.local import verbs

    verb = arguments[0] if arguments else ""
    if verb in verbs.VERBS:
        return verbs.VERBS[verb](arguments[1:])
    print(USAGE, file=sys.stdout if verb in ("help", "--help", "-h") else sys.stderr)
    return 0 if verb in ("help", "--help", "-h") else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
