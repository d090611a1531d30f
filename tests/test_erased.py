"""After a customer is erased her words are in no column and no file: read from the database itself, sealed or not."""

import importlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import InvalidToken
from django.db import connection

from accounts.flows import review_photo_id, submit_photo_id
from accounts.models import Customer
from billing.models import Plan, TaxRate
from notifications import flows
from notifications.attachments import CleanFile
from notifications.models import Event
from policy.flows import accept
from policy.models import Acceptance, Version
from portal.sealed.keys import box
from tests.test_rules import ROOMS

WORDS = {
    "name": "Tahmineh",
    "surname": "Gordafarid",
    "birth_date": "1987-06-05",
    "national_code": "0012345679",
    "mobile": "+989121110001",
    "landline": "+982188443322",
    "email": "alice@example.com",
    "pending e-mail": "someday@example.org",
    "address": "17 Simorgh Alley",
    "postal_code": "1969833117",
    "photo's reason": "Anahita is hard to read",
    "why staff looked": "called about her cypress",
    "subject": "Pomegranate does not load",
    "what she wrote": "since the nightingale sang",
    "what we answered": "dear Shahrzad",
    "why we called": "the granary burns",
    "what was said": "she rides to Sistan",
    "file's name": "saffron-ledger.txt",
    "session": "turquoise-session",
    "network": "203.0.113.0/24",
}


def columns() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'bytea')"
        )
        yield from cursor.fetchall()


def opened(value: str) -> str:
    """What a sealed value says; a clear one says itself."""
    for purpose in ("field", "session"):
        try:
            return box(purpose).decrypt(value).decode(errors="replace")
        except (InvalidToken, ValueError):
            continue
    return value


def found() -> dict[str, set[str]]:
    """Of each word, the columns in which it stands."""
    places: dict[str, set[str]] = {}
    for table, column in columns():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL')  # noqa: S608
            said = "\n".join(opened(value) for (value,) in cursor.fetchall())
        for what, word in WORDS.items():
            if word in said:
                places.setdefault(what, set()).add(f"{table}.{column}")
    return places


@pytest.fixture
def full_life(
    alice: Customer, bob: Customer, carol: Customer, alice_client, carol_client, django_capture_on_commit_callbacks
) -> None:
    """Alice leaves a word of her own everywhere where one can be left."""
    for name in Customer.PERSONAL:
        value = WORDS.get(name, "woman")
        setattr(alice, name, date.fromisoformat(value) if name == "birth_date" else value)
    alice.save()
    EmailAddress.objects.create(user=alice, email=WORDS["pending e-mail"])
    photo = submit_photo_id(customer=alice, jpeg=b"picture")
    review_photo_id(photo=photo, staff=carol, approved=False, reason=WORDS["photo's reason"])
    with django_capture_on_commit_callbacks(execute=True):
        submit_photo_id(customer=alice, jpeg=b"a better picture")
    carol_client.post(f"/admin/accounts/customer/{alice.pk}/reveal/", {"why": WORDS["why staff looked"]})
    file = CleanFile(WORDS["file's name"], "text/plain; charset=utf-8", b"content")
    ticket = flows.open_ticket(customer=alice, subject=WORDS["subject"], text=WORDS["what she wrote"], files=[file])
    flows.answer_ticket(ticket=ticket, author=carol, text=WORDS["what we answered"], files=[file])
    call = flows.ask_for_call(
        customer=alice, number="mobile", reason="data_at_risk", why=WORDS["why we called"], by=carol
    )
    flows.approve_call(task=call, by=bob)
    flows.record_outcome(task=call, by=carol, outcome="spoken", note=WORDS["what was said"])
    session = alice_client.session
    session["said"] = WORDS["session"]
    session.save()
    alice.sign_ins.update(network=WORDS["network"])
    accept(customer=alice, version=Version.objects.first(), how=Acceptance.How.SIGN_UP)
    TaxRate.objects.get_or_create(valid_from=date(2024, 3, 20), defaults={"hundredths": 1000})
    plan = Plan.objects.create(slug="s", name_fa="-", name_en="-", about_fa="-", about_en="-", monthly_price=10_000)
    alice_client.post(plan.get_absolute_url(), {"option": "", "form_token": "a" * 20})


def test_after_erase_her_words_are_in_no_column(
    full_life, alice, tmp_path: Path, django_capture_on_commit_callbacks
) -> None:
    before = found()
    assert set(before) == set(WORDS), "every word must be found before it is looked for in vain"
    assert Event.objects.filter(customer=alice, message="invoice_issued").exists()
    with django_capture_on_commit_callbacks(execute=True):
        for room in reversed(ROOMS):
            importlib.import_module(f"{room}.privacy").erase(alice)
    assert found() == {}
    assert not list(tmp_path.rglob("*.sealed"))


def test_her_neighbour_keeps_all_of_his(full_life, alice, bob) -> None:
    flows.open_ticket(customer=bob, subject="Bobs own", text="Bobs words")
    for room in ROOMS:
        importlib.import_module(f"{room}.privacy").erase(alice)
    bob.refresh_from_db()
    assert bob.email == "bob@example.com" and bob.tickets.get().messages.get().text == "Bobs words"
    assert EmailAddress.objects.get(user=bob).email == "bob@example.com"
