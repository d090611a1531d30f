"""What the queue does for this room; a hint carries an id, or the name of a lane, and nothing else."""

from celery import shared_task

from notifications import flows

DRAINS_FOR = 10  # seconds


# The lane is the queue, given with each hint.
@shared_task(name="notifications.deliver")  # type: ignore[untyped-decorator]
def deliver(delivery_id: str) -> None:
    flows.deliver(delivery_id)


@shared_task(name="notifications.drain")  # type: ignore[untyped-decorator]
def drain(lane: str) -> None:
    """In pieces that end soon, so that a worker can be stopped between two of them."""
    flows.drain(lane, within=DRAINS_FOR)


@shared_task(name="notifications.look_at_credit")  # type: ignore[untyped-decorator]
def look_at_credit() -> None:
    flows.look_at_credit()


@shared_task(name="notifications.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    flows.sweep()


@shared_task(name="notifications.fan_out")  # type: ignore[untyped-decorator]
def fan_out() -> None:
    flows.fan_out_due()


@shared_task(name="notifications.ask_operator")  # type: ignore[untyped-decorator]
def ask_operator() -> None:
    flows.ask_operator()


@shared_task(name="notifications.follow_voice_calls")  # type: ignore[untyped-decorator]
def follow_voice_calls() -> None:
    flows.follow_voice_calls()


@shared_task(name="notifications.read_bounces")  # type: ignore[untyped-decorator]
def read_bounces() -> None:
    flows.read_bounces()


@shared_task(name="notifications.remind_of_maintenance")  # type: ignore[untyped-decorator]
def remind_of_maintenance() -> None:
    flows.remind_of_maintenance()
