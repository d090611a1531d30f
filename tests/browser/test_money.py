"""Every gateway's page in a real browser: there, back, in parts, and given back; with what staff see of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.person import SHOTS, Person, Staff
from tests.browser.stack import Stack
from tests.browser.test_gallery import DESK, PHONE, examined

SLUGS = ("sep", "mellat", "sadad", "parsian", "pasargad", "zarinpal", "zibal")
PART = "100000"  # Toman
LOOKS = {"fa": (PHONE, "light"), "en": (DESK, "dark")}


@pytest.fixture
def errors() -> list[str]:
    """What the browser complains of; a refused form or script of the Content-Security-Policy above all."""
    return []


@pytest.fixture(params=["fa", "en"])
def customer(request: Any, browser: Browser, stack: Stack, errors: list[str]) -> Iterator[Person]:
    """The demo's customer of that language, signed in."""
    viewport, scheme = LOOKS[request.param]
    locale = {"fa": "fa-IR", "en": "en-US"}[request.param]
    with browser.new_context(locale=locale, viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as context:
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        person = Person(page, stack, Signin(stack.signin("customer", request.param)))
        page.goto(f"{stack.url}/accounts/login/")
        person.fill(login=person.who.email, password=person.who.password)
        page.locator("main form.form > button.button").first.click()
        page.wait_for_url(f"{stack.url}/")
        yield person


class Signin:
    """As much of a person as a payment needs."""

    def __init__(self, row: dict[str, str]) -> None:
        self.tag, self.language = f"money-{row['language']}", row["language"]
        self.email, self.password = row["email"], row["password"]


def look(page: Page, who: Any, name: str, errors: list[str]) -> None:
    """A picture, and what axe and the rules of the gallery find."""
    errors += examined(page, who.language, name, f"{who.tag}-{name}")


def test_an_invoice_is_paid_in_parts_at_all_seven_gateways(customer: Person, stack: Stack, errors: list[str]) -> None:
    customer.story = "in-parts"
    page, who = customer.page, customer.who
    invoice = customer.order("dedicated")
    for number, slug in enumerate(SLUGS):
        part = "" if slug == SLUGS[-1] else PART
        if part:
            page.locator("details.part summary").click()
            if number == 2:
                look(page, who, "invoice-in-parts", errors)
        customer.to_the_bank(slug, part=part)
        customer.press("pay")
        page.locator(".badge.ok").first.wait_for()
        if number in (0, len(SLUGS) - 1):
            look(page, who, "result-part" if number == 0 else "result-paid", errors)
        page.goto(invoice)
        if slug != SLUGS[-1]:
            assert int(page.locator("#paid-so-far").get_attribute("value") or 0) == (number + 1) * 1_000_000
    page.locator(".badge.ok").first.wait_for()
    look(page, who, "invoice-paid", errors)
    assert not errors, "\n".join(errors)


def test_money_that_is_not_needed_goes_back_and_everybody_sees_it(
    customer: Person, browser: Browser, stack: Stack, errors: list[str]
) -> None:
    """Cancelled at the bank's page while the bank keeps silent: reversed at one gateway, left to staff at another."""
    customer.story = "given-back"
    page, who = customer.page, customer.who
    for slug, ends in (("zarinpal", "reversed"), ("zibal", "unapplied")):
        customer.order("starter")
        stack.world.next(slug, "verify", "500")
        customer.to_the_bank(slug)
        customer.press("pay")
        look(page, who, "result-checked", errors)
        result = page.url
        stack.sql(
            "UPDATE billing_invoice SET status = 'void' WHERE id ="
            " (SELECT invoice_id FROM billing_payment WHERE status = 'verifying')"
        )
        stack.sql("UPDATE billing_payment SET next_try_at = now() WHERE status = 'verifying'")
        stack.run("reconcile_payments", check=False)
        page.goto(result)
        look(page, who, f"result-{ends}", errors)
    assert not errors, "\n".join(errors)


@pytest.mark.parametrize(("language", "scheme"), [("fa", "light"), ("en", "dark")])
def test_staff_see_gateways_inbox_and_refunds(browser: Browser, stack: Stack, language: str, scheme: Any) -> None:
    with browser.new_context(
        locale={"fa": "fa-IR", "en": "en-US"}[language], viewport=DESK, color_scheme=scheme
    ) as context:
        page = context.new_page()
        staff = Staff(page, stack, stack.signin("staff", language))
        staff.sign_in()
        for name, path in {
            "gateways": "billing/gatewayaccount/",
            "inbox": "billing/payment/?queue=inbox",
            "refunds": "billing/refund/",
            "statements": "billing/statement/",
        }.items():
            staff.go(f"/admin/{path}")
            page.screenshot(path=SHOTS / f"staff-{name}-{language}.png", full_page=True)
            for words in page.locator(".visually-hidden").all():  # for ears alone
                assert (box := words.bounding_box()) and box["width"] <= 1, name
        staff.go("/admin/billing/payment/?status__exact=unapplied")
        page.locator("#result_list tbody a").first.click()
        page.wait_for_url("**/change/**")
        page.screenshot(path=SHOTS / f"staff-payment-{language}.png", full_page=True)
