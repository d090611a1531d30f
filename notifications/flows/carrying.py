"""Hand claimed rows to a company in as few calls as it allows, and put what it said into outcomes.

Nothing here holds a transaction, and nothing is written but what the company itself is told apart by: whether it
answers, and whether it has credit.
"""

import json
import logging
import random
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Prefetch, prefetch_related_objects

from notifications import channels
from notifications.channels import SmsCarrier, Text, TransportError, bounces, smtp
from notifications.messages import CATALOGUE, Words, render
from notifications.models import MAIL, Carrier, Channel, Delivery, Lane, Outcome, Suppression, Turn
from notifications.placeholders import Unfit

log = logging.getLogger(__name__)
S = Delivery.Status

# With waits up to half an hour this is more than a day; then somebody of us must look.
TRIES_AT_MOST, CODE_TRIES_AT_MOST = 120, 2
FIRST_WAIT, LONGEST_WAIT, LONGEST_WAIT_FOR_CODES = 10, 1800, 60  # seconds
LOOK_UP_AFTER = 10  # seconds; the operator's own books lag behind its answers
ASK_FIRST = 15  # seconds from handing over an SMS to asking what became of it
CREDIT_WAIT = 60  # seconds between two looks at an empty account
AT_ONCE = {Channel.SMS: 200, Channel.EMAIL: 50}  # what one call takes; letters that may go twice when a worker dies


def carriers(channel: str) -> list[str]:
    """Their slugs, the preferred first."""
    return [MAIL] if channel == Channel.EMAIL else [each.slug for each in channels.sms_carriers()]


def choose(channel: str, lane: str, n: int, *, not_again: str = "", only: str = "") -> tuple[str, Turn]:
    """The carrier for up to `n` messages of a lane, and how many it takes now.

    A code goes by the next company when one is down or unpaid, and by another than `not_again`; security and payment
    when one is unpaid; the rest waits. `only` may have the message already, so it goes nowhere else.
    """
    known = carriers(channel)
    ways = [only] if only in known else sorted(known, key=lambda slug: slug == not_again)
    for slug in ways:
        turn = Carrier.objects.take(slug, n, lane)
        if turn.given or not ((turn.shut and lane == Lane.CODES) or (turn.shut == "credit" and lane == Lane.MONEY)):
            break
    return slug, turn


def carry(rows: list[Delivery], slug: str, turn: Turn) -> list[Outcome]:
    """Send rows of one channel that are claimed for one carrier."""
    prefetch_related_objects(rows, "event")
    addresses = Prefetch("reader", get_user_model().objects.only("email", "mobile"))
    prefetch_related_objects([row for row in rows if row.at_account], addresses)
    Delivery.objects.stamp(rows)
    return (_letters if slug == MAIL else _texts)(rows, Line(slug, turn))


class Line:
    """The way to one carrier while a batch is handed over, and whether it still holds."""

    def __init__(self, slug: str, turn: Turn) -> None:
        self.carrier, self.turn = Carrier(slug=slug), turn
        self.is_cut = False

    def took(self) -> None:
        if self.turn.failures:
            self.carrier.recover()

    def refused(self, error: TransportError, rows: list[Delivery]) -> list[Outcome]:
        """What it means for these rows that a call for them failed."""
        slug = self.carrier.slug
        if error.out_of_credit:
            self.is_cut = True
            if self.carrier.run_dry():
                log.error("the account at %s is empty: broadcasts and tickets wait until it is paid", slug)
            return [Outcome(row, S.QUEUED, None, _unpaid_wait(row)) for row in rows]
        if error.ours:
            log.error("%s refuses us (%s); %d messages wait for it", slug, error.code, len(rows))
        if _is_the_carriers_fault(error, rows[0]):
            self.is_cut = True
            if self.carrier.fail(was_probe=self.turn.is_probe):
                log.error("%s is left alone for a while (%s)", slug, error.code)
        else:
            self.took()
        return [refused(row, error) for row in rows]


