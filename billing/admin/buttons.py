"""The buttons on a row's page: each says what it will do, asks for what is missing, and calls one flow."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Customer
from accounts.requests import CustomerRequest
from billing.flows import CannotCancel, CannotGiveBack
from billing.models import ForbiddenMove
from portal.admin import ReadOnlyAdmin

FASTER = gettext_lazy("A colleague was faster; nothing was changed.")


class Button(NamedTuple):
    """One thing that staff can do with a row."""

    name: str  # of the address, and of the flow where there is one for it alone
    label: Any
    fits: Callable[[Any], bool]  # whether it is offered; whether it may be done is the flow's to say
    do: Callable[..., object]  # (row, by, **what the form asked for); False when it was done already
    done: Any  # the words after it; may name the %(status)s
    says: Any = ""  # what will happen; without it, one press does it
    form: Callable[[Any, Any], forms.Form] = lambda row, data: forms.Form(data)
    missed: Any = FASTER
    is_grave: bool = False  # nothing brings back what it does


class WithButtons(ReadOnlyAdmin):
    """Rows that are only read, with buttons above them for who holds the right to `change` the model."""

    buttons: ClassVar[tuple[Button, ...]] = ()
    facts: ClassVar[tuple[str, ...]] = ()  # what must stand before the eyes of who presses
    change_form_outer_before_template = "admin/buttons.html"

    class Media:
        css = {"all": ["css/staff.css"]}

    def get_urls(self) -> list[URLPattern]:
        press = self.admin_site.admin_view(self.press)
        own = [
            path(f"<int:pk>/{button.name}/", press, {"button": button}, name=self._page(button.name))
            for button in self.buttons
        ]
        return own + super().get_urls()  # type: ignore[no-any-return]

    def has_press_permission(self, request: HttpRequest) -> bool:
        """The right that the buttons ask for; the fields themselves nobody edits."""
        return request.user.has_perm(f"billing.change_{self.opts.model_name}")

    def offered(self, row: Any, by: Customer) -> list[Button]:
        return [button for button in self.buttons if button.fits(row)]

    def advice(self, row: Any, by: Customer) -> list[str]:
        """Why a button that a reader may look for is not there."""
        return []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = dict(extra_context or {})
        row = self.get_object(request, object_id)
        if row is not None and self.has_press_permission(request):
            by = cast(Customer, request.user)
            extra["buttons"] = [(button, self._address(button, row)) for button in self.offered(row, by)]
            extra["advice"] = self.advice(row, by)
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return answer

    def press(self, request: CustomerRequest, pk: int, button: Button) -> HttpResponse:
        """Say what will happen; do it by POST alone."""
        if not self.has_press_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method != "POST" and not button.says:
            return HttpResponseNotAllowed(["POST"])
        if not button.fits(row):
            return self._missed(request, row, button)
        form = button.form(row, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                done = button.do(row, request.user, **form.cleaned_data)
            except ForbiddenMove:
                done = False
            except (CannotCancel, CannotGiveBack) as why:
                form.add_error(None, str(why))
                return self._ask(request, row, button, form)
            return self._done(request, row, button) if done is not False else self._missed(request, row, button)
        return self._ask(request, row, button, form)

    def _ask(self, request: HttpRequest, row: Any, button: Button, form: forms.Form) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": button.label,
            "subtitle": f"{self.opts.verbose_name} {row}",
            "opts": self.opts,
            "media": self.media,
            "facts": [self._fact(row, name) for name in self.facts],
            "button": button,
            "form": form,
            "back": self._row_address(row),
        }
        return TemplateResponse(request, "admin/press.html", context)

    def _fact(self, row: Any, name: str) -> tuple[str, Any]:
        _field, _attribute, value = lookup_field(name, row, self)
        choice = getattr(row, f"get_{name}_display", None)
        return str(label_for_field(name, self.model, self)), choice() if choice else value

    def _done(self, request: HttpRequest, row: Any, button: Button) -> HttpResponse:
        row.refresh_from_db()
        messages.success(request, button.done % {"status": row.get_status_display()})
        return redirect(self._row_address(row))

    def _missed(self, request: HttpRequest, row: Any, button: Button) -> HttpResponse:
        row.refresh_from_db()
        stands = _("It stands at: %(status)s.") % {"status": row.get_status_display()}
        messages.warning(request, f"{button.missed} {stands}")
        return redirect(self._row_address(row))

    def _page(self, name: str) -> str:
        return f"billing_{self.opts.model_name}_{name}"

    def _address(self, button: Button, row: Any) -> str:
        return reverse(f"admin:{self._page(button.name)}", args=[row.pk])

    def _row_address(self, row: Any) -> str:
        return reverse(f"admin:{self._page('change')}", args=[row.pk])
