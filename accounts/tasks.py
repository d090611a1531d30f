"""Periodic work of this room."""

from celery import shared_task

from accounts import flows


@shared_task(name="accounts.forget_unfinished")  # type: ignore[untyped-decorator]
def forget_unfinished() -> None:
    flows.forget_unfinished()


@shared_task(name="accounts.forget_contact_changes")  # type: ignore[untyped-decorator]
def forget_contact_changes() -> None:
    flows.forget_contact_changes()


@shared_task(name="accounts.forget_invitations")  # type: ignore[untyped-decorator]
def forget_invitations() -> None:
    flows.forget_invitations()


@shared_task(name="accounts.tidy_photo_ids")  # type: ignore[untyped-decorator]
def tidy_photo_ids() -> None:
    flows.tidy_photo_ids()