def _unpaid_wait(row: Delivery) -> float:
    urgent = row.lane in (Lane.CODES, Lane.MONEY) and len(carriers(row.channel)) > 1
    return 0 if urgent else random.uniform(CREDIT_WAIT / 4, CREDIT_WAIT)  # noqa: S311  (no secret)


def _is_the_carriers_fault(error: TransportError, row: Delivery) -> bool:
    """Silence and "busy" are; a receiver that is refused is not, nor a template that it does not know."""
    if error.permanent:
        return False
    if error.busy or error.maybe_sent:
        return True
    return not row.is_code if error.ours else not error.code.startswith("smtp-4")


def refused(row: Delivery, error: TransportError) -> Outcome:
    """One row's outcome of a call that failed."""
    if error.maybe_sent:
        return doubted(row, error.code)
    other = row.is_code and len(carriers(row.channel)) > 1 and row.tries < CODE_TRIES_AT_MOST
    if error.permanent and not error.ours:
        return Outcome(row, S.BLOCKED if error.blocked else S.UNDELIVERED, error.code)
    if error.permanent and not other:
        return Outcome(row, S.PARKED, error.code)
    return Outcome(row, S.QUEUED, error.code, 0) if other else again(row, error.code)


def doubted(row: Delivery, code: str) -> Outcome:
    """Nobody knows whether it was taken. A text is looked up, a letter goes again under its own id, and a code once
    more by another carrier while its time runs; else it stays so, and people may ask for a new one.
    """
    wait: float | None = LOOK_UP_AFTER
    if row.is_code:
        wait = 0 if row.tries < CODE_TRIES_AT_MOST and len(carriers(row.channel)) > 1 else None
    elif row.channel == Channel.SMS:
        sender = sms_carrier(row.carrier)
        wait = LOOK_UP_AFTER if sender is None or sender.remembers_local_ids else None
    return Outcome(row, S.UNKNOWN, code, wait)


def again(row: Delivery, code: str) -> Outcome:
    """After a random time whose bound grows, so that many that failed together do not come back together."""
    if row.tries >= (CODE_TRIES_AT_MOST if row.is_code else TRIES_AT_MOST):
        return Outcome(row, S.PARKED, code)
    longest = LONGEST_WAIT_FOR_CODES if row.lane == Lane.CODES else LONGEST_WAIT
    bound = min(longest, FIRST_WAIT * 2 ** min(row.tries - 1, 10))
    return Outcome(row, S.QUEUED, code, random.uniform(0, bound))  # noqa: S311  (no secret)


def back(row: Delivery, wait: float = 1) -> Outcome:
    """As if it had not been taken up."""
    return Outcome(row, S.QUEUED, None, wait)


def sms_carrier(slug: str) -> SmsCarrier | None:
    return next((each for each in channels.sms_carriers() if each.slug == slug), None)


# --- words and address ------------------------------------------------------------------------------------------------


class Written(dict[tuple[Any, ...], Words]):
    """The words of a batch; those of a broadcast are the same for all its readers and are written once."""

    def of(self, row: Delivery) -> Words:
        event = row.event
        said = event.broadcast_id or json.dumps(event.words_context, sort_keys=True, default=str)
        key = row.channel, row.wording_id, event.language, said
        if key not in self:
            self[key] = render(event, row.channel, row.wording_id)
        return self[key]


def _address(row: Delivery) -> str:
    """Where it goes; empty when there is no such place (any more)."""
    if not row.at_account or row.reader is None:
        return row.recipient or ""
    return (row.reader.email if row.channel == Channel.EMAIL else row.reader.mobile) or ""


def _ready(rows: list[Delivery], outcomes: list[Outcome]) -> Iterator[tuple[Delivery, str, Words]]:
    """Rows that can go, with address and words; the others get their outcome here."""
    written, stopped = Written(), Suppression.objects.stopping(rows)
    for row in rows:
        if row.pk in stopped:
            outcomes.append(Outcome(row, S.SUPPRESSED, "bounced"))
            continue
        try:
            if not (to := _address(row)):
                outcomes.append(Outcome(row, S.SUPPRESSED, "no-address" if row.at_account else "erased"))
                continue
            words = Words("", "", "") if row.is_code else written.of(row)
        except Unfit as error:
            log.error("delivery %s is not sent half-empty: %s", row.pk, error)
            outcomes.append(Outcome(row, S.PARKED, "words"))
            continue
        except Exception as error:
            # Words that cannot be written wait for a mended release. The error's text may hold them: it stays out.
            log.error("delivery %s cannot be written: %s", row.pk, type(error).__name__)
            outcomes.append(again(row, "render"))
            continue
        yield row, to, words


