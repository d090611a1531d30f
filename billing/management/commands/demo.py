"""`manage.py demo`: a catalogue, two members of staff and customers to try the portal with."""

import base64
import json
from datetime import date, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.flows import register_company
from accounts.models import Customer
from billing import flows
from billing.models import Option, Plan
from notifications.models import Component, Incident, Maintenance, Severity

SEED = base64.b32encode(b"yaghout-demo-staff!!").decode()  # of both staff's authenticator app
PASSWORD = "yaghout-demo-1405"  # noqa: S105 - for this machine alone, printed for all to see
PLANS = [
    (
        "starter",
        ("میزبانی آغازین", "Starter hosting"),
        ("یک سایت، پنج گیگابایت فضا، برای نخستین گام.", "One site and five gigabytes, for a first step."),
        1_200_000,
    ),
    (
        "business",
        ("میزبانی کسب‌وکار", "Business hosting"),
        ("پنج سایت، سی گیگابایت فضا و ایمیل سازمانی.", "Five sites, thirty gigabytes and mail for your team."),
        3_500_000,
    ),
    (
        "dedicated",
        ("سرور اختصاصی", "Dedicated server"),
        ("یک سرور تنها برای شما، با پایش شبانه‌روزی.", "A server for you alone, watched day and night."),
        24_000_000,
    ),
]
OPTIONS = [
    ("daily-backup", ("پشتیبان‌گیری روزانه", "Daily backup"), 400_000),
    ("dedicated-ip", ("آی‌پی اختصاصی", "Dedicated IP address"), 650_000),
]
# slug, names, and which plans run on it
COMPONENTS = [
    ("web", ("میزبانی وب", "Web hosting"), ("starter", "business")),
    ("mail", ("ایمیل", "Mail"), ("business",)),
    ("servers", ("سرورهای اختصاصی", "Dedicated servers"), ("dedicated",)),
    ("network", ("شبکه", "Network"), ("starter", "business", "dedicated")),
]
# Hours before now, status and words of an incident that is over: /status/ shows how one looks.
PAST = "demo2345"
STORY = [
    (
        290.0,
        "open",
        "برخی سایت‌ها کند باز می‌شوند. در حال بررسی هستیم.",
        "Some sites open slowly. We are looking into it.",
    ),
    (289.6, "identified", "یک دیسک خراب شده و در حال تعویض است.", "A disk has failed and is being replaced."),
    (289.2, "resolved", "دیسک تعویض شد و همه‌چیز مثل قبل است.", "The disk is replaced and everything is as before."),
]
COMING = "demo6789"
# Two, for what one may not do alone.
STAFF = [
    ("staff@example.com", "+989120000000", "مریم", "کارگزار", "fa"),
    ("colleague@example.com", "+989120009999", "Kaveh", "Hamkar", "en"),
]
# name, surname, gender, language; the national codes are valid by their check digit and belong to the demonstration
PEOPLE = [
    ("نگار", "رستگار", Customer.Gender.WOMAN, "fa"),
    ("Arash", "Behrouzi", Customer.Gender.MAN, "en"),
]
# The first two also act for a company; its national ID is valid by its check digit.
COMPANIES = [
    {"name": "نمونه‌پردازان پارس", "national_id": "10380284790", "address": "تهران، خیابان ولیعصر، شمارهٔ ۲"},
    {"name": "Sample Trading", "national_id": "10100302746", "address": "2 Valiasr Street, Tehran"},
]
COMPANY = {"registration_number": "123456", "economic_code": None, "landline": None, "postal_code": "1969833111"}


