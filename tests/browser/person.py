"""A person at a browser: signs up, fills in, orders, pays; knows only what stands on the screen, phone and mailbox."""

import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from tests.base import app_code
from tests.browser.stack import ROOT, Stack

SHOTS = ROOT / "var" / "shots"
PASSWORD = "granite-lantern-orchard"


def wait_for(ask: Callable[[], Any], what: str, timeout: float = 30) -> Any:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.2)
    raise AssertionError(f"no {what} within {timeout} s")


def national_code(nine: str) -> str:
    rest = sum(int(nine[i]) * (10 - i) for i in range(9)) % 11
    return nine + str(rest if rest < 2 else 11 - rest)


def company_id(ten: str) -> str:
    """With its check digit; the weights are those of accounts/iran.py's source."""
    tenth = int(ten[9]) + 2
    rest = sum((int(digit) + tenth) * weight for digit, weight in zip(ten, (29, 27, 23, 19, 17) * 2, strict=True)) % 11
    return ten + str(rest % 10)


@dataclass
class Canary:
    """A customer whose every personal word occurs nowhere else."""

    tag: str
    language: str
    email: str = ""
    mobile: str = ""
    profile: dict[str, str] = field(default_factory=dict)
    company: dict[str, str] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)  # what the portal gave her to keep, and her new addresses

    @classmethod
    def make(cls, tag: str, number: int, language: str) -> "Canary":
        return cls(
            tag,
            language,
            email=f"canary.{tag.lower()}@zarafeh.example",
            mobile=f"0912{number:07d}",
            profile={
                "name": f"Qanari{tag}" if language == "en" else f"قناری{tag}",
                "surname": f"Zarafeh{tag}" if language == "en" else f"زرافه{tag}",
                "birth_date": "1369/11/23" if language == "fa" else "1991-02-12",
                "national_code": national_code(f"{number:09d}"[:9]),
                "landline": f"021{88000000 + number % 1000000}",
                "address": f"Qurbaghe street {tag}, unit {number}",
                "postal_code": f"1{number:09d}"[:10],
            },
            company={
                "name": f"Sherkat{tag}" if language == "en" else f"شرکت{tag}",
                "national_id": company_id(f"{number * 1000:010d}"[:10]),
                "registration_number": f"{number * 77:09d}",
                "address": f"Sherkat street {tag}, unit {number}",
                "postal_code": f"3{number:09d}"[:10],
            },
        )

    def words(self) -> list[str]:
        """Everything that must be found nowhere."""
        national = self.mobile[1:]  # without the leading zero: the form in which it is stored
        texts = [self.email, national, *(v for k, v in self.profile.items() if k not in ("birth_date", "landline"))]
        made = (
            "Ticket",
            "Subject",
            "Attachment",
            "Attachname",
            "Filename",
            "Camera",
            "Comment",
            "Reply",
            "Because",
            "Passkey",
        )
        born = ("1369/11/23", "1369-11-23", "1991-02-12")  # one day, as it may be typed or stored
        told = [*texts, *born, self.profile["landline"][1:], *self.company.values(), *self.more, PASSWORD]
        return [*told, *(f"{word}{self.tag}" for word in made)]

    def photo(self) -> bytes:
        """A JPEG whose EXIF and comment hold canary words too."""
        exif = Image.Exif()
        exif[0x010F] = f"Camera{self.tag}"
        out = io.BytesIO()
        Image.effect_noise((900, 560), 70).convert("RGB").save(
            out, "JPEG", exif=exif, comment=f"Comment{self.tag}".encode()
        )
        return out.getvalue()


