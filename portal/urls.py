"""Every address. No language stands in a path."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path
from django.views.generic import RedirectView

from portal import views
from portal.metrics import metrics

# The one place where a password is changed: it tells the owner, and signs other devices out.
staff_password = login_required(RedirectView.as_view(pattern_name="account_change_password"))
handler500 = "portal.views.server_error"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/login/", views.staff_login, name="staff_login"),
    path("admin/password_change/", staff_password, name="staff_password"),
    path("admin/", admin.site.urls),
    path("", include("billing.urls")),  # first of the rooms: the dashboard is what is opened most
    path("", include("accounts.urls")),  # before allauth, of whose pages it replaces some
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("", include("notifications.urls")),
    path("", include("devices.urls")),
    path("", include("policy.urls")),
]
