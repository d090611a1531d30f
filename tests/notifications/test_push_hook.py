"""/hooks/sms/<secret>/: the operator's word that a message ended is a hint, and nothing but a hint."""

import datetime as dt
import json
import logging
import subprocess
import sys

import pytest
from django.test import Client
from django.utils import timezone

from notifications import flows
from notifications.models import Delivery, Receipt
from portal.logs import HideSecretPaths
from tests.notifications.base import only

SECRET = "canary-secret-0123456789abcdefghijk"
HOOK = f"/hooks/sms/{SECRET}/"


@pytest.fixture
def operator(settings) -> Client:
    """Comes without cookie, and its forms without a token."""
    settings.KAVENEGAR_PUSH_SECRET = SECRET
    return Client(enforce_csrf_checks=True, headers={"accept-language": "en"})


@pytest.fixture
def sent(dana, tell, joined) -> Delivery:
    """An SMS that the operator took; we would ask about it in an hour."""
    way = only(tell(dana, "password_changed"), "sms")
    flows.deliver(way.pk)
    Delivery.objects.filter(pk=way.pk).update(not_before=timezone.now() + dt.timedelta(hours=1))
    return Delivery.objects.get(pk=way.pk)


def is_asked_about(way: Delivery) -> bool:
    return Delivery.objects.to_ask_about().filter(pk=way.pk).exists()


@pytest.mark.parametrize("how", ["get", "form", "json"])
def test_it_may_come_in_three_ways(operator, sent, how):
    said = {"messageid": sent.provider_ref, "status": "10", "receptor": "09121110009"}
    if how == "get":
        answer = operator.get(HOOK, said)
    elif how == "form":
        answer = operator.post(HOOK, said)
    else:
        answer = operator.post(HOOK, json.dumps(said | {"status": 10}), content_type="application/json")
    assert answer.status_code == 200 and not answer.content and not answer.cookies
    assert is_asked_about(sent)


@pytest.mark.parametrize("status", [10, 11, 14])
def test_nothing_is_believed_before_the_operator_says_it_itself(operator, sent, joined, status):
    operator.get(HOOK, {"messageid": sent.provider_ref, "status": status})
    sent.refresh_from_db()
    assert sent.status == "accepted" and not Receipt.objects.exists()
    joined.clock(60)
    assert flows.ask_operator() == {"delivered": 1}, "whatever the hint said"


def test_what_has_ended_is_not_touched(operator, sent, joined):
    joined.clock(60)
    operator.get(HOOK, {"messageid": sent.provider_ref, "status": 10})
    flows.ask_operator()
    for status in (5, 11, 14, 10):
        operator.get(HOOK, {"messageid": sent.provider_ref, "status": status})
        assert not flows.ask_operator()
    sent.refresh_from_db()
    assert sent.status == "delivered"


@pytest.mark.parametrize("said", [{"messageid": "424242", "status": "10"}, {"status": "10"}, {"messageid": "1"}, {}])
def test_what_we_do_not_know_changes_nothing(operator, sent, said):
    assert operator.get(HOOK, said).status_code == 200
    assert not is_asked_about(sent)


@pytest.mark.parametrize("status", ["1", "5", "100", "x", "", "99999999999"])
def test_only_an_end_is_worth_a_question(operator, sent, status):
    operator.get(HOOK, {"messageid": sent.provider_ref, "status": status})
    assert not is_asked_about(sent)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"), (b"[1]", "application/json"), (b"[" * 60_000, "application/json"),
        (b"\xff\xfe", "application/json"), (b'"x"', "application/json"), (b"--", "multipart/form-data; boundary="),
        (b"x" * 70_000, "application/x-www-form-urlencoded"), (b"a=1&" * 5_000, "application/x-www-form-urlencoded"),
        (b"\x00", "image/png"),
    ],
)  # fmt: skip
def test_nonsense_is_taken_and_dropped(operator, sent, body, kind):
    assert operator.post(HOOK, body, content_type=kind).status_code == 200


def test_a_big_body_is_not_read(operator, sent):
    padding = "x" * (64 * 1024)
    operator.post(HOOK, {"messageid": sent.provider_ref, "status": "10", "padding": padding})
    assert not is_asked_about(sent)


def test_another_secret_finds_nothing(operator, sent):
    for wrong in ("x", SECRET[:-1], SECRET.upper()):
        answer = operator.get(f"/hooks/sms/{wrong}/", {"messageid": sent.provider_ref, "status": "10"})
        assert answer.status_code == 404
    assert not is_asked_about(sent)


def test_without_a_secret_there_is_no_such_page(operator, settings, db):
    settings.KAVENEGAR_PUSH_SECRET = ""
    assert operator.get(HOOK).status_code == 404 and operator.get("/hooks/sms//").status_code == 404


def test_the_secret_is_in_no_log(operator, sent, monkeypatch, caplog):
    caplog.handler.addFilter(HideSecretPaths())
    operator.raise_request_exception = False
    monkeypatch.setattr(flows, "hint", None)  # a fault of ours, which Django logs with the path
    assert operator.get(HOOK, {"messageid": "1", "status": "10"}).status_code == 500
    logging.getLogger("gunicorn.access").warning('"%(r)s" %(s)s', {"r": f"GET {HOOK}?a=1 HTTP/1.1", "s": 200})
    assert "/hooks/sms/••••••/" in caplog.text and SECRET not in caplog.text
    console = logging.getLogger("django").handlers[0]
    assert any(isinstance(each, HideSecretPaths) for each in console.filters)


def test_the_web_servers_own_logs_hide_it_too():
    """In a process of its own: the server's module sets up all logging anew."""
    program = (
        "import contextlib, logging\n"
        "with contextlib.suppress(SystemExit): import portal.wsgi\n"
        "for name in ('gunicorn.access', 'gunicorn.error'):\n"
        "    log = logging.getLogger(name); log.addHandler(logging.StreamHandler())\n"
        f"    log.error('GET %s HTTP/1.1', {HOOK!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr.count("/hooks/sms/••••••/") >= 2 and SECRET not in done.stderr
