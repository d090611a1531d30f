"""Sealed storage keeps its word at the level of one column, one file, one session."""

import datetime as dt
import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Value
from django.forms import modelform_factory

from accounts.models import Customer
from portal.sealed import files
from portal.sealed.fields import BINDING, END, CannotOpen, SealedCharField
from portal.sealed.index import BlindIndexField
from portal.sealed.keys import KeyRing
from portal.sealed.sessions import SessionStore
from tests.base import database_url, make_customer

OTHER = "k9:" + "9" * 64


def raw(customer: Customer, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM accounts_customer WHERE id = %s", [customer.pk])  # noqa: S608
        return cursor.fetchone()[0]


def test_a_value_is_ciphertext_in_the_database_and_itself_in_python(alice):
    alice.birth_date, alice.address = dt.date(1991, 8, 5), "تهران، خیابان یاقوت"
    alice.save()
    assert "یاقوت" not in raw(alice, "address") and "1991" not in raw(alice, "birth_date")
    again = Customer.objects.get(pk=alice.pk)
    assert (again.birth_date, again.address) == (dt.date(1991, 8, 5), "تهران، خیابان یاقوت")


def test_equal_values_do_not_look_equal(alice, bob):
    for customer in (alice, bob):
        customer.name = "سارا"
        customer.save()
    assert raw(alice, "name") != raw(bob, "name")


def test_sign_in_names_are_found_exactly_in_any_way_of_writing(alice):
    assert Customer.objects.get(email="ALICE@Example.com") == alice
    assert Customer.objects.get(mobile="+۹۸۹۱۲۱۱۱۰۰۰۱") == alice
    assert list(Customer.objects.filter(email__in=["nobody@example.com", "alice@example.com"])) == [alice]
    assert not Customer.objects.filter(email="").exists()


@pytest.mark.parametrize("lookup", ["startswith", "icontains", "gt", "regex"])
def test_lookups_that_cannot_work_raise(db, lookup):
    with pytest.raises(FieldError):
        list(Customer.objects.filter(**{f"email__{lookup}": "a"}))


def test_a_field_without_an_index_cannot_be_searched(db):
    with pytest.raises(FieldError):
        list(Customer.objects.filter(name="سارا"))


def test_the_searched_value_never_reaches_the_database(alice, django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        list(Customer.objects.filter(email="alice@example.com"))
    assert "alice" not in queries[0]["sql"]


def test_an_email_belongs_to_one_customer(alice):
    with pytest.raises(IntegrityError):
        make_customer("Alice@example.com", "+989121119999")


def test_a_form_says_which_field_is_taken(alice, bob):
    form = modelform_factory(Customer, fields=["email"])({"email": "ALICE@example.com"}, instance=bob)
    assert list(form.errors) == ["email"]


def test_indexes_follow_every_way_to_write(alice):
    Customer.objects.filter(pk=alice.pk).update(email="new1@example.com")
    assert Customer.objects.get(email="new1@example.com") == alice
    alice.refresh_from_db()
    alice.email = "new2@example.com"
    alice.save(update_fields=["email"])
    assert Customer.objects.get(email="new2@example.com") == alice
    alice.email = "new3@example.com"
    Customer.objects.bulk_update([alice], ["email"])
    assert Customer.objects.get(email="new3@example.com") == alice


def test_the_database_refuses_a_value_without_its_index(alice):
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_customer SET email_bi = NULL WHERE id = %s", [alice.pk])


def test_bulk_update_stores_the_value_and_not_an_expression(alice):
    alice.name = "نو"
    Customer.objects.bulk_update([alice], ["name"])
    assert Customer.objects.get(pk=alice.pk).name == "نو"


@pytest.mark.parametrize("expression", [F("surname"), Value("x", output_field=models.TextField())])
def test_an_expression_cannot_write_a_sealed_column(alice, expression):
    with pytest.raises((FieldError, TypeError)):
        Customer.objects.filter(pk=alice.pk).update(name=expression)


def test_a_pasted_token_is_not_decrypted(alice, bob):
    stolen = raw(alice, "email")
    bob.address = stolen
    bob.full_clean(exclude=["password"])
    bob.save()
    assert Customer.objects.get(pk=bob.pk).address == stolen


def test_a_wrong_key_raises_and_never_shows_ciphertext(alice, settings):
    settings.PII_KEYS = OTHER
    row = Customer.objects.get(pk=alice.pk)
    assert row.ref == alice.ref and "gAAAA" not in str(row.__dict__["email"])
    with pytest.raises(CannotOpen) as raised:
        _ = row.email
    assert "gAAAA" not in str(raised.value) and "alice" not in str(raised.value)


def test_a_tampered_value_raises(alice):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_customer SET name = 'plain words' WHERE id = %s", [alice.pk])
    with pytest.raises(CannotOpen):
        _ = Customer.objects.get(pk=alice.pk).name


def test_an_older_key_still_opens_and_the_newest_seals(alice, settings):
    settings.PII_KEYS = f"{OTHER} {django_settings.PII_KEYS}"
    assert Customer.objects.get(pk=alice.pk).email == "alice@example.com"
    alice.save()
    settings.PII_KEYS = OTHER
    assert Customer.objects.get(pk=alice.pk).email == "alice@example.com"


@pytest.mark.parametrize("text", ["", "k1", "k1:12", "k1:" + "g" * 64, f"k1:{'1' * 64} k1:{'2' * 64}"])
def test_a_key_list_that_is_no_key_list_is_refused_without_showing_it(text):
    with pytest.raises(ImproperlyConfigured) as raised:
        KeyRing.parse("PII_KEYS", text)
    assert "PII_KEYS" in str(raised.value) and (not text or text not in str(raised.value))


@pytest.mark.parametrize("name", ["SECRET_KEY", "PII_KEYS", "PII_INDEX_KEYS", "DATABASE_URL"])
def test_a_missing_secret_is_one_line_and_no_traceback(name):
    env = {k: v for k, v in os.environ.items() if k != name}
    run = subprocess.run([sys.executable, "manage.py", "check"], env=env, capture_output=True, text=True)
    assert run.returncode != 0
    assert run.stderr.startswith(f"refused to start: {name} is not set") and run.stderr.count("\n") == 1


def test_unique_and_default_on_a_sealed_field_are_found_by_the_system_check():
    class Wrong(models.Model):  # noqa: DJ008
        email = SealedCharField(max_length=10, unique=True, db_default="x")

        class Meta:
            app_label = "portal"
            ordering = ["email"]

    ids = {error.id for error in Wrong._meta.get_field("email").check()}
    assert {"sealed.E001", "sealed.E002", "sealed.E003"} <= ids


def test_tags_differ_between_columns(db):
    one = Customer._meta.get_field("email_bi").tags("same")
    other = Customer._meta.get_field("national_code_bi")
    assert isinstance(other, BlindIndexField) and one != other.tags("same")


def test_a_session_is_sealed_and_opens(db):
    store = SessionStore()
    store["account_login"] = {"phone": "+989121234567"}
    store.save()
    row = SessionStore.get_model_class().objects.get(session_key=store.session_key)
    assert "98912" not in row.session_data
    assert SessionStore(store.session_key)["account_login"]["phone"] == "+989121234567"


def test_a_session_of_other_keys_is_no_session(db, settings):
    token = SessionStore().encode({"a": 1})
    settings.PII_KEYS = OTHER
    assert SessionStore().decode(token) == {}


def test_a_cache_key_says_nothing(db):
    from django.core.cache import cache

    cache.set("rl:login:alice@example.com", 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM portal_cache")
        assert not any("alice" in key for (key,) in cursor.fetchall())
    assert cache.get("rl:login:alice@example.com") == 1


PICTURE = b"\xff\xd8" + bytes(range(256)) * 1024  # 256 KiB: four chunks


@pytest.mark.parametrize("content", [b"", b"x", b"y" * files.CHUNK, PICTURE])
def test_a_file_comes_back_whole(content):
    stored = files.put(content, aad=b"row 1")
    with default_storage.open(stored.name) as file:
        assert content[:64] not in file.read() or not content[2:]
    assert files.get(stored.name, stored.key, aad=b"row 1") == content


def test_a_file_of_another_row_does_not_open():
    stored = files.put(PICTURE, aad=b"row 1")
    with pytest.raises(files.Damaged):
        files.get(stored.name, stored.key, aad=b"row 2")


@pytest.mark.parametrize(
    "harm",
    [
        lambda s: s[: -files.CHUNK],  # cut
        lambda s: (
            s[:11] + s[11 + files.CHUNK + 16 : 11 + 2 * (files.CHUNK + 16)] + s[11 : 11 + files.CHUNK + 16]
        ),  # swap
        lambda s: s[:100] + bytes([s[100] ^ 1]) + s[101:],  # flip
        lambda s: b"JFIF" + s[4:],
    ],
)
def test_a_changed_file_does_not_open(harm):
    key = bytes(32)
    with pytest.raises(files.Damaged):
        files.unseal(harm(files.seal(PICTURE, key, b"row")), key, b"row")


def test_the_package_is_the_cipher(alice):
    """A row sealed by us opens with the stock package under the derived key, so nobody is locked in."""
    inside = Fernet(django_settings.FIELD_ENCRYPTION_KEY[0]).decrypt(raw(alice, "email"))
    assert inside[BINDING:].rstrip(b"\0") == b"alice@example.com" + END


def test_validation_still_speaks_of_the_field(alice):
    alice.email = "not an address"
    with pytest.raises(ValidationError) as raised:
        alice.full_clean(exclude=["password"])
    assert "email" in raised.value.error_dict


TURNING = "i2:" + "4" * 64


@pytest.fixture
def turning(alice, settings):
    """Index keys turn: alice stands under the old one, who comes now under the new one."""
    settings.PII_INDEX_KEYS = f"{TURNING} {django_settings.PII_INDEX_KEYS}"
    return alice


def test_uniqueness_holds_while_index_keys_turn(turning, bob):
    assert Customer.objects.get(email="alice@example.com") == turning
    for write in (
        lambda: make_customer("ALICE@example.com", "+989121119999"),
        lambda: Customer.objects.bulk_create([Customer(email="alice@example.com")]),
        lambda: Customer.objects.filter(pk=bob.pk).update(email="alice@example.com"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()
    bob.email = "alice@example.com"
    with pytest.raises(ValidationError) as raised:
        bob.validate_unique()
    assert list(raised.value.error_dict) == ["email"]
    turning.save()  # her own value is no other's
    assert Customer.objects.filter(email="alice@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_one_moment_are_one_while_index_keys_turn(settings):
    """The one was started before the new key went first, the other after it: their newest tags differ."""
    old = django_settings.PII_INDEX_KEYS
    settings.PII_INDEX_KEYS = f"{TURNING} {old}"
    env = os.environ | {"DATABASE_URL": database_url(), "PII_INDEX_KEYS": f"{old} {TURNING}"}
    code = "from accounts.models import Customer; Customer.objects.create_user(email='race@example.com')"
    with transaction.atomic():
        Customer.objects.create_user(email="race@example.com")
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        other = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):  # it waits for us
            other.communicate(timeout=4)
    _out, said = other.communicate(timeout=30)
    assert other.returncode != 0 and "this value belongs to another row" in said
    assert Customer.objects.filter(email="race@example.com").count() == 1
