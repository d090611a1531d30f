"""Letters that come back: known by an address that only we can make, and what follows from them."""

import datetime as dt
import poplib
import smtplib
from email.message import EmailMessage

import pytest
from django.utils import timezone

from accounts.models import Customer
from notifications import flows
from notifications.channels import bounces
from notifications.channels.bounces import Bounce
from notifications.models import Delivery, Event, Receipt, Suppression
from tests.base import make_customer
from tests.notifications.base import only
from tests.world_client import World

REPORT = """\
From: MAILER-DAEMON@mx.example
To: {to}
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not arrive.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; x@example.com
Action: {action}
Status: {status}

--b--
"""


@pytest.fixture
def gone(transactional_db: None) -> Customer:
    """Her letters are taken, and come back."""
    return make_customer("gone@bounces.example", "+989121110010", language="en")


@pytest.fixture
def slow(transactional_db: None) -> Customer:
    return make_customer("slow@slow.example", "+989121110011", language="en")


def sent(event: Event) -> Delivery:
    way = only(event, "email")
    assert flows.deliver(way.pk) == "accepted"
    way.refresh_from_db()
    return way


def put(joined: World, *letters: bytes) -> None:
    """Into the mailbox, by our own mail server as anybody could."""
    with smtplib.SMTP("127.0.0.1", joined.smtp_port) as server:
        for letter in letters:
            server.sendmail("", ["anything@bounces.localhost"], letter)


def report(to: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    return REPORT.format(to=to, action=action, status=status).replace("\n", "\r\n").encode()


# --- the address ---------------------------------------------------------------------------------------------------


def test_each_letter_has_its_own_way_back(dana, tell, joined):
    way = sent(tell(dana, "password_changed"))
    (mail,) = joined.mail()
    assert mail["envelope_from"] == bounces.return_path(way.pk)
    assert mail["message_id"] == f"<{way.local_ref}@127.0.0.1>"
    local, _at, domain = mail["envelope_from"].partition("@")
    assert len(local) <= 64 and domain == "bounces.localhost" and "dana" not in local
    assert "bounces.localhost" not in mail["headers"]["from"]


def test_without_a_domain_it_is_the_senders_own_address(dana, tell, joined, settings):
    settings.BOUNCE_DOMAIN = ""
    sent(tell(dana, "password_changed"))
    assert joined.mail()[0]["envelope_from"] == "no-reply@127.0.0.1"


def test_a_forged_address_names_nobody(dana, tell, joined):
    way, other = sent(tell(dana, "password_changed")), sent(tell(dana, "invoice_issued"))
    true = bounces.return_path(way.pk)
    assert bounces.report(report(true)) == bounces.report(report(true.upper())) == Bounce(way.pk, True, "5.1.1")
    forged = [
        true.replace(way.pk.hex, other.pk.hex),
        true[:-1].replace("@", "0@"),
        true.replace(true.split(".")[1][:4], "0000"),
        "bounce+@bounces.localhost",
    ]
    put(joined, *(report(address) for address in forged))
    assert flows.read_bounces() == {"ignored": 4}
    assert not Receipt.objects.exists() and not Suppression.objects.exists()


# --- what follows --------------------------------------------------------------------------------------------------


def test_a_hard_bounce_ends_the_delivery_and_stops_the_address(gone, tell, joined):
    way = sent(tell(gone, "invoice_issued"))
    assert flows.read_bounces() == {"hard": 1} and not joined.bounces()
    way.refresh_from_db()
    assert (way.status, way.last_code) == ("undelivered", "5.1.1")
    stopped = Suppression.objects.get()
    assert (stopped.reader, stopped.channel, stopped.reason, stopped.code) == (gone, "email", "hard", "5.1.1")

    later = tell(gone, "service_activated")
    assert flows.deliver(only(later, "email").pk) == "suppressed"
    assert only(later, "email").last_code == "bounced" and len(joined.mail()) == 1
    assert flows.deliver(only(later, "sms").pk) == "accepted", "SMS goes on"


@pytest.mark.parametrize("message", ["password_changed", "login_code"])
def test_security_and_codes_are_still_tried(gone, tell, joined, message):
    sent(tell(gone, "invoice_issued"))
    flows.read_bounces()
    assert flows.deliver(only(tell(gone, message), "email").pk) == "accepted"


def test_read_twice_is_once(gone, tell, joined):
    way = sent(tell(gone, "invoice_issued"))
    joined.next("pop", "quit", "refuse")  # nothing is deleted
    assert flows.read_bounces() == {"hard": 1} and joined.bounces()
    flows.lift_suppression(reader=gone, channel="email", why="works")
    assert flows.read_bounces() == {"repeated": 1} and not joined.bounces()
    assert Receipt.objects.count() == 1 and not Suppression.objects.open().exists()
    way.refresh_from_db()
    assert way.status == "undelivered"


def test_three_soft_ones_in_a_row_stop_the_address(slow, tell, joined):
    for n in range(3):
        assert not Suppression.objects.exists()
        way = sent(tell(slow, "invoice_issued", about=f"invoice:{n}"))
        assert flows.read_bounces() == {"soft": 1}
        way.refresh_from_db()
        assert way.status == "accepted", "the other server still tries"
    assert Suppression.objects.get().reason == "soft"


def test_soft_ones_with_an_arrival_between_or_long_ago_do_not(slow, tell, joined):
    for n in range(2):
        sent(tell(slow, "invoice_issued", about=f"invoice:{n}"))
    slow.email = "slow@example.com"
    slow.save()
    sent(tell(slow, "password_changed"))
    slow.email = "slow@slow.example"
    slow.save()
    sent(tell(slow, "invoice_issued", about="invoice:3"))
    assert flows.read_bounces() == {"soft": 3} and not Suppression.objects.exists()
    for n in (4, 5):
        sent(tell(slow, "invoice_issued", about=f"invoice:{n}"))
    Event.objects.filter(about="invoice:3").update(at=timezone.now() - dt.timedelta(days=8))
    flows.read_bounces()
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("status", "counted", "stops"),
    [("5.2.2", "soft", False), ("5.7.1", "refused", False), ("5.6.0", "refused", False), ("5.1.10", "hard", True)],
)
def test_what_is_no_fault_of_the_address_does_not_stop_it(dana, tell, joined, status, counted, stops):
    joined.next("smtp", "send", {"bounces": status})
    way = sent(tell(dana, "invoice_issued"))
    assert flows.read_bounces() == {counted: 1}
    way.refresh_from_db()
    assert way.status == "undelivered" and Suppression.objects.exists() == stops


