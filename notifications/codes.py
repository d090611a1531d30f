"""What the answers of providers, and our own notes beside a delivery, mean to our staff."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

OURS: dict[str, Promise] = {
    "ok": gettext_lazy("taken by the provider"),
    "no-address": gettext_lazy("the account had no address for this channel"),
    "bounced": gettext_lazy("earlier letters to this address came back"),
    "erased": gettext_lazy("the account was closed before it could be sent"),
    "killed": gettext_lazy("its broadcast was stopped"),
    "no-reader": gettext_lazy("nobody was to hear of it any more"),
    "restored": gettext_lazy("a backup was restored: it may have gone out before"),
    "forgotten": gettext_lazy("the provider forgot our number: it may have arrived"),
    "not-found": gettext_lazy("the provider never had it"),
    "words": gettext_lazy("its words ask for a value that is not there"),
    "render": gettext_lazy("its words could not be written"),
    "lease": gettext_lazy("our own worker stopped in the middle"),
    "network": gettext_lazy("the provider could not be reached, or its answer was lost"),
    "endless": gettext_lazy("the provider's answer did not end"),
    "entries": gettext_lazy("the provider's answer made no sense"),
    "address": gettext_lazy("the address is not one that a mail server takes"),
    "template": gettext_lazy("the provider's template is not in our settings"),
    "smtp-connect": gettext_lazy("our mail server could not be reached"),
    "smtp-dropped": gettext_lazy("our mail server hung up"),
    "smtp-greeting": gettext_lazy("our mail server did not greet us"),
}
NO_RIGHT = gettext_lazy("our account at the provider may not do this")
OUR_REQUEST = gettext_lazy("the provider did not understand our request")
# Kavenegar, return.status: what it says of a call.
CALLS: dict[str, Promise] = {
    **dict.fromkeys(("400", "404", "405", "406", "414", "415", "417", "419", "431", "432", "607"), OUR_REQUEST),
    **dict.fromkeys(("407", "426", "427", "428"), NO_RIGHT),
    "401": gettext_lazy("our account at the provider is disabled"),
    "402": gettext_lazy("the provider failed"),
    "403": gettext_lazy("the provider does not know our key"),
    "409": gettext_lazy("the provider is busy"),
    "411": gettext_lazy("the provider refuses this number"),
    "412": gettext_lazy("the provider refuses our sender's number"),
    "413": gettext_lazy("the text is empty or too long"),
    "416": gettext_lazy("our server's address is not on the provider's list"),
    "418": gettext_lazy("our account at the provider has no credit"),
    "420": gettext_lazy("the provider lets no links through"),
    "422": gettext_lazy("a character of the text is not allowed"),
    "424": gettext_lazy("the template is missing or not approved"),
    "429": gettext_lazy("our server's address is not on the provider's list"),
    "451": gettext_lazy("too much was asked of the provider at once"),
    "501": gettext_lazy("the provider's test account writes to its owner alone"),
}
# Kavenegar, status: what became of one message.
FATES: dict[str, Promise] = {
    **dict.fromkeys(("1", "2"), gettext_lazy("waits at the provider")),
    **dict.fromkeys(("4", "5"), gettext_lazy("handed to the mobile operator")),
    "6": gettext_lazy("the provider could not send it"),
    "10": gettext_lazy("arrived at the mobile"),
    "11": gettext_lazy("the mobile was off or out of reach"),
    "13": gettext_lazy("cancelled by the provider; the cost came back"),
    "14": gettext_lazy("advertising is blocked at the receiver's operator; the cost came back"),
    "100": gettext_lazy("the provider does not know it any more"),
}
# The beginnings of what mail servers say (RFC 5321, RFC 3463), the longer ones first.
MAIL: dict[str, Promise] = {
    "5.1.": gettext_lazy("there is no such mailbox"),
    "5.2.2": gettext_lazy("the mailbox is full"),
    "5.7.": gettext_lazy("the receiving server refuses letters like ours"),
    "smtp-4": gettext_lazy("the mail server refused it for now"),
    "smtp-5": gettext_lazy("the mail server refused it for good"),
    "4.": gettext_lazy("the receiving server could not take it for days"),
    "5.": gettext_lazy("the receiving server refused it for good"),
}


def explain(code: str, carrier: str) -> str:
    """In words for our staff; empty for what nobody has written down."""
    found = OURS.get(code)
    if found is None and carrier == "kavenegar":
        found = CALLS.get(code) or FATES.get(code)
    if found is None:
        found = next((words for start, words in MAIL.items() if code.startswith(start)), None)
    if found is None and code.startswith("http-"):
        return _("the provider's web server failed")
    return str(found or "")
