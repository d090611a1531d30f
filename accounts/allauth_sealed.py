"""django-allauth's tables of e-mail addresses and second factors, sealed.

allauth keeps addresses and the seeds of codes in clear and its models cannot be swapped (allauth 65.21), so the columns
are replaced right after the models load. accounts/allauth_migrations and accounts/mfa_migrations hold the tables' own
migrations, and tests/accounts/test_allauth_sealed.py fails when an upgrade changes what this stands on.
"""

from allauth.account.apps import AccountConfig
from allauth.mfa.apps import MFAConfig
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


class SealedMfaConfig(MFAConfig):
    """`allauth.mfa` with all of `Authenticator.data` sealed: seeds, public keys, and what a passkey is called."""

    def import_models(self) -> None:
        super().import_models()
        from allauth.mfa.models import Authenticator

        from portal.sealed.fields import SealedJSONField

        meta = Authenticator._meta
        if isinstance(meta.get_field("data"), SealedJSONField):
            return
        meta.local_fields.remove(meta.get_field("data"))
        meta._expire_cache()
        Authenticator.sealed_to = "user_id"
        SealedJSONField().contribute_to_class(Authenticator, "data")
