"""Staff see personal information masked, open it with a reason, and the customer reads that they did."""

from accounts.models import Look


def test_the_screen_is_masked_until_a_reason_is_given(carol_client, alice, alice_client):
    alice.surname = "Unmistakable"
    alice.save()
    page = carol_client.get(f"/admin/accounts/customer/{alice.pk}/change/").content.decode()
    assert "Unmistakable" not in page and "alice@example.com" not in page and "••••••" in page
    assert "Unmistakable" not in carol_client.get("/admin/accounts/customer/").content.decode()
    url = f"/admin/accounts/customer/{alice.pk}/reveal/"
    assert "Unmistakable" not in carol_client.get(url).content.decode()
    assert "Unmistakable" not in carol_client.post(url, {"why": "x"}).content.decode()
    assert not Look.objects.exists()
    shown = carol_client.post(url, {"why": "she called about her invoice"})
    assert "Unmistakable" in shown.content.decode() and "no-store" in shown.headers["Cache-Control"]
    look = Look.objects.get()
    assert (look.customer, look.staff.is_staff, "surname" in look.fields) == (alice, True, True)
    assert "she called about her invoice" in alice_client.get("/profile/access-log/").content.decode()


def test_bob_cannot_read_who_looked_at_alice(carol_client, alice, bob_client):
    carol_client.post(f"/admin/accounts/customer/{alice.pk}/reveal/", {"why": "a reason of hers"})
    assert "a reason of hers" not in bob_client.get("/profile/access-log/").content.decode()


def test_a_customer_is_found_by_an_exact_value_that_stands_in_no_url(carol_client, alice):
    for what in ("Alice@example.com", "0912 111 0001"):
        response = carol_client.post("/admin/accounts/customer/find/", {"what": what})
        assert response.headers["Location"] == f"/admin/accounts/customer/{alice.pk}/change/"
    assert carol_client.post("/admin/accounts/customer/find/", {"what": "nobody@example.com"}).status_code == 200


def test_customers_cannot_reveal(bob_client, alice):
    assert bob_client.post(f"/admin/accounts/customer/{alice.pk}/reveal/", {"why": "curious"}).status_code == 302
    assert not Look.objects.exists()
