"""Addresses of this room."""

from django.urls import path

from devices import views

urlpatterns = [
    path("devices/", views.devices, name="devices"),
    path("devices/hints/", views.device_hints, name="device_hints"),
    path("devices/end-others/", views.devices_end_others, name="devices_end_others"),
    path("devices/<slug:public_id>/end/", views.device_end, name="device_end"),
]
