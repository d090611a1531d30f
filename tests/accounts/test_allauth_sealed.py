"""allauth's e-mail table is ours to seal only as long as it is the one that we know; an upgrade may change it."""

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState

from portal.sealed.fields import SealedEmailField, SealedJSONField


def tables(of: str = "account") -> dict[str, ModelState]:
    """An allauth app's tables as the configured migrations make them."""
    models = MigrationLoader(None).project_state().models
    return {name: state for (app, name), state in models.items() if app == of}


def columns(state: ModelState) -> dict[str, object]:
    return {name: field.deconstruct()[1:] for name, field in state.fields.items() if not name.startswith("email")}


def test_our_migration_makes_allauths_tables_but_for_the_sealed_column(settings):
    ours = tables()
    settings.MIGRATION_MODULES = {}
    theirs = tables()
    assert set(ours) == set(theirs) == {"emailaddress", "emailconfirmation"}
    for name, state in theirs.items():
        assert columns(ours[name]) == columns(state), name
    assert set(theirs["emailaddress"].fields) == {"id", "user", "email", "verified", "primary"}
    assert set(ours["emailaddress"].fields) == {*theirs["emailaddress"].fields, "email_bi"}
    names = {each.name for each in theirs["emailaddress"].options["constraints"]}
    assert names == {"unique_primary_email", "unique_verified_email"}
    assert {each.name for each in ours["emailaddress"].options["constraints"]} > names


def test_the_model_in_use_is_the_sealed_one(alice):
    assert isinstance(EmailAddress._meta.get_field("email"), SealedEmailField)
    with connection.cursor() as cursor:
        cursor.execute("SELECT email FROM account_emailaddress")
        assert "alice" not in cursor.fetchone()[0]
    assert EmailAddress.objects.get(email="ALICE@example.com").user == alice


def test_one_customer_has_an_address_once(alice):
    with pytest.raises(IntegrityError):
        EmailAddress.objects.create(user=alice, email="ALICE@example.com")


def test_one_verified_address_has_one_owner(alice, bob):
    with pytest.raises(IntegrityError):
        EmailAddress.objects.create(user=bob, email="Alice@example.com", verified=True)


def test_our_migration_makes_the_table_of_factors_but_for_the_sealed_column(settings):
    ours = tables("mfa")
    settings.MIGRATION_MODULES = {}
    theirs = tables("mfa")
    assert set(ours) == set(theirs) == {"authenticator"}
    mine, other = ours["authenticator"], theirs["authenticator"]
    assert set(mine.fields) == set(other.fields) == {"id", "user", "type", "data", "created_at", "last_used_at"}
    for name in set(other.fields) - {"data"}:
        assert mine.fields[name].deconstruct()[1:] == other.fields[name].deconstruct()[1:], name
    assert isinstance(mine.fields["data"], SealedJSONField)
    assert [c.name for c in mine.options["constraints"]] == [c.name for c in other.options["constraints"]]
