"""What the queue does for this room; a hint carries an id and nothing else."""

from celery import shared_task

from notifications import flows


# The lane is the queue, given with each hint.
@shared_task(name="notifications.deliver")  # type: ignore[untyped-decorator]
def deliver(delivery_id: str) -> None:
    flows.deliver(delivery_id)


@shared_task(name="notifications.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    flows.sweep()


@shared_task(name="notifications.fan_out")  # type: ignore[untyped-decorator]
def fan_out() -> None:
    flows.fan_out_due()


@shared_task(name="notifications.ask_operator")  # type: ignore[untyped-decorator]
def ask_operator() -> None:
    flows.ask_operator()


@shared_task(name="notifications.remind_of_maintenance")  # type: ignore[untyped-decorator]
def remind_of_maintenance() -> None:
    flows.remind_of_maintenance()
