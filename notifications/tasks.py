"""What the queue does for this room; a hint carries an id and nothing else."""

from celery import shared_task

from notifications import flows


@shared_task(name="notifications.deliver")
def deliver(delivery_id: str) -> None:
    flows.deliver(delivery_id)


@shared_task(name="notifications.sweep")
def sweep() -> None:
    flows.sweep()


@shared_task(name="notifications.ask_operator")
def ask_operator() -> None:
    flows.ask_operator()
