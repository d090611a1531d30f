#!/usr/bin/env python
"""What an operator types."""

import os
import sys


def main() -> None:
    """Run one management command; a wrong setting or key ends in one line, not in a traceback."""
    if sys.argv[1:2] == ["up"]:  # needs no settings: it makes them
        from portal.local.stack import up

        raise SystemExit(up())
    if sys.argv[1:3] == ["pii_keys", "generate"]:  # the first key is made before there are any settings
        import secrets

        sys.stdout.write(f"{secrets.token_hex(32)}\n")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from portal.sealed.sentinel import WrongKeys, guard

    try:
        if sys.argv[1:2] not in ([], ["help"], ["--help"], ["--version"]):
            django.setup()
            guard()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, WrongKeys) as error:
        sys.exit(f"refused to start: {error}")


if __name__ == "__main__":
    main()