class Person:
    """Clicks and types on `page`; reads her own phone and mailbox in the outside world.

    Her pictures are named after the story that she is in, and numbered.
    """

    story = "journey"

    def __init__(self, page: Page, stack: Stack, who: Canary) -> None:
        self.page, self.stack, self.world, self.who = page, stack, stack.world, who
        self.shots = 0

    def go(self, path: str) -> None:
        response = self.page.goto(self.stack.url + path)
        assert response and response.status == 200, f"{path}: {response and response.status}"

    def shot(self, name: str) -> None:
        self.shots += 1
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(
            path=SHOTS / f"{self.story}-{self.who.language}-{self.shots:02d}-{name}.png", full_page=True
        )

        if self.page.url.startswith(self.stack.url):
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 1, f"{name} scrolls sideways by {wide} px"

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.page.locator(f"main [name={name}]").fill(value)

    def submit(self) -> None:
        self.page.locator("main form.form button.button").last.click()

    def my_sms(self) -> list[str]:
        return [sms["text"] for sms in self.world.sms() if sms["to"].endswith(self.who.mobile[1:])]

    def my_mail(self) -> list[dict[str, Any]]:
        return [mail for mail in self.world.mail() if self.who.email in str(mail["to"])]

    # --- stories -------------------------------------------------------------------------------------------------

    def sign_up(self) -> None:
        self.go("/accounts/signup/")
        self.fill(email=self.who.email, phone=self.who.mobile, password1=PASSWORD)
        self.page.locator("main [name=policy]").check()
        self.shot("sign-up")
        self.submit()
        self.page.wait_for_url("**/accounts/phone/verify/")
        code = wait_for(lambda: [m[0] for text in self.my_sms() for m in re.finditer(r"\b\d{6}\b", text)], "SMS code")[
            -1
        ]
        self.fill(code=code)
        self.shot("code")
        self.submit()
        self.page.wait_for_url("**/accounts/confirm-email/")
        self.shot("mailbox")
        link = wait_for(lambda: [m[0] for mail in self.my_mail() for m in [self.link(mail)] if m], "confirmation link")[
            -1
        ]
        self.page.goto(link)
        self.shot("confirm-email")
        self.submit()
        self.page.wait_for_url(self.stack.url + "/")
        self.shot("dashboard-new")

    def link(self, mail: dict[str, Any]) -> list[str]:
        return re.findall(rf"{self.stack.url}/accounts/confirm-email/\S+/", mail["text"])

    def sign_in(self, recovery_code: str = "") -> None:
        self.go("/accounts/login/")
        self.fill(login=self.who.email, password=PASSWORD)
        self.page.locator("main form.form > button.button").first.click()
        if recovery_code:
            self.page.wait_for_url("**/accounts/2fa/authenticate/")
            self.fill(code=recovery_code)
            self.page.locator("main form.form > button.button").first.click()
        self.page.wait_for_url(self.stack.url + "/")

    def fill_profile(self) -> None:
        self.go("/profile/edit/")
        self.fill(**self.who.profile)
        self.page.locator("main [name=gender]").select_option("woman")
        self.page.locator("main [name=language]").select_option(self.who.language)
        self.shot("profile-form")
        self.submit()
        self.page.wait_for_url("**/profile/")
        self.shot("profile")

    def want_no_quiet_hours(self) -> None:
        """Told at any hour: a journey that waited for the morning would be a long one."""
        self.go("/messages/preferences/")
        for name in ("quiet_from", "quiet_until"):
            self.page.locator(f"main [name={name}]").select_option("00:00")
        self.shot("preferences")
        self.submit()
        self.page.locator(".notices, .notice, [role=status]").first.wait_for()

    def hand_in_photo(self) -> None:
        self.go("/profile/photo-id/")
        self.page.locator("main [name=photo]").set_input_files(
            {"name": f"Filename{self.who.tag}.jpg", "mimeType": "image/jpeg", "buffer": self.who.photo()}
        )
        self.submit()
        self.page.locator(".badge.wait").wait_for()
        self.shot("photo-id")

    def order(self, plan: str = "starter") -> str:
        """A plan with its first option; the invoice's address."""
        self.go("/catalogue/")
        self.shot("catalogue")
        self.page.locator(f"main a[href='/catalogue/{plan}/']").click()
        self.page.locator("main input[type=radio]").nth(1).check()
        self.shot("choose")
        self.submit()
        self.page.wait_for_url("**/catalogue/*/?option=*")
        self.shot("order-summary")
        self.submit()
        self.page.wait_for_url("**/invoices/*/")
        self.shot("invoice")
        return self.page.url

    def to_the_bank(self, gateway: str, *, part: str = "") -> None:
        """From an invoice to the bank's page, to pay all of it or a part; the page between leaves by itself."""
        self.page.locator(f"main input[name=gateway][value={gateway}]").check()
        if part:
            self.page.locator("#part").fill(part)
        buttons = self.page.locator("main form:has(input[name=gateway]) button")
        (buttons.first if part else buttons.last).click()
        self.page.wait_for_url(f"{self.world.url}/**")
        self.page.locator("#pay").wait_for()
        self.shot(f"bank-{gateway}")

    def press(self, button: str) -> None:
        """One of the bank's buttons, and back to what became of the money."""
        self.page.locator(f"#{button}").click()
        if button != "pay-and-close":
            self.page.wait_for_url("**/pay/*/result/")
            self.shot(f"result-{button}")

    def write_ticket(self) -> str:
        """A ticket with an attachment; its address."""
        tag = self.who.tag
        self.go("/tickets/new/")
        self.fill(subject=f"Subject{tag}", text=f"Ticket{tag} the site is slow since this morning.")
        self.page.locator("main [name=files]").set_input_files(
            {"name": f"Attachname{tag}.txt", "mimeType": "text/plain", "buffer": f"Attachment{tag}\n".encode()}
        )
        self.shot("ticket-new")
        self.submit()
        self.page.wait_for_url(re.compile(r"/tickets/[0-9-]+/$"))
        self.shot("ticket")
        return self.page.url

    def answer_ticket(self) -> None:
        self.fill(text=f"Ticket{self.who.tag} it is quick again, thank you.")
        self.submit()

    def close_ticket(self) -> None:
        self.page.locator("main form[action$='/close/'] button").click()
        self.shot("ticket-closed")

    def sure(self, path: str) -> None:
        """A page that asks who it is first, unless it asked lately."""
        self.go(path)
        if "/accounts/reauthenticate/" in self.page.url:
            self.fill(password=PASSWORD)
            self.submit()
            self.page.wait_for_url(f"**{path}")

    def set_up_app(self) -> list[str]:
        """An authenticator app; the recovery codes that come with it."""
        self.sure("/accounts/2fa/totp/activate/")
        secret = self.page.locator(".secret").inner_text()
        self.shot("totp")
        self.fill(code=app_code(secret))
        self.submit()
        self.page.wait_for_url("**/accounts/2fa/recovery-codes/")
        codes = self.page.locator(".codes li").all_inner_texts()
        self.shot("recovery-codes")
        self.who.more += [secret, *codes[:3]]
        return codes

    def change_email(self) -> str:
        """The new address is proved; the link with which the old one can undo it."""
        old, self.who.email = self.who.email, f"new.{self.who.email}"
        self.who.more.append(old)
        self.sure("/accounts/email/")
        self.fill(email=self.who.email)
        self.submit()
        link = wait_for(lambda: [m[0] for mail in self.my_mail() for m in [self.link(mail)] if m], "confirmation link")
        self.page.goto(link[-1])
        self.submit()

        def undo() -> list[str]:
            mails = [mail["text"] for mail in self.world.mail() if old in str(mail["to"])]
            return re.findall(rf"{self.stack.url}/accounts/undo/\S+/", "\n".join(mails))

        return str(wait_for(undo, "link to undo the change")[-1])

    def register_company(self) -> None:
        """A company, and a colleague who is asked to join."""
        self.go("/companies/new/")
        self.fill(**self.who.company)
        self.shot("company-new")
        self.submit()
        self.page.locator(".acting").wait_for()
        self.shot("company")
        path = re.sub(r"^https?://[^/]+", "", self.page.url)
        self.sure(f"{path}members/")
        colleague = f"colleague.{self.who.tag.lower()}@zarafeh.example"
        self.who.more.append(colleague)
        self.fill(email=colleague)
        self.submit()
        wait_for(lambda: [mail for mail in self.world.mail() if colleague in str(mail["to"])], "invitation")
        self.shot("company-members")
        self.go("/companies/")
        self.shot("companies")
        self.page.locator("main form button:not([name])").first.click()
        self.page.wait_for_url(self.stack.url + "/")

    def passkey(self, recovery_code: str) -> None:
        """With a virtual authenticator (WebAuthn, section 11): made, used to sign in and to step up, removed."""
        keys = self.page.context.new_cdp_session(self.page)
        keys.send("WebAuthn.enable")
        device = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
        able = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
        keys.send("WebAuthn.addVirtualAuthenticator", {"options": device | able})
        self.sign_in(recovery_code)
        self.sure("/accounts/2fa/webauthn/add/")
        self.fill(name=f"Passkey{self.who.tag}")
        self.shot("passkey-add")
        self.submit()
        self.page.wait_for_url("**/accounts/2fa/")
        self.go("/accounts/2fa/webauthn/")
        assert f"Passkey{self.who.tag}" in self.page.content()
        self.shot("passkeys")
        self.page.locator("form[action='/accounts/logout/'] button").first.click()
        self.page.wait_for_url(self.stack.url + "/")
        self.go("/accounts/login/")
        self.page.locator("form[data-passkey] button").click()
        self.page.wait_for_url(self.stack.url + "/")
        self.go("/accounts/2fa/webauthn/reauthenticate/?next=/profile/export/")
        self.page.locator("form[data-passkey] button").click()
        self.page.wait_for_url(f"{self.stack.url}/profile/export/")
        self.shot("export")
        with self.page.expect_download() as download:
            self.submit()
        taken = json.loads(download.value.path().read_text())
        assert taken["accounts"]["profile"]["surname"] == self.who.profile["surname"]
        download.value.delete()
        self.go("/accounts/2fa/webauthn/")
        self.page.locator("main a[href$='/remove/']").click()
        self.submit()
        self.page.wait_for_url(re.compile(r"/accounts/2fa/(webauthn/)?$"))
        assert f"Passkey{self.who.tag}" not in self.page.content()


