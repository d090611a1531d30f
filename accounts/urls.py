"""Addresses of this room; sign-in and sign-up are allauth's, under /accounts/."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/edit/", views.profile_edit, name="profile_edit"),
    path("profile/photo-id/", views.photo_id, name="photo_id"),
    path("profile/access-log/", views.access_log, name="access_log"),
]
