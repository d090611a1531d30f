"""Staff write the words of a message and look at the letter and the SMS, in a real browser."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.person import SHOTS, Staff
from tests.browser.stack import Stack
from tests.browser.test_gallery import DESK, PHONE

LIST = "/admin/notifications/wording/"
WORDS = {
    "fa": ("فاکتور {{ number }}", "{{ total }}\n\n{{ url }}", "یاقوت: فاکتور {{ number }}، {{ total }}."),
    "en": ("Bill {{ number }}", "{{ total }}\n\n{{ url }}", "Yaghout: bill {{ number }}, {{ total }}."),
}


@pytest.mark.parametrize(("language", "scheme", "size"), [("fa", "light", PHONE), ("en", "dark", DESK)])
def test_staff_write_words_and_look_at_them(
    browser: Browser, stack: Stack, language: str, scheme: Any, size: Any
) -> None:
    errors: list[str] = []
    locale = {"fa": "fa-IR", "en": "en-US"}[language]
    with browser.new_context(locale=locale, viewport=size, color_scheme=scheme, reduced_motion="reduce") as context:
        context.set_default_timeout(20_000)
        page = context.new_page()
        staff = Staff(page, stack, stack.signin("staff", language))
        staff.sign_in()
        # The theme asks for its fonts beside each page as well, where there are none.
        loud = lambda m: m.type == "error" and "/fonts." not in m.location["url"]  # noqa: E731
        page.on("console", lambda m: errors.append(f"{m.text} {m.location['url']}") if loud(m) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))

        def look(name: str) -> None:
            page.screenshot(path=SHOTS / f"staff-{name}-{language}.png", full_page=True)
            found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}, context="#content, .staff-block")
            errors.extend(f"{name}: {v['id']}" for v in found.response["violations"])
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
                errors.append(f"{name}: scrolls sideways")

        staff.go(LIST)
        look("wordings")
        staff.go(f"{LIST}of/invoice_issued/{language}/edit/")
        look("wording-edit")
        for name, words in zip(("subject", "text", "sms"), WORDS[language], strict=True):
            page.locator(f"[name={name}]").fill(words)
        page.locator("form:has([name=sms]) button.staff-button-main").click()
        page.wait_for_url(f"**{LIST}*/")
        letter = page.frame_locator("iframe.staff-letter").first
        letter.get_by_role("heading", name="1405-000012").wait_for()
        look("wording-version")
        page.locator("iframe.staff-letter").first.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        page.screenshot(path=SHOTS / f"staff-wording-letter-{language}.png")
        page.locator("form[action$='/propose/'] button").click()
        page.wait_for_url(f"**{LIST}*/")
        assert page.locator("form[action$='/publish/']").count() == 0, "that is a colleague's to do"
        staff.go(f"{LIST}of/invoice_issued/{language}/")
        look("wording")
    assert not errors, "\n".join(errors)
