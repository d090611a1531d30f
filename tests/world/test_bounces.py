"""Letters that come back, and the mailbox that takes the reports (RFC 3464, RFC 1939)."""

import poplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message

import pytest

from tests.world_client import World

VERP = "b-7f3a9c@bounces.localhost"
WORDS = (
    b"From: <no-reply@portal.example>\r\nTo: <x@example.org>\r\nSubject: Hi\r\nMessage-ID: <1@portal>\r\n\r\nwords\r\n"
)


@contextmanager
def pop(outer: World, word: str = "any") -> Iterator[poplib.POP3]:
    box = poplib.POP3("127.0.0.1", outer.pop_port, timeout=5)
    try:
        box.user("bounces")
        box.pass_(word)
        yield box
    finally:
        box.close()


def send(outer: World, to: str, sender: str = VERP, words: bytes = WORDS) -> None:
    with smtplib.SMTP("127.0.0.1", outer.smtp_port, timeout=5) as server:
        server.sendmail(sender, [to], words)


def letters(outer: World) -> list[Message]:
    with pop(outer) as box:
        count = box.stat()[0]
        found = [message_from_bytes(b"\r\n".join(box.retr(number)[1])) for number in range(1, count + 1)]
        box.quit()
    return found


def delivery_status(report: Message) -> tuple[Message, Message]:
    """The fields of the letter and those of its first recipient."""
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    fields = report.get_payload(1)
    assert isinstance(fields, Message)
    assert fields.get_content_type() == "message/delivery-status"
    about_letter, about_recipient = fields.get_payload()[:2]
    return about_letter, about_recipient


@pytest.mark.parametrize(
    ("to", "action", "status", "fate"),
    [("alice@bounces.example", "failed", "5.1.1", "failed"), ("alice@slow.example", "delayed", "4.4.1", "delayed")],
)
def test_a_letter_comes_back_to_the_envelopes_sender(
    outer: World, to: str, action: str, status: str, fate: str
) -> None:
    send(outer, to)
    (report,) = letters(outer)
    assert (report["To"], report["Return-Path"], report["Auto-Submitted"]) == (VERP, "<>", "auto-replied")
    about_letter, about_recipient = delivery_status(report)
    assert about_letter["Reporting-MTA"].startswith("dns;")
    assert about_recipient["Final-Recipient"] == f"rfc822; {to}"
    assert (about_recipient["Action"], about_recipient["Status"]) == (action, status)
    assert about_recipient["Diagnostic-Code"].startswith("smtp; ")
    original = report.get_payload(2)
    assert isinstance(original, Message)
    assert original.get_content_type() == "text/rfc822-headers"
    assert "Message-ID: <1@portal>" in original.get_payload()
    assert "words" not in report.as_string()
    assert [letter["fate"] for letter in outer.mail()] == [fate]
    assert outer.mail()[0]["envelope_from"] == VERP


def test_a_script_makes_any_letter_come_back_with_any_status(outer: World) -> None:
    outer.next("smtp", "send", {"bounces": "5.2.2"})
    send(outer, "alice@example.org")
    send(outer, "alice@example.org")
    (report,) = letters(outer)
    about_recipient = delivery_status(report)[1]
    assert about_recipient["Status"] == "5.2.2"
    assert about_recipient["Diagnostic-Code"] == "smtp; 552 5.2.2 Mailbox full"
    assert outer.mail_summary()["fate"] == {"failed": 1, "kept": 1}


def test_a_report_never_comes_back_and_one_to_a_stranger_lies_in_the_common_mailbox(outer: World) -> None:
    send(outer, "alice@bounces.example", sender="")
    assert letters(outer) == []
    assert [letter["to"] for letter in outer.mail()] == ["alice@bounces.example"]
    send(outer, "alice@bounces.example", sender="no-reply@portal.example")
    assert letters(outer) == []
    assert [letter["to"] for letter in outer.mail()][-1] == "no-reply@portal.example"


def test_anything_sent_to_the_bounce_domain_lies_in_the_pop_mailbox_only(outer: World) -> None:
    send(
        outer,
        "Anything@Bounces.LOCALHOST",
        sender="stranger@example.net",
        words=b"Subject: forged\r\n\r\n.dot\r\n..\r\n",
    )
    (letter,) = letters(outer)
    assert letter["Subject"] == "forged"
    assert letter.get_payload() == ".dot\r\n.."
    assert outer.mail() == []
    assert outer.mail_summary()["in_bounce_mailbox"] == len(outer.bounces()) == 1


def test_letters_go_at_quit_and_at_no_other_end(outer: World) -> None:
    for number in range(3):
        send(outer, f"{number}@bounces.example")
    with pop(outer) as box:
        uids = [line.split()[1] for line in box.uidl()[1]]
        assert [line.split()[0] for line in box.list()[1]] == [b"1", b"2", b"3"]
        box.dele(1)
        assert box.stat()[0] == 2
        with pytest.raises(poplib.error_proto):
            box.retr(1)
    assert len(outer.bounces()) == 3
    with pop(outer) as box:
        box.dele(1)
        box.rset()
        box.dele(2)
        box.quit()
    assert [kept["uid"].encode() for kept in outer.bounces()] == [uids[0], uids[2]]


def test_one_reader_at_a_time_and_no_wrong_password(outer: World) -> None:
    with pop(outer) as first:
        with pytest.raises(poplib.error_proto, match="IN-USE"), pop(outer):
            pass
        first.quit()
    with pytest.raises(poplib.error_proto, match="AUTH"), pop(outer, "wrong-password"):
        pass
    with pop(outer) as again:
        assert again.stat() == (0, 0)
        again.quit()


def test_top_gives_the_head_and_some_lines(outer: World) -> None:
    send(outer, VERP, words=b"Subject: x\r\n\r\none\r\ntwo\r\nthree\r\n")
    with pop(outer) as box:
        assert box.top(1, 2)[1][-2:] == [b"one", b"two"]
        assert box.retr(1)[2] == int(box.list(1).split()[-1])


def test_scripts_break_the_session(outer: World) -> None:
    send(outer, "alice@bounces.example")
    outer.next("pop", "login", {"code": 1}, "refuse")
    for _ in range(2):
        with pytest.raises((poplib.error_proto, OSError)), pop(outer):
            pass
    outer.next("pop", "quit", "refuse", "drop_after_commit")
    for left in (1, 0):
        with pop(outer) as box:
            box.dele(1)
            with pytest.raises((poplib.error_proto, OSError)):
                box.quit()
        assert len(outer.bounces()) == left


def test_the_bounce_domain_comes_from_the_environment() -> None:
    running = World().start(WORLD_BOUNCE_DOMAIN="back.portal.example")
    try:
        send(running, "alice@bounces.example", sender="v-1@back.portal.example")
        assert len(running.bounces()) == 1
        assert len(letters(running)) == 1
    finally:
        running.stop()
