"""The web process."""

import logging
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from portal.logs import HideSecretPaths
from portal.sealed.sentinel import WrongKeys, guard

for server_log in ("gunicorn.access", "gunicorn.error"):  # where they go is gunicorn's to say
    logging.getLogger(server_log).addFilter(HideSecretPaths())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
try:
    application = get_wsgi_application()
    guard()
except (ImproperlyConfigured, WrongKeys) as error:
    sys.stderr.write(f"refused to start: {error}\n")
    sys.exit(3)  # by which gunicorn knows that another try is of no use
