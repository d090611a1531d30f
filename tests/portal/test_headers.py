"""What every answer says to the browser about itself."""

import pytest


@pytest.mark.parametrize("path", ["/", "/invoices/", "/policy/", "/profile/"])
def test_customer_pages_allow_nothing_unsafe_and_nobody_else(alice_client, path):
    csp = alice_client.get(path, follow=True).headers["Content-Security-Policy"]
    assert "unsafe" not in csp and "http" not in csp
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert rule in csp


def test_only_the_staff_screens_are_looser_and_only_by_this_much(carol_client):
    csp = carol_client.get("/admin/").headers["Content-Security-Policy"]
    rules = dict(part.strip().partition(" ")[::2] for part in csp.split(";"))
    assert rules["script-src"] == "'self' 'unsafe-eval'"
    assert rules["style-src"] == "'self' 'unsafe-inline'"
    assert rules["img-src"] == "'self' data:"
    assert rules["default-src"] == "'none'"


def test_every_answer_is_isolated_and_not_framed(anyone, db):
    headers = anyone.get("/accounts/login/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]


def test_machines_learn_how_we_are(anyone, db):
    assert anyone.get("/healthz").content == b"ok\n"
    ready = anyone.get("/readyz").json()
    assert ready == {"database": True, "keys": True, "broker": True}


def test_readyz_serves_on_without_redis_and_says_so(anyone, db):
    from portal.celery import app

    app.conf.broker_url, before = "redis://127.0.0.1:1/0", app.conf.broker_url
    app.pool.force_close_all()
    try:
        response = anyone.get("/readyz")
    finally:
        app.conf.broker_url = before
    assert response.status_code == 200 and response.json()["broker"] is False


@pytest.fixture
def lenient(anyone):
    """A client that sees the error page instead of the exception."""
    anyone.raise_request_exception = False
    return anyone


def test_without_the_database_people_read_that_it_comes_back(db, lenient, settings):
    settings.SESSION_ENGINE = (
        "django.contrib.sessions.backends.signed_cookies"  # so that the page itself meets the fault
    )
    from django.db import OperationalError, connection

    def gone(*_: object) -> None:
        raise OperationalError("server closed the connection")

    with connection.execute_wrapper(gone):
        response = lenient.get("/policy/")
    assert response.status_code == 503 and response.headers["Retry-After"] == "30"
    assert 'lang="fa"' in response.content.decode() and "server closed" not in response.content.decode()
