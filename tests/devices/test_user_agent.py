"""What is read from a browser's header."""

import time

import pytest
from django.test import RequestFactory

from devices.middleware import DeviceMiddleware
from devices.user_agent import LONGEST, UserAgent, recognise
from tests.devices.browsers import ANDROID, IPHONE, MAC, WINDOWS

FIREFOX = "rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0"


@pytest.mark.parametrize(
    ("header", "kind", "browser", "system"),
    [
        (WINDOWS, "computer", "Chrome 140", "Windows"),
        (ANDROID, "phone", "Chrome Mobile 140", "Android"),
        (IPHONE, "phone", "Mobile Safari 17", "iOS 17"),
        (MAC, "computer", "Safari 18", "macOS"),
        (f"Mozilla/5.0 (Android 15; Tablet; {FIREFOX}", "tablet", "Firefox Mobile 140", "Android 15"),
        (f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {CHROME} Safari/537.36 Mobile", "phone", "Chrome 132", "HarmonyOS 5"),
        (f"Mozilla/5.0 (Tablet; OpenHarmony 5.0) {CHROME} Safari/537.36", "tablet", "Chrome 132", "HarmonyOS 5"),
        (f"Mozilla/5.0 (Linux; Android 12; BRAVIA 4K VH2) {CHROME} Safari/537.36", "tv", "Chrome 132", "Android 12"),
        (f"Mozilla/5.0 (X11; Linux x86_64) Headless{CHROME[39:]}", "bot", "HeadlessChrome 132", "Linux"),
        (f"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; {FIREFOX}", "computer", "Firefox 140", "Ubuntu"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", "computer", "Chrome 132", "Chrome OS"),
        ("curl/8.5.0", "bot", "curl 8", ""),
        ("python-requests/2.32.3", "bot", "Python Requests 2", ""),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "Googlebot 2", ""),
        ("", "unknown", "", ""),
        ("words of no browser", "unknown", "", ""),
    ],
)  # fmt: skip
def test_kind_browser_and_system(header, kind, browser, system):
    facts = recognise(header).facts
    assert facts["kind"] == kind
    assert f"{facts['browser']} {facts['browser_major']}".strip() == browser
    assert f"{facts['os']} {facts['os_major']}".strip() == system


def test_a_frozen_version_is_not_a_fact():
    newest = IPHONE.replace("OS 17_5", "OS 18_6").replace("Version/17.5", "Version/26.0")
    assert [recognise(header).facts["os_major"] for header in (WINDOWS, ANDROID, MAC, newest)] == [""] * 4
    assert recognise(ANDROID).device.model is None


def test_the_api_of_django_user_agents_still_holds():
    request = RequestFactory().get("/", headers={"user-agent": IPHONE})
    DeviceMiddleware(lambda request: None).process_request(request)
    agent = request.user_agent
    assert (agent.is_mobile, agent.is_tablet, agent.is_pc, agent.is_bot) == (True, False, False, False)
    assert str(agent) == "iPhone / iOS 17.5 / Mobile Safari 17.5"


@pytest.mark.parametrize(
    "header", ["A" * 8192, "Mozilla/5.0 (" + "; " * 4000, "Android" * 1200, "(" * 8192, " tizen" * 1300]
)
def test_a_hostile_header_is_cut_and_costs_next_to_nothing(header):
    request = RequestFactory().get("/", headers={"user-agent": header})
    DeviceMiddleware(lambda request: None).process_request(request)
    recognise("")  # the rules are compiled at the first call
    start = time.process_time()
    assert len(request.user_agent.ua_string) == LONGEST
    assert time.process_time() - start < 0.02  # seconds


def test_each_header_is_read_once():
    assert recognise(WINDOWS) is recognise(WINDOWS)
    assert isinstance(recognise(WINDOWS), UserAgent)
    assert recognise.cache_info().maxsize == 4096
