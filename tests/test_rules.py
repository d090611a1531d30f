"""House rules, kept by every room."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from portal.sealed.fields import SealedMixin
from portal.sealed.index import Companion

ROOMS = ("accounts", "billing", "notifications", "devices", "policy")
FLOORS = {"policy": 5, "billing": 4, "devices": 4, "accounts": 3, "notifications": 2, "portal": 1}

# Whoever reads these needs no account.
PUBLIC = {
    "home",
    "catalogue",
    "healthz",
    "readyz",
    "policy",
    "policy_json",
    "policy_version",
    "policy_versions",
    "status",
    "status_calendar",
    "status_feed",
    "status_item",
    "account_login",
    "account_signup",
    "account_logout",
    "account_inactive",
    "account_confirm_email",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_request_login_code",
    "undo_contact_change",
    "sms_hook",  # whoever does not know its secret finds nothing there
}
# These take only POST, or make sense only inside a story; signed out, they lead to a public page or refuse.
STORIES = {
    "set_language",
    "pay_callback",
    "device_hints",
    "staff_login",
    "account_verify_phone",
    "account_confirm_login_code",
}
SAMPLES = {"str": "x", "int": 1, "uuid": "00000000-0000-4000-8000-000000000000", "slug": "x", "path": "x"}


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from patterns(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


def address(route: str) -> str:
    route = re.sub(r"<(?:(\w+):)?(\w+)>", lambda m: str(SAMPLES.get(m[1] or "str", "x")), route)
    return "/" + re.sub(r"\(\?P<\w+>[^)]*\)", "x", route).replace("^", "").replace("$", "").replace("\\", "")


@pytest.mark.parametrize(("route", "entry"), [pytest.param(r, e, id=str(e.name)) for r, e in patterns()])
def test_exactly_these_pages_are_public(db, route, entry):
    if entry.name in STORIES:
        return
    response = Client(headers={"accept-language": "en"}).get(address(route))
    signed_out = response.status_code == 302 and "/accounts/login/" in response.headers["Location"]
    if entry.name in PUBLIC:
        assert not signed_out or entry.name in {"account_logout"}
    else:
        assert signed_out or response.status_code in (404, 405), (
            f"{entry.name} answers {response.status_code} to anyone"
        )
        if response.status_code == 404:
            assert "<" in route, "only an address with an id may be not found"


def test_every_public_page_is_there():
    assert {*PUBLIC, *STORIES} <= {entry.name for _route, entry in patterns()}


def test_the_staff_screens_lead_to_the_one_sign_in(db, alice_client):
    response = Client().get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")
    assert alice_client.get("/admin/").status_code == 302


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("room", ROOMS)
def test_every_status_has_its_tone_and_its_row_in_next(room):
    for model in apps.get_app_config(room).get_models():
        status = getattr(model, "Status", None)
        if status is not None and hasattr(model, "NEXT"):
            assert set(model.NEXT) == set(model.TONE) == set(status), model
            assert {s for nexts in model.NEXT.values() for s in nexts} <= set(status), model
        elif any(f.name == "status" and getattr(f, "choices", None) for f in model._meta.concrete_fields):
            pytest.fail(f"{model.__name__} has a status without a NEXT table")


def holds(room: str) -> dict[str, object]:
    return importlib.import_module(f"{room}.privacy").HOLDS


@pytest.mark.parametrize("room", ROOMS)
def test_every_personal_field_has_its_reason(room):
    fields = {
        f"{model.__name__}.{field.name}": field
        for model in apps.get_app_config(room).get_models()
        for field in model._meta.concrete_fields
    }
    sealed = {name for name, field in fields.items() if isinstance(field, SealedMixin)}
    # A room may account for more than it seals, such as a receipt, but not for what is not there.
    assert sealed <= set(holds(room)) <= set(fields)
    assert all(held.why and held.keep for held in holds(room).values())


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_from_floors_below(room):
    for path in (settings.BASE_DIR / room).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for other in imports(path) & (set(FLOORS) - {room}):
            assert FLOORS[other] < FLOORS[room], f"{path.relative_to(settings.BASE_DIR)} imports {other}"


def test_nobody_keeps_a_general_room():
    forbidden = {"services.py", "selectors.py", "utils.py", "helpers.py", "signals.py", "managers.py"}
    found = [p for room in FLOORS for p in (settings.BASE_DIR / room).rglob("*.py") if p.name in forbidden]
    assert not found


def test_no_page_has_inline_script_or_style():
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        if "messages" in path.parts:  # e-mails have no other way to be styled
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'<script(?![^>]*\bsrc=)|\sstyle="|\son\w+="|<style', text), path


def test_the_catalogue_is_complete():
    call_command("catalogues", "check")


def test_identity_columns_are_sealed_or_indexes_everywhere(db):
    """Read from the database itself, so that a table which no model knows is found too."""
    names = "email|mobile|national_code|surname|birth_date|landline|address|postal_code"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name ~ %s",
            [f"^({names})(_|$)"],
        )
        found = cursor.fetchall()
    assert len(found) >= 10
    models_by_table = {m._meta.db_table: m for m in apps.get_models()}
    for table, column, kind in found:
        if kind in ("uuid", "timestamp with time zone") or column.endswith("_id"):
            continue
        field = next(f for f in models_by_table[table]._meta.concrete_fields if f.column == column)
        assert isinstance(field, SealedMixin | Companion), f"{table}.{column}"
