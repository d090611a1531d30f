"""Call a customer: asked for by one, approved by another, made once, written down."""

import datetime as dt
import logging
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import spoken
from notifications.channels import TransportError
from notifications.channels.kavenegar import BLOCKED, DELIVERED, NOT_DELIVERED
from notifications.models import CallTask, Ticket, VoiceCall

from .delivering import LOOK_UP_AFTER, REMEMBERED, sms_operator

log = logging.getLogger(__name__)

ASK_EVERY = dt.timedelta(seconds=30)  # how often the operator is asked how a call of its own ended
Outcome, Status = CallTask.Outcome, CallTask.Status


class CannotCall(Exception):
    """In the reader's words: why there is no call."""


# --- by two people ----------------------------------------------------------------------------------------------------


def ask_for_call(
    *, customer: Any, number: str, reason: str, why: str, by: Any, ticket: Ticket | None = None
) -> CallTask:
    """The first of two people."""
    if not getattr(customer, number):
        raise CannotCall(_("This customer has given us no such number."))
    if reason == CallTask.Reason.CUSTOMER_ASKED and ticket is None:
        raise CannotCall(_("Please name the ticket in which the customer asked for a call."))
    if ticket is not None and ticket.customer_id != customer.pk:
        raise CannotCall(_("This ticket is of another customer."))
    with transaction.atomic():
        task = CallTask(customer=customer, number=number, reason=reason, ticket=ticket, why=why, asked_by=by)
        task.save()
        task.events.create(step=task.status, by=by)
    return task


def approve_call(*, task: CallTask, by: Any) -> bool:
    """The second of two people. False when it was approved already."""
    _refuse_the_same(task, by)
    return task.approve(by)


def refuse_call(*, task: CallTask, by: Any) -> bool:
    """The second of two people says no."""
    _refuse_the_same(task, by)
    return task.refuse(by)


def cancel_call(*, task: CallTask, by: Any) -> bool:
    """It is needed no more; False when that was written down already."""
    with transaction.atomic():
        task = _locked(task)
        _refuse_beside_the_operator(task)
        return task.cancel(by)


def record_outcome(*, task: CallTask, by: Any, outcome: str, note: str = "") -> bool:
    """Somebody of us called. Raises ValueError when nobody has approved that."""
    if outcome == Outcome.HEARD:
        raise CannotCall(_("Only the operator can say that a spoken message was taken."))
    with transaction.atomic():
        task = _locked(task)
        _refuse_beside_the_operator(task)
        return task.end(by, outcome, note or None)


def _refuse_the_same(task: CallTask, by: Any) -> None:
    if task.asked_by_id == by.pk:
        raise CannotCall(_("Who asked for a call cannot decide on it. Please let a colleague do so."))


def _refuse_beside_the_operator(task: CallTask) -> None:
    voice = VoiceCall.objects.filter(task=task).first()
    if voice is not None and voice.is_on_its_way:
        raise CannotCall(_("The operator is making this call. What came of it is written down by itself."))


def _locked(task: CallTask) -> CallTask:
    return CallTask.objects.select_for_update().get(pk=task.pk)


# --- by the operator's voice ------------------------------------------------------------------------------------------


def start_voice_call(*, task: CallTask, by: Any) -> bool:
    """Have the operator call and speak the sentence of the task's reason, once. False when that is under way already.

    The row is written and committed first, the operator is called outside any transaction, and nothing is handed over
    a second time before the operator has said that it has none of ours.
    """
    with transaction.atomic(durable=True):
        task = CallTask.objects.select_related("customer").select_for_update(of=("self",)).get(pk=task.pk)
        if task.status != Status.APPROVED:
            raise CannotCall(_("Only a call that a colleague has approved can be made."))
        if task.reason not in spoken.SENTENCES:
            raise CannotCall(_("The customer asked to speak with a person, so a person has to call."))
        to = getattr(task.customer, task.number)
        if not to:
            raise CannotCall(_("This customer has given us no such number."))
        voice = VoiceCall.begin(task, by)
    if voice is None:
        return False
    _hand_over(voice, to, spoken.words(task.reason, task.customer.language))
    return True


def _hand_over(voice: VoiceCall, to: str, words: str) -> None:
    try:
        standing = sms_operator().call(to, words, voice.local_ref)
    except TransportError as error:
        if error.maybe_sent:
            voice.doubt(error.code, Now() + LOOK_UP_AFTER)
        else:
            voice.fail(error.code)
    else:
        voice.accept(standing.ref, Now() + ASK_EVERY)


def follow_voice_calls() -> int:
    """Learn what became of calls that the operator makes for us; how many of them came to an end."""
    for voice in VoiceCall.objects.let_go():
        voice.doubt("lease", Now())
    for voice in VoiceCall.objects.to_look_up():
        _look_up(voice)
    return sum(_learn(voice) for voice in VoiceCall.objects.to_ask_about())


def _look_up(voice: VoiceCall) -> None:
    """Ask for our own number before anybody may call a second time."""
    try:
        standing = sms_operator().find(voice.local_ref)
    except TransportError:
        voice.ask_later(Now() + ASK_EVERY)
        return
    if standing:
        voice.accept(standing.ref, Now())
    elif _is_forgotten(voice):
        _end(voice, "forgotten", taken=False)
    else:
        voice.fail("not-found")


def _learn(voice: VoiceCall) -> bool:
    try:
        standings = sms_operator().standings([voice.provider_ref])
    except TransportError:
        standings = []
    status = standings[0].status if standings else 0
    if status == DELIVERED:
        return _end(voice, str(status), taken=True)
    if status == BLOCKED or status in NOT_DELIVERED:
        return _end(voice, str(status), taken=False)
    if _is_forgotten(voice):
        return _end(voice, "forgotten", taken=False)
    voice.ask_later(Now() + ASK_EVERY)
    return False


def _is_forgotten(voice: VoiceCall) -> bool:
    """Whether the operator would not know it any more; an urgent call of half a day ago is no news either."""
    return timezone.now() - voice.since > REMEMBERED


def _end(voice: VoiceCall, code: str, *, taken: bool) -> bool:
    with transaction.atomic():
        task = _locked(voice.task)
        if not voice.end(code, taken=taken):
            return False
        return task.end(voice.called_by, Outcome.HEARD if taken else Outcome.NO_ANSWER)
