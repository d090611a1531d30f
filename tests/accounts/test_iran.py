"""Numbers as people write them, and the vectors of their check digits."""

import pytest
from django.core.exceptions import ValidationError

from accounts import iran


@pytest.mark.parametrize(
    "code",
    ["0084575948", "۰۰۸۴۵۷۵۹۴۸", "٠٠٨٤٥٧٥٩٤٨", "0013542419", "0499370899", "0790419904", "7731689956", "008-457594-8"],
)
def test_a_right_national_code_is_taken(code):
    assert len(iran.national_code(code)) == 10 and iran.national_code(code).isascii()


@pytest.mark.parametrize("code", ["0084575947", "1111111111", "123456789", "12345678901", "", "abcdefghij"])
def test_a_wrong_national_code_is_refused(code):
    with pytest.raises(ValidationError):
        iran.national_code(code)


@pytest.mark.parametrize(
    "number",
    [
        "09121234567",
        "+98 912 123 4567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "00989121234567",
        "9121234567",
        "+98-۹۱۲-۱۲۳۴۵۶۷",
        "\u202a0912 1234567\u202c",
    ],
)
def test_a_mobile_in_any_way_of_writing_is_one_mobile(number):
    assert iran.mobile(number) == "+989121234567"


@pytest.mark.parametrize("number", ["0912123456", "08121234567", "", "alice@example.com"])
def test_what_is_no_mobile_is_refused(number):
    with pytest.raises(ValidationError):
        iran.mobile(number)


def test_landlines_and_postal_codes():
    assert iran.landline("021-88776655") == "+982188776655"
    assert iran.postal_code("16197-35744") == "1619735744"
    for clean, wrong in [
        (iran.landline, "0218877665"),
        (iran.postal_code, "0619735744"),
        (iran.postal_code, "1111111111"),
    ]:
        with pytest.raises(ValidationError):
            clean(wrong)


def test_arabic_letters_become_persian_and_the_half_space_stays():
    assert iran.persian_letters("علي كاظمي می‌شود") == "علی کاظمی می‌شود"
