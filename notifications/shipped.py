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
from django.utils.translation import gettext, trim_whitespace

from notifications.placeholders import Unfit

MISSING = "\x00"  # stands around the name of a value that is not there; no value can hold it
ENGINE = Engine(string_if_invalid=f"{MISSING}%s{MISSING}")


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
                if bits not in ([], ["trimmed"]):
                    raise ValueError(f"a message cannot use {{% {token.contents} %}}")
                yield _block(tokens, is_trimmed=bool(bits))
            elif tag != "load":
                yield f"{{% {token.contents} %}}"
        elif token.token_type == TokenType.VAR:
            yield f"{{{{ {token.contents} }}}}"
        elif token.token_type == TokenType.TEXT:
            yield token.contents


def _block(tokens: Iterator[Token], *, is_trimmed: bool) -> str:
    """The translation of what stands until `{% endblocktranslate %}`, as Django's own tag looks it up."""
    words, names = "", []
    for token in tokens:
        if token.token_type == TokenType.VAR:
            names.append(token.contents)
            words += f"%({token.contents})s"
        elif token.token_type == TokenType.TEXT:
            words += token.contents.replace("%", "%%")
        else:
            break
    return gettext(trim_whitespace(words) if is_trimmed else words) % {name: f"{{{{ {name} }}}}" for name in names}
