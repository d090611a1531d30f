"""Logs say what happened, never to whom, and open nothing."""

from django.test import Client


def test_a_links_secret_is_in_no_log(db, caplog):
    """A form that came without its cookie is refused; its address may be a link that only its owner may have."""
    answer = Client(enforce_csrf_checks=True).post("/accounts/confirm-email/NA:1abcde:the-secret-part/")
    assert answer.status_code == 403
    assert "the-secret-part" not in caplog.text