# --- SMS --------------------------------------------------------------------------------------------------------------


def _texts(rows: list[Delivery], line: Line) -> list[Outcome]:
    outcomes: list[Outcome] = []
    carrier = sms_carrier(line.carrier.slug)
    if carrier is None:  # taken out of the settings this very moment
        return [back(row) for row in rows]
    codes, texts = [], []
    for row, to, words in _ready(rows, outcomes):
        if row.is_code:
            codes.append((row, to))
        else:
            texts.append((row, Text(to, words.text, row.local_ref)))
    for row, to in codes:
        outcomes += _code(row, to, carrier, line)
    return outcomes + _call(texts, carrier, line, time.monotonic() + _enough(Channel.SMS))


def _code(row: Delivery, to: str, carrier: SmsCarrier, line: Line) -> list[Outcome]:
    event = row.event
    try:
        template, code = f"{CATALOGUE[event.message].sms_template}-{event.language}", event.words_context["code"]
    except (KeyError, TypeError):
        return [again(row, "render")]
    try:
        standing = carrier.send_code(to, template, code)
    except TransportError as error:
        return line.refused(error, [row])
    line.took()
    return [Outcome(row, S.ACCEPTED, "ok", ASK_FIRST, standing.ref)]


def _call(texts: list[tuple[Delivery, Text]], carrier: SmsCarrier, line: Line, ends: float) -> list[Outcome]:
    """One call. When it is refused for good it is halved until the text that is at fault stands alone."""
    if not texts:
        return []
    if line.is_cut or time.monotonic() > ends:
        return [back(row) for row, _text in texts]
    half = len(texts) // 2
    if len(texts) > carrier.texts_at_most:
        return _call(texts[:half], carrier, line, ends) + _call(texts[half:], carrier, line, ends)
    try:
        standings = carrier.send_texts([text for _row, text in texts])
    except TransportError as error:
        if error.permanent and len(texts) > 1:
            return _call(texts[:half], carrier, line, ends) + _call(texts[half:], carrier, line, ends)
        return line.refused(error, [row for row, _text in texts])
    line.took()
    return [
        Outcome(row, S.ACCEPTED, "ok", ASK_FIRST, standing.ref)
        for (row, _text), standing in zip(texts, standings, strict=True)
    ]


# --- e-mail -----------------------------------------------------------------------------------------------------------


def _letters(rows: list[Delivery], line: Line) -> list[Outcome]:
    """One by one over one connection, for half of the lease at most."""
    outcomes: list[Outcome] = []
    us, ends = settings.SITE_HOST or "localhost", time.monotonic() + _enough(Channel.EMAIL)
    forms: dict[Words, smtp.Form] = {}
    with smtp.mailer(settings.SMTP, us=us) as mailer:
        for row, to, words in _ready(rows, outcomes):
            if line.is_cut or time.monotonic() > ends:
                outcomes.append(back(row))
                continue
            message_id = f"<{row.local_ref}@{us}>"
            try:
                if words not in forms:
                    forms[words] = smtp.Form(sender=settings.EMAIL_FROM, language=row.event.language, **words._asdict())
                letter = forms[words].letter(to=to, message_id=message_id, at=row.event.at)
                mailer.send(letter, envelope_from=bounces.return_path(row.pk))
            except TransportError as error:
                outcomes += line.refused(error, [row])
            else:
                line.took()
                outcomes.append(Outcome(row, S.ACCEPTED, "ok", None, message_id))
    return outcomes


def _enough(channel: str) -> float:
    """For how many seconds of a batch's lease new calls may begin."""
    return Delivery.LEASE[channel].total_seconds() / 2
