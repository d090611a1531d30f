"""A customer's whole life in a real browser, in Persian and again in English; then nothing of it is found in clear."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.leaks import Search
from tests.browser.person import Canary, Person, Staff, wait_for
from tests.browser.stack import Stack

WHO = {"fa": Canary.make("Fa7q", 1384101, "fa"), "en": Canary.make("En8w", 1384202, "en")}
SIZES = {"fa": {"width": 390, "height": 844}, "en": {"width": 1280, "height": 900}}
PERSIAN = re.compile(r"[\u0600-\u06ff]")


def context_for(browser: Browser, language: str, **options: Any) -> BrowserContext:
    locale = {"fa": "fa-IR", "en": "en-US"}[language]
    return browser.new_context(
        **{"locale": locale, "viewport": SIZES[language], "timezone_id": "Asia/Tehran", **options}
    )


@pytest.fixture(scope="module")
def queue_events(stack: Stack) -> Iterator[list[str]]:
    """What anybody who listens to the workers' events would read during the journey."""
    from celery import Celery

    heard: list[str] = []
    app = Celery(broker=stack.redis_url())
    stop = threading.Event()

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(
                connection, handlers={"*": lambda event: heard.append(json.dumps(event, default=str))}
            )
            app.control.enable_events()
            while not stop.is_set():
                try:
                    receiver.capture(limit=None, timeout=1, wakeup=True)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield heard
    stop.set()
    thread.join(5)


@pytest.fixture(scope="module")
def staff(browser: Browser, stack: Stack) -> Iterator[Staff]:
    context = context_for(browser, "en")
    page = context.new_page()
    carol = Staff(page, stack, stack.signin("staff"))
    carol.sign_in()
    yield carol
    context.close()


def speaks(page: Page, language: str) -> None:
    """The page is in its language, and no word of the source stayed untranslated in its main part."""
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "fa" else "ltr")
    assert bool(PERSIAN.search(page.locator("main h1").first.inner_text())) == (language == "fa")


