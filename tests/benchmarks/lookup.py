"""Finding one customer among many by e-mail: sealed column and blind index against a plain column and unique index."""

import random
import statistics
import time
from typing import Any

from tests.benchmarks import customers

COUNT, ROUNDS, LIMIT = 200_000, 2000, 1.2


def plain_twin(count: int) -> Any:
    """The same customers through the same ORM, as they would stand without sealing: no companions, words in clear."""
    from django.apps import apps
    from django.db import connection, models

    from accounts.models import Customer
    from portal.sealed.index import Companion

    columns = [field for field in Customer._meta.concrete_fields if not isinstance(field, Companion)]
    others = [field for field in columns if field.name not in customers.WORDS and not field.primary_key]
    fields: dict[str, Any] = {name: models.TextField() for name in customers.WORDS} | {"birth_date": models.DateField()}
    fields |= {field.name: field.clone() for field in others} | {"id": models.UUIDField(primary_key=True)}
    fields |= {"email": models.TextField(unique=True), "__module__": __name__}
    fields["Meta"] = type("Meta", (), {"app_label": "portal", "db_table": "bench_plain", "managed": False})
    model: Any = apps.all_models["portal"].get("plaincustomer") or type("PlainCustomer", (models.Model,), fields)
    names = ["id", *(field.column for field in others), *customers.WORDS]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_plain")
        with connection.schema_editor() as editor:
            editor.create_model(model)
        with cursor.copy(f"COPY bench_plain ({', '.join(names)}) FROM STDIN") as copy:
            for number in range(count):
                customer = customers.customer(number)
                copy.write_row([getattr(customer, name) for name in names])
        cursor.execute("VACUUM ANALYZE bench_plain")
    return model


def run(count: int = COUNT) -> dict[str, Any]:
    customers.set_up()
    from accounts.models import Customer

    customers.load(count)
    plain, pick = plain_twin(count), random.Random(7)

    def timed(model: Any, email: str) -> tuple[float, Any]:
        start = time.perf_counter()
        row = model.objects.get(email=email)
        return time.perf_counter() - start, row

    pairs, opened = [], []
    for _ in range(ROUNDS):
        email = customers.person(pick.randrange(count))["email"]
        mine, customer = timed(Customer, email)
        start = time.perf_counter()
        assert customer.email == email
        opened.append(time.perf_counter() - start)
        its, row = timed(plain, email)
        assert row.email == email
        pairs.append((mine, its))
    ours, other = (statistics.median(column) * 1000 for column in zip(*pairs[100:], strict=True))
    ratio = statistics.median(mine / its for mine, its in pairs[100:])
    opening = statistics.median(opened) * 1e6
    return {
        "name": f"look-up by e-mail among {count:,} customers",
        "value": ours,
        "reference": other,
        "ratio": ratio,
        "unit": f"ms, median of {ROUNDS} interleaved look-ups; opening the e-mail then takes {opening:.0f} µs",
        "against": "the same ORM, the same columns in clear, unique index on the e-mail",
        "limit": f"<={LIMIT}",
        "holds": ratio <= LIMIT,
    }
