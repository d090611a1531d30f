"""/devices/: where alice is signed in, and how she ends it."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from devices import flows, privacy
from devices.models import Device, SignIn
from tests.devices.browsers import ANDROID, IPHONE, browser, sign_in


def test_the_page_shows_this_device_first_and_says_what_is_unknown(alice):
    here = sign_in(browser())
    sign_in(browser(IPHONE))
    page = here.get(reverse("devices")).content.decode()
    assert page.index("This device") < page.index("Mobile Safari 17")
    assert "Computer" in page
    assert "Windows" in page
    assert "iOS 17" in page
    assert "What is unknown, your browser does not tell us." in page
    assert page.count("This device") == 1


def test_it_reads_in_persian_too(bob):
    client = browser()
    sign_in(client, "bob@example.com")
    page = client.get(reverse("devices"), headers={"accept-language": "fa"}).content.decode()
    assert 'dir="rtl"' in page
    assert "Chrome 140" in page


def test_the_speed_class_is_called_an_estimate(alice):
    here = sign_in(browser())
    Device.objects.update(speed="4g", link="wifi", memory="8", cores="4", screen="medium")
    page = here.get(reverse("devices")).content.decode()
    for words in ("like 4G or better", "estimated by the browser", "Wi-Fi", "up to 8 GB"):
        assert words in page
    assert "does not tell" not in page


@pytest.mark.parametrize("address", ["/devices/", "/devices/end-others/", "/devices/abc/end/"])
def test_it_needs_sign_in(anyone, db, address):
    answer = anyone.get(address) if address == "/devices/" else anyone.post(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


def test_a_signed_out_device_is_out_at_its_next_click(alice):
    here, there = sign_in(browser()), sign_in(browser(ANDROID))
    entry = SignIn.objects.get(device__kind="phone")
    assert there.get(reverse("devices")).status_code == 200
    answer = here.post(reverse("device_end", args=[entry.public_id]), follow=True)
    assert "That device is signed out." in answer.content.decode()
    assert there.get(reverse("devices")).status_code == 302
    assert here.get(reverse("devices")).status_code == 200
    entry.refresh_from_db()
    assert entry.ended_at
    assert not Session.objects.filter(session_key=entry.session_key).exists()


def test_ending_twice_is_once(alice):
    here, _there = sign_in(browser()), sign_in(browser(ANDROID))
    entry = SignIn.objects.get(device__kind="phone")
    url = reverse("device_end", args=[entry.public_id])
    here.post(url)
    entry.refresh_from_db()
    ended_at = entry.ended_at
    answer = here.post(url, follow=True)
    assert "signed out already" in answer.content.decode()
    entry.refresh_from_db()
    assert entry.ended_at == ended_at


def test_ending_this_very_device_signs_out(alice):
    here = sign_in(browser())
    answer = here.post(reverse("device_end", args=[SignIn.objects.get().public_id]))
    assert answer.headers["Location"] == "/"
    assert here.get(reverse("devices")).status_code == 302
    assert SignIn.objects.get().ended_at


def test_bob_cannot_end_alices_sign_in(alice, bob_client):
    there = sign_in(browser())
    entry = SignIn.objects.visible_to(alice).get()
    assert bob_client.post(reverse("device_end", args=[entry.public_id])).status_code == 404
    assert there.get(reverse("devices")).status_code == 200
    assert entry.public_id not in bob_client.get(reverse("devices")).content.decode()


def test_nothing_ends_by_opening_an_address(alice):
    here = sign_in(browser())
    assert here.get(reverse("device_end", args=[SignIn.objects.get().public_id])).status_code == 405
    assert here.get(reverse("devices_end_others")).status_code == 405


def test_sign_out_everywhere_else(alice, bob):
    here, others = sign_in(browser()), [sign_in(browser(ANDROID)), sign_in(browser(IPHONE))]
    bobs = sign_in(browser(), "bob@example.com")
    answer = here.post(reverse("devices_end_others"), follow=True)
    assert "2 other devices are signed out." in answer.content.decode()
    assert [client.get(reverse("devices")).status_code for client in others] == [302, 302]
    assert here.get(reverse("devices")).status_code == 200
    assert bobs.get(reverse("devices")).status_code == 200
    assert "nowhere else" in here.post(reverse("devices_end_others"), follow=True).content.decode()


def test_a_session_that_ran_out_is_among_the_earlier_ones(alice):
    here, _there = sign_in(browser()), sign_in(browser(ANDROID))
    gone = SignIn.objects.get(device__kind="phone")
    Session.objects.filter(session_key=gone.session_key).update(expire_date=timezone.now())
    answer = here.get(reverse("devices"))
    assert [entry.device.kind for entry in answer.context["current"]] == ["computer"]
    assert [entry.pk for entry in answer.context["past"]] == [gone.pk]


def test_old_sign_ins_are_forgotten_and_doing_it_again_does_nothing(alice):
    sign_in(browser())
    sign_in(browser(ANDROID))
    old = timezone.now() - flows.KEPT - timedelta(days=1)
    SignIn.objects.filter(device__kind="phone").update(last_seen_at=old)
    Device.objects.filter(kind="phone").update(first_seen_at=old)
    assert flows.forget_old() == 1
    assert [device.kind for device in Device.objects.all()] == ["computer"]
    assert flows.forget_old() == 0


def test_alice_gets_all_of_it_and_can_have_it_erased(alice, bob):
    client = sign_in(browser())
    client.post(reverse("account_logout"))
    sign_in(client, "bob@example.com")
    sign_in(browser(ANDROID))
    told = privacy.export(alice)["sign_ins"]
    assert {entry["device"]["kind"] for entry in told} == {"computer", "phone"}
    assert told[0]["network"] == "127.0.0.0/24"
    assert "session_key" not in told[0]
    privacy.erase(alice)
    assert not SignIn.objects.visible_to(alice).exists()
    assert SignIn.objects.visible_to(bob).count() == 1
    assert [device.kind for device in Device.objects.all()] == ["computer"]  # it is bob's too


def test_the_network_stands_sealed_in_the_database(alice):
    sign_in(browser())
    with connection.cursor() as cursor:
        cursor.execute("SELECT network FROM devices_signin")
        assert cursor.fetchone()[0].startswith("gAAAA")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("93.184.216.34", "93.184.216.0/24"),
        ("2a01:5ec0:1234:5678::9", "2a01:5ec0:1234::/48"),
        ("x", None),
        (None, None),
    ],
)
def test_an_address_is_cut_to_its_network(address, network):
    assert flows.network_of(address) == network


def test_staff_see_sign_ins_and_cannot_change_them(alice, carol_client):
    sign_in(browser())
    entry = SignIn.objects.visible_to(alice).get()
    page = carol_client.get("/admin/devices/signin/").content.decode()
    assert alice.ref in page
    detail = carol_client.get(f"/admin/devices/signin/{entry.pk}/change/").content.decode()
    assert "127.0.0" not in detail
    assert carol_client.post(f"/admin/devices/signin/{entry.pk}/delete/").status_code == 403
    assert carol_client.get(f"/admin/devices/device/{entry.device_id}/change/").status_code == 200
    assert carol_client.get("/admin/devices/device/").status_code == 200
