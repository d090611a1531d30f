"""Stories of our messages' words: they come with the release; staff write others, and a second person publishes."""

from collections import Counter
from itertools import product
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from notifications import shipped
from notifications.catalogue import CATALOGUE
from notifications.lint import faults
from notifications.models import Wording
from notifications.models.wording import hash_of, in_force

Status, Source = Wording.Status, Wording.Source
NEWER = gettext_noop("A newer release brought other words.")


class NotFit(Exception):
    """Why these words cannot be sent to customers: `faults`, in the words of who reads them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


class OneWaits(Exception):
    """Other words of this message wait for a decision, which comes first."""


def draft_wording(*, message: str, language: str, subject: str, text: str, sms: str, by: Any) -> Wording:
    """Write other words; a draft that is there already is changed."""
    texts = shipped.Texts(subject, text, sms)
    with transaction.atomic():
        _alone()
        draft = Wording.objects.of(message, language).open().filter(source=Source.EDITED).first()
        if draft is None:
            key = (message, language)
            draft = _new(key, _numbers()[key], Source.EDITED, Status.DRAFT, texts, proposed_by=by)
            draft.save()
        elif not draft.write(by, texts):
            raise OneWaits(draft)
    return draft


def propose_wording(*, wording: Wording, by: Any) -> bool:
    """Ask a colleague for a decision; NotFit says why that cannot be."""
    _check(wording)
    return wording.propose(by)


def publish_wording(*, wording: Wording, by: Any) -> bool:
    """From now on customers read these words. Nobody publishes what she proposed herself; the database sees to it."""
    _check(wording)
    if wording.proposed_by_id == by.pk:
        raise PermissionDenied("words are published by a second person")
    return wording.publish(by)


def reject_wording(*, wording: Wording, by: Any, reason: str) -> bool:
    return wording.reject(by, reason)


def ship_wordings() -> int:
    """Write down the release's words where they are new. They count at once, unless staff have published others: then
    they wait for a decision.
    """
    with transaction.atomic():
        _alone()
        shipped_before = Wording.objects.filter(source=Source.SHIPPED).order_by("message", "language", "-number")
        last = {(row.message, row.language): row for row in shipped_before.distinct("message", "language")}
        now = {(row.message, row.language): row for row in Wording.objects.in_force()}
        numbers, fresh = _numbers(), []
        for key in product(CATALOGUE, dict(settings.LANGUAGES)):
            texts = shipped.texts(*key)
            if key in last and last[key].sha256 == hash_of(*texts):
                continue
            if key in last and last[key].status == Status.PROPOSED:
                last[key].reject(None, NEWER)
            waits = key in now and not now[key].is_shipped
            status, decided_at = (Status.PROPOSED, None) if waits else (Status.PUBLISHED, Now())
            fresh.append(_new(key, numbers[key], Source.SHIPPED, status, texts, decided_at=decided_at))
        Wording.objects.bulk_create(fresh)
        transaction.on_commit(in_force.forget)
    return len(fresh)


def _check(wording: Wording) -> None:
    # The release's own words were read by who made it, and know conditions.
    if not wording.is_shipped and (found := faults(CATALOGUE[wording.message], wording)):
        raise NotFit(found)


def _alone() -> None:
    """One at a time: two new versions would take the same number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('notifications_wording', 0))")


def _numbers() -> Counter[tuple[str, str]]:
    """The newest number of each message and language."""
    rows = Wording.objects.order_by().values("message", "language").annotate(newest=Max("number"))
    return Counter({(row["message"], row["language"]): row["newest"] for row in rows})


def _new(key: tuple[str, str], newest: int, source: str, status: str, texts: shipped.Texts, **fields: Any) -> Wording:
    message, language = key
    names = {"message": message, "language": language, "number": newest + 1, "source": source, "status": status}
    return Wording(sha256=hash_of(*texts), **names, **texts._asdict(), **fields)
