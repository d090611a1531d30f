"""How many SMS a text is charged as."""

# 3GPP TS 23.038, 6.2.1; those of the second line take two places.
PLAIN = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
DOUBLE = set("^{}\\[~]|€\f")


def segments(text: str) -> int:
    """160 places in the plain alphabet, 70 in any other; a part of a longer text holds 153 or 67 of them."""
    if set(text) <= PLAIN | DOUBLE:
        length, alone, part = len(text) + sum(letter in DOUBLE for letter in text), 160, 153
    else:
        length, alone, part = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // part)
