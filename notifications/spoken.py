"""What the operator's voice may say for us: a sentence for each reason, and no word of anybody's own."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import CallTask

Reason = CallTask.Reason
# Who asked for a call wants a person.
SENTENCES: dict[str, Any] = {
    Reason.SECURITY_BREACH: gettext_lazy(
        "Somebody else may have entered your account or one of your services. Please change your password now."
    ),
    Reason.SERVICE_DOWN: gettext_lazy("One of your services is down. We are working on it."),
    Reason.DATA_AT_RISK: gettext_lazy("Data in one of your services may be lost. Please look at your messages now."),
    Reason.PAYMENT_PROBLEM: gettext_lazy(
        "A payment has gone wrong, and one of your services will stop soon. Please look at your invoices."
    ),
    Reason.LEGAL_DEADLINE: gettext_lazy(
        "A time that the law sets will run out soon. Please look at your messages in the portal."
    ),
}


def words(reason: str, language: str) -> str:
    """The whole of what is said, in the customer's language."""
    with translation.override(language):
        hello, bye = (
            _("Hello. This is Yaghout Software Group with an urgent message."),
            _("You find this call in the portal, under Messages. We never ask for a password or a code by phone."),
        )
        return f"{hello} {SENTENCES[reason]} {bye}"
