"""The portal itself: settings, sealed storage, the queue."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from portal.celery import app  # noqa: F401  (tasks find their app through it)
        from portal.sealed.sentinel import place

        post_migrate.connect(place, sender=self)
