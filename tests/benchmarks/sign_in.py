"""How much of a sign-in the password's hash takes: all the rest together must cost less."""

import statistics
import time
from typing import Any

from tests.benchmarks import customers

ROUNDS, LIMIT = 9, 0.5


def run() -> dict[str, Any]:
    customers.set_up()
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password
    from django.core.cache import cache
    from django.test import Client
    from django.utils import timezone

    from accounts.models import Customer

    customers.prepare()
    password, email = "granite-lantern-orchard", "signs.in@example.com"
    Customer.objects.filter(email=email).delete()
    customer = Customer.objects.create_user(
        email=email, password=password, mobile="+989121234567", mobile_verified_at=timezone.now()
    )
    EmailAddress.objects.create(user=customer, email=email, verified=True, primary=True)
    pairs = []
    for _ in range(ROUNDS):
        cache.clear()
        client = Client(SERVER_NAME="127.0.0.1")
        start = time.perf_counter()
        answer = client.post("/accounts/login/", {"login": email, "password": password})
        whole = time.perf_counter() - start
        if answer.status_code != 302:
            raise RuntimeError(f"the sign-in answered {answer.status_code}")
        start = time.perf_counter()
        make_password(password)
        pairs.append((time.perf_counter() - start, whole))
    hashing, whole = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    share = statistics.median(mine / all_of_it for mine, all_of_it in pairs)
    return {
        "name": "the hash's share of a sign-in",
        "value": hashing,
        "reference": whole,
        "ratio": share,
        "unit": f"ms, median of {ROUNDS} interleaved rounds",
        "against": "the whole POST /accounts/login/ of a known customer",
        "limit": f">={LIMIT}",
        "holds": share >= LIMIT,
    }
