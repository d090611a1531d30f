"""Addresses of this room."""

from django.urls import path

from notifications import feeds, hooks, preference_views, status_views, views

urlpatterns = [
    path("tickets/", views.tickets, name="tickets"),
    path("tickets/new/", views.ticket_new, name="ticket_new"),
    path("tickets/<int:number>/", views.ticket, name="ticket"),
    path("tickets/<int:number>/answer/", views.ticket_answer, name="ticket_answer"),
    path("tickets/<int:number>/close/", views.ticket_close, name="ticket_close"),
    path("tickets/<int:number>/attachments/<uuid:pk>/", views.ticket_attachment, name="ticket_attachment"),
    path("status/", status_views.status, name="status"),
    path("status/feed.atom", feeds.status_feed, name="status_feed"),
    path("status/calendar.ics", feeds.status_calendar, name="status_calendar"),
    path("status/<slug:ref>/", status_views.status_item, name="status_item"),
    path("messages/", views.messages, name="messages"),
    path("messages/preferences/", preference_views.preferences, name="preferences"),
    path("messages/calls/", preference_views.calls, name="calls"),
    path("messages/try-again/", views.try_again, name="try_again"),
    path("messages/<uuid:pk>/", views.message, name="message"),
    path("hooks/sms/<str:secret>/", hooks.sms_hook, name="sms_hook"),
]
