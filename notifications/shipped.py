"""The release's own words: templates/messages/<message>/, each language's as a template of its own.

What a message said must not change with the next release's translations, so nothing is left to be translated: the text
of `{% translate %}` and `{% blocktranslate %}` is put in, and only placeholders and conditions remain.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.template import Context, Engine, Template
from django.template.base import Lexer, Token, TokenType
from django.utils import translation
from django.utils.text import unescape_string_literal
from django.utils.translation import gettext, ngettext, trim_whitespace

from notifications.placeholders import Unfit

MISSING = "\x00"  # stands around the name of a value that is not there; no value can hold it
ENGINE = Engine(string_if_invalid=f"{MISSING}%s{MISSING}", builtins=["portal.templatetags.words"])


class Texts(NamedTuple):
    """The words of one message in one language; empty where a channel does not carry it."""

    subject: str
    text: str
    sms: str


@lru_cache(maxsize=512)  # they change with a release, and so with the process
def texts(message: str, language: str) -> Texts:
    folder = Path(settings.BASE_DIR) / "templates" / "messages" / message
    with translation.override(language):
        return Texts(*(_words_of(folder / name) for name in ("subject.txt", "body.txt", "sms.txt")))


def fill(source: str, values: dict[str, str]) -> str:
    """Of the release's words alone: nobody else's are read as a template of Django."""
    text = _compiled(source).render(Context(values, autoescape=False))
    if MISSING in text:
        raise Unfit(text.split(MISSING)[1])
    return text


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return Template(source, engine=ENGINE)


def _words_of(path: Path) -> str:
    if not path.exists():
        return ""
    text = "".join(_in_its_language(iter(Lexer(path.read_text(encoding="utf-8")).tokenize())))
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _in_its_language(tokens: Iterator[Token]) -> Iterator[str]:
    for token in tokens:
        if token.token_type == TokenType.BLOCK:
            tag, *bits = token.split_contents()
            if tag == "translate":
                (words,) = bits  # no option of the tag is used in messages
                yield gettext(unescape_string_literal(words).replace("%", "%%")).replace("%%", "%")
            elif tag == "blocktranslate":
                yield _block(tokens, bits)
            elif tag != "load":
                yield f"{{% {token.contents} %}}"
        elif token.token_type == TokenType.VAR:
            yield f"{{{{ {token.contents} }}}}"
        elif token.token_type == TokenType.TEXT:
            yield token.contents


def _block(tokens: Iterator[Token], bits: list[str]) -> str:
    """The translation of what stands until `{% endblocktranslate %}`, as Django's own tag looks it up; of a counted one
    both forms, with a condition that chooses.
    """
    named = dict(bit.split("=", 1) for bit in bits if "=" in bit)
    if {bit for bit in bits if "=" not in bit} - {"trimmed", "count", "with"}:
        raise ValueError(f"a message cannot use {{% blocktranslate {' '.join(bits)} %}}")
    forms, names = [""], {}
    for token in tokens:
        if token.token_type == TokenType.VAR:
            names[token.contents] = f"{{{{ {named.get(token.contents, token.contents)} }}}}"
            forms[-1] += f"%({token.contents})s"
        elif token.token_type == TokenType.TEXT:
            forms[-1] += token.contents.replace("%", "%%")
        elif token.contents.strip() == "plural":
            forms.append("")
        else:
            break
    if "trimmed" in bits:
        forms = [trim_whitespace(form) for form in forms]
    if "count" not in bits:
        return gettext(forms[0]) % names
    counter = named[bits[bits.index("count") + 1].split("=")[0]]
    one, more = (ngettext(forms[0], forms[1], number) % names for number in (1, 2))
    return f"{{% if {counter}.is_one %}}{one}{{% else %}}{more}{{% endif %}}"
