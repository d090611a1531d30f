"""Addresses of this room."""

from django.urls import path

from billing import pay_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", views.plan, name="plan"),
    path("orders/", views.orders, name="orders"),
    path("orders/<slug:number>/cancel/", views.order_cancel, name="order_cancel"),
    path("services/", views.services, name="services"),
    path("services/<slug:public_id>/", views.service, name="service"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/<slug:number>/", views.invoice, name="invoice"),
    path("invoices/<slug:number>/credit/", pay_views.invoice_use_credit, name="invoice_use_credit"),
    path("invoices/<slug:number>/pay/", pay_views.invoice_pay, name="invoice_pay"),
    path("pay/callback/<slug:gateway>/<slug:public_id>/", pay_views.pay_callback, name="pay_callback"),
    path("pay/<slug:public_id>/", pay_views.pay, name="pay"),
    path("pay/<slug:public_id>/result/", pay_views.pay_result, name="pay_result"),
]
