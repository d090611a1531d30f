"""What changed between two texts, word by word, in the order of reading."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

# What stands in braces, a word with its half-spaces, a gap, or a single sign.
WORD = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|[\w\u200c]+|\s+|.", re.DOTALL)
BRACES = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")
SAME, GONE, NEW = "same", "gone", "new"


def differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    """(`same`, `gone` or `new`, the words): same and gone ones make `before`, same and new ones make `after`."""
    old, new = (WORD.findall(text) for text in (before, after))
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield SAME, "".join(old[i:i_end])
            continue
        if i < i_end:
            yield GONE, "".join(old[i:i_end])
        if j < j_end:
            yield NEW, "".join(new[j:j_end])


def pieces(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, and of each whether it stands in braces: those run left to right in any language."""
    return [(piece, BRACES.fullmatch(piece) is not None) for piece in BRACES.split(text) if piece]
