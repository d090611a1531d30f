"""How money, times, steps and banks' codes are written on the screens of this room."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from billing import gateways
from portal.jalali import rial
from portal.templatetags import words
from portal.templatetags.words import language


def money(field: str, name: Any) -> Any:
    """A column of Rials with its thousands parted."""

    @admin.display(description=name, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        return format_html('<span class="staff-one">{}</span>', shown_rial(getattr(row, field)))

    return show


def when(model: Any, field: str) -> Any:
    """A column with a moment or a day, by the calendar of the page's language."""

    @admin.display(description=model._meta.get_field(field).verbose_name, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        value = getattr(row, field)
        return (words.moment(value) if isinstance(value, datetime) else words.day(value)) or "–"

    return show


def code(field: str, name: Any) -> Any:
    """A column with a number of the bank's, which reads left to right and may be long."""

    @admin.display(description=name, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        return format_html('<bdi dir="ltr" class="staff-code">{}</bdi>', getattr(row, field) or "–")

    return show


def shown_rial(rials: int | None) -> str:
    return "–" if rials is None else rial(rials, language())


def step_in_words(model: Any) -> Any:
    """A column of a row's life: the name of the status that it came to."""

    @admin.display(description=gettext_lazy("step"))
    def show(_admin: Any, event: Any) -> str:
        return str(model.Status(event.now).label)

    return show


def customer_link(find: Callable[[Any], Any]) -> Any:
    """A field that leads to the customer's own page, where names stay masked."""

    @admin.display(description=gettext_lazy("customer"))
    def show(_admin: Any, row: Any) -> str:
        customer = find(row)
        url = reverse("admin:accounts_customer_change", args=[customer.pk])
        return format_html('<a class="staff-link" href="{}"><bdi dir="ltr">{}</bdi></a>', url, customer)

    return show


def explained(gateway: str, code: str) -> str:
    """The bank's result code with what it means, in the language of the page."""
    meaning = gateways.explained(gateway, code)
    shown = format_html('<bdi dir="ltr">{}</bdi>', code or "–")
    return format_html("{} – {}", shown, meaning) if meaning and meaning != code else shown


def gateway_name(slug: str) -> str:
    """The gateway's name in the reader's language; its slug once it is no longer configured."""
    try:
        return str(gateways.gateway(slug).name)
    except KeyError:
        return slug
