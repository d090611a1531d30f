"""What the building itself must remember."""

from django.db import models


class Sentinel(models.Model):
    """Proof of the keys that this database was sealed with (portal/sealed/sentinel.py)."""

    token = models.TextField()
    tag = models.UUIDField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="portal_sentinel_is_alone")]

    def __str__(self) -> str:
        return "sentinel"
