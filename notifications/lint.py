"""What the words of a message must not be: advertising, a way to somewhere else, or without what they are for."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from notifications import placeholders, segments
from notifications.catalogue import Message
from notifications.models import Channel
from notifications.placeholders import NEEDED

SUBJECT_AT_MOST = 120  # characters
# Beginnings of words, after which any ending counts; the parts of one are joined as people write them.
ADVERTISING = {
    "fa": (
        *("تخفیف", "جشنواره", "حراج", "پیشنهاد ویژه", "پیشنهاد شگفت", "فروش ویژه", "فروش فوق", "قرعه کشی", "جایزه"),
        *("کد هدیه", "هدیه رایگان", "کش بک", "فرصت محدود", "بلک فرایدی", "جمعه سیاه", "با قیمت استثنایی"),
    ),
    "en": (
        *("offer", "discount", "sale", "sales", "promo", "promotion", "coupon", "voucher", "cashback", "giveaway"),
        *("bargain", "black friday", "limited time", "free trial", "free gift", "prize", "deal of", "% off"),
    ),
}
SAME_LETTER = str.maketrans("يىكةۀ", "ییکهه")
ENDING = {"fa": "", "en": r"s?(?!\w)"}
LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?//(?P<site>[^\s/?#]*)"
    r"|(?<![\w@.-])(?P<bare>(?:[\w-]+\.)+(?:[a-z]{2,24}|ایران))(?![\w-])",
    re.IGNORECASE,
)


class Words(Protocol):
    subject: str
    text: str
    sms: str


def faults(kind: Message, words: Words) -> list[str]:
    """Why these words cannot be proposed, in the language of who reads it; empty when they can."""
    return [*_shape(kind, words), *_placeholders(kind, words), *_advertising(words), *_links(words)]


def _shape(kind: Message, words: Words) -> Iterator[str]:
    if not words.subject.strip():
        yield _("The subject is empty.")
    if len(words.subject) > SUBJECT_AT_MOST or "\n" in words.subject:
        yield _("The subject is one line of at most %(count)s characters.") % {"count": SUBJECT_AT_MOST}
    if Channel.EMAIL in kind.channels and not words.text.strip():
        yield _("The e-mail is empty.")
    if Channel.SMS in kind.channels and not words.sms.strip():
        yield _("The SMS is empty.")
    if len(words.sms) > segments.LONGEST:
        yield _("An SMS has at most %(count)s characters.") % {"count": segments.LONGEST}
    if any(placeholders.NOT_TEXT.search(part.replace("\n", "")) for part in _parts(words)):
        yield _("There is an invisible character in the words; please type them anew instead of pasting them.")


def _placeholders(kind: Message, words: Words) -> Iterator[str]:
    known = ", ".join(f"{{{{ {name} }}}}" for name in kind.placeholders) or "–"
    if any(placeholders.LEFT_OVER.search(placeholders.NAME.sub("", part)) for part in _parts(words)):
        yield _("Braces are for placeholders alone. This message has: %(known)s") % {"known": known}
    for name in sorted(set().union(*map(placeholders.names, _parts(words))) - set(kind.placeholders)):
        yield _("%(name)s is no placeholder of this message. It has: %(known)s") % {
            "name": f"{{{{ {name} }}}}",
            "known": known,
        }
    for name, typed in kind.placeholders.items():
        if typed not in NEEDED:
            continue
        if Channel.EMAIL in kind.channels and name not in placeholders.names(words.text):
            yield _("The e-mail needs %(name)s.") % {"name": f"{{{{ {name} }}}}"}
        is_link = typed == placeholders.Kind.URL
        if is_link and name in placeholders.names(words.sms):
            yield _("An SMS holds no link.")
        if is_link and Channel.EMAIL in kind.channels and not _stands_alone(name, words.text):
            yield _("%(name)s needs a line of its own, so that it becomes a link.") % {"name": f"{{{{ {name} }}}}"}
        if not is_link and Channel.SMS in kind.channels and name not in placeholders.names(words.sms):
            yield _("The SMS needs %(name)s.") % {"name": f"{{{{ {name} }}}}"}


def _stands_alone(name: str, text: str) -> bool:
    lines = (line for line in text.splitlines() if name in placeholders.names(line))
    return all(placeholders.NAME.fullmatch(line.strip()) for line in lines)


def _advertising(words: Words) -> Iterator[str]:
    found = {word for part in _parts(words) for word in advertising_in(part)}
    for word in sorted(found):
        yield _("“%(word)s” is a word of advertising, and we send none.") % {"word": word}


def advertising_in(text: str) -> list[str]:
    """The words of advertising in a text, however their letters are typed, joined and parted."""
    letters = unicodedata.normalize("NFKD", text).translate(SAME_LETTER).casefold()
    letters = "".join(c for c in letters if not unicodedata.combining(c) and c != "ـ")
    letters = "\n".join(placeholders.NOT_TEXT.sub("", line) for line in letters.splitlines())
    variants = [re.sub("[\u200c\u200d]", instead, letters) for instead in (" ", "")]
    return [
        word
        for language, words in ADVERTISING.items()
        for word in words
        if any(_pattern(word, language).search(variant) for variant in variants)
    ]


def _pattern(word: str, language: str) -> re.Pattern[str]:
    begins = r"(?<!\w)" if word[0].isalpha() else ""
    return re.compile(begins + r"[\s-]*".join(map(re.escape, word.split())) + ENDING[language])


def _links(words: Words) -> Iterator[str]:
    for host in sorted({host for part in (words.subject, words.text) for host in hosts_in(part)}):
        if host != settings.SITE_HOST:
            yield _("“%(host)s” is not our site; a message leads nowhere else.") % {"host": host}
    if hosts_in(words.sms):
        yield _("An SMS holds no link.")


def hosts_in(text: str) -> set[str]:
    """The sites to which a text leads, whether or not it is written as a whole address."""
    return {
        (found["bare"] or found["site"].rpartition("@")[2].partition(":")[0]).casefold()
        for found in LINK.finditer(unicodedata.normalize("NFKC", text))
    }


def _parts(words: Words) -> tuple[str, str, str]:
    return words.subject, words.text, words.sms