class Staff:
    """Carol at the staff screens."""

    def __init__(self, page: Page, stack: Stack, signin: dict[str, str]) -> None:
        self.page, self.stack, self.signin = page, stack, signin

    def sign_in(self) -> None:
        self.page.goto(f"{self.stack.url}/admin/")
        self.page.locator("main [name=login]").fill(self.signin["email"])
        self.page.locator("main [name=password]").fill(self.signin["password"])
        self.page.locator("main form.form > button.button").first.click()
        self.page.wait_for_url("**/accounts/2fa/authenticate/")
        while True:
            self.page.locator("main [name=code]").fill(app_code(self.signin["seed"]))
            with self.page.expect_navigation():
                self.page.locator("main form.form > button.button").first.click()
            if "/accounts/2fa/authenticate/" not in self.page.url:
                break
            time.sleep(30.5 - time.time() % 30)  # each code opens once: this one opened for somebody just now
        self.page.wait_for_url("**/admin/")

    def go(self, path: str) -> None:
        response = self.page.goto(self.stack.url + path)
        assert response and response.status == 200, f"{path}: {response and response.status}"

    def find(self, what: str) -> str:
        """A customer by an exact e-mail; the address of their screen."""
        self.go("/admin/accounts/customer/find/")
        self.page.locator("[name=what]").fill(what)
        self.page.locator("form:has([name=what]) button").click()
        self.page.wait_for_url("**/admin/accounts/customer/*/change/")
        return self.page.url

    def reveal(self, why: str) -> str:
        """Open the found customer's personal information; what the screen shows."""
        self.page.get_by_role("link", name=re.compile("Show with a reason|نمایش با ذکر دلیل")).click()
        self.page.locator("[name=why]").fill(why)
        self.page.locator("form:has([name=why]) button").click()
        self.page.locator("dl").first.wait_for()
        return self.page.content()

    def suspend(self, what: str, why: str) -> None:
        """The found customer's account, with a reason."""
        self.page.goto(f"{self.find(what).removesuffix('change/')}suspend/")
        self.page.locator("[name=why]").fill(why)
        self.page.locator("form:has([name=why]) button").click()
        self.page.wait_for_url("**/admin/accounts/customer/*/change/")

    def lift(self, what: str) -> None:
        self.page.goto(f"{self.find(what).removesuffix('change/')}lift/")
        self.page.locator("button[name=go]").click()
        self.page.wait_for_url("**/admin/accounts/customer/*/change/")

    def decide_photo(self, *, approve: bool, reason: str = "") -> None:
        """The oldest photo that waits: look with a reason, then decide."""
        self.go("/admin/accounts/photoid/?status__exact=waiting")
        self.page.locator("#result_list tbody a").first.click()
        self.page.locator("a[href$='/review/']").click()
        self.page.locator("[name=why]").fill("review of a new customer")
        self.page.locator("form:has([name=why]) button").click()
        self.page.locator("img[src^='data:image/jpeg']").wait_for()
        if approve:
            self.page.locator("button[name=approve]").click()
        else:
            self.page.locator("[name=reason]").fill(reason)
            self.page.locator("button[name=refuse]").click()
        self.page.wait_for_url("**/admin/accounts/photoid/**")

    def answer_ticket(self, number: str, text: str) -> None:
        self.go(f"/admin/notifications/ticket/?q={number}")
        self.page.locator("#result_list tbody a").first.click()
        self.page.locator("textarea[name=text]").fill(text)
        self.page.locator(
            "form:has(textarea[name=text]) button[type=submit], form:has(textarea[name=text]) button:not([type])"
        ).last.click()
        self.page.wait_for_load_state()
