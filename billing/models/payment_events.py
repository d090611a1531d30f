"""The steps of an attempt to pay, and what each note of them says to people."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .payment_states import TONE, Status
from .steps import Event


class PaymentEvent(Event):
    """One step of an attempt."""

    class Note(models.TextChoices):
        NOT_STARTED = "not_started", _("The gateway did not open the payment. Nothing was taken.")
        NEVER_LEFT = "never_left", _("The browser was not sent to the bank. Nothing was taken.")
        NO_RETURN = "no_return", _("Nobody came back from the bank. If money was taken, the bank returns it.")
        NOT_PAYABLE = "not_payable", _("The invoice needed no payment any more, so we did not collect the money.")
        NOT_NEEDED = "not_needed", _("When the bank confirmed it, the invoice needed no payment any more.")
        HELD_BACK = "held_back", _("Another payment of this invoice was being checked, so we did not collect this.")
        GIVEN_BACK = "given_back", _("The bank has given the money back, or will do so.")
        MISMATCH = "mismatch", _("What came back does not belong to this payment.")
        RECEIPT_USED = "receipt_used", _("This receipt was used for another payment.")
        USED_BEFORE = "used_before", _("The bank says it was confirmed before, but not by us.")
        OTHER_AMOUNT = "other_amount", _("The bank confirmed another amount.")
        DOES_NOT_FIT = "does_not_fit", _("The bank confirmed a payment that does not fit this one.")
        ASKED_BY_US = "asked_by_us", _("Nobody had come back, so we asked the bank ourselves.")
        NOT_YET = "not_yet", _("Not paid so far.")
        NOT_REVERSED = "not_reversed", _("The bank did not give the money back by itself.")
        KEPT_AS_CREDIT = "kept_as_credit", _("Kept as the customer's credit.")
        DISMISSED = "dismissed", _("Looked at: nothing was taken for us.")

    payment = models.ForeignKey("billing.Payment", models.CASCADE, related_name="events", verbose_name=_("payment"))

    class Meta(Event.Meta):
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")

    @property
    def title(self) -> str:
        return str(Status(self.now).label)

    @property
    def tone(self) -> str:
        return TONE[Status(self.now)]

    @property
    def note_words(self) -> str:
        return str(self.Note(self.note).label) if self.note else ""