def test_an_address_that_the_server_refuses_three_times_is_stopped_too(transactional_db, tell, joined):
    reader = make_customer("x@refused.example", "+989121110012", language="en")
    for n in range(3):
        assert not Suppression.objects.exists()
        assert flows.deliver(only(tell(reader, "invoice_issued", about=f"invoice:{n}"), "email").pk) == "undelivered"
    assert Suppression.objects.get().code == "smtp-550"


def test_what_went_to_another_address_says_nothing_of_hers(gone, dana, tell, joined):
    sent(tell(dana, "confirm_email", to={"email": "typo@bounces.example"}))
    sent(tell(gone, "invoice_issued"))
    gone.email = "gone@example.com"  # changed before the letter came back
    gone.save()
    assert flows.read_bounces() == {"hard": 2} and not Suppression.objects.exists()


# --- whatever else lies there --------------------------------------------------------------------------------------


def hostile(way: Delivery) -> list[bytes]:
    to = bounces.return_path(way.pk)
    holiday = EmailMessage()
    holiday["To"], holiday["Subject"] = to, "I am on holiday"
    holiday.set_content("Back on Monday")
    return [
        holiday.as_bytes(), report(to, action="delivered", status="2.0.0"), report(to, action="relayed"),
        report(to, status="9.9"), report(to, action="failed", status="2.0.0"), report(""), b"",
        b"\x00\xff\xfe\r\n\r\n\xff",
        b"Content-Type: message/delivery-status\r\nTo: " + to.encode() + b"\r\n\r\n" + b"A" * 900,
        b"To: " + to.encode() + b"\r\n" + b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000)
        ),
        report(to, status="5.1.1; DROP TABLE")[:300],
    ]  # fmt: skip


def test_what_is_no_report_changes_nothing(dana, tell, joined):
    letters = hostile(sent(tell(dana, "invoice_issued")))
    assert [bounces.report(letter) for letter in letters] == [None] * len(letters)


def test_a_letter_that_breaks_the_conversation_holds_up_no_other(gone, tell, joined, monkeypatch):
    monkeypatch.setattr(poplib, "_MAXLINE", 500)  # of a line; other mail servers let longer ones in than ours does
    long = b"To: a\r\n\r\n" + b"x" * 900 + b"\r\n"
    put(joined, long)
    sent(tell(gone, "invoice_issued"))
    put(joined, long, b"To: a\r\n\r\nfine\r\n")
    assert flows.read_bounces()["hard"] == 1
    assert not joined.bounces(), "all of it is gone"
    assert not flows.read_bounces()


def test_of_a_huge_letter_the_beginning_is_read(dana, tell, joined):
    way = sent(tell(dana, "invoice_issued"))
    put(joined, report(bounces.return_path(way.pk)) + b"returned line\r\n" * 100_000)
    assert flows.read_bounces() == {"hard": 1}


def test_a_mailbox_that_does_not_answer_is_only_a_warning(joined, settings, caplog, db):
    settings.BOUNCES = {**settings.BOUNCES, "password": "wrong-canary"}
    assert not flows.read_bounces()
    settings.BOUNCES = {**settings.BOUNCES, "port": 1}
    assert not flows.read_bounces()
    assert caplog.text.count("does not answer") == 2 and "canary" not in caplog.text


def test_without_a_mailbox_nobody_looks(settings, db):
    settings.BOUNCES = None
    assert not flows.read_bounces()