def told(person: Person, *words: str) -> None:
    """By SMS and by e-mail alike."""
    for word in words:
        wait_for(lambda: any(word in text for text in person.my_sms()), f"SMS with {word!r}")  # noqa: B023
        wait_for(lambda: any(word in mail["text"] for mail in person.my_mail()), f"mail with {word!r}")  # noqa: B023


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_whole_journey(
    browser: Browser, stack: Stack, staff: Staff, queue_events: list[str], language: str
) -> None:
    who = WHO[language]
    context = context_for(browser, language)
    context.set_default_timeout(20_000)
    page = context.new_page()
    problems: list[str] = []
    page.on(
        "console",
        lambda m: (
            problems.append(m.text) if m.type == "error" and stack.url in (m.location or {}).get("url", "") else None
        ),
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    person = Person(page, stack, who)

    person.go("/")
    person.shot("home")
    speaks(page, language)
    person.sign_up()
    speaks(page, language)
    person.fill_profile()

    # Identity: handed in, refused with a reason, handed in again, approved.
    person.hand_in_photo()
    staff.decide_photo(approve=False, reason=f"Because{who.tag} the number is blurred")
    told(person, "/profile/photo-id/")
    person.go("/profile/photo-id/")
    assert f"Because{who.tag}" in page.content()
    person.hand_in_photo()
    staff.decide_photo(approve=True)
    person.go("/profile/photo-id/")
    page.locator(".badge.ok").wait_for()

    # Order and pay through SEP.
    invoice = person.order()
    number = invoice.rstrip("/").rsplit("/", 1)[-1]
    person.to_the_bank("sep")
    person.press("pay")
    page.locator(".badge.ok").first.wait_for()
    told(person, f"/invoices/{number}/")
    person.go("/services/")
    page.locator(".badge.ok").first.wait_for()
    person.shot("services")

    # A second one through Zarinpal: cancelled first, paid with the tab closed, found by the sweep.
    person.order("business")
    person.to_the_bank("zarinpal")
    person.press("cancel")
    person.to_the_bank("zarinpal")
    person.press("pay-and-close")
    second = page.context.new_page()
    person.page = second
    stack.run("reconcile_payments", "--force", check=False)
    person.go("/invoices/")
    person.shot("invoices")

    # Told about everything, and it can be read in the portal.
    person.go("/messages/")
    person.shot("messages")
    speaks(person.page, language)
    person.page.locator("main a[href^='/messages/']").first.click()
    person.shot("message")

    # Talk: ticket, staff's answer, our answer, closed.
    ticket = person.write_ticket()
    ticket_path = ticket.removeprefix(stack.url)
    staff.answer_ticket(ticket_path.strip("/").split("/")[-1], f"Reply{who.tag}: we look into it")
    told(person, ticket_path)
    person.go(ticket_path)
    assert f"Reply{who.tag}" in person.page.content()
    person.answer_ticket()
    person.close_ticket()

    # Who looked, with which reason.
    staff.find(who.email)
    assert who.profile["national_code"] in staff.reveal(f"Because{who.tag} she called us")
    person.go("/profile/access-log/")
    assert f"Because{who.tag} she called us" in person.page.content()
    person.shot("access-log")

    # Devices: a second one signs in, is told about, and is signed out at once from the first.
    other = context_for(browser, language, viewport=SIZES["en"])
    elsewhere = Person(other.new_page(), stack, who)
    elsewhere.sign_in()
    told(person, "/devices/")
    person.go("/devices/")
    person.shot("devices")
    person.page.locator("main button.danger").first.click()
    elsewhere.page.goto(f"{stack.url}/profile/")
    assert "/accounts/login/" in elsewhere.page.url
    other.close()

    # The policy that was accepted stays.
    person.go("/policy/")
    person.shot("policy")
    speaks(person.page, language)
    person.go("/policy/versions/1/")
    person.go("/")
    person.shot("dashboard")
    context.close()
    assert not problems, problems


def test_staff_have_every_screen(staff: Staff) -> None:
    for path in (
        "accounts/customer",
        "accounts/photoid",
        "accounts/look",
        "billing/order",
        "billing/service",
        "billing/invoice",
        "billing/payment",
        "billing/ledgerentry",
        "billing/plan",
        "billing/taxrate",
        "notifications/event",
        "notifications/delivery",
        "notifications/ticket",
        "devices/device",
        "devices/signin",
        "policy/version",
        "policy/acceptance",
    ):
        staff.go(f"/admin/{path}/")
    staff.go("/admin/")


def test_the_operator_has_the_commands(stack: Stack, tmp_path: Path) -> None:
    found = json.loads(stack.run("doctor", "--json"))
    assert found["well"], found
    assert json.loads(stack.run("deliver", "--json")) is not None
    assert json.loads(stack.run("reconcile_payments", "--json", check=False)) is not None
    text = tmp_path / "next.en.md"
    text.write_text("# Privacy Policy\n\nA second version, for the test.\n")
    out = stack.run(
        "publish_policy", str(text), "--locale", "en", "--effective", "2027-01-01", "--summary", "Shorter.", "--json"
    )
    assert json.loads(out)["number"] == 2


def test_nothing_of_it_is_found_in_clear(stack: Stack, queue_events: list[str]) -> None:
    """After both journeys: dump, database files, Redis, queue, events, logs, sealed files and temporary folder."""
    cards = {trace for payment in stack.world.ledger() for trace in payment["card"]["traces"]}
    assert len(cards) >= 4, "the banks handed out cards to look for"
    search = Search({word for who in WHO.values() for word in who.words()} | cards)
    search.dump(stack.pg_dump(), stack.database_url())
    assert stack.world.sms() and search.looked_at > 100_000
    search.redis(stack.redis_url())
    assert search.files("cluster", stack.cluster()) > 500
    # Everything under DATA_DIR: Redis' append-only file, every process's log, media.
    # Only the outside world may know these words: it is the customer's phone, mailbox and bank.
    assert search.files("data", stack.data, skip=("world", "world.log")) > 50
    search.files("tmp", stack.tmp)
    search.look("up.log", (stack.folder / "up.log").read_bytes())
    assert len(queue_events) > 20, "nobody heard the workers' events"
    search.look("celery events", "\n".join(queue_events).encode())
    assert not search.found, sorted(search.found)


def test_the_search_would_have_found_it(stack: Stack) -> None:
    """The control: a word planted in each place is found there."""
    word = "ControlZarafeh77"
    with psycopg.connect(stack.database_url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE spilled AS SELECT %s::text AS word", [word])
    (stack.tmp / "spilled.jpg").write_bytes(b"JFIF" + word.encode())
    search = Search([word])
    search.dump(stack.pg_dump(), stack.database_url())
    search.files("tmp", stack.tmp)
    with psycopg.connect(stack.database_url(), autocommit=True) as connection:
        connection.execute("DROP TABLE spilled")
    assert {place.split(":")[0] for _, place in search.found} == {"pg_dump", "tmp"}
