"""All settings: read from the environment, typed, and refused where a secret is missing or unsafe."""

import re
from base64 import urlsafe_b64encode
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from unfold_farsi.settings import apply_unfold_farsi_defaults

from portal.sealed.keys import KeyRing

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def required(name: str) -> str:
    """A value that nothing can stand in for; an empty one counts as missing."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set (see .env.example; `make run` makes its own)")
    return value


def provided(name: str) -> str:
    """A list of keys from a vault or a key service: `<NAME>_PROVIDER` names a function, called once, here."""
    path: str = env.str(f"{name}_PROVIDER", default="")
    try:
        return str(import_string(path)(name)) if path else ""
    except Exception as error:  # whatever a vault's client raises; its text may hold what it should not
        raise ImproperlyConfigured(f"{name}_PROVIDER gave no keys ({type(error).__name__})") from None


LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def endpoint(name: str, default: str) -> str:
    """A company's address; plain http only to this machine."""
    url: str = env.str(name, default=default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ImproperlyConfigured(f"{name} must be https (plain http is accepted to this machine only)")
    return url


# --- who we are -------------------------------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY")
PII_KEYS = provided("PII_KEYS") or required("PII_KEYS")
PII_INDEX_KEYS = provided("PII_INDEX_KEYS") or required("PII_INDEX_KEYS")
KeyRing.parse("PII_INDEX_KEYS", PII_INDEX_KEYS)
# The package reads this at import; our sealed fields use the ring itself (portal/sealed/keys.py).
FIELD_ENCRYPTION_KEY = [urlsafe_b64encode(key) for key in KeyRing.parse("PII_KEYS", PII_KEYS).derive("field")]

DEBUG = env.bool("DEBUG", default=False)
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{env.int('PORT', default=8000)}").rstrip("/")
SITE_HOST = urlsplit(SITE_URL).hostname or ""
HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SUPPORT_PHONE = env.str("SUPPORT_PHONE", default="021-00000000")

WORLD_URL = env.str("WORLD_URL", default="").rstrip("/")  # the desk-top outside world, development and tests only
if WORLD_URL and (urlsplit(WORLD_URL).hostname not in LOOPBACK or not (DEBUG or SITE_HOST in LOOPBACK)):
    raise ImproperlyConfigured("WORLD_URL stands in for banks and operators: it is refused on a public address")

# --- rooms ------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold_farsi",
    "unfold",
    "accounts",  # before Django's own, whose createsuperuser knows no e-mail and no mobile
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_user_agents",
    "encrypted_model_fields",
    "portal",
    "notifications",
    "allauth",
    "accounts.allauth_sealed.SealedAccountConfig",
    "accounts.allauth_sealed.SealedMfaConfig",
    "billing",
    "devices",
    "policy",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.TooOften",
    "accounts.middleware.EvenTime",
    "accounts.middleware.ActingFor",
    "accounts.middleware.SecondFactorForStaff",
    "devices.middleware.DeviceMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.site",
            ],
        },
    }
]

# --- where things are kept --------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(required("DATABASE_URL"))}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# The server keeps the plan of what portal/prepared.py asks; behind PgBouncer this needs its max_prepared_statements.
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 5
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = required("REDIS_URL")
# The cache holds rate limits alone and lives in PostgreSQL, so no page ever waits for Redis.
CACHES = {
    "default": {
        "BACKEND": "portal.sealed.cache.Limits",
        "LOCATION": "portal_cache",
        "KEY_FUNCTION": "portal.sealed.cache.keyed",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # beyond it, each new one first deletes those that ran out
    },
    # The parts of a page that are the same for everybody; they change only with a release, and so with the process.
    "template_fragments": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "fragments"},
}
SESSION_ENGINE = "portal.sealed.sessions"
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
MEDIA_BACKEND = env.str("MEDIA_URL_BACKEND", default="")  # s3://bucket?endpoint=…; unset: files under DATA_DIR
if MEDIA_BACKEND:
    raise ImproperlyConfigured("MEDIA_URL_BACKEND: this release keeps sealed files under DATA_DIR only")
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA_DIR / "media",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "portal.static_files.StaticFiles"},
}
UPLOAD_CAP = 11 * 1024 * 1024  # bytes kept of one uploaded file; forms set their own, lower limits
PHOTO_ID_KEPT_DAYS = env.int("PHOTO_ID_KEPT_DAYS", default=30)  # after the review; then the picture is shredded
PHOTO_ID_VALID_DAYS = env.int(
    "PHOTO_ID_VALID_DAYS", default=5 * 365
)  # of an approval, unless staff name the card's day
FILE_UPLOAD_HANDLERS = ["portal.sealed.uploads.InMemoryUploadHandler"]
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"

