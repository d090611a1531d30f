"""Which queue takes which work, and the one list of periodic work."""

from notifications.models import Lane
from portal.celery import PERIODIC, QUEUES, app


def test_money_is_asked_for_on_its_own_queue():
    assert app.amqp.router.route({}, "billing.verify")["queue"].name == "money"
    assert app.amqp.router.route({}, "billing.reconcile")["queue"].name == "default"


def test_every_lane_of_messages_is_a_queue():
    assert set(Lane.values) < set(QUEUES)


def test_every_periodic_task_exists():
    app.loader.import_default_modules()
    assert set(PERIODIC) <= set(app.tasks)
