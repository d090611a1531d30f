"""The signed first-party cookie by which a browser is known again at its next sign-in."""

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse

NAME = "__Host-did" if settings.HTTPS else "did"
SALT = "devices.did"
AGE = 390 * 24 * 3600  # seconds; browsers keep no cookie longer than 400 days


def read(request: HttpRequest) -> UUID | None:
    """The device's id, or None when there is no cookie or we did not sign it."""
    try:
        return UUID(request.get_signed_cookie(NAME, salt=SALT, max_age=AGE))
    except (KeyError, BadSignature, ValueError):
        return None


def write(response: HttpResponse, device_id: UUID) -> None:
    response.set_signed_cookie(
        NAME, str(device_id), salt=SALT, max_age=AGE, httponly=True, samesite="Lax", secure=settings.HTTPS
    )
