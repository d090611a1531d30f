"""Periodic work of the building itself."""

import datetime as dt

from celery import shared_task
from django.apps import apps
from django.core.management import call_command

from portal.sealed import files


@shared_task(name="portal.clear_sessions")  # type: ignore[untyped-decorator]
def clear_sessions() -> None:
    call_command("clearsessions")


@shared_task(name="portal.shred_orphans")  # type: ignore[untyped-decorator]
def shred_orphans() -> None:
    """Sealed files whose row never came to be, or is gone; every row that has a `file_key` names its `file`."""
    owners = [model for model in apps.get_models() if any(f.name == "file_key" for f in model._meta.concrete_fields)]
    known = {name for model in owners for name in model._default_manager.values_list("file", flat=True)}
    for name in list(files.orphans(known, dt.timedelta(days=1))):
        files.shred(name)
