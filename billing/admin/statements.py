"""The bank's settlement files: import one, read where it and our books differ, book what the bank never answered."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.forms.profile import DayField
from accounts.models import Customer
from accounts.requests import CustomerRequest
from billing import flows
from billing.admin.columns import gateway_name
from billing.admin.payments import GatewayFilter
from billing.models import Statement, StatementLine
from billing.settlement_file import COLUMNS, MAX_BYTES
from portal.admin import ReadOnlyAdmin
from portal.jalali import day as day_in_words
from portal.jalali import digits
from portal.templatetags.words import language

SHOWN_ERRORS, A_PAGE = 50, 200
Finding = StatementLine.Finding


class ImportForm(forms.Form):
    """Whose file, of which day. What stands in it, the flow reads."""

    gateway = forms.ChoiceField(label=gettext_lazy("Gateway"), widget=UnfoldAdminSelectWidget)
    day = DayField(
        label=gettext_lazy("Day"),
        help_text=gettext_lazy("The day of Tehran that the file is of, such as 1405/09/05 or 2026-11-26."),
        widget=UnfoldAdminTextInputWidget(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Settlement file"),
        help_text=gettext_lazy("CSV in UTF-8, up to 5 MB and 100,000 lines."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        allow_empty_file=True,  # the flow says what is missing in it
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(slug, gateway_name(slug)) for slug in settings.GATEWAYS]
        self.fields["gateway"].choices = choices  # type: ignore[attr-defined]

    def clean_file(self) -> bytes:
        upload = self.cleaned_data["file"]
        if getattr(upload, "too_large", False) or (upload.size or 0) > MAX_BYTES:
            raise ValidationError(_("The file is larger than 5 MB."), code="size")
        content: bytes = upload.read()
        return content


def count_of(finding: Finding) -> Callable[[Statement], str]:
    """A column: how many lines had it when the file was last compared."""

    @admin.display(description=finding.label)
    def show(statement: Statement) -> str:
        count = statement.counts.get(finding.value, 0)
        return digits(count, language()) if count else "–"

    show.__name__ = finding.value
    return show


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    """`add` is the right to import a file, `change` the right to book by one; nobody edits what a file says."""

    list_display = ("shown_day", "bank", "lines", *map(count_of, Finding), "imported_by", "imported_at", "compared_at")
    list_display_links = ("shown_day",)
    list_filter = (GatewayFilter, "day")
    list_select_related = ("imported_by",)
    list_before_template = "admin/billing/statement/list_before.html"
    actions = ("compare_again",)

    class Media:
        css = {"all": ["css/staff.css"]}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.add_statement")

    def has_book_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_statement")

    def get_urls(self) -> list[URLPattern]:
        book = self.admin_site.admin_view(require_POST(self.book))
        own = [path("<int:pk>/book/<int:line>/", book, name="billing_statement_book")]
        return own + super().get_urls()  # type: ignore[no-any-return]

    # --- the list ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("day"), ordering="day")
    def shown_day(self, statement: Statement) -> str:
        return day_in_words(statement.day, language())

    @admin.display(description=gettext_lazy("gateway"), ordering="gateway")
    def bank(self, statement: Statement) -> str:
        return gateway_name(statement.gateway)

    @admin.display(description=gettext_lazy("lines"), ordering="rows")
    def lines(self, statement: Statement) -> str:
        return digits(statement.rows, language())

    @admin.action(description=gettext_lazy("Compare again"), permissions=["view"])
    def compare_again(self, request: HttpRequest, statements: QuerySet[Statement]) -> None:
        done = [flows.compare_again(statement=statement) for statement in statements[:31]]  # a month of one gateway
        words = ngettext("%(count)s file was compared again.", "%(count)s files were compared again.", len(done))
        messages.success(request, words % {"count": digits(len(done), language())})

    # --- importing ---------------------------------------------------------------------------------------------------

    def add_view(self, request: CustomerRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        errors: list[str] = []
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                statement = flows.import_statement(
                    gateway=given["gateway"], day=given["day"], content=given["file"], by=request.user
                )
            except flows.BadStatement as bad:
                errors = bad.errors
            else:
                return self._imported(request, statement)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import a settlement file"),
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "columns": ",".join(COLUMNS),
            "errors": errors[:SHOWN_ERRORS],
            "more": max(0, len(errors) - SHOWN_ERRORS),
            "back": reverse("admin:billing_statement_changelist"),
        }
        return TemplateResponse(request, "admin/billing/statement/import.html", context)

    def _imported(self, request: CustomerRequest, statement: Statement) -> HttpResponse:
        messages.success(request, _("The file is imported. Importing the same file again changes nothing."))
        if not self.has_view_permission(request):
            return redirect("admin:index")
        return redirect(self._address(statement))

    # --- the report --------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The file beside our books as they stand now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "GET":
            raise PermissionDenied
        statement = self.get_object(request, object_id)
        if statement is None:
            raise Http404
        found = flows.compare(statement=statement)
        by = cast(Customer, request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("%(gateway)s, %(day)s")
            % {"gateway": gateway_name(statement.gateway), "day": day_in_words(statement.day, language())},
            "subtitle": self.opts.verbose_name,
            "opts": self.opts,
            "media": self.media,
            "found": found,
            "statement": statement,
            "alone": Paginator(found.ours_alone, A_PAGE).get_page(request.GET.get("alone")),
            "page": Paginator([*found.differences, *found.fitting], A_PAGE).get_page(request.GET.get("page")),
            "may_book": self.has_book_permission(request) and statement.imported_by_id != by.pk,
            "is_mine": statement.imported_by_id == by.pk,
            "sees_payments": request.user.has_perm("billing.view_payment"),
        }
        return TemplateResponse(request, "admin/billing/statement/report.html", context)

    def book(self, request: CustomerRequest, pk: int, line: int) -> HttpResponse:
        if not self.has_book_permission(request):
            raise PermissionDenied
        row = get_object_or_404(StatementLine.objects.select_related("statement"), pk=line, statement=pk)
        try:
            done = flows.book_by_statement(line=row, by=request.user)
        except flows.CannotBook as why:
            messages.error(request, str(why))
        else:
            said = _("Booked by the bank's file.") if done else _("It was received already; nothing was changed.")
            (messages.success if done else messages.warning)(request, said)
        return redirect(self._address(row.statement))

    def _address(self, statement: Statement) -> str:
        return reverse("admin:billing_statement_change", args=[statement.pk])
