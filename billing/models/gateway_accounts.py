"""Our account at each gateway: whether it is offered, within which limits, and when it last failed."""

from datetime import timedelta
from typing import ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing import gateways

PATIENCE = 3  # failures in a row until a gateway is taken out of the choice
SHORTEST = timedelta(minutes=1)  # how long it stays out; twice as long each time, up to sixteen minutes
SMALLEST_REST = 10_000  # Rials; a rest below what gateways take could never be paid


class Way(NamedTuple):
    """One way to pay what is due: the amount that the gateway would ask for, and how many payments it would take."""

    gateway: gateways.Gateway
    amount: int
    parts: int
    smallest: int
    largest: int
    is_failing: bool = False

    def allows(self, amount: int, due: int) -> bool:
        """Whether a part of that many Rials can be paid, and the rest after it."""
        return self.smallest <= amount <= self.largest and first_part(due, amount) == amount


class GatewayAccountQuerySet(models.QuerySet["GatewayAccount"]):
    def with_clock(self) -> Self:
        """Each row with `is_down`, by the database's clock."""
        return self.annotate(
            is_down=models.Case(
                models.When(down_until__gt=Now(), then=True), default=False, output_field=models.BooleanField()
            )
        )

    def ways(self, due: int) -> list[Way]:
        """How an amount of Rials can be paid now, in the order of the settings."""
        known = {account.slug: account for account in self.with_clock()}
        found = []
        for slug in settings.GATEWAYS:
            adapter, account = gateways.gateway(slug), known.get(slug)
            if account and (account.is_down or not account.is_on):
                continue
            smallest, largest = account.limits(adapter) if account else (adapter.min_rial, adapter.max_rial)
            amount = first_part(due, largest)
            if smallest <= amount:
                is_failing = account is not None and account.failures > 0
                found.append(Way(adapter, amount, -(-due // largest), smallest, largest, is_failing))
        return found

    def worked(self, slug: str) -> None:
        self.filter(slug=slug, failures__gt=0).update(failures=0, down_until=None, last_code="")

    def note(self, slug: str, kind: gateways.Kind, code: str) -> None:
        """Silence and refused credentials are the gateway's trouble; any other answer is an answer."""
        if kind in (gateways.Kind.NO_ANSWER, gateways.Kind.MISCONFIGURED):
            self.failed(slug, code)

    def failed(self, slug: str, code: str) -> None:
        """One more failure in a row; from the third on, out of the choice for a while."""
        self.get_or_create(slug=slug)
        with transaction.atomic():
            failures = self.select_for_update().get(slug=slug).failures + 1
            out = Now() + SHORTEST * 2 ** min(failures - PATIENCE, 4) if failures >= PATIENCE else None
            self.filter(slug=slug).update(failures=failures, last_code=code, failed_at=Now(), down_until=out)


class GatewayAccount(models.Model):
    """Limits are whole Rials; where none is set, the gateway's own holds."""

    slug = models.SlugField(_("gateway"), primary_key=True, max_length=16)
    is_on = models.BooleanField(_("offered to customers"), default=True)
    min_rial = models.BigIntegerField(_("smallest payment (Rial)"), null=True, blank=True)
    max_rial = models.BigIntegerField(_("largest payment (Rial)"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    down_until = models.DateTimeField(_("out of the choice until"), null=True, editable=False)
    failed_at = models.DateTimeField(_("last failure"), null=True, editable=False)
    last_code = models.CharField(_("last error"), max_length=32, blank=True, editable=False)

    is_down: bool  # of with_clock()

    objects: ClassVar = GatewayAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(min_rial=None) | Q(min_rial__gt=0)) & (Q(max_rial=None) | Q(max_rial__gt=0)),
                name="billing_gatewayaccount_limits_positive",
            ),
            models.CheckConstraint(
                condition=Q(max_rial=None) | Q(min_rial=None) | Q(max_rial__gte=F("min_rial")),
                name="billing_gatewayaccount_max_above_min",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def limits(self, adapter: gateways.Gateway) -> tuple[int, int]:
        return self.min_rial or adapter.min_rial, self.max_rial or adapter.max_rial


def first_part(due: int, at_most: int) -> int:
    """The most to pay now, so that whatever is left can be paid as well: nothing of it, or enough for a gateway."""
    return due if due <= at_most else max(0, min(at_most, due - SMALLEST_REST))
