"""The companies that carry messages: how fast they may be called, and whether they answer and have credit just now."""

from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models.functions import Least, Now
from django.utils.translation import gettext_lazy as _

from .outbox import Channel, Lane

MAIL = "smtp"  # the slug of our mail server; every other one is a company for SMS


class Turn(NamedTuple):
    """What a carrier allows now: how many messages, and with none for how many seconds to wait and why.

    `shut` is "" (its rate is used up), "down" (it does not answer) or "credit" (its account is empty).
    """

    given: int
    shut: str
    wait: float
    is_probe: bool
    failures: int


class CarrierQuerySet(models.QuerySet["Carrier"]):
    def down(self) -> "CarrierQuerySet":
        return self.filter(down_until__gt=Now())

    def out_of_credit(self) -> "CarrierQuerySet":
        return self.filter(out_of_credit_at__isnull=False)

    def take(self, slug: str, n: int, lane: str) -> Turn:
        """Allow up to `n` messages in one statement. A share of each burst is for codes alone; a carrier that was down
        gets exactly one message as a probe, the others wait until that is answered.
        """
        asked: dict[str, Any] = {
            "slug": slug,
            "n": n,
            "lane": lane,
            "codes": Lane.CODES,
            "probe": self.model.PROBE_LASTS,
        }
        with connection.cursor() as cursor:
            cursor.execute(TAKE, asked)
            row = cursor.fetchone()
            if row is None:
                self.meet(slug)
                cursor.execute(TAKE, asked)
                row = cursor.fetchone()
        return Turn(*row)

    def meet(self, slug: str) -> "Carrier":
        """The row of a company, made when it is used for the first time."""
        channel = Channel.EMAIL if slug == MAIL else Channel.SMS
        self.bulk_create([self.model(slug=slug, channel=channel)], ignore_conflicts=True)
        return self.get(pk=slug)

    def give_back(self, slug: str, n: int, *, unused: bool) -> None:
        """Less was due than allowed; `unused` when nothing was, so that somebody else may be the probe at once."""
        mine = self.filter(pk=slug)
        mine.update(tokens=Least(models.F("tokens") + n, models.F("burst"), output_field=models.FloatField()))
        if unused:
            mine.filter(down_until__isnull=False).update(down_until=Now())


