"""The words of our messages: what is in force, what was, and what a colleague proposes."""

from typing import Any, NamedTuple

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import flows, samples, segments
from notifications.catalogue import CATALOGUE, Message
from notifications.differences import differences, pieces
from notifications.forms import RejectWordsForm, WordsForm
from notifications.lint import faults
from notifications.messages import Words, compose, subject
from notifications.models import Channel, Wording
from notifications.placeholders import Unfit
from portal.admin import ReadOnlyAdmin

Status = Wording.Status
PARTS = ("subject", "text", "sms")
LABELS = {part: Wording._meta.get_field(part).verbose_name for part in PARTS}  # type: ignore[union-attr]


class Tongue(NamedTuple):
    """A message in one language, in the catalogue's list."""

    language: str
    now: Wording | None
    waiting: list[Wording]
    is_unfit: bool


class Preview(NamedTuple):
    flavour: str
    label: Any
    letter: Words | None
    sms: Words | None
    measure: segments.Measure | None
    fault: bool


@admin.register(Wording)
class WordingAdmin(ReadOnlyAdmin):
    class Media:
        css = {"all": ["css/staff.css"]}

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("of/<slug:message>/<slug:language>/", self._page(self.words), name=f"{PREFIX}_words"),
            path("of/<slug:message>/<slug:language>/edit/", self._page(self.edit), name=f"{PREFIX}_edit"),
            path("<int:pk>/", self._page(self.version), name=f"{PREFIX}_version"),
            path("<int:pk>/letter/<slug:flavour>/", self._page(self.letter), name=f"{PREFIX}_letter"),
            *(
                path(f"<int:pk>/{verb.__name__}/", self._page(require_POST(verb)), name=f"{PREFIX}_{verb.__name__}")
                for verb in (self.propose, self.publish, self.reject)
            ),
        ]
        return own + super().get_urls()  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Where the rest of the admin leads; its own page says more."""
        if not object_id.isdecimal():
            raise Http404
        return redirect(f"admin:{PREFIX}_version", object_id)

    # --- reading -------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Every message that can be sent at all."""
        self._may(request, "view")
        now = {(row.message, row.language): row for row in Wording.objects.in_force()}
        waiting: dict[tuple[str, str], list[Wording]] = {}
        for wording in Wording.objects.open():
            waiting.setdefault((wording.message, wording.language), []).append(wording)
        reader = get_language() or settings.LANGUAGE_CODE
        rows = [
            (
                kind,
                _heading(now.get((kind.name, reader))),
                [
                    Tongue(language, now.get(key), waiting.get(key, []), _is_unfit(now.get(key)))
                    for language, _name in settings.LANGUAGES
                    for key in [(kind.name, language)]
                ],
            )
            for kind in CATALOGUE.values()
        ]
        return self._answer(request, "wordings", _("Words of our messages"), rows=rows)

    def words(self, request: HttpRequest, message: str, language: str) -> HttpResponse:
        """What is in force, what waits, and each version with what it changed."""
        self._may(request, "view")
        kind, versions = _kind(message), list(Wording.objects.of(message, language))
        if language not in dict(settings.LANGUAGES):
            raise Http404
        now = Wording.objects.of(message, language).in_force().first()
        published = [row for row in versions if row.status == Status.PUBLISHED]
        before = dict(zip(published, [*published[1:], None], strict=True))
        history = [(row, _changed(before.get(row, now), row)) for row in versions]
        return self._answer(
            request,
            "wording",
            _title(kind, language),
            kind=kind,
            language=language,
            now=now,
            in_force=_changed(now, now) if now else [],
            history=history,
            may_edit=self._has(request, "edit"),
        )

    @method_decorator(csp_update({"frame-src": ["'self'"]}))
    def version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One version: what it would change, how it reads with values of each kind, and what can be done with it."""
        self._may(request, "view")
        wording = get_object_or_404(Wording.objects.select_related("proposed_by", "decided_by"), pk=pk)
        return self._version(request, wording, RejectWordsForm())

    def letter(self, request: HttpRequest, pk: int, flavour: str) -> HttpResponse:
        """The e-mail alone, for the frame that shows it: it can run nothing, fetch nothing and lead nowhere."""
        self._may(request, "view")
        wording = get_object_or_404(Wording, pk=pk)
        if flavour not in samples.FLAVOURS or not (letter := _preview(wording, flavour).letter):
            raise Http404
        response = HttpResponse(letter.html)
        policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    # --- writing and deciding ------------------------------------------------------------------------------------

    def edit(self, request: HttpRequest, message: str, language: str) -> HttpResponse:
        """Write other words; they are kept as a draft that nobody receives."""
        self._may(request, "edit")
        kind, versions = _kind(message), Wording.objects.of(message, language)
        draft = versions.open().filter(source=Wording.Source.EDITED).first()
        source = draft or get_object_or_404(versions.in_force())
        initial = {part: getattr(source, part) for part in PARTS}
        form = WordsForm(request.POST or None, initial=initial, kind=kind, language=language)
        if request.method == "POST" and form.is_valid():
            try:
                words = {"subject": "", "text": "", "sms": "", **form.cleaned_data}
                draft = flows.draft_wording(message=message, language=language, by=request.user, **words)
            except flows.OneWaits:
                messages.warning(request, _("Other words of this message wait for a decision, which comes first."))
                return redirect(f"admin:{PREFIX}_words", message, language)
            return redirect(f"admin:{PREFIX}_version", draft.pk)
        back = reverse(f"admin:{PREFIX}_words", args=[message, language])
        return self._answer(request, "wording_edit", _title(kind, language), kind=kind, form=form, back=back)

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        wording = self._to_change(request, pk, "edit")
        return self._do(
            request, wording, flows.propose_wording, _("Proposed. A colleague has to publish it."), by=request.user
        )

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        wording = self._to_change(request, pk, "publish")
        return self._do(
            request, wording, flows.publish_wording, _("Published. It counts from now on."), by=request.user
        )

    def reject(self, request: HttpRequest, pk: int) -> HttpResponse:
        is_draft = Wording.objects.filter(pk=pk, status=Status.DRAFT).exists()
        wording = self._to_change(request, pk, "edit" if is_draft else "publish")
        form = RejectWordsForm(request.POST)
        if not form.is_valid():
            return self._version(request, wording, form)
        return self._do(request, wording, flows.reject_wording, _("Not taken."), by=request.user, **form.cleaned_data)

    # --- what they share -----------------------------------------------------------------------------------------

    def _version(self, request: HttpRequest, wording: Wording, form: RejectWordsForm) -> HttpResponse:
        kind, by = _kind(wording.message), request.user
        now = Wording.objects.of(wording.message, wording.language).in_force().first()
        is_draft, waits = wording.status == Status.DRAFT, wording.status == Status.PROPOSED
        may_publish = waits and self._has(request, "publish")
        return self._answer(
            request,
            "wording_version",
            _title(kind, wording.language),
            kind=kind,
            wording=wording,
            faults=[] if wording.is_shipped else faults(kind, wording),
            changed=_changed(now, wording),
            previews=[_preview(wording, flavour) for flavour in samples.FLAVOURS],
            form=form,
            may_propose=is_draft and self._has(request, "edit"),
            may_publish=may_publish and wording.proposed_by_id != by.pk,
            is_own=may_publish and wording.proposed_by_id == by.pk,
            may_reject=may_publish or (is_draft and self._has(request, "edit")),
        )

    def _do(self, request: HttpRequest, wording: Wording, flow: Any, done: str, **given: Any) -> HttpResponse:
        try:
            if flow(wording=wording, **given):
                messages.success(request, done)
            else:
                messages.warning(request, _("A colleague was faster; nothing was changed."))
        except flows.NotFit as why:
            for fault in why.faults:
                messages.error(request, fault)
        except ValueError:  # it stands elsewhere by now
            messages.warning(request, _("A colleague was faster; nothing was changed."))
        return redirect(f"admin:{PREFIX}_version", wording.pk)

    def _to_change(self, request: HttpRequest, pk: int, right: str) -> Wording:
        self._may(request, right)
        return get_object_or_404(Wording, pk=pk)

    def _has(self, request: HttpRequest, right: str) -> bool:
        return request.user.has_perm(f"notifications.{right}_wording")

    def _may(self, request: HttpRequest, right: str) -> None:
        if not self._has(request, right):
            raise PermissionDenied

    def _page(self, view: Any) -> Any:
        return self.admin_site.admin_view(view)

    def _answer(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"notifications/admin/{template}.html", {**frame, **context})


PREFIX = "notifications_wording"


def _kind(message: str) -> Message:
    if message not in CATALOGUE:
        raise Http404
    return CATALOGUE[message]


def _title(kind: Message, language: str) -> str:
    return f"{kind.name} · {get_language_info(language)['name_translated']}"


def _heading(wording: Wording | None) -> str:
    """What a customer would read above it."""
    if wording is None:
        return "–"
    try:
        return subject(wording, samples.values(CATALOGUE[wording.message], wording.language, "usual"))
    except Unfit:
        return wording.subject


def _is_unfit(wording: Wording | None) -> bool:
    """Words that staff wrote for an older release, whose values this one does not give any more."""
    return wording is None or (not wording.is_shipped and bool(faults(CATALOGUE[wording.message], wording)))


def _changed(before: Wording | None, after: Wording) -> list[tuple[Any, list[tuple[str, list[tuple[str, bool]]]]]]:
    """By part, what `after` changes; all of it where nothing was before."""
    pairs = [(part, getattr(before, part, ""), getattr(after, part)) for part in PARTS]
    return [
        (LABELS[part], [(what, pieces(text)) for what, text in differences(old, new)])
        for part, old, new in pairs
        if old or new
    ]


def _preview(wording: Wording, flavour: str) -> Preview:
    kind, label = CATALOGUE[wording.message], samples.FLAVOURS[flavour]
    values = samples.values(kind, wording.language, flavour)
    try:
        letter = compose(kind, wording, Channel.EMAIL, values) if Channel.EMAIL in kind.channels else None
        sms = compose(kind, wording, Channel.SMS, values) if Channel.SMS in kind.channels else None
    except Unfit:
        return Preview(flavour, label, None, None, None, fault=True)
    return Preview(flavour, label, letter, sms, segments.measure(sms.text) if sms else None, fault=False)
