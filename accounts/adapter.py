"""What django-allauth asks us: how to reach a customer, and what to say."""

from allauth.account.adapter import DefaultAccountAdapter


class Adapter(DefaultAccountAdapter):
    """filled in below"""
