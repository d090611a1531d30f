"""Each defect of the stock fields of django-encrypted-model-fields 0.6.5 as a promise: the stock field breaks it, ours
keeps it. When an upgrade mends one, its line here says so by turning red.

The twentieth, that Fernet is AES-128, is no fault of a field: README, "What is promised to the reader of a dump".
"""

import base64
import datetime as dt
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models import Case, F, Max, Value, When
from django.db.models.functions import Lower
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext, isolate_apps
from encrypted_model_fields import fields as stock

from portal.sealed import fields as ours
from portal.sealed.index import BlindIndexField, SealedModel
from portal.sealed.keys import KeyRing

OTHER = "k9:" + "9" * 64
REFUSED = (FieldError, TypeError, ValidationError, DataError, IntegrityError, ours.CannotOpen)


class Kind(NamedTuple):
    """A table of one make, and the same fields for tables that are only checked."""

    model: Any
    prefix: str
    module: Any

    def field(self, name: str, **options: Any) -> models.Field:
        return getattr(self.module, f"{self.prefix}{name}")(**options)

    def wrong(self, meta: dict[str, Any] | None = None, **field: Any) -> list[str]:
        """The ids of what the system check says of a column declared so."""
        with isolate_apps("portal"):
            about = type("Meta", (), {"app_label": "portal", **(meta or {})})
            column = self.field("TextField", **field)
            made = type("Wrong", (models.Model,), {"__module__": __name__, "Meta": about, "email": column})
            return [message.id or "" for message in made._meta.get_field("email").check()]


def make(prefix: str, module: Any, base: type[models.Model]) -> Any:
    def field(name: str, **options: Any) -> models.Field:
        return getattr(module, f"{prefix}{name}Field")(null=True, blank=True, **options)

    body = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "portal", "db_table": f"defects_{prefix.lower()}"}),
        "id": models.UUIDField(primary_key=True, default=uuid.uuid4),
        "name": field("Char", max_length=10),
        "bio": field("Text"),
        "email": field("Email"),
        "born": field("Date"),
        "count": getattr(module, "SealedIntegerField" if prefix == "Sealed" else "EncryptedBigIntegerField")(null=True),
    }
    if prefix == "Sealed":
        body["email_bi"] = BlindIndexField("email", unique=True)
    with isolate_apps("portal"):
        return type(f"{prefix}Row", (base,), body)


STOCK = Kind(make("Encrypted", stock, models.Model), "Encrypted", stock)
OURS = Kind(make("Sealed", ours, SealedModel), "Sealed", ours)


