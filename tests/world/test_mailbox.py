"""The mail server and the desk that shows what arrived."""

import smtplib

import pytest

from tests.world.wire import Wire, send_letter
from tests.world_client import World


def test_a_letter_arrives_as_it_was_sent(outer: World) -> None:
    send_letter(outer.smtp_port)
    (letter,) = outer.mail()
    assert (letter["to"], letter["from"]) == ("alice@example.org", "Yaghout <no-reply@portal.example>")
    assert (letter["subject"], letter["message_id"]) == ("فاکتور شما آماده است", "<1@portal.example>")
    assert "invoices/1" in letter["text"]
    assert "<a href=" in letter["html"]
    assert letter["attachments"] == [{"name": "invoice.pdf", "type": "application/pdf", "size": 8}]


@pytest.mark.parametrize(("to", "expected"), [("bob@refused.example", 550), ("bob@busy.example", 451)])
def test_some_addresses_are_refused_for_good_and_some_for_now(outer: World, to: str, expected: int) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send_letter(outer.smtp_port, to)
    assert refused.value.recipients[to][0] == expected
    assert outer.mail() == []


def test_a_script_refuses_or_goes_silent_after_keeping_the_letter(outer: World) -> None:
    outer.next("smtp", "send", {"code": 451}, "refuse", "timeout_after_commit", "timeout")
    with pytest.raises(smtplib.SMTPDataError):
        send_letter(outer.smtp_port)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send_letter(outer.smtp_port)
    assert outer.mail() == []
    for kept in (1, 1):
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            send_letter(outer.smtp_port, timeout=0.5)
        assert len(outer.mail()) == kept


def test_the_desk_shows_phone_mailbox_and_ledger(outer: World, wire: Wire) -> None:
    assert wire.get("/").text.count("Nothing has arrived yet.") == 3
    send_letter(outer.smtp_port)
    wire.kavenegar("sms/send", receptor="09121234567", message="<b>سلام</b>")
    outer.pay("sep", wire.sep_token().json["token"])
    page = wire.get("/").text
    assert "فاکتور شما آماده است" in page
    assert "&lt;b&gt;سلام&lt;/b&gt;" in page
    assert "۱۲٬۰۰۰ ریال" in page
    assert "پرداخت شده" in page


def test_a_letter_is_shown_in_a_sandbox_with_links_that_work(outer: World, wire: Wire) -> None:
    send_letter(outer.smtp_port)
    page = wire.get("/").text
    address = page.split('href="/mail/')[1].split('"')[0]
    shown = wire.get(f"/mail/{address}").text
    assert 'href="http://127.0.0.1:8000/invoices/1/?a=1&amp;b=2" target="_blank"' in shown
    assert 'sandbox="allow-popups' in shown
    inner = wire.get(f"/mail/{address}/html")
    assert inner.headers["Content-Security-Policy"].startswith("sandbox ")
    assert "پرتال" in inner.text
    assert wire.get("/mail/999999").status == 404
