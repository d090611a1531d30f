"""How many parts an SMS is sent and paid in (3GPP TS 23.038 and 23.040; the operator's limits)."""

from typing import NamedTuple

# GSM 7-bit default alphabet, and the characters that cost an escape more.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
LONGEST = 900  # characters, all parts together, that the operator takes


class Measure(NamedTuple):
    characters: int
    parts: int
    is_latin: bool  # one letter outside of the Latin alphabet makes every part less than half as long


def measure(text: str) -> Measure:
    is_latin = all(letter in BASIC or letter in EXTENDED for letter in text)
    # In septets; in UTF-16 code units, of which an emoji takes two.
    widths = [1 + (letter in EXTENDED if is_latin else letter > "\uffff") for letter in text]
    alone, joined = (160, 153) if is_latin else (70, 67)
    if sum(widths) <= alone:
        return Measure(len(text), 1 if text else 0, is_latin)
    parts, room = 1, joined
    for width in widths:
        if width > room:  # no character is cut in two: the part ends early
            parts, room = parts + 1, joined
        room -= width
    return Measure(len(text), parts, is_latin)


def count(text: str) -> int:
    """The parts that are paid."""
    return measure(text).parts
