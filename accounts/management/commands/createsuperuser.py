"""`manage.py createsuperuser`: the first member of staff, who signs in by e-mail or mobile like everybody."""

import getpass
import json
import os
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import iran
from accounts.models import Customer


class Command(BaseCommand):
    help = "Make a member of staff with every right; asks for what is not given. Who types vouches for both addresses."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email")
        parser.add_argument("--mobile")
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_true",
            help="ask nothing; DJANGO_SUPERUSER_PASSWORD is the password",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        ask = None if options["noinput"] else input
        email = self._value("--email", options["email"], ask, "E-mail: ")
        mobile = self._value("--mobile", options["mobile"], ask, "Mobile: ")
        secret = getpass.getpass if ask else None
        password = self._value(
            "DJANGO_SUPERUSER_PASSWORD", os.environ.get("DJANGO_SUPERUSER_PASSWORD"), secret, "Password: "
        )
        try:
            validate_email(email)
            mobile = iran.mobile(mobile)
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(str(message) for message in error.messages)) from None
        try:
            staff = self._make(email.lower(), mobile, password)
        except IntegrityError:
            raise CommandError("this e-mail or mobile belongs to an account already") from None
        self.stdout.write(json.dumps({"ref": staff.ref}) if options["json"] else f"made {staff.ref}")

    def _value(self, name: str, given: str | None, ask: Any, question: str) -> str:
        if not given and ask is None:
            raise CommandError(f"{name} is missing")
        return given or str(ask(question)).strip()

    @transaction.atomic
    def _make(self, email: str, mobile: str, password: str) -> Customer:
        staff = Customer.objects.create_user(
            email=email,
            password=password,
            mobile=mobile,
            mobile_verified_at=timezone.now(),
            is_staff=True,
            is_superuser=True,
        )
        EmailAddress.objects.create(user=staff, email=email, verified=True, primary=True)
        return staff
