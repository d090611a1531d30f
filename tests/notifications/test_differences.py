"""What changed between two texts."""

from notifications.differences import differences, pieces


def test_what_changed_is_shown_word_by_word():
    found = list(differences("Invoice {{ number }} is due.", "Bill {{ number }} is due on {{ due_on }}."))
    assert found == [
        ("gone", "Invoice"),
        ("new", "Bill"),
        ("same", " {{ number }} is due"),
        ("new", " on {{ due_on }}"),
        ("same", "."),
    ]


def test_both_texts_can_be_read_from_it():
    before, after = "می‌شود\n\n{% if x %}الف{% endif %}، ب", "نمی‌شود\n{{ x }} ب"
    found = list(differences(before, after))
    assert "".join(text for what, text in found if what != "new") == before
    assert "".join(text for what, text in found if what != "gone") == after


def test_a_half_space_parts_no_word():
    assert list(differences("می‌شود", "می‌رود")) == [("gone", "می‌شود"), ("new", "می‌رود")]


def test_what_stands_in_braces_is_a_piece_of_its_own():
    assert pieces("فاکتور {{ number }}، {% if x %}") == [
        ("فاکتور ", False),
        ("{{ number }}", True),
        ("، ", False),
        ("{% if x %}", True),
    ]
