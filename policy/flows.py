"""The stories of this room: publishing a version, telling about it, accepting it."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from notifications.flows import prepare_broadcast
from notifications.models import Broadcast
from policy.models import Acceptance, Version, hash_of
from policy.page import title_of


class NotPublishable(Exception):
    """Why a text was refused, in one line for the operator."""


def tidy(body: str) -> str:
    """One way to end lines and the text, so that an editor's habits make no new version."""
    return body.replace("\r\n", "\n").strip() + "\n"


def publish(*, body: str, locale: str, effective_from: date, is_material: bool = False, summary: str = "") -> Version:
    """Publish a text. It takes the newest number if that still lacks this language, else the next one."""
    body = tidy(body)
    if not body.strip():
        raise NotPublishable("the text is empty")
    if not (title := title_of(body)):
        raise NotPublishable("the text has no title: a line that begins with “# ”")
    if effective_from < timezone.localdate():
        raise NotPublishable(f"{effective_from} is past: a policy takes effect today or later")
    with transaction.atomic():
        with connection.cursor() as cursor:  # two operators at once would take the same number
            cursor.execute("LOCK TABLE policy_version IN SHARE ROW EXCLUSIVE MODE")
        if same := Version.objects.filter(sha256=hash_of(body)).first():
            raise NotPublishable(f"this text is already published: version {same.number} ({same.locale})")
        newest = Version.objects.aggregate(Max("number"))["number__max"] or 0
        is_pair = newest and not Version.objects.filter(number=newest, locale=locale).exists()
        return Version.objects.create(
            number=newest if is_pair else newest + 1,
            locale=locale,
            title=title,
            body=body,
            summary=summary,
            is_material=is_material,
            effective_from=effective_from,
        )


def announce(*, version: Version) -> Broadcast:
    """Prepare to tell every active person who reads this language; asked again, it is the same broadcast.

    An operator's command publishes a policy, so nobody is written down as having prepared it: that text was one
    person's decision already, and the member of staff who approves the broadcast is the second.
    """
    source = f"policy:{version.number}:{version.locale}"
    with transaction.atomic():
        Version.objects.select_for_update().get(pk=version.pk)  # two commands at once take turns
        prepared = Broadcast.objects.filter(source=source).first()
        return prepared or prepare_broadcast(
            reason=Broadcast.Reason.POLICY,
            source=source,
            message="policy_published",
            context={
                "version": version.number,
                "effective": version.effective_from.isoformat(),
                "url": settings.SITE_URL + reverse("policy_version", args=[version.number]),
            },
            audience=get_user_model().objects.filter(kind="person", language=version.locale).values("pk"),
            by=None,
        )


def accept(*, customer: Any, version: Version, how: Acceptance.How) -> Acceptance:
    """Write down that the customer accepted this text; twice is once."""
    acceptance, _made = Acceptance.objects.get_or_create(
        customer=customer, sha256=version.sha256, defaults={"version": version, "how": how}
    )
    return acceptance
