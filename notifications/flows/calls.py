"""Call a customer: asked for by one, approved by another, made once, written down."""

import datetime as dt
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from notifications import channels, spoken
from notifications.channels import Fate, Standing, TransportError
from notifications.models import CallTask, Ticket, VoiceCall

from .delivering import REMEMBERED

NO_VOICE = "no-voice"  # what a company says that only writes
LOOK_UP_AFTER = dt.timedelta(seconds=10)  # the operator's own books lag behind its answers
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
    """To the first company that can speak."""
    refusal = NO_VOICE
    for carrier in channels.sms_carriers():
        try:
            standing = carrier.call(to, words, voice.local_ref)
        except TransportError as error:
            if error.maybe_sent:
                voice.doubt(error.code, Now() + LOOK_UP_AFTER)
                return
            refusal = error.code
            if refusal != NO_VOICE:
                break
        else:
            voice.accept(carrier.slug, standing.ref, Now() + ASK_EVERY)
            return
    voice.fail(refusal)


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
        for carrier in channels.sms_carriers():
            if carrier.remembers_local_ids and (known := carrier.find([voice.local_ref])):
                voice.accept(carrier.slug, known[voice.local_ref].ref, Now())
                return
    except TransportError:
        voice.ask_later(Now() + ASK_EVERY)
        return
    if _is_forgotten(voice):
        _end(voice, "forgotten", taken=False)
    else:
        voice.fail("not-found")


def _learn(voice: VoiceCall) -> bool:
    standings: list[Standing] = []
    with suppress(TransportError):
        for carrier in channels.sms_carriers():
            if carrier.slug == voice.carrier:
                standings = carrier.standings([voice.provider_ref])
    state, code = (standings[0].state, standings[0].code) if standings else (Fate.PENDING, "")
    if state in (Fate.DELIVERED, Fate.UNDELIVERED, Fate.BLOCKED):
        return _end(voice, code, taken=state == Fate.DELIVERED)
    if _is_forgotten(voice):
        return _end(voice, "forgotten", taken=False)
    voice.ask_later(Now() + ASK_EVERY)
    return False


def _is_forgotten(voice: VoiceCall) -> bool:
    """Whether the operator would not know it any more; an urgent call of half a day ago is no news either."""
    return VoiceCall.objects.filter(pk=voice.pk, since__lt=Now() - REMEMBERED).exists()


def _end(voice: VoiceCall, code: str, *, taken: bool) -> bool:
    with transaction.atomic():
        task = _locked(voice.task)
        if not voice.end(code, taken=taken):
            return False
        return task.end(voice.called_by, Outcome.HEARD if taken else Outcome.NO_ANSWER)
