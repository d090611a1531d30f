"""The operators' screen: how each gateway fares, what it owes us, what came in by it; and the few things to set."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from billing import gateways
from billing.admin import figures
from billing.admin.columns import explained, gateway_name, shown_rial, when
from billing.admin.figures import AGES, Sums
from billing.admin.forms import GatewayAccountForm
from billing.models import GatewayAccount
from portal.admin import Bar, bars
from portal.jalali import day as day_in_words
from portal.templatetags.words import language

WIDEST = 1000  # of the bars that the server draws, in their own units


class Line:
    """What one gateway shows on the screen; nothing here asks the database."""

    def __init__(self, slug: str, account: GatewayAccount | None) -> None:
        self.slug, self.account, self.name = slug, account, gateway_name(slug)
        self.is_configured = slug in settings.GATEWAY
        self.failures = account.failures if account else 0
        self.days: dict[date, Sums] = {}
        self.ages: dict[str, int] = dict.fromkeys(AGES, 0)
        self.url = ""  # where it is set, for who may
        self.share = 0  # of the longest bar of today

    @property
    def health(self) -> str:
        if not self.is_configured:
            return "gone"
        if self.account and not self.account.is_on:
            return "off"
        return "out" if self.account and self.account.is_down else "working"

    @property
    def last_error(self) -> str:
        return explained(self.slug, self.account.last_code) if self.account and self.account.last_code else ""

    @property
    def limits(self) -> tuple[str, str] | None:
        if not self.is_configured:
            return None
        adapter = gateways.gateway(self.slug)
        ours = self.account.limits(adapter) if self.account else (adapter.min_rial, adapter.max_rial)
        return shown_rial(ours[0]), shown_rial(ours[1])

    @property
    def unanswered(self) -> int:
        return sum(self.ages.values())

    @property
    def today(self) -> Sums:
        return list(self.days.values())[-1] if self.days else Sums()

    @property
    def week(self) -> Sums:
        return total(list(self.days.values()))

    @property
    def bars(self) -> list[Bar]:
        return bars([sums.rials for sums in self.days.values()])

    @property
    def week_in_words(self) -> str:
        """The sparkline for who cannot see it."""
        return "; ".join(f"{day_in_words(day, language())}: {shown_rial(s.rials)}" for day, s in self.days.items())


def total(sums: list[Sums]) -> Sums:
    return Sums(sum(s.payments for s in sums), sum(s.rials for s in sums))


def lines() -> list[Line]:
    """Each configured gateway in the order of the settings, then those that only the rows still know."""
    accounts = {account.slug: account for account in GatewayAccount.objects.with_clock()}
    owed, days = figures.unanswered(), figures.last_days()
    arrived = figures.received(days)
    slugs = dict.fromkeys([*settings.GATEWAYS, *sorted({*accounts, *owed, *arrived})])
    found = [Line(slug, accounts.get(slug)) for slug in slugs]
    for line in found:
        line.days = arrived.get(line.slug) or dict.fromkeys(days, Sums())
        line.ages = owed.get(line.slug) or line.ages
    longest = max((line.today.rials for line in found), default=0)
    for line in found:
        line.share = WIDEST * line.today.rials // longest if longest else 0
    return found


@admin.register(GatewayAccount)
class GatewayAccountAdmin(ModelAdmin):
    """Staff switch a gateway off and set its limits; its failures it counts itself."""

    form = GatewayAccountForm
    fields = ("slug", "is_on", "min_rial", "max_rial")
    measured = ("failures", "error", "failed", "out_until")
    failed = when(GatewayAccount, "failed_at")
    out_until = when(GatewayAccount, "down_until")

    class Media:
        css = {"all": ["css/staff.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A gateway is added in the settings; its row only holds what is set here, so it takes the same right."""
        return request.user.has_perm("billing.change_gatewayaccount")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", *self.fields[1:], *self.measured) if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", *self.measured) if obj else ()

    def save_model(self, request: HttpRequest, obj: GatewayAccount, form: Any, change: bool) -> None:
        """Only what was set, so that a failure which was counted meanwhile is not lost."""
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("gateway"))
    def name(self, account: GatewayAccount) -> str:
        return gateway_name(account.slug)

    @admin.display(description=gettext_lazy("last error"))
    def error(self, account: GatewayAccount) -> str:
        return explained(account.slug, account.last_code)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = lines()
        if self.has_change_permission(request):
            for line in found:
                line.url = self._where_it_is_set(line)
        unapplied, suspect = figures.inbox()
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name_plural.capitalize(),
            "opts": self.opts,
            "media": self.media,
            "lines": found,
            "ages": [words for words, _limit in AGES.values()],
            "old": list(AGES)[-2:],
            "unanswered": sum(line.unanswered for line in found),
            "unapplied": unapplied,
            "suspect": suspect,
            "today": total([line.today for line in found]),
            "payments": reverse("admin:billing_payment_changelist"),
        }
        return TemplateResponse(request, "admin/billing/gateways.html", context)

    def _where_it_is_set(self, line: Line) -> str:
        if line.account:
            return reverse("admin:billing_gatewayaccount_change", args=[line.slug])
        return f"{reverse('admin:billing_gatewayaccount_add')}?slug={line.slug}" if line.is_configured else ""
