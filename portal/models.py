"""What the building itself must remember."""

from django.db import models


class Sentinel(models.Model):
    """A key that this database was sealed or indexed with (portal/sealed/sentinel.py)."""

    setting = models.CharField(max_length=20)
    kid = models.CharField(max_length=64)
    fingerprint = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["setting", "kid"], name="portal_sentinel_one_a_key")]

    def __str__(self) -> str:
        return f"{self.setting} {self.kid}"


class Turned(models.Model):
    """How far `pii_keys rotate` came in a table, so that a stopped run goes on where it was."""

    kid = models.CharField(max_length=64)
    table = models.CharField(max_length=80)
    last_pk = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kid", "table"], name="portal_turned_one_a_table")]

    def __str__(self) -> str:
        return f"{self.kid} {self.table}"
