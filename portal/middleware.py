"""Headers and language of every answer."""

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import trans_real

# The staff theme (unfold) runs Alpine, which compiles its attributes, and styles elements inline.
STAFF_CSP = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
}


class SecurityHeaders(CSPMiddleware):
    """Content-Security-Policy (looser only under /admin/) and the isolation headers."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_replace = STAFF_CSP  # type: ignore[attr-defined]
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return super().process_response(request, response)


class Language(MiddlewareMixin):
    """The cookie's language, else what the browser asks for, else Persian. No language stands in a path."""

    def process_request(self, request: HttpRequest) -> None:
        language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or self.asked_for(request)
        translation.activate(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response

    @staticmethod
    def asked_for(request: HttpRequest) -> str:
        for tag, _weight in trans_real.parse_accept_lang_header(request.headers.get("Accept-Language", "")):
            if tag.split("-")[0] in dict(settings.LANGUAGES):
                return str(tag.split("-")[0])
        return str(settings.LANGUAGE_CODE)
