"""A person at a browser: signs up, fills in, orders, pays; knows only what stands on the screen, phone and mailbox."""

import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

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


@dataclass
class Canary:
    """A customer whose every personal word occurs nowhere else."""

    tag: str
    language: str
    email: str = ""
    mobile: str = ""
    profile: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, tag: str, number: int, language: str) -> "Canary":
        return cls(
            tag,
            language,
            email=f"canary.{tag}@zarafeh.example",
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
        )

    def words(self) -> list[str]:
        """Everything that must be found nowhere."""
        national = self.mobile[1:]  # without the leading zero: the form in which it is stored
        texts = [self.email, national, *(v for k, v in self.profile.items() if k not in ("birth_date", "landline"))]
        return [
            *texts,
            self.profile["landline"][1:],
            f"Ticket{self.tag}",
            f"Attachment{self.tag}",
            f"Subject{self.tag}",
            PASSWORD,
        ]

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
    """Clicks and types on `page`; reads her own phone and mailbox in the outside world."""

    def __init__(self, page: Page, stack: Stack, who: Canary) -> None:
        self.page, self.stack, self.world, self.who = page, stack, stack.world, who
        self.shots = 0

    def go(self, path: str) -> None:
        response = self.page.goto(self.stack.url + path)
        assert response and response.status == 200, f"{path}: {response and response.status}"

    def shot(self, name: str) -> None:
        self.shots += 1
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"journey-{self.who.language}-{self.shots:02d}-{name}.png", full_page=True)

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

    def fill_profile(self) -> None:
        self.go("/profile/edit/")
        self.fill(**self.who.profile)
        self.page.locator("main [name=gender]").select_option("woman")
        self.page.locator("main [name=language]").select_option(self.who.language)
        self.shot("profile-form")
        self.submit()
        self.page.wait_for_url("**/profile/")
        self.shot("profile")

    def hand_in_photo(self) -> None:
        self.go("/profile/photo-id/")
        self.page.locator("main [name=photo]").set_input_files(
            {"name": f"Filename{self.who.tag}.jpg", "mimeType": "image/jpeg", "buffer": self.who.photo()}
        )
        self.submit()
        self.page.locator(".badge.wait").wait_for()
        self.shot("photo-id")

    def screenshot_as(self, path: Path) -> None:
        self.page.screenshot(path=path)

    def order(self) -> str:
        """The first plan with its first option; the invoice's address."""
        self.go("/catalogue/")
        self.shot("catalogue")
        self.page.locator("main a[href^='/catalogue/']").first.click()
        self.page.locator("main input[type=radio]").nth(1).check()
        self.shot("plan")
        self.submit()
        self.shot("order-summary")
        self.submit()
        self.page.wait_for_url("**/invoices/*/")
        self.shot("invoice")
        return self.page.url

    def pay(self, gateway: str, press: str) -> None:
        """From an invoice to the bank's page, and press one of its buttons."""
        self.page.locator(f"main button[name=gateway][value={gateway}]").click()
        self.page.wait_for_url("**/pay/*/")
        self.shot(f"leave-{gateway}")
        self.page.wait_for_url(f"{self.world.url}/**", timeout=3000) if self.leaves_by_itself() else self.leave()
        self.page.locator(f"#{press}").wait_for()
        if self.shots < 30:
            self.shot(f"bank-{gateway}")
        self.page.locator(f"#{press}").click()

    def leaves_by_itself(self) -> bool:
        """With JavaScript the page goes on by itself; without, its button does."""
        try:
            self.page.wait_for_url(f"{self.world.url}/**", timeout=3000)
        except TimeoutError:
            return False
        return True

    def leave(self) -> None:
        self.page.locator("main .button").first.click()
