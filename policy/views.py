"""What we promised, for everybody to read."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from policy.models import Version
from policy.page import render as render_text


def _show(request: HttpRequest, version: Version | None, others: list[Version]) -> HttpResponse:
    if version is None:
        raise Http404
    in_force = Version.objects.in_force(version.locale)
    context = {"version": version, "page": render_text(version.body), "others": others, "in_force": in_force}
    return render(request, "policy/policy.html", context)


@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """The version in force, in the reader's language; the same in the other language one link away."""
    found = [version for locale, _name in settings.LANGUAGES if (version := Version.objects.in_force(locale))]
    found.sort(key=lambda version: version.locale != get_language())
    return _show(request, found[0] if found else None, found[1:])


@require_safe
def policy_version(request: HttpRequest, number: int) -> HttpResponse:
    """One version for ever, in the language asked for by `?locale=`, else in the reader's, else in the one it has."""
    wanted = request.GET.get("locale", get_language())
    found = sorted(Version.objects.filter(number=number), key=lambda version: version.locale != wanted)
    return _show(request, found[0] if found else None, found[1:])


@require_safe
def policy_versions(request: HttpRequest) -> HttpResponse:
    """All versions, the newest first."""
    in_force = {locale: Version.objects.in_force(locale) for locale, _name in settings.LANGUAGES}
    rows = [
        {"version": version, "is_in_force": version == in_force[version.locale]} for version in Version.objects.all()
    ]
    return render(request, "policy/policy_versions.html", {"rows": rows})


@require_safe
def policy_json(request: HttpRequest) -> JsonResponse:
    """The versions in force as data: `sha256` is the hash of `text` in UTF-8."""
    found = {locale: Version.objects.in_force(locale) for locale, _name in settings.LANGUAGES}
    in_force = {locale: version.as_json() for locale, version in found.items() if version}
    return JsonResponse({"in_force": in_force}, json_dumps_params={"ensure_ascii": False})
