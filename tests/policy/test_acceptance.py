"""Sign-up records which text was accepted."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Customer
from policy import flows, privacy
from policy.forms import AcceptPolicyForm
from policy.models import Acceptance, Version
from tests.base import PASSWORD

TEXT = "# Privacy Policy\n\nOther words.\n"


def filled(policy: str | None) -> dict[str, str]:
    form = {"email": "dora@example.com", "phone": "0912 111 0009", "password1": PASSWORD}
    return form if policy is None else form | {"policy": policy}


def box(page: str) -> str:
    return re.search(r'<input type="checkbox" name="policy"[^>]*>', page)[0]


def shown(client, language: str = "en") -> str:
    page = client.get(reverse("account_signup"), headers={"accept-language": language}).content.decode()
    return re.search(r'value="([0-9a-f]{64})"', box(page))[1]


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_acceptance_has_the_hash_that_was_shown(anyone, db, language):
    sha256 = shown(anyone, language)
    version = Version.objects.get(number=1, locale=language)
    assert sha256 == version.sha256
    assert anyone.post(reverse("account_signup"), filled(sha256)).status_code == 302
    acceptance = Acceptance.objects.get()
    assert acceptance.customer == Customer.objects.get(email="dora@example.com")
    assert (acceptance.sha256, acceptance.version, acceptance.how) == (sha256, version, "sign_up")
    assert timezone.now() - acceptance.at < timedelta(minutes=1)


def test_the_box_is_empty_and_links_to_the_very_version(anyone, db):
    page = anyone.get(reverse("account_signup")).content.decode()
    assert "checked" not in box(page)
    assert 'href="/policy/versions/1/?locale=en" target="_blank" rel="noopener"' in page


@pytest.mark.parametrize("value", [None, ""])
def test_signing_up_without_the_tick_is_refused(anyone, db, value):
    answer = anyone.post(reverse("account_signup"), filled(value))
    assert answer.status_code == 200
    assert "Please read the privacy policy and tick this box." in answer.content.decode()
    assert not Customer.objects.exists()


@pytest.mark.parametrize("value", ["on", "0" * 64, "<script>"])
def test_a_tick_for_no_text_is_refused(anyone, db, value):
    answer = anyone.post(reverse("account_signup"), filled(value))
    assert "changed while you were reading" in answer.content.decode()
    assert not Customer.objects.exists()


def test_a_policy_that_changed_meanwhile_is_read_again(anyone, db):
    sha256 = shown(anyone)
    flows.publish(body=TEXT, locale="en", effective_from=timezone.localdate())
    answer = anyone.post(reverse("account_signup"), filled(sha256))
    page = answer.content.decode()
    assert "The policy changed while you were reading. Please read version 2" in page
    assert "checked" not in box(page)
    assert not Acceptance.objects.exists()
    assert anyone.post(reverse("account_signup"), filled(shown(anyone))).status_code == 302
    assert Acceptance.objects.get().version.number == 2


def test_a_coming_version_is_not_asked_for_yet(anyone, db):
    flows.publish(body=TEXT, locale="en", effective_from=timezone.localdate() + timedelta(days=1))
    assert shown(anyone) == Version.objects.get(number=1, locale="en").sha256


def test_other_mistakes_keep_the_tick(anyone, db):
    page = anyone.post(reverse("account_signup"), filled(shown(anyone)) | {"email": "no"}).content.decode()
    assert "checked" in box(page)


def test_a_change_of_language_in_between_keeps_the_acceptance(db):
    fa = Version.objects.get(number=1, locale="fa")
    with translation.override("en"):
        form = AcceptPolicyForm({"policy": fa.sha256})
        assert form.is_valid()
        assert form.cleaned_data["policy"] == fa


def test_accepting_twice_is_once(alice):
    version = Version.objects.in_force("en")
    first = flows.accept(customer=alice, version=version, how=Acceptance.How.SIGN_UP)
    assert flows.accept(customer=alice, version=version, how=Acceptance.How.SIGN_UP) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Acceptance.objects.create(customer=alice, version=version, sha256=version.sha256, how="sign_up")


def test_alice_gets_it_and_can_have_it_erased(alice, bob):
    version = Version.objects.in_force("en")
    for customer in (alice, bob):
        flows.accept(customer=customer, version=version, how=Acceptance.How.SIGN_UP)
    told = privacy.export(alice)["acceptances"]
    assert [(row["number"], row["sha256"]) for row in told] == [(1, version.sha256)]
    privacy.erase(alice)
    assert [row.customer for row in Acceptance.objects.all()] == [bob]


def test_staff_see_who_accepted_what(alice, carol_client):
    flows.accept(customer=alice, version=Version.objects.in_force("en"), how=Acceptance.How.SIGN_UP)
    assert alice.ref in carol_client.get("/admin/policy/acceptance/").content.decode()
