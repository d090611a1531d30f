"""Sign-ins are tied to devices, and ordinary pages pay nothing for it."""

from datetime import timedelta

import pytest
from django.core.signing import get_cookie_signer
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from devices import cookie, seen
from devices.models import Device, SignIn
from notifications.models import Event
from tests.base import PASSWORD
from tests.devices.browsers import ANDROID, browser, sign_in

OURS = "devices.middleware.DeviceMiddleware"


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as ran:
        assert client.get(url).status_code == 200
    return len(ran)


@pytest.mark.parametrize("page", ["policy", "devices"])
def test_an_ordinary_signed_in_page_costs_no_query_more(alice, settings, page):
    client, url = sign_in(browser()), reverse(page)
    client.get(url)
    with_ours = queries(client, url)
    plain = Client(headers={"accept-language": "en"})
    plain.cookies = client.cookies
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]
    assert queries(plain, url) == with_ours


def test_a_page_that_needs_no_session_loads_none(alice):
    client = sign_in(browser())
    assert queries(client, reverse("healthz")) == 0


def test_strangers_get_no_device_cookie(anyone, db):
    anyone.get(reverse("policy"))
    anyone.get(reverse("account_login"))
    assert cookie.NAME not in anyone.cookies
    assert not Device.objects.exists()


def test_signing_in_writes_the_device_and_its_cookie(alice):
    client = sign_in(browser(ANDROID))
    entry = SignIn.objects.select_related("device").get()
    assert entry.customer == alice
    assert (entry.device.kind, entry.device.browser, entry.device.os) == ("phone", "Chrome Mobile", "Android")
    assert (entry.device.memory, entry.device.link, entry.device.speed) == ("unknown",) * 3
    assert entry.network == "127.0.0.0/24"
    morsel = client.cookies[cookie.NAME]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
    assert 380 < int(morsel["max-age"]) / 86400 < 400
    assert str(entry.device_id) in morsel.value


def test_the_same_browser_is_the_same_device_again(alice):
    client = sign_in(browser())
    client.post(reverse("account_logout"))
    assert SignIn.objects.get().ended_at
    sign_in(client)
    assert Device.objects.count() == 1
    assert SignIn.objects.count() == 2


@pytest.mark.parametrize(
    "forge", [lambda value: "x" + value, lambda value: value.split(":")[0], lambda value: "nonsense"]
)
def test_a_forged_cookie_is_ignored(alice, forge):
    client = sign_in(browser())
    first = Device.objects.get()
    thief = browser()
    thief.cookies[cookie.NAME] = forge(client.cookies[cookie.NAME].value)
    sign_in(thief)
    assert Device.objects.exclude(pk=first.pk).count() == 1


def test_a_cookie_signed_for_something_else_is_ignored(alice):
    client = browser()
    client.cookies[cookie.NAME] = get_cookie_signer(salt="elsewhere").sign("00000000-0000-4000-8000-000000000000")
    sign_in(client)
    assert str(Device.objects.get().pk) != "00000000-0000-4000-8000-000000000000"


def test_the_first_device_is_silent_and_the_second_is_told(alice):
    first = sign_in(browser())
    assert not Event.objects.filter(message="new_device").exists()
    sign_in(browser(ANDROID))
    event = Event.objects.get(message="new_device")
    assert event.customer == alice
    assert event.context["device"] == "Phone: Chrome Mobile on Android"
    assert event.context["url"].endswith("/devices/")
    assert event.deliveries.count() == 2
    first.post(reverse("account_logout"))
    sign_in(first)
    assert Event.objects.filter(message="new_device").count() == 1


def test_a_device_known_to_alice_is_new_to_bob(alice, bob):
    client = sign_in(browser())
    sign_in(browser(ANDROID), "bob@example.com")
    client.post(reverse("account_logout"))
    sign_in(client, "bob@example.com")
    assert Event.objects.get(message="new_device").customer == bob


def test_the_sign_in_follows_its_session_to_a_new_key(alice):
    client, other = sign_in(browser()), sign_in(browser(ANDROID))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    before = set(SignIn.objects.values_list("session_key", flat=True))
    form = {"oldpassword": PASSWORD, "password1": "another-good-password", "password2": "another-good-password"}
    assert client.post(reverse("account_change_password"), form).status_code == 302
    mine = SignIn.objects.get(ended_at=None)
    assert mine.session_key == client.session.session_key
    assert mine.session_key not in before
    assert client.get(reverse("devices")).status_code == 200
    # A new password signs every other browser out.
    assert SignIn.objects.filter(ended_at__isnull=False).count() == 1
    assert other.get(reverse("devices")).status_code == 302


def test_a_second_person_in_the_same_browser_gets_a_sign_in_of_their_own(alice, bob):
    client = Client()
    client.force_login(alice)
    client.force_login(bob)
    assert SignIn.objects.visible_to(bob).current().count() == 1
    assert SignIn.objects.visible_to(alice).current().count() == 0


def test_last_seen_moves_in_one_statement_and_never_back(alice):
    client = sign_in(browser())
    entry = SignIn.objects.get()
    long_ago = timezone.now() - timedelta(days=2)
    SignIn.objects.update(last_seen_at=long_ago, signed_in_at=long_ago)
    client.get(reverse("devices"))
    with CaptureQueriesContext(connection) as ran:
        seen.flush()
    assert len(ran) == 1
    entry.refresh_from_db()
    assert timezone.now() - entry.last_seen_at < timedelta(minutes=1)
    latest = entry.last_seen_at
    SignIn.objects.saw({entry.pk: long_ago})
    entry.refresh_from_db()
    assert entry.last_seen_at == latest
    assert seen.flush() == 0
