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


@shared_task(name="notifications.ask_operator")  # type: ignore[untyped-decorator]
def ask_operator() -> None:
    flows.ask_operator()


@shared_task(name="notifications.follow_voice_calls")  # type: ignore[untyped-decorator]
def follow_voice_calls() -> None:
    flows.follow_voice_calls()
