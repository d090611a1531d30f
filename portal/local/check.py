"""What must hold before a change is handed over: style, types, settings, migrations, translations."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from portal.local.room import ROOT

# The settings are checked as a real shop would have them, against no real company.
PRODUCTION = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "SITE_URL": "https://portal.example.com",
    "ALLOWED_HOSTS": "portal.example.com",
    "BEHIND_PROXY": "1",
    "EMAIL_URL": "smtp://user:password@mail.example.com:587?tls=1",
    "EMAIL_FROM": "portal@example.com",
    "GATEWAYS": "sep,mellat,sadad,parsian,pasargad,zarinpal,zibal",
    "SEP_TERMINAL_ID": "1",
    "MELLAT_TERMINAL_ID": "1",
    "MELLAT_USERNAME": "portal",
    "MELLAT_PASSWORD": "password",
    "SADAD_MERCHANT_ID": "1",
    "SADAD_TERMINAL_ID": "1",
    "SADAD_TERMINAL_KEY": "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4",
    "PARSIAN_PIN": "pin",
    "PASARGAD_USERNAME": "portal",
    "PASARGAD_PASSWORD": "password",
    "PASARGAD_TERMINAL_NUMBER": "1",
    "ZARINPAL_MERCHANT_ID": "00000000-0000-4000-8000-000000000000",
    "ZIBAL_MERCHANT": "portal",
}
STAND_INS = {"WORLD_URL", "WORLD_PORT", "WORLD_SMTP_PORT", "WORLD_DIR", "DEBUG"}


def production() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in STAND_INS} | PRODUCTION


def steps() -> list[tuple[str, list[str], dict[str, str]]]:
    """Each step: its name, its command, its environment."""
    here, real = dict(os.environ), production()
    python = sys.executable
    tools = Path(python).parent
    return [
        ("style", [str(tools / "ruff"), "check", "."], here),
        ("types", [str(tools / "mypy"), "."], here),
        ("settings", [python, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], real),
        ("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"], here),
        ("translations", [python, "manage.py", "catalogues", "check"], here),
    ]


def main() -> int:
    """Run every step, so that one run names everything that is wrong."""
    failed = []
    for name, command, environment in steps():
        print(f"── {name}: {' '.join([Path(command[0]).name, *command[1:]])}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=environment).returncode:
            failed.append(name)
    print(f"── failed: {', '.join(failed)}" if failed else "── everything holds", flush=True)
    return 1 if failed else 0