# --- sign-in ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Customer"
AUTHENTICATION_BACKENDS = ["accounts.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
MIGRATION_MODULES = {"account": "accounts.allauth_migrations", "mfa": "accounts.mfa_migrations"}
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_SIGNUP_FORM_CLASS = "policy.forms.AcceptPolicyForm"
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "phone*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 1
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_PHONE_VERIFICATION_ENABLED = True
ACCOUNT_PHONE_VERIFICATION_MAX_ATTEMPTS = 5
ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 5 * 60  # seconds
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 2
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
# Carriers put thousands of phones behind one address; and nobody may make us write to a stranger's phone all day.
_TO_ONE_ADDRESS = "1/30s/key,12/d/key,20/m/ip"
ACCOUNT_RATE_LIMITS = {"verify_phone": _TO_ONE_ADDRESS, "request_login_code": _TO_ONE_ADDRESS}
ACCOUNT_POSTS = (
    "60/m/ip"  # whatever is sent to /accounts/, /profile/ and /companies/, beside what allauth counts of each story
)
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "login": "accounts.forms.LoginForm",
    "verify_phone": "accounts.forms.CodeForm",
    "request_login_code": "accounts.forms.CodeRequestForm",
    "confirm_login_code": "accounts.forms.LoginCodeForm",
}
ACCOUNT_LOGIN_BY_CODE_ENABLED = ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 5 * 60  # seconds
MFA_ADAPTER = "accounts.mfa.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs in here before both addresses are proved
MFA_TOTP_TOLERANCE = 1  # of 30 seconds each: a phone's clock is never quite right
MFA_FORMS = {
    "activate_totp": "accounts.forms.ActivateTotpForm",
    "authenticate": "accounts.forms.FactorForm",
    "reauthenticate": "accounts.forms.FactorAgainForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
}
PASSWORD_RESET_TIMEOUT = 3600  # seconds
# allauth's own reads addresses outside their rows, where nothing opens.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.backend.ResetTokens"  # noqa: S105

