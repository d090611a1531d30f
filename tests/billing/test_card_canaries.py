"""Only the receipt and the time: nothing of a card, and nothing of our secrets, is kept, logged, sent or shown.

Each payment at the pretend banks has a card of its own, and each bank sends of it, unasked, whatever the real one
sends: masked and hashed numbers, the holder's name. Any trace of it on our side is a leak.
"""

import logging

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from django.test import Client
from redis import Redis

from billing import flows, gateways
from billing.flows import reconcile
from billing.models import Payment
from tests.billing.base import CLAIMED, EVERY, bring, due_now, fresh, start

VERIFY = {
    "sep": "VerifyTransaction", "mellat": "/services/pgw", "sadad": "Advice/Verify", "parsian": "ConfirmService",
    "pasargad": "confirm-transactions", "zarinpal": "verify.json", "zibal": "v1/verify",
}  # fmt: skip


@pytest.fixture
def everything_logged(caplog, monkeypatch):
    """Every logger's every word."""
    for name in ("urllib3", "requests", "django", "django.request", "billing", "portal"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.DEBUG, name)
    caplog.set_level(logging.DEBUG)
    return caplog


def stored() -> str:
    """Every value of every table."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - names from the catalogue itself
            found += [text for (text,) in cursor.fetchall()]
    return "\n".join(found)


def in_redis() -> str:
    """Every key and value of the queue and the cache."""
    redis, found = Redis.from_url(django_settings.REDIS_URL), []
    for key in redis.scan_iter():
        found.append(key.decode(errors="replace"))
        found.append(repr(redis.dump(key)))
    return "\n".join(found)


def traces(bank) -> list[str]:
    """What would betray a card of this test: its number in every form a bank sends, its hash, its holder."""
    return [
        trace
        for row in bank.ledger()
        for trace in [*row["card"]["traces"], f"{row['card']['number'][:6]}******{row['card']['number'][-4:]}"]
    ]


@EVERY
@pytest.mark.django_db
def test_nothing_of_the_card_is_kept_logged_queued_or_shown(
    bank, alice_client, carol_client, invoice, gateway, everything_logged
):
    """Paid; refused at the bank; refused by the card; brought twice; silent once; given back."""
    pages = []
    for do in ("fail", "cancel", "pay"):
        payment = start(invoice, gateway)
        callback = bank.pay(gateway, payment.token, do)
        if do == "pay":
            bank.next(gateway, "verify", "truncated")
        for _twice in range(2):
            pages.append(bring(callback))
            pages.append(alice_client.get(pages[-1].headers["Location"]))
        pages.append(carol_client.get(f"/admin/billing/payment/{payment.pk}/change/"))
    due_now(payment)
    reconcile()
    assert fresh(payment).status == Payment.Status.PAID
    flows.cancel_paid_order(order=invoice.order)
    flows.give_back(payment=payment)
    pages += [alice_client.get(url) for url in (invoice.get_absolute_url(), f"/pay/{payment.public_id}/result/")]
    assert all(page.status_code in (200, 303) for page in pages)
    words = [*(page.content.decode() for page in pages), everything_logged.text, stored(), in_redis()]
    assert VERIFY[gateway] in everything_logged.text, "the client's own log was listened to"
    assert fresh(payment).receipt in stored(), "the control: what is stored is found"
    for trace in traces(bank):
        assert not any(trace in text for text in words), trace


@EVERY
@pytest.mark.django_db
def test_a_crash_while_the_card_is_in_our_hands_shows_nothing_of_it(
    bank, invoice, gateway, everything_logged, settings, monkeypatch
):
    """The error page, the error's mail to the administrators, and the traceback with its variables."""
    settings.ADMINS = [("carol", "carol@example.com")]
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)

    def crash(*args, **kwargs):
        raise RuntimeError("a fault of ours, in the middle of it")

    monkeypatch.setattr(flows.answers, "receive", crash)
    client = Client(raise_request_exception=False, headers={"accept-language": "en"})
    with monkeypatch.context() as patch:
        patch.setattr(logging.getLogger("django.request"), "handlers", [mailing()])
        page = bring(callback, client)
    assert page.status_code == 500 and mail.outbox, "the control: the mail was written"
    words = [page.content.decode(), everything_logged.text, stored()]
    words += [f"{letter.subject}\n{letter.body}\n{letter.alternatives}" for letter in mail.outbox]
    assert "RuntimeError" in words[-1]
    for trace in traces(bank):
        assert not any(trace in text for text in words), trace


def mailing() -> logging.Handler:
    from django.utils.log import AdminEmailHandler

    handler = AdminEmailHandler(include_html=True)
    handler.setLevel(logging.ERROR)
    return handler


@EVERY
@pytest.mark.django_db
def test_our_secrets_are_in_no_log_repr_or_traceback(bank, invoice, gateway, everything_logged, settings, monkeypatch):
    """Terminal keys, passwords and pins: silence, odd answers, refusals and a crash of ours."""
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.4))
    public = {"terminal_id", "terminal_number", "username"}
    secrets = {name: value for name, value in settings.GATEWAY_CREDENTIALS[gateway].items() if name not in public}
    adapter, payment = gateways.gateway(gateway), start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    for do in ("timeout", "500", "html", "refuse", {"raw": "{}"}):
        bank.next(gateway, "verify", do)
        bring(callback)
        due_now(payment)
        bank.next(gateway, "start", do)
        try:
            adapter.ask_token(amount=10_000, order_number=1, callback_url="http://testserver/", description="x")
        except gateways.GatewayError:
            logging.getLogger("billing").exception("as an error reporter would write it down")
    words = [everything_logged.text, repr(adapter), str(adapter), stored(), repr(vars(fresh(payment)))]
    assert "GatewayError" in words[0], "the control: the traceback was written"
    for name, value in secrets.items():
        assert not any(value in text for text in words), name


@EVERY
@pytest.mark.django_db
def test_a_forged_callback_full_of_card_numbers_leaves_no_trace(bank, invoice, gateway, everything_logged):
    """Whatever names a forger chooses, and in fields that we do read."""
    payment = start(invoice, gateway)
    url = f"/pay/callback/{gateway}/{payment.public_id}/"
    number = "6037991234567893"
    fields = dict.fromkeys(
        [*CLAIMED[gateway], "card", "SecurePan", "PrimaryAccNo", "RefId", "ResNum", "trackId"], number
    )
    client = Client(headers={"accept-language": "en"})
    for send in (client.get, client.post):
        assert send(url, fields).status_code == 303
    # The browser's address of a callback by GET stands in no log of ours; the pretend browser's request does.
    logged = "\n".join(r.getMessage() for r in everything_logged.records if not r.name.startswith("django.server"))
    assert number not in stored() and number not in logged
