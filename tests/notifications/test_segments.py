"""Parts of an SMS, counted by hand after 3GPP TS 23.038 and 23.040."""

import pytest

from notifications.segments import LONGEST, count, measure

HELLO = "سلام"  # 4 letters
FAMILY = "👨‍👩‍👧"  # three emoji of 2 units and two joiners of 1: 8 UTF-16 units


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("Hello", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),  # 2 × 153
        ("a" * 307, 3),
        ("a" * 459, 3),  # 3 × 153
        ("€" * 80, 1),  # an escape and itself: 160 septets
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the escape is not parted from its sign: 152, then 153, then the last
        ("a" * 151 + "€" + "a" * 153, 2),  # 151 + 2, then 153
        ("[]{}\\~^|", 1),
        ("line\nline\r\n", 1),
        (HELLO, 1),
        ("س" * 70, 1),
        ("س" * 71, 2),
        ("س" * 134, 2),  # 2 × 67
        ("س" * 135, 3),
        ("a" * 70 + "،", 2),  # one Persian comma makes all of it UTF-16
        ("a" * 69 + "،", 1),
        ("می\u200cشود", 1),
        ("a" * 70 + "\u200c", 2),  # the half-space is a character too, and no Latin one
        ("👍" * 35, 1),  # 2 units each: 70
        ("👍" * 36, 2),
        ("👍" * 66, 2),  # 33 of them fill 66 of 67 units; none is cut in two
        ("👍" * 67, 3),
        (FAMILY * 8, 1),  # 64
        (FAMILY * 9, 2),  # 72
        ("ç" * 10, 1),  # not in the alphabet, where only the capital Ç is
        ("ç" * 71, 2),
        ("Ç" * 160, 1),
    ],
)
def test_the_parts_of_a_text(text, parts):
    assert count(text) == parts


def test_what_is_said_of_a_text():
    assert measure("Hi €") == (4, 1, True)
    assert measure("می\u200cشود") == (6, 1, False)


def test_the_longest_persian_sms_has_fourteen_parts():
    assert count("س" * LONGEST) == 14  # 13 × 67 = 871