@pytest.fixture
def tables(db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        for kind in (STOCK, OURS):
            editor.create_model(kind.model)
    yield


def raw(row: models.Model, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608
        return cursor.fetchone()[0]


def put(row: models.Model, column: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [value, row.pk])  # noqa: S608


def refuses(act: Callable[[], Any]) -> None:
    with pytest.raises(REFUSED), transaction.atomic():
        act()


def again(row: models.Model) -> Any:
    return type(row)._default_manager.get(pk=row.pk)


PROMISES: list[Callable[..., None]] = []


def promise(function: Callable[..., None]) -> Callable[..., None]:
    PROMISES.append(function)
    return function


@promise
def d1_an_expression_is_never_stored_as_its_own_words(kind: Kind, settings: Any) -> None:
    row = kind.model.objects.create(name="old", bio="bio")
    row.name = "Bulk"
    kind.model.objects.bulk_update([row], ["name"])
    assert again(row).name == "Bulk"
    case = Case(When(pk=row.pk, then=Value("x")), default=Value("y"), output_field=models.TextField())
    for expression in (F("bio"), Value("x", output_field=models.TextField()), case):
        refuses(lambda written=expression: kind.model.objects.filter(pk=row.pk).update(name=written))
    row.name = F("bio")
    refuses(row.save)


@promise
def d2_a_wrong_key_shows_no_ciphertext_and_seals_none_again(kind: Kind, settings: Any) -> None:
    row = kind.model.objects.create(name="Sara")
    stranger = Fernet(Fernet.generate_key()).encrypt(b"Sara").decode()
    put(row, "name", stranger)
    refuses(lambda: again(row).name)
    refuses(lambda: again(row).save())
    assert raw(row, "name") == stranger


@promise
def d3_a_pasted_token_is_not_opened_for_who_pastes_it(kind: Kind, settings: Any) -> None:
    stolen = raw(kind.model.objects.create(email="victim@example.com"), "email")
    form = modelform_factory(kind.model, fields=["bio"])({"bio": stolen})
    assert form.is_valid() and form.save().bio == stolen


@promise
def d4_plain_and_tampered_rows_are_refused(kind: Kind, settings: Any) -> None:
    row = kind.model.objects.create(name="Sara")
    token = raw(row, "name")
    for harm in ("plain words", token[:-4] + "AAA=", token[:40] + "A" + token[41:]):
        put(row, "name", harm)
        refuses(lambda: again(row).name)


@promise
def d5_one_bad_row_does_not_take_the_list_with_it(kind: Kind, settings: Any) -> None:
    good, bad = (kind.model.objects.create(born=dt.date(1991, 8, 5)) for _ in range(2))
    put(bad, "born", "spoilt")
    rows = {row.pk: row for row in kind.model.objects.all()}
    assert rows[good.pk].born == dt.date(1991, 8, 5)
    with pytest.raises(ours.CannotOpen):
        _ = rows[bad.pk].born


@promise
def d6_integers_are_kept(kind: Kind, settings: Any) -> None:
    with transaction.atomic():
        assert again(kind.model.objects.create(count=-(2**63))).count == -(2**63)


@promise
def d7_uniqueness_holds_or_is_refused_by_the_check(kind: Kind, settings: Any) -> None:
    kind.model.objects.create(email="one@example.com")
    refuses(lambda: kind.model.objects.create(email="ONE@example.com"))
    refuses(lambda: kind.model(email="one@example.com").full_clean())
    assert not kind.model.objects.get_or_create(email="one@example.com")[1]
    row = kind.model(email="two@example.com")
    refuses(lambda: kind.model.objects.bulk_create([row], True, update_fields=["email"], unique_fields=["id"]))  # type: ignore[call-arg]
    for options in ({"unique": True}, {"db_index": True}):
        assert "sealed.E001" in kind.wrong(**options)
    for meta in (
        {"unique_together": [("email",)]},
        {"constraints": [models.UniqueConstraint(fields=["email"], name="portal_wrong_one")]},
        {"indexes": [models.Index(fields=["email"], name="portal_wrong_ix")]},
    ):
        assert "sealed.E001" in kind.wrong(meta)


@promise
def d8_what_ciphertext_cannot_answer_is_refused(kind: Kind, settings: Any) -> None:
    rows = kind.model.objects
    row = rows.create(email="found@example.com", name="a")
    assert rows.get(email="found@example.com") == rows.get(email__in=["FOUND@example.com"]) == row
    for lookup in ("name", "name__in", "email__startswith", "email__icontains", "email__gt", "born__year", "born"):
        refuses(lambda asked=lookup: list(rows.filter(**{asked: "gAAAAA"})))
    for ask in (
        lambda: rows.order_by("-email"),
        lambda: rows.order_by(Lower("email")),
        lambda: rows.distinct("email"),
        lambda: rows.aggregate(Max("email")),
        lambda: rows.annotate(low=Lower("email")),
        lambda: rows.alias(low=F("email")),
        lambda: rows.values("email"),
        lambda: rows.values(),
        lambda: rows.values_list("email", flat=True),
        lambda: list(rows.filter(email=F("name"))),
    ):
        refuses(ask)
    assert rows.filter(email__isnull=False, name__isnull=False, born__isnull=True).count() == 1


@promise
def d9_a_searched_value_is_in_no_statement(kind: Kind, settings: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        list(kind.model.objects.filter(email="lookedfor@example.com"))
    assert len(queries) == 1 and "lookedfor" not in queries[0]["sql"]


@promise
def d10_no_default_stands_in_the_schema_in_clear(kind: Kind, settings: Any) -> None:
    assert "sealed.E002" in kind.wrong(db_default="abc")


@promise
def d11_a_token_opens_in_its_own_place_alone(kind: Kind, settings: Any) -> None:
    victim, attacker = (kind.model.objects.create(email=f"{who}@example.com", bio="-") for who in ("victim", "mallory"))
    put(attacker, "bio", raw(victim, "bio"))  # the same column of another row
    refuses(lambda: again(attacker).bio)
    put(victim, "bio", raw(victim, "email"))  # another column of the same row
    refuses(lambda: again(victim).bio)


@promise
def d12_a_token_tells_neither_when_nor_how_long(kind: Kind, settings: Any) -> None:
    tokens = [raw(kind.model.objects.create(bio=bio), "bio") for bio in ("woman", "I would rather not say so")]
    assert len({len(token) for token in tokens}) == 1
    (made_at,) = struct.unpack(">Q", base64.urlsafe_b64decode(tokens[0])[1:9])
    assert abs(time.time() - made_at) > 365 * 24 * 3600


@promise
def d13_keys_are_read_when_they_are_used(kind: Kind, settings: Any) -> None:
    (key,) = KeyRing.parse("PII_KEYS", OTHER).derive("field")
    settings.PII_KEYS, settings.FIELD_ENCRYPTION_KEY = OTHER, [base64.urlsafe_b64encode(key)]
    token = raw(kind.model.objects.create(bio="now"), "bio")
    assert b"now" in Fernet(base64.urlsafe_b64encode(key)).decrypt(token)


@promise
def d14_a_moment_is_the_same_moment_on_every_database(kind: Kind, settings: Any) -> None:
    moment, field = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), kind.field("DateTimeField")
    field.set_attributes_from_name("at")
    field.model = kind.model
    if kind is OURS:  # what is inside does not depend on the database
        assert field.open(field.seal(moment, "row"), "row") == moment
        naive = dt.datetime(2020, 1, 1)
        assert field.open(field.seal(naive, "row"), "row") == naive.astimezone(dt.timezone(dt.timedelta(hours=3.5)))
        return
    sqlite = DatabaseWrapper(connection.settings_dict | {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})
    assert field.from_db_value(field.get_db_prep_save(moment, sqlite)) == moment


@promise
def d15_no_index_bursts_on_a_long_value(kind: Kind, settings: Any) -> None:
    assert "sealed.E001" in kind.wrong(db_index=True)
    assert again(kind.model.objects.create(bio="x" * 5000)).bio == "x" * 5000


@promise
def d16_a_length_is_kept_outside_forms_too(kind: Kind, settings: Any) -> None:
    assert again(kind.model.objects.create(name="ی" * 10)).name == "ی" * 10
    refuses(lambda: kind.model.objects.create(name="x" * 11))


@promise
def d17_an_empty_text_is_no_value(kind: Kind, settings: Any) -> None:
    row = kind.model.objects.create(name="")
    assert raw(row, "name") is None and list(kind.model.objects.filter(name__isnull=True)) == [row]


@promise
def d18_nothing_is_dumped_in_clear(kind: Kind, settings: Any) -> None:
    kind.model.objects.create(name="Sara", born=dt.date(1991, 8, 5))
    dumped = serializers.serialize("json", kind.model.objects.all())
    assert kind.model._meta.label_lower in dumped and "Sara" not in dumped and "1991" not in dumped


@promise
def d19_a_number_has_its_range_in_a_subclass_too(kind: Kind, settings: Any) -> None:
    mother: Any = ours.SealedIntegerField if kind is OURS else stock.EncryptedBigIntegerField
    own = type("OwnNumberField", (mother,), {})()
    refuses(lambda: own.run_validators(2**63))
    own.run_validators(2**63 - 1)


@pytest.mark.parametrize("kept", PROMISES, ids=lambda kept: kept.__name__)
def test_our_fields_keep(kept, tables, settings):
    kept(OURS, settings)


@pytest.mark.parametrize("broken", PROMISES, ids=lambda broken: broken.__name__)
def test_the_stock_fields_break(broken, tables, settings):
    with pytest.raises((Exception, pytest.fail.Exception)), transaction.atomic():
        broken(STOCK, settings)


def test_booleans_and_no_value_come_back(tables):
    field = OURS.field("BooleanField")
    field.set_attributes_from_name("agreed")
    field.model = OURS.model
    assert [field.open(field.seal(value, "row"), "row") for value in (True, False)] == [True, False]
    assert again(OURS.model.objects.create()).name is None
