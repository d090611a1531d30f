"""The words of a message, as a customer reads them."""

from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from notifications import placeholders, segments, shipped
from notifications.catalogue import CATALOGUE, Message
from notifications.models import Channel, Event, Wording
from notifications.models.wording import in_force
from notifications.placeholders import Kind, Unfit

__all__ = ["CATALOGUE", "Message", "Words", "compose", "render", "shown", "subject", "title", "written"]

HIDDEN = "••••••"
GONE = "–"


class Words(NamedTuple):
    """A message as one channel carries it; `html` and `subject` are empty for SMS."""

    subject: str
    text: str
    html: str


def title(event: Event) -> str:
    """The subject as it was sent, in the language in which it was sent."""
    if translation.get_language() == event.language:  # as in most lists, where switching would cost more than the words
        return _title(event)
    with translation.override(event.language):
        return _title(event)


def shown(event: Event) -> str:
    """The message as its page shows it: codes and links that open something stay hidden."""
    kind, wording = CATALOGUE[event.message], _sent_or_in_force(event)
    with translation.override(event.language):
        values = _left_of(event) | dict.fromkeys(kind.secrets, HIDDEN)
        return _filled(wording, wording.text if Channel.EMAIL in kind.channels else wording.sms, values)


def render(event: Event, channel: str, version: int | None = None) -> Words:
    """What goes out by this channel in the customer's language: in that version of the words, else in those in force.

    `Unfit` when a value is missing or is not what it should be: nothing is sent half-empty.
    """
    kind, wording = CATALOGUE[event.message], in_force.version(version) if version else _in_force(event)
    return compose(kind, wording, channel, _values(event))


def compose(kind: Message, wording: Wording, channel: str, values: dict[str, str]) -> Words:
    """A wording with its values, as the channel carries it."""
    with translation.override(wording.language):
        if channel == Channel.SMS:
            sms = _filled(wording, wording.sms, values)
            if len(sms) > segments.LONGEST:
                raise Unfit("too long for an SMS")
            return Words("", sms, "")
        heading, text = subject(wording, values), _filled(wording, wording.text, values)
        sender = _("Yaghout Software Group")
        return Words(
            heading, f"{text}\n\n-- \n{sender}\n{settings.SITE_URL}\n", _html(heading, text, sender, values.get("url"))
        )


def written(kind: Message, name: str, value: Any, language: str) -> str:
    """A value as its reader reads it; a choice stays itself, which conditions ask for."""
    if kind.placeholders[name] == Kind.CHOICE and value not in kind.phrases[name]:
        raise Unfit(f"{name}: no such choice")
    return placeholders.written(name, kind.placeholders[name], value, language)


def _title(event: Event) -> str:
    return subject(_sent_or_in_force(event), _left_of(event))


def _sent_or_in_force(event: Event) -> Wording:
    sent = event.sent_in  # of rows that were read `with_words`
    return in_force.version(sent) if sent else _in_force(event)


def _in_force(event: Event) -> Wording:
    wording = in_force.of(event.message, event.language)
    if wording is None:
        raise Unfit("it has no words: they come with `migrate`")
    return wording


def _values(event: Event) -> dict[str, str]:
    """Of the values that the message may hold, those that are there."""
    kind, context = CATALOGUE[event.message], event.words_context
    given = {name: context[name] for name in kind.placeholders if context.get(name) is not None}
    return {
        name: written(kind, name, value, event.language)
        for name, value in given.items()
        if value != "" or kind.placeholders[name] in (Kind.TEXT, Kind.LINES)
    }


def _left_of(event: Event) -> dict[str, str]:
    """For pages: what was forgotten since, or never was what it should be, has a dash in its place."""
    values = dict.fromkeys(CATALOGUE[event.message].placeholders, GONE)
    try:
        return values | _values(event)
    except Unfit:
        return values


def _filled(wording: Wording, source: str, values: dict[str, str]) -> str:
    """Plain text: nothing is escaped here, everything is where it enters the HTML."""
    if wording.is_shipped:
        text = shipped.fill(source, values)
    else:
        text = placeholders.fill(source, values | _phrases(CATALOGUE[wording.message], values))
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _phrases(kind: Message, values: dict[str, str]) -> dict[str, str]:
    """What the choices mean, for words that know no conditions."""
    return {
        name: _(phrases[values[name]]) for name, phrases in kind.phrases.items() if values.get(name, GONE) in phrases
    }


def subject(wording: Wording, values: dict[str, str]) -> str:
    """One line, whatever a customer typed into it."""
    return " ".join(_filled(wording, wording.subject, values).split())


def _html(heading: str, text: str, sender: str, url: str | None) -> str:
    """The same words as a letter: the line that is the message's own address is a link, everything else is escaped."""
    paragraphs = [
        [{"text": line, "is_link": line == url} for line in paragraph.splitlines()]
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    ]
    context = {
        "subject": heading,
        "paragraphs": paragraphs,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "sender": sender,
        "site_url": settings.SITE_URL,
    }
    return render_to_string("messages/layout.html", context)
