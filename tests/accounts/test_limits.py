"""Who tries too often waits, on every account page, whatever else is away."""

import threading
from unittest.mock import patch

import pytest
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory

from accounts.middleware import EvenTime
from tests.accounts.test_sign_up import hashed
from tests.test_rules import address, patterns

DOORS = [(route, entry) for route, entry in patterns() if route.startswith(("accounts/", "profile/", "companies/"))]


@pytest.fixture(autouse=True)
def fresh_limits(db):
    cache.clear()


@pytest.mark.parametrize(("route", "entry"), [pytest.param(r, e, id=str(e.name)) for r, e in DOORS])
def test_every_account_page_counts_what_is_sent_to_it(settings, route, entry):
    settings.ACCOUNT_POSTS = "2/m/ip"
    client = Client(headers={"accept-language": "en"})
    answers = [client.post(address(route), {}) for _ in range(3)]
    assert 429 not in [answer.status_code for answer in answers[:2]]
    assert answers[2].status_code == 429 and int(answers[2].headers["Retry-After"]) > 0
    assert "One moment, please" in answers[2].content.decode()


def test_looking_at_a_page_costs_nothing(settings, anyone):
    settings.ACCOUNT_POSTS = "2/m/ip"
    assert {anyone.get("/accounts/login/").status_code for _ in range(5)} == {200}


def test_a_spent_limit_is_answered_before_a_password_is_hashed(settings, anyone, alice):
    tries = {"login": "alice@example.com", "password": "wrong-wrong"}
    for _ in range(5):
        anyone.post("/accounts/login/", tries)
    assert hashed(lambda: anyone.post("/accounts/login/", tries)) == 0, "five for one account"
    settings.ACCOUNT_POSTS = "1/h/ip"
    cache.clear()
    anyone.post("/accounts/login/", tries)
    assert hashed(lambda: anyone.post("/accounts/login/", tries)) == 0, "and for one address of the internet"


def test_limits_hold_without_redis(settings, anyone, alice):
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # nobody listens there
    for _ in range(7):
        last = anyone.post("/accounts/login/", {"login": "alice@example.com", "password": "wrong-wrong"})
    assert "Too many wrong tries" in last.content.decode()


def test_limits_that_still_hold_are_never_dropped(settings, anyone, alice):
    """A stranger who makes many limits pushes none out of the table."""
    tries = {"login": "alice@example.com", "password": "wrong-wrong"}
    for _ in range(5):
        anyone.post("/accounts/login/", tries)
    with patch.object(cache, "_max_entries", 3):
        for number in range(20):
            cache.set(f"other:{number}", 1, 60)
        cache.set("ran out", 1, -1)
        cache.set("one more", 1, 60)
    assert hashed(lambda: anyone.post("/accounts/login/", tries)) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_cache WHERE expires < now()")
        assert cursor.fetchone()[0] == 0, "those that ran out are gone"


def test_many_at_once_get_no_more_than_the_limit(transactional_db):
    allowed, start = [], threading.Barrier(8, timeout=10)

    def press() -> None:
        start.wait()
        request = RequestFactory().post("/accounts/login/")
        for _ in range(3):
            if ratelimit.consume(request, app="accounts", action="race", config={"race": "5/m/ip"}):
                allowed.append(1)
        connection.close()

    presses = [threading.Thread(target=press) for _ in range(8)]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join()
    assert len(allowed) == 5
    cache.clear()


HIDING = [
    ("/accounts/password/reset/", {"email": "alice@example.com"}, {"email": "nobody@example.com"}),
    ("/accounts/login/code/", {"login": "alice@example.com"}, {"login": "nobody@example.com"}),
    ("/accounts/login/code/", {"login": "09121110001"}, {"login": "09121119999"}),
]


@pytest.mark.parametrize(("page", "known", "unknown"), HIDING)
def test_nothing_tells_who_has_an_account(alice, page, known, unknown):
    """Same answer, same pages after it, and both at a full step of time."""
    slept: list[float] = []
    answers = []
    with patch("accounts.middleware.time.sleep", slept.append):
        for data in (known, unknown):
            client = Client(headers={"accept-language": "en"})
            answer = client.post(page, data, follow=True)
            text = answer.content.decode()
            for value in (*data.values(), client.cookies["csrftoken"].value if "csrftoken" in client.cookies else ""):
                text = text.replace(value, "…") if value else text
            answers.append((answer.redirect_chain, answer.status_code, _without_tokens(text)))
    assert answers[0] == answers[1]
    assert len(slept) == 2 and all(0 < wait <= EvenTime.STEP for wait in slept)


def _without_tokens(page: str) -> str:
    import re

    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
    return re.sub(r"\+98\d+|09\d{9}|[۰-۹]+", "…", page)


def test_an_answer_comes_at_full_steps():
    moments, slept = iter([10.0, 10.3]), []
    request = RequestFactory().post("/accounts/password/reset/")

    def answer(request):
        from django.urls import resolve

        request.resolver_match = resolve(request.path)
        return "done"

    with (
        patch("accounts.middleware.time.monotonic", lambda: next(moments)),
        patch("accounts.middleware.time.sleep", slept.append),
    ):
        assert EvenTime(answer)(request) == "done"
    assert slept == [pytest.approx(EvenTime.STEP - 0.3)]
