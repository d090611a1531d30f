"""Addresses of this room."""

from django.urls import path

from policy import views

urlpatterns = [
    path("policy/", views.policy, name="policy"),
    path("policy/versions/", views.policy_versions, name="policy_versions"),
    path("policy/versions/<int:number>/", views.policy_version, name="policy_version"),
    path("policy.json", views.policy_json, name="policy_json"),
]
