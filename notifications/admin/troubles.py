"""What the screens of incidents and of maintenance share: a form that first says who will be told, and the proof."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from notifications import flows
from notifications.models import Affected, Broadcast, Channel, Component, Proof
from notifications.models.trouble import ForbiddenStep, Trouble
from portal.admin import ReadOnlyAdmin

ON_A_PAGE = 50


BY_TWO = gettext_lazy("They are told as soon as a second person has approved it.")


class Deed(NamedTuple):
    """One thing that staff can do with a row."""

    name: str
    label: Any
    form: Callable[..., forms.Form]
    do: Callable[..., object]  # (row, by, **what the form asked for); False when it was done already
    fits: Callable[[Any], bool]
    when: Any = BY_TWO  # customers hear of it


class TroubleAdmin(ReadOnlyAdmin):
    """Rows that only flows change, each told to whom it touches."""

    deeds: ClassVar[tuple[Deed, ...]] = ()
    list_select_related = ()

    class Media:
        css = {"all": ["css/staff.css"]}

    @display(description=gettext_lazy("components"))  # type: ignore[untyped-decorator]
    def what(self, row: Trouble) -> str:
        return ", ".join(component.name for component in row.components.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("components")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"notifications.add_{self.opts.model_name}")

    def may_press(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"notifications.change_{self.opts.model_name}")

    def get_urls(self) -> list[URLPattern]:
        press = self.admin_site.admin_view(self.press)
        own = [path(f"<int:pk>/{deed.name}/", press, {"deed": deed}, name=self._page(deed.name)) for deed in self.deeds]
        return own + super().get_urls()  # type: ignore[no-any-return]

    # --- doing -------------------------------------------------------------------------------------------------------

    def begin(self, by: Any, cleaned: dict[str, Any]) -> Trouble:
        raise NotImplementedError

    def beginning(self) -> type[forms.Form]:
        raise NotImplementedError

    def when(self, row: Any, cleaned: dict[str, Any], deed: Deed | None) -> Any:
        """In words: when those affected will hear of it."""
        return deed.when if deed else BY_TWO

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.beginning()(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and self._is_sure(request, None, form):
            return redirect(self._address("change", self.begin(request.user, form.cleaned_data)))
        return self._ask(request, None, form, _("Add %(name)s") % {"name": self.opts.verbose_name})

    def press(self, request: HttpRequest, pk: int, deed: Deed) -> HttpResponse:
        """Say who will be told; do it by POST alone."""
        if not self.may_press(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not deed.fits(row):
            return self._missed(request, row)
        form = deed.form(request.POST if request.method == "POST" else None, row=row)
        if request.method == "POST" and form.is_valid() and self._is_sure(request, row, form):
            try:
                done = deed.do(row, request.user, **form.cleaned_data)
            except ForbiddenStep:
                done = False
            if done is False:
                return self._missed(request, row)
            messages.success(request, _("Done."))
            return redirect(self._address("change", row))
        return self._ask(request, row, form, deed.label, deed)

    def _missed(self, request: HttpRequest, row: Any) -> HttpResponse:
        messages.warning(request, _("A colleague was faster; nothing was changed."))
        return redirect(self._address("change", row))

    def _touched(self, row: Trouble | None, form: forms.Form) -> list[Component]:
        chosen = getattr(form, "cleaned_data", {}).get("components") or []
        return [*(row.components.all() if row else []), *chosen]

    def _stamp(self, row: Trouble | None, form: forms.Form) -> str:
        """What the count depends on: another choice asks again."""
        return "-".join(str(component.pk) for component in self._touched(row, form))

    def _is_sure(self, request: HttpRequest, row: Trouble | None, form: forms.Form) -> bool:
        return request.POST.get("sure") == self._stamp(row, form)

    def _ask(
        self, request: HttpRequest, row: Any, form: forms.Form, title: Any, deed: Deed | None = None
    ) -> HttpResponse:
        knows = (not form.is_bound and "components" not in form.fields) or (form.is_bound and form.is_valid())
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "row": row,
            "form": form,
            "sure": self._stamp(row, form) if knows else "",
            "count": flows.how_many(self._touched(row, form)) if knows else None,
            "when": self.when(row, getattr(form, "cleaned_data", {}), deed),
            "back": self._address("change", row) if row else reverse(f"admin:{self._page('changelist')}"),
        }
        return TemplateResponse(request, "notifications/admin/trouble_form.html", context)

    # --- looking -----------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """How it stands, what was said, and for each affected customer whether it reached her."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        deeds = [deed for deed in self.deeds if deed.fits(row)] if self.may_press(request) else []
        proven = Affected.objects.with_proof(row)
        page = Paginator(proven.select_related("customer"), ON_A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": row.title,
            "opts": self.opts,
            "media": self.media,
            "row": row,
            "deeds": [(deed, self._address(deed.name, row)) for deed in deeds],
            "updates": row.updates.select_related("by"),
            "broadcasts": Broadcast.objects.filter(source=row.source).order_by("pk"),
            "affected": Affected.objects.of(row).count(),
            "proof": [(channel.label, *_counts(proven, channel)) for channel in Channel],
            "page": page,
            "each": [(one.customer, [Proof(getattr(one, way)).label for way in Channel.values]) for one in page],
            "labels": Proof.labels,
            "channels": Channel.labels,
        }
        return TemplateResponse(request, "notifications/admin/trouble.html", context)

    def _page(self, name: str) -> str:
        return f"notifications_{self.opts.model_name}_{name}"

    def _address(self, name: str, row: Any) -> str:
        return reverse(f"admin:{self._page(name)}", args=[row.pk])


def _counts(proven: Any, channel: Channel) -> Iterable[int]:
    """How many customers were reached by the channel, wait, failed, and are missing."""
    found = dict(proven.order_by().values_list(channel.value).annotate(Count("pk")))
    return [found.get(proof.value, 0) for proof in Proof]
