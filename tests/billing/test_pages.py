"""Dashboard, orders and services."""

from billing.models import Service


def test_a_stranger_reads_what_this_is(anyone):
    page = anyone.get("/").content.decode()
    assert "/accounts/signup/" in page and "/policy/" in page


def test_the_dashboard_shows_what_waits(alice_client, invoice):
    response = alice_client.get("/")
    page = response.content.decode()
    assert invoice.number in page and "Starter hosting" in page and "Hello, Alice" in page
    assert [step["done"] for step in response.context["steps"]] == [True, False]


def test_a_newcomer_sees_the_steps(bob_client):
    response = bob_client.get("/")
    assert [step["done"] for step in response.context["steps"]] == [False, False]
    assert "/profile/edit/" in response.content.decode()


def test_the_dashboard_costs_at_most_eight_statements(alice_client, invoice, django_assert_max_num_queries):
    alice_client.get("/")
    with django_assert_max_num_queries(8):
        alice_client.get("/")


def test_bobs_dashboard_has_nothing_of_alices(bob_client, invoice):
    page = bob_client.get("/").content.decode()
    assert invoice.number not in page and "Starter hosting" not in page


def test_orders_and_services_are_listed(alice_client, invoice):
    assert invoice.order.number in alice_client.get("/orders/").content.decode()
    assert "Starter hosting" in alice_client.get("/services/").content.decode()


def test_empty_lists_say_what_to_do_next(bob_client):
    for url in ("/orders/", "/services/", "/invoices/"):
        assert "/catalogue/" in bob_client.get(url).content.decode()


def test_they_need_sign_in(anyone, invoice):
    for url in ("/orders/", "/services/", Service.objects.get().get_absolute_url()):
        assert "/accounts/login/" in anyone.get(url).headers["Location"]


def test_a_service_tells_its_life(alice_client, invoice):
    page = alice_client.get(Service.objects.get().get_absolute_url()).content.decode()
    assert "Waiting for payment" in page and invoice.number in page


def test_bob_cannot_open_alices_service(bob_client, invoice):
    assert bob_client.get(Service.objects.get().get_absolute_url()).status_code == 404
    assert "Starter hosting" not in bob_client.get("/services/").content.decode()
    assert invoice.order.number not in bob_client.get("/orders/").content.decode()


def test_an_odd_page_number_is_no_error(alice_client, invoice):
    for page in ("0", "x", "999"):
        assert alice_client.get("/orders/", {"page": page}).status_code == 200