class Carrier(models.Model):
    """One company, or our mail server. The row comes into being when it is first used."""

    TRIP_AFTER = 5  # failures in a row
    FIRST_REST, LONGEST_REST = 10, 600  # seconds, doubled with each failed probe
    PROBE_LASTS = 60  # seconds; longer than any call, and then the next one may try

    slug = models.CharField(_("company"), max_length=20, primary_key=True)
    channel = models.CharField(_("channel"), max_length=5, choices=Channel.choices)
    per_second = models.PositiveIntegerField(_("messages a second"), default=1000)
    burst = models.PositiveIntegerField(_("at most at once"), default=2000)
    reserve_percent = models.PositiveSmallIntegerField(_("share kept for codes, in percent"), default=30)
    tokens = models.FloatField(default=2000, editable=False)
    refilled_at = models.DateTimeField(db_default=Now(), editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    down_until = models.DateTimeField(_("left alone until"), null=True, editable=False)
    out_of_credit_at = models.DateTimeField(_("out of credit since"), null=True, editable=False)
    credit = models.BigIntegerField(_("credit in Rials"), null=True, editable=False)
    credit_at = models.DateTimeField(_("credit read at"), null=True, editable=False)

    objects = CarrierQuerySet.as_manager()

    class Meta:
        verbose_name = _("carrier")
        verbose_name_plural = _("carriers")
        ordering = ["channel", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(channel__in=Channel.values), name="notifications_carrier_channel_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(per_second__gte=1, burst__gte=1, tokens__gte=0),
                name="notifications_carrier_has_a_rate",
            ),
            models.CheckConstraint(
                condition=models.Q(reserve_percent__lte=90), name="notifications_carrier_reserve_leaves_some"
            ),
            models.CheckConstraint(
                condition=models.Q(down_until=None) | models.Q(failures__gte=1),
                name="notifications_carrier_down_after_failures",
            ),
            models.CheckConstraint(
                condition=models.Q(credit=None) | models.Q(credit_at__isnull=False),
                name="notifications_carrier_credit_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    # --- whether it answers ------------------------------------------------------------------------------------------

    def fail(self, *, was_probe: bool) -> bool:
        """It did not do its work. True when it is left alone from now on, each time twice as long."""
        with connection.cursor() as cursor:
            cursor.execute(
                FAIL,
                {
                    "slug": self.slug,
                    "probe": was_probe,
                    "trip": self.TRIP_AFTER,
                    "first": self.FIRST_REST,
                    "longest": self.LONGEST_REST,
                },
            )
            row = cursor.fetchone()
        return bool(row and row[0])

    def recover(self) -> None:
        type(self).objects.filter(pk=self.pk).update(failures=0, down_until=None)

    # --- whether it is paid ------------------------------------------------------------------------------------------

    def run_dry(self) -> bool:
        """Its account is empty. True for the first who notices."""
        mine = type(self).objects.filter(pk=self.pk, out_of_credit_at=None)
        return mine.update(out_of_credit_at=Now()) == 1

    def note_credit(self, rials: int) -> bool:
        """What its account says. True when it was empty and is not any more."""
        mine = type(self).objects.filter(pk=self.pk)
        mine.update(credit=rials, credit_at=Now())
        return rials > 0 and mine.out_of_credit().update(out_of_credit_at=None) == 1


# Everything by the database's clock: of two machines' clocks one is always wrong.
TAKE = """
WITH seen AS (
    SELECT slug, failures, per_second, down_until IS NOT NULL AS is_probe,
           LEAST(burst,
                 tokens + per_second * GREATEST(0, EXTRACT(EPOCH FROM clock_timestamp() - refilled_at))) AS filled,
           CASE WHEN %(lane)s = %(codes)s THEN 0 ELSE burst * reserve_percent / 100.0 END AS kept,
           GREATEST(0, EXTRACT(EPOCH FROM down_until - clock_timestamp())) AS rest,
           CASE WHEN out_of_credit_at IS NOT NULL THEN 'credit'
                WHEN down_until > clock_timestamp() THEN 'down' ELSE '' END AS shut
      FROM notifications_carrier WHERE slug = %(slug)s FOR UPDATE
), turn AS (
    SELECT *, CASE WHEN shut <> '' THEN 0
                   ELSE GREATEST(0, LEAST(%(n)s, floor(filled - kept), CASE WHEN is_probe THEN 1 END)) END AS given
      FROM seen
)
UPDATE notifications_carrier AS carrier
   SET tokens = filled - given, refilled_at = clock_timestamp(),
       down_until = CASE WHEN is_probe AND given > 0 THEN clock_timestamp() + make_interval(secs => %(probe)s)
                         ELSE carrier.down_until END
  FROM turn WHERE carrier.slug = turn.slug
RETURNING given::int, shut, COALESCE(NULLIF(rest, 0), GREATEST(0, kept + 1 - filled) / turn.per_second)::float8,
          is_probe AND given > 0, turn.failures
"""
# Once it is down, only the probe's failure counts: others may still be on their way from before.
FAIL = """
UPDATE notifications_carrier AS carrier
   SET failures = seen.failures,
       down_until = CASE WHEN seen.trips THEN clock_timestamp() + make_interval(
           secs => LEAST(%(longest)s, %(first)s * 2 ^ LEAST(seen.failures - %(trip)s, 20)) * (0.5 + random() / 2)
       ) ELSE carrier.down_until END
  FROM (SELECT slug, n AS failures, n >= %(trip)s AND counts AS trips
          FROM (SELECT slug, failures < %(trip)s OR %(probe)s AS counts,
                       failures + (failures < %(trip)s OR %(probe)s)::int AS n
                  FROM notifications_carrier WHERE slug = %(slug)s FOR UPDATE) AS counted) AS seen
 WHERE carrier.slug = seen.slug
RETURNING seen.trips
"""
