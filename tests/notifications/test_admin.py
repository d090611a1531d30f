"""Staff screens of messages: what happened, without words and addresses."""

import pytest

from tests.notifications.base import only


def test_lists_and_rows_show_no_word_and_no_address(alice, carol_client, tell):
    event = tell(alice, "phone_code")
    way = only(event, "sms")
    for path in ("event/", f"event/{event.pk}/change/", "delivery/", f"delivery/{way.pk}/change/"):
        response = carol_client.get(f"/admin/notifications/{path}")
        page = response.content.decode()
        assert response.status_code == 200, path
        assert "482913" not in page and "9121110001" not in page and "alice@example.com" not in page


@pytest.mark.parametrize("model", ["event", "delivery", "ticket"])
def test_nothing_is_added_by_hand(carol_client, model):
    assert carol_client.get(f"/admin/notifications/{model}/add/").status_code == 403


def test_nothing_is_deleted_by_hand(alice, carol_client, tell):
    event = tell(alice, "password_changed")
    assert carol_client.post(f"/admin/notifications/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403
