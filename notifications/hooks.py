"""Where the operator tells us that a message came to its end (Kavenegar's status callback, not in its document).

It is unsigned and comes by GET, form or JSON. Whatever it says is a hint alone: we ask the operator ourselves.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import flows
from notifications.channels import Fate
from notifications.channels.kavenegar import FATES, Kavenegar

BYTES_AT_MOST, IDS_AT_MOST = 64 * 1024, 500


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def sms_hook(request: HttpRequest, secret: str) -> HttpResponse:
    """Always 200 once the secret is right, or the operator would come again and again."""
    if not settings.KAVENEGAR_PUSH_SECRET or not constant_time_compare(secret, settings.KAVENEGAR_PUSH_SECRET):
        raise Http404
    said = _said(request)
    if _is_an_end(str(said.get("status", ""))):
        refs = str(said.get("messageid", "")).split(",")[:IDS_AT_MOST]
        flows.hint(Kavenegar.slug, [ref.strip() for ref in refs if ref.strip().isdecimal()])
    return HttpResponse()


def _is_an_end(status: str) -> bool:
    fate = FATES.get(int(status)) if status.isdecimal() and len(status) < 4 else None
    return fate not in (None, Fate.UNKNOWN_ID)


def _said(request: HttpRequest) -> Mapping[str, Any]:
    if request.method == "GET":
        return request.GET
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BYTES_AT_MOST:
            return {}
        said = json.loads(request.body) if request.content_type == "application/json" else request.POST
    except (ValueError, RecursionError, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return {}
    return said if isinstance(said, Mapping) else {}
