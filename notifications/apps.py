"""What customers are told, and what they tell us."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        post_migrate.connect(bring_words, sender=self)


def bring_words(**_kwargs: Any) -> None:
    """The release's words come into the table with its migrations, so that what was sent points at them for good."""
    from django.db import connection

    from notifications.flows import ship_wordings
    from notifications.models import Wording

    if Wording._meta.db_table in connection.introspection.table_names():  # not while only a part was migrated
        ship_wordings()
