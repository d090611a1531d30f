"""Iranian identity and contact numbers: what people type, made into what we store.

Rules and vectors: national code checksum (modulus 11), numbering plan of the CRA; Persian and Arabic digits accepted.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.jalali import TO_LATIN

# Marks that a phone's keyboard or a copied text leaves inside numbers: zero-width, direction, joiners.
INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF])


def clean_number(raw: str) -> str:
    """ASCII digits without the spaces, dashes, dots and brackets that people write between them."""
    return re.sub(r"[\s\-\u2010-\u2015().]", "", raw.translate(INVISIBLE).translate(TO_LATIN))


def persian_letters(raw: str) -> str:
    """Arabic ye and kaf become Persian ones; the half-space stays."""
    return raw.replace("ي", "ی").replace("ى", "ی").replace("ك", "ک").strip()


def national_code(raw: str) -> str:
    """Ten digits with a right check digit. The same digit ten times passes the sum and is refused all the same."""
    code = clean_number(raw)
    if re.fullmatch(r"[0-9]{10}", code) and len(set(code)) > 1:
        rest = sum(int(code[i]) * (10 - i) for i in range(9)) % 11
        if int(code[9]) == (rest if rest < 2 else 11 - rest):
            return code
    raise ValidationError(
        _("This is not a valid national code. It has 10 digits; please compare it with your card."),
        code="national_code",
    )


def company_id(raw: str) -> str:
    """The national ID of a legal person: eleven digits, the last of which checks the others.

    Each of the first ten, increased by the tenth and 2, is weighted 29, 27, 23, 19, 17, 29, …; the sum modulo 11 is the
    check digit, with 10 written as 0 (National Organization for Civil Registration's rule for company IDs).
    """
    code = clean_number(raw)
    if re.fullmatch(r"[0-9]{11}", code) and int(code[3:9]):
        tenth = int(code[9]) + 2
        weighted = sum((int(digit) + tenth) * (29, 27, 23, 19, 17)[i % 5] for i, digit in enumerate(code[:10]))
        if weighted % 11 % 10 == int(code[10]):
            return code
    raise ValidationError(
        _("This is not a valid national ID of a company. It has 11 digits and stands in the official gazette."),
        code="company_id",
    )


def registration_number(raw: str) -> str:
    """Up to ten digits, as the registry of companies wrote it."""
    code = clean_number(raw)
    if re.fullmatch(r"[0-9]{1,10}", code) and int(code):
        return code
    raise ValidationError(_("A registration number has up to 10 digits."), code="registration_number")


def economic_code(raw: str) -> str:
    """Of the tax office: eleven digits as the national ID, twelve in the old form, fourteen for a branch."""
    code = clean_number(raw)
    if re.fullmatch(r"[0-9]{11,12}|[0-9]{14}", code):
        return code
    raise ValidationError(_("An economic code has 11, 12 or 14 digits."), code="economic_code")


def mobile(raw: str) -> str:
    """`+989XXXXXXXXX`, from any of the ways to write it."""
    if match := re.fullmatch(r"(?:\+98|0098|98|0)?(9[0-9]{9})", clean_number(raw)):
        return f"+98{match[1]}"
    raise ValidationError(_("Please write a mobile number such as 0912 123 4567."), code="mobile")


def landline(raw: str) -> str:
    """`+98AANNNNNNNN`: area code of two digits and number of eight."""
    if match := re.fullmatch(r"(?:\+98|0098|98|0)([1-8][0-9][1-9][0-9]{7})", clean_number(raw)):
        return f"+98{match[1]}"
    raise ValidationError(_("Please write a landline with its area code, such as 021 8877 6655."), code="landline")


def postal_code(raw: str) -> str:
    """Ten digits, neither starting with 0 or 2 nor all the same."""
    code = clean_number(raw)
    if re.fullmatch(r"[13-9][0-9]{9}", code) and len(set(code)) > 1:
        return code
    raise ValidationError(_("A postal code has 10 digits and does not start with 0 or 2."), code="postal_code")
