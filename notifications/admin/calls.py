"""Calls: one asks, a colleague decides, somebody calls and writes down what came of it."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import flows, kinds, spoken
from notifications.forms import AskForCallForm, CallOutcomeForm
from notifications.models import CallEvent, CallTask, VoiceCall
from portal.admin import ReadOnlyAdmin, status_badge

Status = CallTask.Status


class Deed(NamedTuple):
    """One thing that staff can do with a call: who may, when it is offered, what it does and what is said after it."""

    name: str
    label: Any
    right: str
    fits: Callable[[CallTask, Any], bool]
    do: Callable[..., object]
    done: Any
    is_grave: bool = False


def is_of_another(task: CallTask, by: Any) -> bool:
    return task.status == Status.ASKED and task.asked_by_id != by.pk


def is_to_be_called(task: CallTask, by: Any) -> bool:
    return task.status == Status.APPROVED and not is_with_the_operator(task)


def is_with_the_operator(task: CallTask) -> bool:
    voice = VoiceCall.objects.filter(task=task).first()
    return voice is not None and voice.is_on_its_way


DEEDS = (
    Deed(
        "approve",
        gettext_lazy("Approve"),
        "notifications.approve_call",
        is_of_another,
        flows.approve_call,
        gettext_lazy("Approved; the customer can be called now."),
    ),
    Deed(
        "refuse",
        gettext_lazy("Refuse"),
        "notifications.approve_call",
        is_of_another,
        flows.refuse_call,
        gettext_lazy("Refused; nobody calls."),
        is_grave=True,
    ),
    Deed(
        "outcome",
        gettext_lazy("Write down the call"),
        "notifications.make_call",
        is_to_be_called,
        flows.record_outcome,
        gettext_lazy("Written down; the customer sees it."),
    ),
    Deed(
        "voice",
        gettext_lazy("Have the operator call"),
        "notifications.make_call",
        lambda task, by: is_to_be_called(task, by) and task.reason in spoken.SENTENCES,
        flows.start_voice_call,
        gettext_lazy("Handed to the operator; what came of it is written down by itself."),
    ),
    Deed(
        "cancel",
        gettext_lazy("Not needed any more"),
        "notifications.ask_call",
        lambda task, by: task.status == Status.ASKED or is_to_be_called(task, by),
        flows.cancel_call,
        gettext_lazy("Cancelled; nobody calls."),
        is_grave=True,
    ),
)


@admin.register(CallTask)
class CallAdmin(ReadOnlyAdmin):
    """Each call of ours. The rights to ask, to approve and to make are three."""

    list_display = ("shown", "shown_status", "reason", "number", "customer", "asked_by", "approved_by", "asked_at")
    list_filter = ("status", "reason", "asked_at")
    list_select_related = ("customer", "asked_by", "approved_by")
    search_fields = ("customer__ref",)
    change_list_template = "notifications/admin/calls.html"

    class Media:
        css = {"all": ["css/staff.css"]}

    @admin.display(description=gettext_lazy("call"))
    def shown(self, task: CallTask) -> str:
        return str(task)

    shown_status = status_badge(CallTask.TONE)

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask)
        return [path("ask/", ask, name="notifications_calltask_ask"), *super().get_urls()]

    def ask(self, request: HttpRequest) -> HttpResponse:
        """The first of two people. A link may name the `ticket` in which the customer asked."""
        if not request.user.has_perm("notifications.ask_call"):
            raise PermissionDenied
        form = AskForCallForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            try:
                task = flows.ask_for_call(by=request.user, **form.cleaned_data)
            except flows.CannotCall as why:
                form.add_error(None, str(why))
            else:
                messages.success(request, _("Asked for; a colleague has to approve it before anybody calls."))
                return redirect("admin:notifications_calltask_change", task.pk)
        context = {**self._around(request, _("Ask for a call")), "form": form, "promise": kinds.CALLS}
        return TemplateResponse(request, "notifications/admin/ask_for_call.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What it is about, what was done, and what the reader may do next."""
        task = self.get_object(request, object_id)
        if task is None:
            raise Http404
        if not self.has_view_permission(request, task):
            raise PermissionDenied
        form: forms.Form = CallOutcomeForm()
        if request.method == "POST":
            deed = next((deed for deed in DEEDS if deed.name == request.POST.get("do")), None)
            if deed is None or not request.user.has_perm(deed.right):
                raise PermissionDenied
            form = CallOutcomeForm(request.POST) if deed.name == "outcome" else forms.Form(request.POST)
            if form.is_valid():
                self._do(request, task, deed, form.cleaned_data)
                return redirect("admin:notifications_calltask_change", task.pk)
        deeds = [deed for deed in DEEDS if request.user.has_perm(deed.right) and deed.fits(task, request.user)]
        context = {
            **self._around(request, _("Call %(call)s") % {"call": task}),
            "task": task,
            "steps": [(event, step_label(event)) for event in task.events.select_related("by")],
            "deeds": [deed for deed in deeds if deed.name != "outcome"],
            "form": form if any(deed.name == "outcome" for deed in deeds) else None,
            "is_own": task.status == Status.ASKED and task.asked_by_id == request.user.pk,
            "is_with_the_operator": is_with_the_operator(task),
            "sentence": spoken.words(task.reason, task.customer.language) if task.reason in spoken.SENTENCES else "",
            "reveal": self._reveal(request, task),
        }
        return TemplateResponse(request, "notifications/admin/call.html", context)

    def _do(self, request: HttpRequest, task: CallTask, deed: Deed, cleaned: dict[str, Any]) -> None:
        try:
            done = deed.do(task=task, by=request.user, **cleaned)
        except flows.CannotCall as why:
            messages.warning(request, str(why))
        except ValueError:  # it stands elsewhere by now
            messages.warning(request, _("A colleague was faster; nothing was changed."))
        else:
            if done:
                messages.success(request, deed.done)
            else:
                messages.warning(request, _("A colleague was faster; nothing was changed."))

    def _around(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}

    def _reveal(self, request: HttpRequest, task: CallTask) -> str:
        """Where the number is shown: by its own room, with a reason that the customer reads."""
        if not is_to_be_called(task, request.user) or not request.user.has_perm("notifications.make_call"):
            return ""
        why = _("Call %(call)s: %(reason)s") % {"call": task, "reason": task.get_reason_display()}
        query = urlencode({"field": task.number, "why": why})
        return f"{reverse('admin:accounts_customer_reveal', args=[task.customer_id])}?{query}"


def step_label(event: CallEvent) -> str:
    """A step in words: a status of the call, or of the operator's call."""
    voice = event.step.removeprefix("voice_")
    return str(Status(event.step).label if voice == event.step else VoiceCall.Status(voice).label)
