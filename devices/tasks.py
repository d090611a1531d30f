"""Periodic work of this room."""

from celery import shared_task

from devices import flows


@shared_task(name="devices.forget_old")  # type: ignore[untyped-decorator]
def forget_old() -> None:
    flows.forget_old()
