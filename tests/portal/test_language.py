"""Language by cookie, account, browser; Persian when nobody says."""

import pytest
from django.test import Client


@pytest.mark.parametrize(
    ("cookie", "browser", "language"),
    [
        (None, "", "fa"),
        (None, "en-US,en;q=0.9", "en"),
        (None, "de,fr;q=0.5", "fa"),
        (None, "de,en;q=0.5", "en"),
        ("fa", "en", "fa"),
        ("en", "fa-IR", "en"),
        ("xx", "", "fa"),
    ],
)
def test_the_page_speaks_the_readers_language(db, settings, cookie, browser, language):
    client = Client(headers={"accept-language": browser})
    if cookie:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = cookie
    page = client.get("/accounts/login/").content.decode()
    direction = "rtl" if language == "fa" else "ltr"
    assert f'<html lang="{language}" dir="{direction}"' in page


def test_the_accounts_language_speaks_on_a_new_device(db, bob, settings):
    client = Client(headers={"accept-language": "en"})
    client.post("/accounts/login/", {"login": "bob@example.com", "password": "correct-horse-battery"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fa"
    assert '<html lang="fa" dir="rtl"' in client.get("/profile/").content.decode()


def test_a_chosen_language_is_kept_at_sign_in(db, bob, settings):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.post("/accounts/login/", {"login": "bob@example.com", "password": "correct-horse-battery"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
