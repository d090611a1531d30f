"""Whom an incident or a maintenance touches, written down when they are told, and whether each of them was."""

from typing import Any, Self

from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .broadcasts import Broadcast, BroadcastRecipient
from .incidents import Incident
from .maintenance import Maintenance
from .outbox import Channel, Delivery
from .trouble import Trouble


class Proof(models.TextChoices):
    """What became of the notices to one customer by one channel."""

    REACHED = "reached", _("Handed over or delivered")
    WAITS = "waits", _("On its way")
    FAILED = "failed", _("Could not be reached")
    MISSING = "missing", _("Nothing was written")


REACHED = (Delivery.Status.ACCEPTED, Delivery.Status.DELIVERED)
ON_ITS_WAY = (*Delivery.UNSENT, Delivery.Status.PARKED)


class AffectedQuerySet(models.QuerySet["Affected"]):
    def of(self, trouble: Trouble) -> Self:
        return self.filter(**{str(trouble._meta.model_name): trouble})

    def customer_ids(self) -> Any:
        return self.order_by().values_list("customer", flat=True)

    def heard(self, trouble: Trouble) -> Self:
        """Those to whom something of it went out."""
        gone = _ways(trouble).exclude(status__in=(Delivery.Status.SUPPRESSED, Delivery.Status.EXPIRED))
        return self.of(trouble).filter(models.Exists(gone))

    def untold(self, trouble: Trouble) -> Self:
        """Those who heard nothing, and are in no notice that is still to go out."""
        coming = Broadcast.objects.filter(source=trouble.source).exclude(status=Broadcast.Status.KILLED)
        to_hear = BroadcastRecipient.objects.filter(
            broadcast__in=list(coming.values_list("pk", flat=True)), customer=models.OuterRef("customer")
        )
        return self.of(trouble).exclude(models.Exists(to_hear)).exclude(pk__in=self.heard(trouble).values("pk"))

    def missed(self, trouble: Trouble, channel: str) -> Self:
        """The gap that must not be: affected, and no delivery by this channel stands for them, sent or not."""
        return self.of(trouble).exclude(models.Exists(_ways(trouble).filter(channel=channel)))

    def with_proof(self, trouble: Trouble) -> Self:
        """Each with a Proof by the name of each channel: of all notices, the one that fared best."""
        return self.of(trouble).annotate(**{channel: _proof(trouble, channel) for channel in Channel.values})


def _ways(trouble: Trouble) -> Any:
    """The deliveries of this trouble's broadcasts to the customer of an outer row, without those that were stopped."""
    broadcasts = list(Broadcast.objects.filter(source=trouble.source).values_list("pk", flat=True))
    ways = Delivery.objects.order_by().filter(broadcast__in=broadcasts, event__customer=models.OuterRef("customer"))
    return ways.exclude(last_code="killed")


def _proof(trouble: Trouble, channel: str) -> models.Case:
    ways = _ways(trouble).filter(channel=channel)
    return models.Case(
        models.When(models.Exists(ways.filter(status__in=REACHED)), then=models.Value(Proof.REACHED)),
        models.When(models.Exists(ways.filter(status__in=ON_ITS_WAY)), then=models.Value(Proof.WAITS)),
        models.When(models.Exists(ways), then=models.Value(Proof.FAILED)),
        default=models.Value(Proof.MISSING),
        output_field=models.CharField(),
    )


class Affected(models.Model):
    """One customer whom one trouble touches. Rows are added while it lasts, and never taken back."""

    incident = models.ForeignKey(
        Incident, models.CASCADE, null=True, related_name="affected", verbose_name=_("incident")
    )
    maintenance = models.ForeignKey(
        Maintenance, models.CASCADE, null=True, related_name="affected", verbose_name=_("maintenance")
    )
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("customer"))
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = AffectedQuerySet.as_manager()

    class Meta:
        verbose_name = _("affected customer")
        verbose_name_plural = _("affected customers")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "customer"], name="notifications_affected_once_an_incident"),
            models.UniqueConstraint(
                fields=["maintenance", "customer"], name="notifications_affected_once_a_maintenance"
            ),
            models.CheckConstraint(
                condition=models.Q(incident__isnull=False, maintenance__isnull=True)
                | models.Q(incident__isnull=True, maintenance__isnull=False),
                name="notifications_affected_by_one_trouble",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def add(cls, trouble: Trouble, owners: Any) -> int:
        """Write down whom of `owners` (customers' pks) it touches and who was not there yet, in one statement."""
        sql, params = owners.query.sql_with_params()
        column = f"{trouble._meta.model_name}_id"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {cls._meta.db_table} ({column}, customer_id)"  # noqa: S608 - names of our own models
                f" SELECT %s, owner.id FROM ({sql}) AS owner (id) ON CONFLICT DO NOTHING",
                [trouble.pk, *params],
            )
            return int(cursor.rowcount)