# --- language and time ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "fa"
LANGUAGES = [("fa", _("Persian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "Asia/Tehran"

# --- security headers -------------------------------------------------------------------------------------------------
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL_REDIRECT = HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# The proxy's word on who asks; without it all customers would share its address, and with that their rate limits.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# --- the queue --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,  # seconds; longer than any task, see notifications/channels/ for the calls' limits
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}


# --- companies outside ------------------------------------------------------------------------------------------------
def _mail_server(name: str, url: str, scheme: str, port: int) -> dict[str, Any]:
    """scheme://user:password@host:port?tls=1"""
    parts = urlsplit(url)
    if parts.scheme != scheme or not parts.hostname:
        raise ImproperlyConfigured(f"{name} is written {scheme}://user:password@host:port?tls=1")
    return {
        "host": parts.hostname,
        "port": parts.port or port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls": "tls=1" in parts.query,
    }


_world = urlsplit(WORLD_URL)
_world_smtp_port = env.int("WORLD_SMTP_PORT", default=(_world.port or 0) + 1)
_world_mail = f"smtp://{_world.hostname}:{_world_smtp_port}" if WORLD_URL else ""
SMTP = _mail_server(
    "EMAIL_URL", required("EMAIL_URL") if not WORLD_URL else env.str("EMAIL_URL", default=_world_mail), "smtp", 25
)
EMAIL_FROM = env.str("EMAIL_FROM", default=f"Yaghout Software Group <no-reply@{SITE_HOST or 'localhost'}>")

# With a key of our own for them letters are signed here; without one that is left to the mail server.
_dkim_key = env.str("DKIM_KEY", default="", multiline=True)
if _dkim_key and "PRIVATE KEY" not in _dkim_key:
    _dkim_key = Path(_dkim_key).read_text(encoding="ascii")
DKIM: dict[str, str] | None = None
if _dkim_key:
    _domain = parseaddr(EMAIL_FROM)[1].partition("@")[2]
    DKIM = {"key": _dkim_key, "selector": required("DKIM_SELECTOR"), "domain": _domain}

# Letters that come back: to which domain, and the mailbox where they wait for us. Unset, nobody looks for them.
_world_port = env.int("WORLD_POP_PORT", default=_world_smtp_port + 1)
_bounces = env.str("BOUNCE_URL", default=f"pop3://bounce:pretend@{_world.hostname}:{_world_port}" if WORLD_URL else "")
BOUNCE_DOMAIN = env.str("BOUNCE_DOMAIN", default="bounces.localhost" if WORLD_URL else "").lower()
BOUNCES = _mail_server("BOUNCE_URL", _bounces, "pop3", 995 if "tls=1" in _bounces else 110) if _bounces else None
if BOUNCES and not BOUNCE_DOMAIN:
    raise ImproperlyConfigured("BOUNCE_URL is of no use without BOUNCE_DOMAIN, to which letters come back")
if BOUNCES and not BOUNCES["tls"] and BOUNCES["host"] not in LOOPBACK:
    raise ImproperlyConfigured("BOUNCE_URL must say tls=1 (plain POP3 is accepted to this machine only)")

# Companies for SMS, the preferred first; each is a module of notifications/channels/.
SMS_CARRIERS: list[str] = env.list("SMS_CARRIERS", default=["kavenegar", "smsir"] if WORLD_URL else ["kavenegar"])
if not SMS_CARRIERS or not set(SMS_CARRIERS) <= {"kavenegar", "smsir"}:
    raise ImproperlyConfigured("SMS_CARRIERS names kavenegar, smsir or both, comma between")
if "kavenegar" in SMS_CARRIERS:
    KAVENEGAR = {
        "api_key": required("KAVENEGAR_API_KEY"),
        "api_url": endpoint(
            "KAVENEGAR_API_URL", f"{WORLD_URL}/kavenegar" if WORLD_URL else "https://api.kavenegar.com"
        ),
        "sender": env.str("KAVENEGAR_SENDER", default=""),
    }
KAVENEGAR_PUSH_SECRET = env.str("KAVENEGAR_PUSH_SECRET", default="")
if KAVENEGAR_PUSH_SECRET and not re.fullmatch(r"[A-Za-z0-9_-]{32,}", KAVENEGAR_PUSH_SECRET):
    raise ImproperlyConfigured("KAVENEGAR_PUSH_SECRET is part of an address: at least 32 of A-Z, a-z, 0-9, _ and -")
if "smsir" in SMS_CARRIERS:
    SMSIR = {
        "api_key": env.str("SMSIR_API_KEY", default="pretend-key") if WORLD_URL else required("SMSIR_API_KEY"),
        "api_url": endpoint("SMSIR_API_URL", f"{WORLD_URL}/smsir" if WORLD_URL else "https://api.sms.ir"),
        "line": env.int("SMSIR_LINE", default=30004505000017 if WORLD_URL else env.NOTSET),
        "unit_rial": env.int("SMSIR_UNIT_RIAL", default=1_500),
        "templates": env.dict(
            "SMSIR_TEMPLATES",
            cast={"value": int},
            default={"phone-code-fa": 200001, "phone-code-en": 200002} if WORLD_URL else {},
        ),
    }
SMS_SEGMENT_RIAL = env.int("SMS_SEGMENT_RIAL", default=3000)  # what one part of an SMS costs, to foretell a broadcast's

GATEWAY_HOMES = {  # slug → (API, browser) as the gateways' documents give them
    "sep": ("https://sep.shaparak.ir", "https://sep.shaparak.ir"),
    "mellat": ("https://bpm.shaparak.ir", "https://bpm.shaparak.ir"),
    "sadad": ("https://sadad.shaparak.ir", "https://sadad.shaparak.ir"),
    "parsian": ("https://pec.shaparak.ir", "https://pec.shaparak.ir"),
    "pasargad": ("https://pep.shaparak.ir/dorsa1", "https://pep.shaparak.ir/dorsa1"),
    "zarinpal": ("https://payment.zarinpal.com", "https://payment.zarinpal.com"),
    "zibal": ("https://gateway.zibal.ir", "https://gateway.zibal.ir"),
}
# What each gateway wants to know of us, and what the outside world's pretend bank takes for it.
GATEWAY_CREDENTIALS = {
    "sep": {"terminal_id": "2015"},
    "mellat": {"terminal_id": "2015", "username": "portal", "password": "pretend-password"},
    "sadad": {
        "merchant_id": "000000140212149",
        "terminal_id": "24000615",
        "terminal_key": "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4",
    },
    "parsian": {"pin": "pretend-pin-2015"},
    "pasargad": {"username": "portal", "password": "pretend-password", "terminal_number": "2015"},
    "zarinpal": {"merchant_id": "00000000-0000-4000-8000-000000002015"},
    "zibal": {"merchant": "zibal-2015"},
}
GATEWAYS: list[str] = env.list("GATEWAYS", default=list(GATEWAY_HOMES) if WORLD_URL else [])
GATEWAY: dict[str, dict[str, str]] = {}
for _slug in GATEWAYS:
    if _slug not in GATEWAY_HOMES:
        raise ImproperlyConfigured(f"GATEWAYS names {_slug!r}; known are {', '.join(GATEWAY_HOMES)}")
    _api, _browser = (f"{WORLD_URL}/{_slug}",) * 2 if WORLD_URL else GATEWAY_HOMES[_slug]
    GATEWAY[_slug] = {
        "api_url": endpoint(f"{_slug.upper()}_API_URL", _api),
        "browser_url": endpoint(f"{_slug.upper()}_BROWSER_URL", _browser),
    }
    for _name, _pretend in GATEWAY_CREDENTIALS[_slug].items():
        _variable = f"{_slug.upper()}_{_name.upper()}"
        GATEWAY[_slug][_name] = env.str(_variable, default=_pretend) if WORLD_URL else required(_variable)

USER_AGENTS_CACHE = None  # Redis would cost more than parsing does (devices/user_agent.py)

# --- staff screens ----------------------------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = apply_unfold_farsi_defaults(
    {
        "SITE_TITLE": _("Yaghout portal"),
        "SITE_HEADER": _("Yaghout portal"),
        "SITE_ICON": lambda request: static("img/mark.svg"),
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")},
        ],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        # The ruby of portal/static/css/tokens.css, from its lightest step to its darkest.
        "COLORS": {
            "primary": {
                "50": "253 242 245",
                "100": "250 226 233",
                "200": "244 196 210",
                "300": "234 153 176",
                "400": "217 98 131",
                "500": "184 46 88",
                "600": "148 24 62",
                "700": "125 19 52",
                "800": "102 17 44",
                "900": "80 15 36",
                "950": "46 7 20",
            }
        },
    },
    static=static,
)

# --- logs: what happened and to which row, never to whom --------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_secret_paths": {"()": "portal.logs.HideSecretPaths"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_secret_paths"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.request": {"level": "ERROR"},  # a 404's path may be something that a person typed
        "django.security.csrf": {"level": "ERROR"},  # a refused form's path may be a link that only its owner may have
        "urllib3": {"level": "WARNING"},  # its debug lines hold the operator's key
        "celery": {"level": "WARNING"},
    },
}
