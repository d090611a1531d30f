"""What this room hands over and what it takes away."""

import json

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from accounts import privacy
from accounts.flows import contact_changed, invite, register_company, reveal, review_photo_id, submit_photo_id
from accounts.models import Company, ContactChange, Customer, Invitation, Look, PhotoId
from tests.accounts.test_company import DETAILS
from tests.accounts.test_photo_id import jpeg


def refused_and_replaced(customer: Customer, staff: Customer) -> None:
    photo = submit_photo_id(customer=customer, jpeg=jpeg())
    review_photo_id(photo=photo, staff=staff, approved=False, reason="The surname Rastgar is blurred.")
    submit_photo_id(customer=customer, jpeg=jpeg("blue"))


def test_every_word_held_is_handed_over(alice, carol):
    alice.name = "Alicia"
    alice.save()
    EmailAddress.objects.create(user=alice, email="soon@example.com")
    refused_and_replaced(alice, carol)
    reveal(staff=carol, customer=alice, fields=["name"], why="she called about her invoice")
    said = json.dumps(privacy.export(Customer.objects.get(pk=alice.pk)))
    for word in ("Alicia", "+989121110001", "soon@example.com", "Rastgar", "she called about her invoice"):
        assert word in said


def test_a_reason_goes_with_the_account_even_when_its_photo_was_replaced(alice, carol):
    refused_and_replaced(alice, carol)
    privacy.erase(alice)
    assert not PhotoId.objects.filter(customer=alice, reason__isnull=False).exists()


def test_an_erased_customer_is_nobody(alice, bob, carol):
    reveal(staff=carol, customer=bob, fields=["name"], why="bobs own")
    privacy.erase(alice)
    row = Customer.objects.get(pk=alice.pk)
    assert not any(getattr(row, name) for name in Customer.PERSONAL) and not row.is_active
    assert row.email_bi is None and not row.has_usable_password()
    assert not EmailAddress.objects.filter(user=alice).exists() and Look.objects.get().why == "bobs own"


def test_factors_old_addresses_and_invitations_go_with_the_account(alice, bob):
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Alicias phone", "credential": {}})
    contact_changed(customer=alice, what="email", old="old.alicia@example.com")
    company = register_company(person=bob, details=DETAILS)
    invite(company=company, by=bob, email="alice@example.com", role="billing")
    said = json.dumps(privacy.export(alice))
    assert "Alicias phone" in said and "old.alicia@example.com" in said
    privacy.erase(Customer.objects.get(pk=alice.pk))
    assert not Authenticator.objects.exists() and not ContactChange.objects.exists()
    assert not Invitation.objects.exists() and Company.objects.count() == 1
