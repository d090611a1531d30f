"""Many sealed customers, as the portal itself would have written them."""

import datetime as dt
import multiprocessing
import os
import sys
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from typing import Any

BATCH = 2000  # rows one process makes at a time
WORDS = ("name", "surname", "gender", "birth_date", "national_code", "mobile", "landline", "email", "address")
WORDS = (*WORDS, "postal_code")


def person(number: int) -> dict[str, Any]:
    """What customer `number` typed; every word is hers alone where it must be."""
    return {
        "name": f"Name{number % 997}",
        "surname": f"Surname{number % 4999}",
        "gender": "woman" if number % 2 else "man",
        "birth_date": dt.date(1960, 1, 1) + dt.timedelta(days=number % 15000),
        "national_code": f"{number:010d}",
        "mobile": f"+989{number:09d}",
        "landline": f"+9821{number:08d}",
        "email": f"person{number}@example.com",
        "address": f"Street {number % 6007}, number {number % 211}, unit {number % 17}",
        "postal_code": f"1{number % 10**9:09d}",
    }


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()


def prepare() -> None:
    """The tables and the static files, for rows that open pages."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


def sealed_rows(first: int, count: int) -> list[list[Any]]:
    """In a process of its own: column values of `count` customers, sealed and indexed by the model's own fields."""
    from accounts.models import Customer

    columns, rows = copied(Customer), []
    for number in range(first, first + count):
        made = customer(number)
        rows.append([field.pre_save(made, True) for field in columns])
    return rows


def customer(number: int) -> Any:
    """Not yet saved; the same one each time."""
    from accounts.models import Customer

    pk = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
    return Customer(id=pk, ref=f"{number:012d}", password="!", **person(number))


def copied(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name != "last_login"]


def load(count: int) -> None:
    """`accounts_customer` holds customers 0…count-1."""
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import Customer

    call_command("migrate", verbosity=0)
    began = time.monotonic()
    names = ", ".join(f'"{field.column}"' for field in copied(Customer))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_customer CASCADE")
        call_command("migrate", verbosity=0)  # writes the shipped words anew, which point to customers too
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), context, initializer=set_up) as pool:
            starts = range(0, count, BATCH)
            made = pool.map(sealed_rows, starts, [min(BATCH, count - start) for start in starts])
            with cursor.copy(f"COPY accounts_customer ({names}) FROM STDIN") as copy:
                for done, rows in enumerate(made):
                    for row in rows:
                        copy.write_row(row)
                    if done % 25 == 24:
                        print(f"… {(done + 1) * BATCH} of {count} customers", file=sys.stderr, flush=True)
        cursor.execute("VACUUM ANALYZE accounts_customer")
    print(f"… {count} customers written in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
