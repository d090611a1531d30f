"""A request that `@login_required` let through, for the types of views."""

from django.http import HttpRequest

from accounts.models import Customer


class CustomerRequest(HttpRequest):
    """Its `user` is a customer."""

    user: Customer
