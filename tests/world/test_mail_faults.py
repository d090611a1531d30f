"""How the mail server fails when it is told to: at the greeting, at RCPT, at DATA, and after it."""

import smtplib
import time
from collections.abc import Iterator

import pytest

from tests.world.wire import send_letter
from tests.world_client import World

WORDS = b"Subject: x\r\nMessage-ID: <%d@portal>\r\n\r\nwords\r\n"


@pytest.fixture
def line(outer: World) -> Iterator[smtplib.SMTP]:
    server = smtplib.SMTP("127.0.0.1", outer.smtp_port, timeout=5)
    yield server
    server.close()


def test_it_can_send_a_client_away_at_the_door(outer: World) -> None:
    outer.next("smtp", "greet", {"code": 421, "raw": "4.3.2 Too busy"}, "refuse")
    with pytest.raises(smtplib.SMTPConnectError) as away:
        send_letter(outer.smtp_port)
    assert (away.value.smtp_code, away.value.smtp_error) == (421, b"4.3.2 Too busy")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send_letter(outer.smtp_port)
    send_letter(outer.smtp_port)
    assert len(outer.mail()) == 1


@pytest.mark.parametrize("code", [450, 452, 550])
def test_it_can_refuse_one_receiver(outer: World, code: int) -> None:
    outer.next("smtp", "rcpt", {"code": code})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send_letter(outer.smtp_port)
    assert refused.value.recipients["alice@example.org"][0] == code
    assert outer.mail() == []


def test_it_can_refuse_the_whole_letter_in_its_own_words(outer: World) -> None:
    outer.next("smtp", "send", {"code": 554, "raw": "5.7.1 Looks like spam"})
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send_letter(outer.smtp_port)
    assert (refused.value.smtp_code, refused.value.smtp_error) == (554, b"5.7.1 Looks like spam")
    assert outer.mail() == []


@pytest.mark.parametrize(("step", "kept"), [("refuse", 0), ("drop_after_commit", 1)])
def test_the_answer_is_lost_with_the_letter_or_without_it(outer: World, step: str, kept: int) -> None:
    outer.next("smtp", "send", step)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send_letter(outer.smtp_port)
    assert len(outer.mail()) == kept
    send_letter(outer.smtp_port)
    assert outer.mail_summary()["doubles"] == kept


def test_several_letters_go_over_one_connection(outer: World, line: smtplib.SMTP) -> None:
    line.sendmail("a@portal.example", ["bob@example.org"], WORDS % 1)
    line.mail("a@portal.example")
    line.rcpt("carol@example.org")
    line.rset()
    assert line.docmd("DATA")[0] == 503
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        line.sendmail("a@portal.example", ["bob@refused.example"], WORDS % 2)
    line.sendmail("a@portal.example", ["dave@example.org"], WORDS % 3)
    assert [letter["to"] for letter in outer.mail()] == ["bob@example.org", "dave@example.org"]


def test_it_can_be_slow_and_a_patient_client_gets_its_answer(outer: World, line: smtplib.SMTP) -> None:
    outer.next("smtp", "send", "slow")
    began = time.monotonic()
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        send_letter(outer.smtp_port, timeout=1)
    line.sock.settimeout(10)
    outer.next("smtp", "send", "slow")
    line.sendmail("a@portal.example", ["bob@example.org"], WORDS % 1)
    assert time.monotonic() - began > 5
    assert "bob@example.org" in [letter["to"] for letter in outer.mail()]
