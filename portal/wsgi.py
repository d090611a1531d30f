"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from portal.sealed.sentinel import guard  # noqa: E402  (needs the settings that the line above loads)

guard()
