"""Work of the money lane: finish what callbacks lost, and forget what banks need no more."""

from celery import shared_task

from billing import flows
from billing.models import Payment


@shared_task(name="billing.reconcile")  # type: ignore[untyped-decorator]
def reconcile() -> None:
    # One task an attempt: a slow bank must not hold up the others.
    for pk in Payment.objects.to_check().values_list("pk", flat=True)[:1000]:
        verify.delay(pk)


@shared_task(name="billing.verify")  # type: ignore[untyped-decorator]
def verify(payment_id: int) -> None:
    for payment in Payment.objects.to_check().filter(pk=payment_id):
        flows.look_again(payment=payment)


@shared_task(name="billing.forget_tokens")  # type: ignore[untyped-decorator]
def forget_tokens() -> None:
    flows.forget_tokens()
