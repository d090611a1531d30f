"""Whose turn it is: the deliveries that are due, handing them out, and writing down what came of a whole batch.

Every comparison with "now" is the database's: a worker whose clock is wrong neither sends early nor takes over a row
that somebody holds.
"""

import datetime as dt
import secrets
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from portal.sealed.index import SealedQuerySet

from .wording import in_force

if TYPE_CHECKING:
    from .outbox import Delivery


class Outcome(NamedTuple):
    """What came of one claimed delivery.

    `code` None leaves no Attempt: it goes back as if it had not been tried. `wait` is in seconds until its next turn
    (or until its fate is asked for); None is never.
    """

    delivery: "Delivery"
    status: str
    code: str | None
    wait: float | None = None
    ref: str = ""


class DeliveryQuerySet(SealedQuerySet):
    model: "type[Delivery]"  # type: ignore[assignment]

    def visible_to(self, customer: Any) -> Self:
        return self.filter(event__customer=customer)

    # --- whose turn it is --------------------------------------------------------------------------------------------

    def free(self) -> Self:
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), status__in=self.model.DUE)

    def sendable(self) -> Self:
        """Without those of broadcasts that a person paused or stopped. Every way out passes here."""
        from .broadcasts import Broadcast  # which stands on these rows

        return self.exclude(broadcast__in=Broadcast.objects.held())

    def unclaimed(self) -> Self:
        """Rows whose turn has come and that nobody holds."""
        return self.free().sendable().filter(not_before__lte=Now())

    def in_date(self) -> Self:
        return self.filter(Q(event__expires_at=None) | Q(event__expires_at__gt=Now()))

    def out_of_date(self) -> Self:
        """Rows that nobody holds and that must not be sent any more."""
        return self.free().filter(event__expires_at__lte=Now())

    def in_doubt(self) -> Self:
        """Rows that the operator is asked about before anything is sent a second time."""
        return self.free().filter(self.model.ASKS, not_before__lte=Now())

    def to_send(self) -> Self:
        return self.unclaimed().in_date().exclude(self.model.ASKS)

    def let_go(self) -> Self:
        """Rows whose worker died, or is so slow that its answer no longer counts."""
        return self.filter(status=self.model.Status.SENDING, lease_until__lt=Now())

    def to_ask_about(self) -> Self:
        """SMS that the operator accepted and whose fate it may know by now."""
        return self.filter(status=self.model.Status.ACCEPTED, channel="sms", not_before__lte=Now())

    def gathered(self) -> Self:
        """Answers that their readers want to hear of in one message."""
        return self.filter(status=self.model.Status.GATHERED)

    def is_crowded(self, lane: str, handful: int) -> bool:
        """Whether so many of a lane are due that they go in batches."""
        return self.unclaimed().filter(lane=lane)[: handful + 1].count() > handful

    # --- handing out -------------------------------------------------------------------------------------------------

    def take(self, lane: str, limit: int, lasts: dt.timedelta, *, again: bool) -> list[uuid.UUID]:
        """Hand out due rows of a lane: fresh ones, or `again` those handed out once whose time ran out unused."""
        handed = Q(handed_until__lte=Now()) if again else Q(handed_until=None)
        with transaction.atomic():
            due = self.unclaimed().filter(handed, lane=lane).order_by("not_before").only("pk")
            rows: list[Any] = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
            taken = [row.pk for row in rows]
            self.filter(pk__in=taken).update(handed_until=Now() + lasts)
        return taken

    def claim(self, limit: int, carrier: str, lasts: dt.timedelta) -> "list[Delivery]":
        """Take up to `limit` of these rows under a lease in one statement, and commit, so that nobody else sends them.

        Each row tells in `held` the carrier that may have it already.
        """
        return self._lease("status = 'sending', tries = delivery.tries + 1, carrier = %s", [carrier], limit, lasts)

    def claim_to_ask(self, limit: int, lasts: dt.timedelta) -> "list[Delivery]":
        """The same for rows in doubt, which stay so: they are only looked up."""
        return self._lease("status = delivery.status", [], limit, lasts)

    def _lease(self, changes: str, values: list[Any], limit: int, lasts: dt.timedelta) -> "list[Delivery]":
        with transaction.atomic(durable=True):
            due = self.order_by("not_before").only("pk", "carrier")
            picked, params = due.select_for_update(skip_locked=True, of=("self",))[:limit].query.sql_with_params()
            # Materialized, so that no plan can pick twice.
            statement = (
                f"WITH picked AS MATERIALIZED ({picked}) UPDATE notifications_delivery AS delivery"  # noqa: S608
                f" SET {changes}, lease_by = %s, lease_until = statement_timestamp() + %s FROM picked"
                " WHERE delivery.id = picked.id RETURNING delivery.*, picked.carrier AS held"
            )
            return list(self.model.objects.raw(statement, [*params, *values, secrets.token_hex(16), lasts]))

    def stamp(self, rows: "Sequence[Delivery]") -> None:
        """Decide which words go out: with the first try, and the same for every later one."""
        fresh = defaultdict(list)
        for row in rows:
            if row.wording_id is None and (words := in_force.pk_of(row.event.message, row.event.language)):
                row.wording_id = words
                fresh[words].append(row.pk)
        for words, ids in fresh.items():
            self.filter(pk__in=ids).update(wording=words)

    # --- what came of it ---------------------------------------------------------------------------------------------

    def settle(self, outcomes: Sequence[Outcome]) -> dict[uuid.UUID, str]:
        """Write down what came of claimed rows, with their tries, in one statement; the status of each that counted.

        Whose lease ran out has no say any more. Only "accepted" still counts while nobody has taken the row up again:
        then the lost answer is simply not lost.
        """
        if not outcomes:
            return {}
        columns = zip(*(self._line(outcome) for outcome in outcomes), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(SETTLE, [list(column) for column in columns])
            return dict(cursor.fetchall())

    def _line(self, outcome: Outcome) -> tuple[Any, ...]:
        row, status = outcome.delivery, self.model.Status(outcome.status)
        if status != row.status and status not in self.model.NEXT[self.model.Status(row.status)]:
            raise ValueError(f"delivery: {row.status} → {status} is not allowed")
        # A plain no leaves it to any carrier; after a doubt only the one that may have it knows our number.
        clean = status == self.model.Status.QUEUED and (outcome.code is None or not row.is_code)
        began = row.lease_until and row.lease_until - self.model.LEASE[row.channel]
        carrier = row.held if clean else row.carrier
        wait = None if outcome.wait is None else float(outcome.wait)
        return row.pk, row.lease_by, row.tries, status.value, outcome.code, wait, outcome.ref, carrier, began


SETTLE = """
WITH said AS (
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[], %s::float8[], %s::text[],
                         %s::text[], %s::timestamptz[])
                  AS said (id, lease_by, tries, status, code, wait, ref, carrier, began)
), done AS (
    UPDATE notifications_delivery AS delivery
       SET status = said.status, carrier = said.carrier, last_code = COALESCE(said.code, delivery.last_code),
           tries = delivery.tries - (said.code IS NULL AND said.status = 'queued')::int,
           provider_ref = CASE WHEN said.status = 'accepted' THEN said.ref ELSE delivery.provider_ref END,
           accepted_at = CASE WHEN said.status = 'accepted' THEN statement_timestamp() ELSE delivery.accepted_at END,
           not_before = statement_timestamp() + make_interval(secs => said.wait),
           lease_by = '', lease_until = NULL, handed_until = NULL
      FROM said
     WHERE delivery.id = said.id AND delivery.tries = said.tries
       AND (delivery.lease_by = said.lease_by AND delivery.status IN ('sending', 'unknown')
            OR said.status = 'accepted' AND delivery.status = 'unknown' AND delivery.lease_by = '')
    RETURNING delivery.id, said.tries, said.status, said.code, said.carrier, said.began
), tried AS (
    INSERT INTO notifications_attempt (delivery_id, n, started_at, finished_at, outcome, code, carrier)
    SELECT id, tries, COALESCE(began, statement_timestamp()), statement_timestamp(), status, code, carrier
      FROM done WHERE code IS NOT NULL
)
SELECT id, status FROM done
"""
