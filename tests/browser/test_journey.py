"""A customer's whole life in a real browser, in Persian and again in English; then nothing of it is found in clear."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.leaks import Search
from tests.browser.person import Canary, Person, Staff, wait_for
from tests.browser.stack import ROOT, Stack

WHO = {"fa": Canary.make("Fa7q", 1384101, "fa"), "en": Canary.make("En8w", 1384202, "en")}
SIZES = {"fa": {"width": 390, "height": 844}, "en": {"width": 1280, "height": 900}}
PERSIAN = re.compile(r"[\u0600-\u06ff]")


def context_for(browser: Browser, language: str, **options: Any) -> BrowserContext:
    locale = {"fa": "fa-IR", "en": "en-US"}[language]
    return browser.new_context(
        **{"locale": locale, "viewport": SIZES[language], "timezone_id": "Asia/Tehran", **options}
    )


@pytest.fixture(scope="module")
def turning(stack: Stack) -> Iterator[None]:
    """New keys stand before the old ones, and an operator turns them over and over while the journey writes."""
    stack.turn_keys()
    over = threading.Event()

    def turn() -> None:
        while not over.wait(5):
            stack.run("pii_keys", "rotate", "--jobs", "1")

    operator = threading.Thread(target=turn)
    operator.start()
    yield
    over.set()
    operator.join()


@pytest.fixture(scope="module")
def queue_events(stack: Stack, turning: None) -> Iterator[Path]:
    """A file of what anybody who listens to the workers' events reads during the journey."""
    path = stack.folder / "events.jsonl"
    with path.open("w") as file:
        listener = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.listen", stack.redis_url()], cwd=ROOT, stdout=file
        )
        yield path
        listener.kill()
        listener.wait()


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


@contextmanager
def told(person: Person, times: int = 1) -> Iterator[None]:
    """What happens inside is told so many times, by SMS and by e-mail alike."""
    sms, mail = len(person.my_sms()), len(person.my_mail())
    yield
    wait_for(lambda: len(person.my_sms()) >= sms + times, f"{times} SMS")
    wait_for(lambda: len(person.my_mail()) >= mail + times, f"{times} mails")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_whole_journey(browser: Browser, stack: Stack, staff: Staff, queue_events: Path, language: str) -> None:
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
    person.want_no_quiet_hours()

    # Identity: handed in, refused with a reason, handed in again, approved.
    person.hand_in_photo()
    with told(person):
        staff.decide_photo(approve=False, reason=f"Because{who.tag} the number is blurred")
    person.go("/profile/photo-id/")
    assert f"Because{who.tag}" in page.content()
    person.hand_in_photo()
    with told(person):
        staff.decide_photo(approve=True)
    person.go("/profile/photo-id/")
    page.locator(".badge.ok").wait_for()

    # Order and pay through SEP.
    with told(person):
        person.order()
    person.to_the_bank("sep")
    with told(person, times=2):  # the payment, and the service that it started
        person.press("pay")
    page.locator(".badge.ok").first.wait_for()
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
    stack.sql("UPDATE billing_payment SET next_try_at = now() WHERE status = 'sent'")  # as if the minutes had passed
    with told(person, times=2):
        stack.run("reconcile_payments")
    person.go("/services/")
    assert person.page.locator(".badge.ok").count() == 2
    person.go("/invoices/")
    person.shot("invoices")

    # Told about everything, and it can be read in the portal.
    person.go("/messages/")
    person.shot("messages")
    speaks(person.page, language)
    person.page.locator("main a[href^='/messages/']").first.click()
    person.shot("message")

    # Talk: ticket, staff's answer, our answer, closed.
    with told(person):
        ticket = person.write_ticket()
    ticket_path = ticket.removeprefix(stack.url)
    with told(person):
        staff.answer_ticket(ticket_path.strip("/").split("/")[-1], f"Reply{who.tag}: we look into it")
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
    with told(person):
        elsewhere.sign_in()
    person.go("/devices/")
    person.shot("devices")
    person.page.locator("main button.danger").first.click()
    elsewhere.page.goto(f"{stack.url}/profile/")
    assert "/accounts/login/" in elsewhere.page.url
    other.close()

    # A second factor, a passkey at a place that has a name, and a new e-mail that the old one could undo.
    codes = person.set_up_app()
    named = context_for(browser, language, viewport=SIZES["en"])
    Person(named.new_page(), stack.at("localhost"), who).passkey(codes[4])
    named.close()
    undo = person.change_email()
    person.page.goto(undo)
    person.shot("undo")
    speaks(person.page, language)

    # A company of hers.
    person.register_company()

    # Suspended and opened again: out at the next click, told why.
    with told(person):
        staff.suspend(who.email, f"Because{who.tag} somebody reported a theft")
    person.page.goto(f"{stack.url}/profile/")
    assert "/accounts/login/" in person.page.url
    with told(person):
        staff.lift(who.email)
    person.sign_in(codes[5])

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


def test_the_old_keys_may_go(stack: Stack, turning: None) -> None:
    """All that was written meanwhile is under the new keys, and each value still opens in its place."""
    for verb in ("rotate", "reindex", "verify"):
        stack.run("pii_keys", verb)
    sealed = json.loads(stack.run("pii_keys", "status", "--json"))
    under = {kid for place, count in sealed.items() if isinstance(count, dict) for kid in count}
    assert under == {"k2"}, sealed


def test_nothing_of_it_is_found_in_clear(stack: Stack, queue_events: Path) -> None:
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
    heard = queue_events.read_bytes()
    assert heard.count(b"task-succeeded") > 20, "nobody heard the workers' events"
    search.look("celery events", heard)
    assert not search.found, sorted(search.found)


def test_the_search_would_have_found_it(stack: Stack) -> None:
    """The control: a word planted in each place is found there."""
    word = "ControlZarafeh77"
    stack.sql(f"CREATE TABLE spilled AS SELECT '{word}'::text AS word")
    (stack.tmp / "spilled.jpg").write_bytes(b"JFIF" + word.encode())
    search = Search([word])
    search.dump(stack.pg_dump(), stack.database_url())
    search.files("tmp", stack.tmp)
    stack.sql("DROP TABLE spilled")
    assert {place.split(":")[0] for _, place in search.found} == {"pg_dump", "tmp"}
