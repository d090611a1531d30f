"""An answer to those who try too often."""

from allauth.core.exceptions import RateLimited
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin


class TooOften(MiddlewareMixin):
    """allauth lets this exception through where a code is asked for again at sign-in; that would be a 500."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return render(request, "429.html", status=429) if isinstance(exception, RateLimited) else None