class Command(BaseCommand):
    help = "Loads demonstration data once; a second run changes nothing. Refused on a public address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=len(PEOPLE), help="how many customers (default 2)")
        parser.add_argument("--json", action="store_true", help="print the sign-ins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG and settings.SITE_HOST not in settings.LOOPBACK:
            raise CommandError("demo data has known passwords: it is refused on a public address")
        with transaction.atomic():
            self._catalogue()
            self._components()
            signins = [*map(self._staff, STAFF), *(self._customer(number) for number in range(options["customers"]))]
            self._status()
        if options["json"]:
            self.stdout.write(json.dumps({"signins": signins}))
            return
        for signin in signins:
            self.stdout.write(
                f"{signin['who']}: {signin['email']} or {signin['mobile']}, password {signin['password']}"
            )

    def _catalogue(self) -> None:
        for slug, (name_fa, name_en), (about_fa, about_en), price in PLANS:
            words = {"name_fa": name_fa, "name_en": name_en, "about_fa": about_fa, "about_en": about_en}
            plan, _new = Plan.objects.get_or_create(slug=slug, defaults={**words, "monthly_price": price})
            for option_slug, (option_fa, option_en), option_price in OPTIONS:
                Option.objects.get_or_create(
                    plan=plan,
                    slug=option_slug,
                    defaults={"name_fa": option_fa, "name_en": option_en, "monthly_price": option_price},
                )

    def _components(self) -> None:
        for order, (slug, (name_fa, name_en), plans) in enumerate(COMPONENTS):
            names = {"name_fa": name_fa, "name_en": name_en, "order": order}
            component, new = Component.objects.get_or_create(slug=slug, defaults=names)
            if new:
                for plan in Plan.objects.filter(slug__in=plans):
                    plan.components.add(component)

    def _status(self) -> None:
        """An incident that is over and a maintenance to come. Nobody is told: they are only to be looked at."""
        now, staff = timezone.now(), Customer.objects.get(email=STAFF[0][0])
        if not Incident.objects.filter(ref=PAST).exists():
            began, ended = (now - timedelta(hours=step[0]) for step in (STORY[0], STORY[-1]))
            facts = {"severity": Severity.LOW, "status": "resolved", "started_at": began, "resolved_at": ended}
            incident = Incident.objects.create(ref=PAST, changed_at=ended, **facts)
            incident.components.add(Component.objects.get(slug="web"))
            for hours, status, text_fa, text_en in STORY:
                words = {"text_fa": text_fa, "text_en": text_en, "by": staff, "at": now - timedelta(hours=hours)}
                incident.updates.create(now=status, **words)
        if not Maintenance.objects.filter(ref=COMING).exists():
            night = timezone.localtime(now + timedelta(days=9)).replace(hour=2, minute=0, second=0, microsecond=0)
            maintenance = Maintenance.objects.create(
                ref=COMING,
                status=Maintenance.Status.ANNOUNCED,
                announced_at=now,
                starts_at=night,
                ends_at=night + timedelta(hours=2),
                about_fa="سوییچ‌های اصلی شبکه به‌روز می‌شوند. اتصال شاید چند دقیقه قطع شود.",
                about_en="The main switches get new software. Connections may break for a few minutes.",
                planned_by=staff,
            )
            maintenance.components.add(Component.objects.get(slug="network"))
            maintenance.add_update(staff)

    def _staff(self, person: tuple[str, ...]) -> dict[str, str]:
        email, mobile, name, surname, language = person
        if not Customer.objects.filter(email=email).exists():
            names = {"name": name, "surname": surname, "language": language}
            staff = _verified(email, mobile, is_staff=True, is_superuser=True, **names)
            TOTP.activate(staff, SEED)
        return _signin("staff", email, mobile, language) | {"seed": SEED}

    def _customer(self, number: int) -> dict[str, str]:
        name, surname, gender, language = PEOPLE[number % len(PEOPLE)]
        email, mobile = f"customer{number + 1}@example.com", f"+98912000{number + 1:04d}"
        if not Customer.objects.filter(email=email).exists():
            customer = _verified(
                email,
                mobile,
                language=language,
                name=name,
                surname=surname,
                gender=gender,
                birth_date=date(1990, 3, 21),
                national_code=_national_code(100_000_000 + number),
                landline="+982188000000",
                address="تهران، خیابان ولیعصر، شمارهٔ ۱" if language == "fa" else "1 Valiasr Street, Tehran",
                postal_code="1969833111",
            )
            plan = Plan.objects.get(slug="starter")
            # The invoice stays open: paying it is the first thing to try.
            option = plan.options.first()
            flows.place_order(customer=customer, plan=plan, option=option, form_token=f"demo-{customer.ref}")
            if number < len(COMPANIES):
                register_company(person=customer, details=COMPANY | COMPANIES[number])
        return _signin("customer", email, mobile, language)


def _verified(email: str, mobile: str, **fields: Any) -> Customer:
    """A customer whose e-mail and mobile count as confirmed."""
    customer = Customer.objects.create_user(
        email=email, password=PASSWORD, mobile=mobile, mobile_verified_at=timezone.now(), **fields
    )
    EmailAddress.objects.create(user=customer, email=email, verified=True, primary=True)
    return customer


def _signin(who: str, email: str, mobile: str, language: str) -> dict[str, str]:
    return {"who": who, "email": email, "mobile": mobile, "password": PASSWORD, "language": language}


def _national_code(number: int) -> str:
    """Nine digits and their check digit."""
    digits = f"{number:09d}"
    rest = sum(int(digit) * (10 - place) for place, digit in enumerate(digits)) % 11
    return f"{digits}{rest if rest < 2 else 11 - rest}"
