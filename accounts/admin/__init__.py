"""Staff screens of this room."""

from allauth.account import admin as _allauth_screens  # noqa: F401  (registered now, so that it can be taken away below)
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth import admin as _auth_screens  # noqa: F401
from django.contrib.auth.models import Group

from accounts.admin import company, customer, look, photo_id  # noqa: F401

# allauth's own screen searches and shows addresses in clear.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)
