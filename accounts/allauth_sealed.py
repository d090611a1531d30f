"""django-allauth's e-mail table, sealed.

allauth keeps every address in clear and its model cannot be swapped (allauth 65.21), so the column is replaced right
after its models load. accounts/allauth_migrations holds the table's own migration, and
tests/accounts/test_allauth_sealed.py fails when an upgrade changes what this stands on.
"""

from allauth.account.apps import AccountConfig
from django.db.models import CheckConstraint, Q, UniqueConstraint


class SealedAccountConfig(AccountConfig):
    """`allauth.account` with its `EmailAddress.email` sealed and found by a blind index."""

    def import_models(self) -> None:
        super().import_models()
        from allauth.account.models import EmailAddress

        from portal.sealed.fields import SealedEmailField
        from portal.sealed.index import BlindIndexField

        meta = EmailAddress._meta
        if any(field.name == "email_bi" for field in meta.local_fields):
            return
        meta.local_fields.remove(meta.get_field("email"))
        meta._expire_cache()
        EmailAddress.sealed_to = "user_id"  # its own key is the database's to make
        SealedEmailField(max_length=254).contribute_to_class(EmailAddress, "email")
        BlindIndexField("email").contribute_to_class(EmailAddress, "email_bi")
        # Migrations read the original, the model's own checks the other; the ciphertext would never be equal.
        meta.unique_together = meta.original_attrs["unique_together"] = (("user", "email_bi"),)
        meta.constraints = [
            UniqueConstraint(fields=["user", "primary"], condition=Q(primary=True), name="unique_primary_email"),
            UniqueConstraint(fields=["email_bi"], condition=Q(verified=True), name="unique_verified_email"),
            CheckConstraint(condition=Q(email_bi__isnull=False), name="account_emailaddress_email_has_its_index"),
        ]
