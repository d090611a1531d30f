"""Companies: registered by a person, run by its members in their roles, and invisible to every other company."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import iran, privacy
from accounts.flows import (
    accept_invitation,
    end_membership,
    forget_invitations,
    forget_unfinished,
    invite,
    register_company,
    suspend,
)
from accounts.models import Company, Customer, Invitation, Membership
from accounts.models.company import MAY, READS, LastOwner, Role
from billing.flows import place_order
from billing.models import Invoice, Plan, TaxRate
from notifications.flows import answer_ticket, open_ticket
from notifications.models import Delivery, Event, Purpose
from policy.flows import announce, publish
from portal.areas import AREAS
from tests.base import PASSWORD, make_customer
from tests.test_rules import patterns

DETAILS = {
    "name": "Atlas Negar",
    "national_id": "10380284790",
    "registration_number": "123456",
    "economic_code": None,
    "landline": None,
    "address": "Tehran, Valiasr 1",
    "postal_code": "1969833333",
}
TYPED = {name: value or "" for name, value in DETAILS.items()}
OTHER = DETAILS | {"name": "Borna Data", "national_id": "10100302746"}


@pytest.fixture
def atlas(alice) -> Company:
    return register_company(person=alice, details=DETAILS)


@pytest.fixture
def borna(bob) -> Company:
    return register_company(person=bob, details=OTHER)


def join(company: Company, role: str, number: int = 7) -> Client:
    person = make_customer(f"{role}{number}@example.com", f"+98912111010{number}", language="en")
    Membership.objects.create(company=company, person=person, role=role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    client.post("/companies/switch/", {"company": company.ref})
    return client


@pytest.fixture
def owner(alice_client, atlas) -> Client:
    alice_client.post("/companies/switch/", {"company": atlas.ref})
    return alice_client


def order(customer: Customer) -> Invoice:
    place_order(customer=customer, plan=Plan.objects.on_sale().first(), option=None, form_token=customer.ref)
    return Invoice.objects.get(order__customer=customer)


@pytest.fixture
def plan(db) -> Plan:
    TaxRate.objects.get_or_create(valid_from="2020-01-01", defaults={"hundredths": 1000})
    return Plan.objects.create(slug="tiny", name_fa="کوچک", name_en="Tiny", monthly_price=1_000_000, is_on_sale=True)


# --- the numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("good", ["10380284790", "10100302746", "10861677542", "۱۰۳۸۰۲۸۴۷۹۰", "1038 0284 790"])
def test_a_national_id_has_a_right_check_digit(good):
    assert iran.company_id(good) == iran.clean_number(good)


@pytest.mark.parametrize("bad", ["10380285692", "1038028479", "103802847900", "00000000000", "10300000090", "x", ""])
def test_another_is_refused(bad):
    with pytest.raises(ValidationError):
        iran.company_id(bad)


# --- registering ----------------------------------------------------------------------------------------------------


def test_a_person_registers_a_company_and_acts_for_it(alice_client, alice):
    form = TYPED | {
        "national_id": "۱۰۳۸۰۲۸۴۷۹۰",
        "name": "اطلس نگار يكتا",
    }
    response = alice_client.post("/companies/new/", form)
    company = Company.objects.get()
    assert response.headers["Location"] == f"/companies/{company.ref}/"
    assert company.name == "اطلس نگار یکتا" and company.memberships.get().role == Role.OWNER
    page = alice_client.get(response.headers["Location"]).content.decode()
    assert "You act for <bdi>اطلس" in page and "10380284790" in page


def test_its_numbers_are_sealed_and_found_by(atlas, carol_client):
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM accounts_company c")
        row = cursor.fetchone()[0]
    assert "10380284790" not in row and "123456" not in row
    found = carol_client.post("/admin/accounts/customer/find/", {"what": "۱۰۳۸۰۲۸۴۷۹۰"})
    assert found.headers["Location"] == f"/admin/accounts/customer/{atlas.pk}/change/"
    reveal = f"/admin/accounts/customer/{atlas.pk}/reveal/"
    assert "10380284790" in carol_client.post(reveal, {"why": "to compare with the gazette"}).content.decode()


def test_its_owner_reads_who_looked(atlas, owner, carol_client):
    carol_client.post(f"/admin/accounts/customer/{atlas.pk}/reveal/", {"why": "to compare with the gazette"})
    assert "to compare with the gazette" in owner.get(f"/companies/{atlas.ref}/").content.decode()


def test_one_company_is_registered_once(atlas, bob_client):
    page = bob_client.post("/companies/new/", TYPED)
    assert "national_id" in page.context["form"].errors and Company.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.create(
            customer=Customer.objects.create(kind="company"), national_id="10380284790", registration_number="1"
        )


@pytest.mark.parametrize(
    "bad", [{"national_id": "10380285692"}, {"postal_code": "1"}, {"economic_code": "12"}, {"name": ""}]
)
def test_bad_input_is_answered_at_its_field_and_kept(alice_client, bad):
    form = TYPED | bad
    page = alice_client.post("/companies/new/", form)
    assert set(page.context["form"].errors) == set(bad) and "Tehran, Valiasr 1" in page.content.decode()
    assert not Company.objects.exists()


def test_in_a_companys_name_nobody_signs_in(atlas):
    for forbidden in (
        {"email": "x@example.com"},
        {"mobile": "+989121112233"},
        {"is_staff": True},
        {"is_superuser": True},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Customer.objects.filter(pk=atlas.pk).update(**forbidden)


def test_a_company_is_no_unfinished_sign_up(atlas):
    Customer.objects.filter(pk=atlas.pk).update(joined_at=timezone.now() - timedelta(days=9))
    forget_unfinished()
    assert Company.objects.filter(pk=atlas.pk).exists()


# --- isolation ------------------------------------------------------------------------------------------------------


@pytest.fixture
def things(atlas, alice, plan) -> dict[str, str]:
    """One of each that belongs to atlas: the addresses of its pages."""
    invoice = order(atlas.customer)
    ticket = open_ticket(customer=atlas.customer, author=alice, subject="Slow", text="It is slow.")
    event = Event.objects.filter(customer=atlas.customer).first()
    return {
        "invoice": invoice.get_absolute_url(),
        "service": invoice.order.service.get_absolute_url(),
        "ticket": ticket.get_absolute_url(),
        "message": event.get_absolute_url(),
    }


def test_its_owner_sees_them_while_acting_for_it_and_not_otherwise(owner, things):
    assert {owner.get(path).status_code for path in things.values()} == {200}
    owner.post("/companies/switch/", {"company": ""})
    assert {owner.get(path).status_code for path in things.values()} == {404}


def test_another_company_never_sees_them(borna, bob_client, things, atlas):
    for acting in ("", borna.ref):
        bob_client.post("/companies/switch/", {"company": acting})
        assert {bob_client.get(path).status_code for path in things.values()} == {404}
        for listing in ("/", "/invoices/", "/orders/", "/services/", "/tickets/", "/messages/"):
            page = bob_client.get(listing).content.decode()
            assert "Slow" not in page and not any(path in page for path in things.values()), listing
    assert bob_client.post("/companies/switch/", {"company": atlas.ref}).status_code == 404


COMPANY_PAGES = ["company", "company_edit", "company_members", "company_leave"]


@pytest.mark.parametrize("name", COMPANY_PAGES)
def test_bob_finds_nothing_of_alices_company(atlas, bob_client, name):
    bob_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    path = reverse(name, args=[atlas.ref])
    assert {bob_client.post(path).status_code, bob_client.get(path).status_code} <= {404, 405}
    member = atlas.memberships.get()
    assert bob_client.post(reverse("company_member", args=[atlas.ref, member.pk]), {"role": "end"}).status_code == 404
    assert Membership.objects.filter(pk=member.pk, role=Role.OWNER).exists()


def test_a_member_of_another_company_is_not_changed_through_ones_own(atlas, borna, bob_client, alice):
    bob_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    alices = atlas.memberships.get()
    assert bob_client.post(reverse("company_member", args=[borna.ref, alices.pk]), {"role": "end"}).status_code == 404
    letter = invite(company=atlas, by=alice, email="new@example.com", role="billing")
    assert bob_client.post(reverse("company_withdraw", args=[borna.ref, letter.pk])).status_code == 404


# --- roles ----------------------------------------------------------------------------------------------------------


def test_every_role_has_its_pages_and_messages():
    assert set(MAY) == set(READS) == set(Role)
    assert all(areas <= set(AREAS) for areas in MAY.values()) and MAY[Role.OWNER] == set(AREAS)
    assert all(reads <= set(Purpose) for reads in READS.values()) and READS[Role.OWNER] == set(Purpose)


def test_every_page_of_a_customers_things_belongs_to_an_area():
    """A new page without one would be open to every role."""
    outside = {"catalogue", "pay_callback", "sms_hook"}  # public, or for the bank's and the operator's machines
    outside |= {"status", "status_item", "status_feed", "status_calendar"}  # public too
    rooms = ("billing.", "notifications.")
    pages = [entry for _route, entry in patterns() if entry.callback.__module__.startswith(rooms)]
    assert len(pages) > 15
    assert {page.name for page in pages if not hasattr(page.callback, "area")} == outside


PAGES = {
    "invoices": "/invoices/",
    "orders": "/orders/",
    "services": "/services/",
    "tickets": "/tickets/",
    "messages": "/messages/",
}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("area", PAGES)
def test_a_role_opens_what_it_is_for(atlas, role, area):
    answer = join(atlas, role).get(f"/{area}/")
    assert answer.status_code == (200 if area in MAY[role] else 403)
    if answer.status_code == 403:
        assert "This page is not for your role" in answer.content.decode()


def test_the_dashboard_shows_only_what_the_role_is_for(atlas, things):
    technical, billing = join(atlas, "technical", 1).get("/"), join(atlas, "billing", 2).get("/")
    assert things["invoice"] not in technical.content.decode() and things["ticket"] in technical.content.decode()
    assert things["invoice"] in billing.content.decode() and things["ticket"] not in billing.content.decode()
    assert "/invoices/" not in technical.content.decode() and "/tickets/" not in billing.content.decode()


def test_a_message_goes_to_whose_role_it_is_for(atlas, alice, plan):
    join(atlas, "billing", 1)
    join(atlas, "technical", 2)
    order(atlas.customer)
    sent = Delivery.objects.filter(event__message="invoice_issued", channel="email")
    to = set(sent.values_list("reader__ref", flat=True))
    assert to == {alice.ref, Customer.objects.get(email="billing1@example.com").ref}
    ticket = open_ticket(customer=atlas.customer, author=alice, subject="Slow", text="It is slow.")
    sent = Delivery.objects.filter(event__about=f"ticket:{ticket.number}", channel="sms")
    assert set(sent.values_list("reader__ref", flat=True)) == {
        alice.ref,
        Customer.objects.get(email="technical2@example.com").ref,
    }


def test_a_ticket_keeps_who_wrote_for_the_company(atlas, alice, carol):
    ticket = open_ticket(customer=atlas.customer, author=alice, subject="Slow", text="It is slow.")
    dave = make_customer("dave@example.com", "+989121110004")
    said = answer_ticket(ticket=ticket, author=dave, acting_for=atlas.customer, text="Still slow.")
    ours = answer_ticket(ticket=ticket, author=carol, text="We look into it.")
    assert (said.author, said.is_staff, ours.is_staff) == (dave, False, True)


def test_the_company_orders_and_the_person_does_not(owner, alice, atlas, plan):
    page = owner.get("/catalogue/tiny/")
    token = page.context["form"]["form_token"].value()
    owner.post("/catalogue/tiny/", {"option": "", "form_token": token})
    assert Invoice.objects.get().order.customer_id == atlas.pk


# --- people ---------------------------------------------------------------------------------------------------------


def link(message: str = "company_invitation") -> str:
    return Event.objects.filter(message=message).latest("at").context["url"].removeprefix("http://127.0.0.1:8000")


def members_page(client: Client, atlas: Company) -> str:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return f"/companies/{atlas.ref}/members/"


def test_an_owner_invites_and_the_invited_accepts(owner, atlas, bob, bob_client):
    assert owner.get(f"/companies/{atlas.ref}/members/").status_code == 302, "it asks who it is first"
    owner.post(members_page(owner, atlas), {"email": "BOB@example.com", "role": "billing"})
    assert [d.recipient for d in Delivery.objects.filter(event__message="company_invitation")] == ["BOB@example.com"]
    page = bob_client.get(link())
    assert "Atlas Negar" in page.content.decode() and not Membership.objects.filter(person=bob).exists()
    bob_client.post(link(), {"accept": ""})
    assert Membership.objects.get(person=bob).role == Role.BILLING and bob_client.get("/invoices/").status_code == 200
    assert bob_client.post(link(), {"accept": ""}).status_code == 410, "a link works once"
    assert Event.objects.filter(message="company_member").count() == 2


def test_an_invitation_is_only_for_its_email(owner, atlas, bob_client, bob):
    owner.post(members_page(owner, atlas), {"email": "dana@example.com", "role": "owner"})
    page = bob_client.get(link())
    assert page.status_code == 403 and "Atlas Negar" not in page.content.decode()
    assert bob_client.post(link(), {"accept": ""}).status_code == 403
    assert not accept_invitation(invitation=Invitation.objects.get(), person=bob)
    assert not Membership.objects.filter(person=bob).exists()


def test_an_invitation_can_be_declined_withdrawn_or_run_out(owner, atlas, bob_client, bob):
    path = members_page(owner, atlas)
    owner.post(path, {"email": "bob@example.com", "role": "billing"})
    bob_client.post(link(), {"decline": ""})
    owner.post(path, {"email": "bob@example.com", "role": "billing"})
    owner.post(reverse("company_withdraw", args=[atlas.ref, Invitation.objects.open().get().pk]))
    assert bob_client.get(link()).status_code == 410
    owner.post(path, {"email": "bob@example.com", "role": "billing"})
    Invitation.objects.filter(answered_at=None).update(at=timezone.now() - timedelta(days=8))
    assert bob_client.get(link()).status_code == 410
    owner.post(path, {"email": "bob@example.com", "role": "technical"})
    bob_client.post(link(), {"accept": ""})
    assert Membership.objects.get(person=bob).role == Role.TECHNICAL


def test_nobody_writes_to_strangers_all_day_through_us(owner, atlas, alice):
    for number in range(20):
        invite(company=atlas, by=alice, email=f"n{number}@example.com", role="billing").answer()
    page = owner.post(members_page(owner, atlas), {"email": "more@example.com", "role": "billing"})
    assert "Twenty invitations were sent" in page.content.decode() and Invitation.objects.count() == 20


def test_an_invitation_is_forgotten_once_its_link_is_dead(atlas, alice):
    """With the address; what was answered lately still counts for the day."""
    rows = [invite(company=atlas, by=alice, email=f"n{n}@example.com", role="billing") for n in range(4)]
    now = timezone.now()
    for row, age, answered in zip(rows, (8, 2, 2, 0), (False, True, False, True), strict=True):
        Invitation.objects.filter(pk=row.pk).update(at=now - timedelta(days=age), answered_at=now if answered else None)
    assert forget_invitations() == 2 and forget_invitations() == 0
    assert set(Invitation.objects.values_list("pk", flat=True)) == {rows[2].pk, rows[3].pk}


def test_two_who_register_one_company_at_once_make_one(alice_client, monkeypatch, atlas):
    """Both found it free; the second gets the same answer as one who came later."""
    monkeypatch.setattr("accounts.forms.CompanyForm.clean_national_id", lambda form: form.cleaned_data["national_id"])
    page = alice_client.post("/companies/new/", TYPED)
    assert "registered here already" in page.content.decode() and Company.objects.count() == 1


def test_a_member_is_not_invited_again(owner, atlas):
    page = owner.post(members_page(owner, atlas), {"email": "alice@example.com", "role": "billing"})
    assert "a member already" in page.content.decode() and not Invitation.objects.exists()


@pytest.mark.parametrize("role", ["billing", "technical"])
def test_only_owners_manage_people(atlas, role):
    client = join(atlas, role)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.get(f"/companies/{atlas.ref}/members/").status_code == 404
    assert client.post(f"/companies/{atlas.ref}/edit/").status_code == 404
    assert client.get(f"/companies/{atlas.ref}/").status_code == 200


def test_who_is_removed_is_out_at_the_next_click(owner, atlas):
    client = join(atlas, "billing")
    assert client.get("/invoices/").status_code == 200 and "You act for" in client.get("/").content.decode()
    membership = Membership.objects.get(role="billing")
    members_page(owner, atlas)
    owner.post(reverse("company_member", args=[atlas.ref, membership.pk]), {"role": "end"})
    assert "You act for" not in client.get("/").content.decode()
    assert client.get(f"/companies/{atlas.ref}/").status_code == 404


def test_a_new_role_counts_at_the_next_click(owner, atlas):
    client = join(atlas, "technical")
    members_page(owner, atlas)
    membership = Membership.objects.get(role="technical")
    for _ in range(2):
        owner.post(reverse("company_member", args=[atlas.ref, membership.pk]), {"role": "billing"})
    assert client.get("/invoices/").status_code == 200 and client.get("/tickets/").status_code == 403
    assert Event.objects.filter(message="company_member").count() == 2, "the company and the person, once"


def test_a_company_keeps_an_owner(owner, atlas):
    mine = atlas.memberships.get()
    members_page(owner, atlas)
    for role in ("end", "billing"):
        page = owner.post(reverse("company_member", args=[atlas.ref, mine.pk]), {"role": role}, follow=True)
        assert "A company needs an owner" in page.content.decode()
    assert "A company needs an owner" in owner.post(f"/companies/{atlas.ref}/leave/", follow=True).content.decode()
    assert atlas.memberships.get().role == Role.OWNER


def test_two_owners_who_leave_at_once_leave_one_behind(transactional_db):
    people = [make_customer(f"o{n}@example.com", f"+98912111020{n}") for n in range(2)]
    company = register_company(person=people[0], details=DETAILS)
    Membership.objects.create(company=company, person=people[1], role=Role.OWNER)
    start, refused = threading.Barrier(2, timeout=10), []

    def leave(membership: Membership) -> None:
        start.wait()
        try:
            end_membership(membership=membership)
        except LastOwner:
            refused.append(1)
        connection.close()

    rows = list(Membership.objects.select_related("person", "company__customer"))
    presses = [threading.Thread(target=leave, args=[row]) for row in rows]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join()
    assert len(refused) == 1 and Membership.objects.count() == 1


def test_a_suspended_company_opens_for_nobody(owner, atlas, carol):
    suspend(staff=carol, customer=atlas.customer, why="Its papers are not in order")
    assert "You act for" not in owner.get("/").content.decode()
    assert owner.post("/companies/switch/", {"company": atlas.ref}).status_code == 404
    assert "Closed for now" in owner.get("/companies/").content.decode()


# --- privacy --------------------------------------------------------------------------------------------------------


def test_a_company_is_handed_over_and_goes(atlas, alice):
    said = privacy.export(Customer.objects.get(pk=atlas.pk))
    assert said["company"]["national_id"] == "10380284790" and said["profile"]["name"] == "Atlas Negar"
    assert privacy.export(alice)["memberships"][0]["role"] == "owner"
    privacy.erase(Customer.objects.get(pk=atlas.pk))
    assert not Company.objects.exists() and not Membership.objects.exists()
    assert Customer.objects.get(pk=atlas.pk).name is None


def test_a_person_who_goes_leaves_the_company(atlas, bob):
    Membership.objects.create(company=atlas, person=bob, role=Role.BILLING)
    privacy.erase(bob)
    assert not Membership.objects.filter(person=bob).exists() and Company.objects.exists()


def test_members_are_told_of_nothing_twice_by_the_policy(atlas, alice):
    """A company gets no message of its own where its people get theirs."""
    version = publish(body="# Privacy Policy\n\nNew words.\n", locale="en", effective_from=timezone.localdate())
    broadcast = announce(version=version)
    assert [recipient.customer for recipient in broadcast.recipients.all()] == [alice]
