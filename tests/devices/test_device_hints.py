"""The beacon: what a page may tell about hardware and connection."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from devices import hints
from devices.models import Device
from tests.devices.browsers import ANDROID, MAC, browser, sign_in

SCRIPT = Path(__file__).resolve().parents[2] / "portal/static/js/hints.js"
ORIGIN = "http://testserver"
TOLD = {"memory": 8, "cores": 8, "screen": 412, "touch": True, "link": "cellular", "speed": "3g"}


def beacon(client: Client, told: object = TOLD, **headers: str) -> int:
    headers = {"origin": ORIGIN, "sec_fetch_site": "same-origin"} | headers
    body = told if isinstance(told, str | bytes) else json.dumps(told)
    url = reverse("device_hints")
    return client.post(
        url, body, content_type="application/json", headers={k.replace("_", "-"): v for k, v in headers.items() if v}
    ).status_code


@pytest.fixture
def phone(alice) -> Client:
    client = sign_in(browser(ANDROID))
    client.handler.enforce_csrf_checks = True
    return client


def test_it_keeps_classes_of_what_was_told(phone):
    assert beacon(phone) == 204
    device = Device.objects.get()
    assert (device.memory, device.cores, device.screen, device.link, device.speed) == (
        "8",
        "8",
        "small",
        "cellular",
        "3g",
    )
    assert device.hints_source == "script"
    assert device.hints_at


def test_unknown_stays_unknown(phone):
    assert beacon(phone, {}) == 204
    device = Device.objects.get()
    assert {device.memory, device.cores, device.screen, device.link, device.speed} == {"unknown"}


@pytest.mark.parametrize(
    "told",
    [
        {"link": "5g", "speed": "5g", "memory": "much", "cores": True, "screen": -1},
        {"link": ["wifi"], "speed": {"a": 1}, "memory": None, "cores": [], "screen": 1e9},
        {"memory": float("nan"), "cores": float("inf"), "screen": 10**300},
        {"id": "x", "kind": "tv", "browser": "<b>", "first_seen_at": "2000-01-01", "hints_source": "none"},
    ],
)
def test_what_is_on_no_list_is_ignored(phone, told):
    before = Device.objects.values("id", "kind", "browser", "first_seen_at").get()
    assert beacon(phone, told) == 204
    device = Device.objects.get()
    assert {device.memory, device.cores, device.screen, device.link, device.speed} == {"unknown"}
    assert Device.objects.values("id", "kind", "browser", "first_seen_at").get() == before


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"memory": 0.5}, ("memory", "2")),
        ({"memory": 4}, ("memory", "4")),
        ({"memory": 32}, ("memory", "16")),
        ({"cores": 2}, ("cores", "2")),
        ({"cores": 9}, ("cores", "9")),
        ({"screen": 820}, ("screen", "medium")),
        ({"screen": 1440}, ("screen", "large")),
        ({"link": "bluetooth"}, ("link", "other")),
        ({"link": "none"}, ("link", "none")),
        ({"speed": "slow-2g"}, ("speed", "slow-2g")),
    ],
)
def test_each_number_falls_into_its_class(told, kept):
    assert hints.read(told)[kept[0]] == kept[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "https://evil.example", "sec_fetch_site": ""},
        {"origin": "", "sec_fetch_site": "same-site"},
        {"origin": "null", "sec_fetch_site": ""},
        {"origin": "", "sec_fetch_site": ""},
        {"origin": ORIGIN, "sec_fetch_site": "cross-site"},
    ],
)
def test_another_site_is_refused(phone, headers):
    assert beacon(phone, **headers) == 403
    assert Device.objects.get().hints_at is None


def test_a_large_body_is_refused(phone):
    assert beacon(phone, TOLD | {"more": "x" * 1024}) == 413
    assert Device.objects.get().hints_at is None


@pytest.mark.parametrize("body", ["{", "\\x00", b"\xff\xfe", "[" * 900])
def test_nonsense_is_refused(phone, body):
    assert beacon(phone, body) == 400


def test_a_form_is_refused(phone):
    headers = {"origin": ORIGIN}
    assert phone.post(reverse("device_hints"), {"link": "wifi"}, headers=headers).status_code == 415


def test_a_get_is_refused(phone):
    assert phone.get(reverse("device_hints")).status_code == 405


def test_a_list_and_a_stranger_change_nothing(phone, anyone):
    assert beacon(phone, [1, 2]) == 204
    assert beacon(anyone) == 204
    assert Device.objects.get().hints_at is None


def test_a_reader_who_wants_no_such_thing_is_heeded(phone):
    assert beacon(phone, sec_gpc="1") == 204
    assert Device.objects.get().hints_at is None


def test_bob_tells_of_his_own_device_alone(phone, bob):
    bobs = sign_in(browser(), "bob@example.com")
    assert beacon(bobs) == 204
    assert Device.objects.get(kind="phone").hints_at is None
    assert Device.objects.get(kind="computer").link == "cellular"


def test_a_flood_is_kept_once(phone):
    beacon(phone)
    beacon(phone, {"link": "wifi"})
    assert Device.objects.get().link == "cellular"
    Device.objects.update(hints_at=timezone.now() - timedelta(minutes=1))
    beacon(phone, {"link": "wifi"})
    assert Device.objects.get().link == "wifi"


def test_an_ipad_that_calls_itself_a_mac_is_told_by_its_touch_screen(alice):
    client = sign_in(browser(MAC))
    beacon(client, {"touch": True})
    device = Device.objects.get()
    assert (device.kind, device.os) == ("tablet", "iPadOS")


def test_the_script_is_small_and_on_signed_in_pages_only(phone, anyone):
    assert SCRIPT.stat().st_size <= 1024
    assert "js/hints.js" in phone.get(reverse("devices")).content.decode()
    assert "js/hints.js" not in anyone.get(reverse("policy")).content.decode()
