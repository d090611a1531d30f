"""Addresses of this room; sign-in and sign-up are allauth's, under /accounts/."""

from allauth.account import views as allauth_views
from allauth.account.decorators import reauthentication_required
from django.urls import path

from accounts import company_views, views

# allauth asks for the old password alone before a new one, and for nothing before a new mobile.
change_password = reauthentication_required(allauth_views.password_change)
change_phone = reauthentication_required(allauth_views.change_phone)

urlpatterns = [
    path("accounts/password/change/", change_password, name="account_change_password"),
    path("accounts/phone/change/", change_phone, name="account_change_phone"),
    path("profile/", views.profile, name="profile"),
    path("profile/edit/", views.profile_edit, name="profile_edit"),
    path("profile/photo-id/", views.photo_id, name="photo_id"),
    path("accounts/2fa/webauthn/keys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("accounts/undo/<str:token>/", views.undo_contact_change, name="undo_contact_change"),
    path("profile/export/", views.export, name="export"),
    path("companies/", company_views.companies, name="companies"),
    path("companies/new/", company_views.company_new, name="company_new"),
    path("companies/switch/", company_views.switch, name="company_switch"),
    path("companies/invitations/<str:token>/", company_views.invitation, name="company_invitation"),
    path("companies/<slug:ref>/", company_views.company, name="company"),
    path("companies/<slug:ref>/edit/", company_views.edit, name="company_edit"),
    path("companies/<slug:ref>/members/", company_views.members, name="company_members"),
    path("companies/<slug:ref>/members/<int:pk>/", company_views.member, name="company_member"),
    path("companies/<slug:ref>/invitations/<int:pk>/withdraw/", company_views.withdraw, name="company_withdraw"),
    path("companies/<slug:ref>/leave/", company_views.leave, name="company_leave"),
    path("profile/access-log/", views.access_log, name="access_log"),
]
