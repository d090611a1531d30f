"""Every page in both languages, on a phone and a desk, light and dark: no error, no axe finding, no sideways scroll."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext

from tests.browser.person import SHOTS
from tests.browser.stack import Stack

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
STYLES = [("phone", PHONE, "light"), ("phone", PHONE, "dark"), ("desk", DESK, "light"), ("desk", DESK, "dark")]
PUBLIC = [
    "/",
    "/catalogue/",
    "/accounts/login/",
    "/accounts/login/code/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/policy/",
    "/policy/versions/1/",
    "/status/",
]
OWN = [
    "/",
    "/profile/",
    "/profile/edit/",
    "/profile/photo-id/",
    "/profile/access-log/",
    "/catalogue/starter/",
    "/services/",
    "/orders/",
    "/invoices/",
    "/messages/",
    "/messages/preferences/",
    "/messages/calls/",
    "/tickets/",
    "/tickets/new/",
    "/devices/",
    "/accounts/email/",
    "/accounts/phone/change/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/add/",
    "/profile/export/",
    "/companies/",
    "/companies/new/",
    "/status/",
]
FOLLOW = {
    "/status/": "status_item",
    "/services/": "service",
    "/invoices/": "invoice",
    "/messages/": "message",
    "/tickets/": "ticket",
    "/companies/": "company",
}


@pytest.fixture(scope="module")
def signed_in(browser: Browser, stack: Stack) -> Iterator[Any]:
    """Per language, the state of a customer's browser who signed in and was just asked who she is."""
    states = {}
    for language, locale in (("fa", "fa-IR"), ("en", "en-US")):
        context = browser.new_context(locale=locale)
        page = context.new_page()
        page.goto(f"{stack.url}/accounts/login/")
        customer = stack.signin("customer", language)
        page.locator("main [name=login]").fill(customer["email"])
        page.locator("main [name=password]").fill(customer["password"])
        page.locator("main form.form > button.button").first.click()
        page.wait_for_url(stack.url + "/")
        page.goto(
            f"{stack.url}/accounts/reauthenticate/?next=/accounts/2fa/"
        )  # or the pages after it would be this one
        page.locator("main [name=password]").fill(customer["password"])
        page.locator("main form.form > button.button").first.click()
        page.wait_for_url("**/accounts/2fa/")
        states[language] = context.storage_state()
        context.close()
    yield states


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(("size", "viewport", "scheme"), STYLES, ids=[f"{s[0]}-{s[2]}" for s in STYLES])
def test_every_page_is_fit_to_be_seen(
    browser: Browser, stack: Stack, signed_in: Any, language: str, size: str, viewport: Any, scheme: Any
) -> None:
    locale = {"fa": "fa-IR", "en": "en-US"}[language]
    options = {"locale": locale, "viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}
    faults: list[str] = []
    with browser.new_context(**options) as stranger:
        name = f"{size}-{scheme}-{language}-public"
        faults += [fault for path in PUBLIC for fault in look(stranger, stack, language, path, name)]
    with browser.new_context(**options, storage_state=signed_in[language]) as own:
        faults += [fault for path in OWN for fault in look(own, stack, language, path, f"{size}-{scheme}-{language}")]
    assert not faults, "\n".join(faults)


def look(context: BrowserContext, stack: Stack, language: str, path: str, name: str) -> list[str]:
    """Open a page and, from a list, its first entry too; what is wrong with them."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{path}: {error}"))
    page.on("console", lambda m: errors.append(f"{path}: console {m.text}") if m.type == "error" else None)
    page.on(
        "request", lambda r: None if r.url.startswith((stack.url, "data:")) else errors.append(f"{path}: asks {r.url}")
    )
    response = page.goto(stack.url + path)
    if response is None or response.status != 200:
        return [f"{path}: {response and response.status}"]
    errors += examined(page, language, path, f"{name}{path.replace('/', '-').rstrip('-')}")
    first = page.locator(f"main a[href^='{path}']:not(.button)").filter(visible=True).first
    if path in FOLLOW and first.count() and re.search(rf"^{path}[^/]+/$", first.get_attribute("href") or ""):
        page.goto(stack.url + (first.get_attribute("href") or ""))
        errors += examined(page, language, FOLLOW[path], f"{name}-{FOLLOW[path]}")
    page.close()
    return errors


def examined(page: Any, language: str, what: str, shot: str) -> list[str]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    tongue = page.locator("html").get_attribute("lang")
    wrong_tongue = [] if tongue == language else [f"{what}: speaks {tongue}"]
    no_policy = [] if page.locator("footer a[href='/policy/']").count() == 1 else [f"{what}: no link to the policy"]
    page.screenshot(path=SHOTS / f"page-{shot}.png", full_page=True)
    found = [f"{what}: axe {v['id']}: {v['nodes'][0]['html'][:160]}" for v in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
        found.append(f"{what}: scrolls sideways")
    small = page.evaluate(
        """() => [...document.querySelectorAll('main button, main .button, main input:not([type=hidden]), main select')]
        .filter(e => e.checkVisibility() && !e.closest('.masked') && !['radio', 'checkbox'].includes(e.type))
        .filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 120))"""
    )
    return found + wrong_tongue + no_policy + [f"{what}: too small to touch: {each}" for each in small]


def test_the_footer_changes_language_and_colours(browser: Browser, stack: Stack) -> None:
    with browser.new_context(locale="en-US", color_scheme="light") as context:
        page = context.new_page()
        page.goto(f"{stack.url}/catalogue/")
        page.locator("footer button[value=fa]").click()
        page.wait_for_url(f"{stack.url}/catalogue/")
        assert page.locator("html").get_attribute("dir") == "rtl"
        page.locator("footer [data-theme-switch]").click()
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"
