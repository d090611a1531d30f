"""Recognises the browser of each request, and ties a sign-in to its device.

An ordinary request costs no query and no call to Redis: the header is read only if a page asks for it, and "last seen"
gathers in memory (devices/seen.py).
"""

from functools import partial
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django_user_agents.middleware import UserAgentMiddleware

from accounts.models import Customer
from devices import cookie, flows, seen
from devices.user_agent import LONGEST, recognise

IN_SESSION = "sign_in"  # [id of the SignIn, the session's key at that time]


class DeviceMiddleware(UserAgentMiddleware):
    """`request.user_agent`, the device's cookie at sign-in, and "last seen"."""

    def process_request(self, request: HttpRequest) -> None:
        request.user_agent = _lazy(request)  # type: ignore[attr-defined]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = super().__call__(request)
        session = request.session
        # A page that did not need its session must not load it for our sake.
        if session.accessed and (mark := session.get(IN_SESSION)):
            sign_in_id, key = mark
            if session.session_key and session.session_key != key:
                flows.follow_session(sign_in_id=sign_in_id, session_key=session.session_key)
                session[IN_SESSION] = [sign_in_id, session.session_key]
            seen.saw(sign_in_id)
        if device_id := getattr(request, "device_id", None):
            cookie.write(response, device_id)
        return response


def _lazy(request: HttpRequest) -> SimpleLazyObject:
    return SimpleLazyObject(partial(recognise, request.META.get("HTTP_USER_AGENT", "")[:LONGEST]))


def _address(request: HttpRequest) -> str | None:
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:  # allauth's answer to a request without an address
        return None


def this_sign_in(request: HttpRequest) -> int | None:
    """The id of the SignIn that this request belongs to."""
    mark = request.session.get(IN_SESSION)
    return int(mark[0]) if mark else None


def on_sign_in(request: HttpRequest, user: Customer, **_: Any) -> None:
    """Django's `user_logged_in`."""
    session = request.session
    if session.session_key is None:  # a second person in the same browser: the first one's session was emptied
        session.save()
    agent = getattr(request, "user_agent", None) or _lazy(request)
    entry = flows.sign_in(
        customer=user,
        device_id=cookie.read(request),
        facts=agent.facts,
        session_key=str(session.session_key),
        address=_address(request),
    )
    session[IN_SESSION] = [entry.pk, entry.session_key]
    request.device_id = entry.device_id  # type: ignore[attr-defined]


def on_sign_out(request: HttpRequest, **_: Any) -> None:
    """Django's `user_logged_out`, sent while the session still knows who it was."""
    if (sign_in_id := this_sign_in(request)) is not None:
        flows.sign_out(sign_in_id=sign_in_id)


def on_new_password(request: HttpRequest, user: Customer, **_: Any) -> None:
    """allauth's `password_changed` and `password_reset`: whoever else was signed in is out."""
    flows.end_others(customer=user, keep=this_sign_in(request))


def on_sessions_ended(customer: Customer, **_: Any) -> None:
    """Ours: signed out everywhere, by staff or because an account was taken back."""
    flows.end_others(customer=customer, keep=None)
