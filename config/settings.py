"""All settings, from the environment. Each is a row of the table in README.md (a test holds them together).

A value that cannot be read does not raise here: it is kept in ``SETTINGS_ERRORS``, the default stands in, and the
system checks in ``config.checks`` stop the start with its id and a hint.
"""

from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.conf.locale import LANG_INFO
from environs import Env, EnvError

from config.mail_url import MailSettings, parse_mail_url
from subscriptions.budgets import Windows, parse_windows

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

SETTINGS_ERRORS: list[tuple[str, str]] = []


def read(parse: Callable[..., Any], name: str, default: Any, **options: Any) -> Any:
    """The environment's value of ``name`` by ``parse``; the default, and an entry in SETTINGS_ERRORS, if it is bad."""
    try:
        return parse(name, default, **options)
    except (EnvError, ValueError) as error:
        SETTINGS_ERRORS.append((name, str(error)))
        return default


def windows(name: str, default: Windows) -> Windows:
    """A budget from the environment: how many in how long, like "3/24h,5/30d"."""
    text = env.str(name, "")
    return parse_windows(text) if text else default


# Django refuses an empty SECRET_KEY before any check can say what to do; with this one E002 says it.
UNSET = "unset"

# --- The installation ---------------------------------------------------------------------------------------------

DEBUG: bool = read(env.bool, "DEBUG", False)
SECRET_KEY: str = read(env.str, "SECRET_KEY", "insecure-development-key-for-debug-only" if DEBUG else "") or UNSET
LINK_KEYS: list[str] = read(env.list, "LINK_KEYS", ["insecure-development-link-key-for-debug"] if DEBUG else [])
RETIRED_LINK_KEYS: list[str] = read(env.list, "RETIRED_LINK_KEYS", [])
ADDRESS_KEY: str = read(env.str, "ADDRESS_KEY", "insecure-development-address-key-for-debug" if DEBUG else "")
SITE_URL: str = read(env.str, "SITE_URL", "http://127.0.0.1:8000").rstrip("/")
SITE_NAME: str = read(env.str, "SITE_NAME", "Daily Papers")
POSTAL_ADDRESS: str = read(env.str, "POSTAL_ADDRESS", "")
ALLOWED_HOSTS: list[str] = [
    *filter(None, [urlsplit(SITE_URL).hostname]),
    *read(env.list, "ALLOWED_HOSTS", ["127.0.0.1", "localhost"] if DEBUG else []),
]
LOG_LEVEL: str = read(env.str, "LOG_LEVEL", "INFO").upper()

# --- Database, broker, cache --------------------------------------------------------------------------------------

DATABASES = {
    "default": read(env.dj_db_url, "DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'daily-papers.sqlite3'}")
    if env.str("DATABASE_URL", "")
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "var" / "daily-papers.sqlite3"},
}
if isinstance(DATABASES["default"], str):  # the value was bad: the checks will say so
    DATABASES["default"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
if "sqlite" in str(DATABASES["default"]["ENGINE"]):
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that begins by reading and writes later cannot wait for another writer; one that begins
        # as a writer can (https://www.sqlite.org/lang_transaction.html). So all of ours begin as writers.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: with NORMAL a loss of power takes the newest commits, and mails that were sent are planned again.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = read(env.str, "REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- Mail ---------------------------------------------------------------------------------------------------------

mail: MailSettings = parse_mail_url("file:var/mail")
try:
    mail = parse_mail_url(env.str("MAIL_URL", "file:var/mail" if DEBUG else "smtp://127.0.0.1:25"), BASE_DIR)
except ValueError as error:
    SETTINGS_ERRORS.append(("MAIL_URL", str(error)))
EMAIL_BACKEND = mail.backend
EMAIL_HOST, EMAIL_PORT = mail.host, mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail.user, mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.use_tls, mail.use_ssl
EMAIL_TIMEOUT: int = read(env.int, "MAIL_TIMEOUT", 30)
EMAIL_FILE_PATH = mail.path
# Anymail's webhooks exist only where a secret is set: without one anybody could report a bounce. A list: for rotation.
MAIL_WEBHOOK_SECRET: list[str] = read(env.list, "MAIL_WEBHOOK_SECRET", [])
ANYMAIL: dict[str, Any] = {
    **mail.anymail,
    "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    "WEBHOOK_SECRET": MAIL_WEBHOOK_SECRET,
}
DEFAULT_FROM_EMAIL: str = read(env.str, "FROM_EMAIL", "Daily Papers <papers@localhost>")
LETTERS_FROM_EMAIL: str = read(env.str, "LETTERS_FROM_EMAIL", DEFAULT_FROM_EMAIL)
REPLY_TO: str = read(env.str, "REPLY_TO", "")
UNSUBSCRIBE_MAILTO: str = read(env.str, "UNSUBSCRIBE_MAILTO", "")
# Where bounces go, over SMTP; empty: to the address in From. Providers with an API have an envelope of their own.
BOUNCE_ADDRESS: str = read(env.str, "BOUNCE_ADDRESS", "")
VERP: bool = read(env.bool, "VERP", False)
INBOUND_MAILBOX: str = read(env.str, "INBOUND_MAILBOX", "")
ADMINS: list[tuple[str, str]] = [("", address) for address in read(env.list, "ALERT_EMAILS", [])]
SERVER_EMAIL = LETTERS_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "

# --- Papers -------------------------------------------------------------------------------------------------------

SOURCES: list[str] = read(env.list, "SOURCES", ["huggingface", "arxiv_rss"])
HUGGINGFACE_URL: str = read(env.str, "HUGGINGFACE_URL", "https://huggingface.co").rstrip("/")
ARXIV_RSS_URL: str = read(env.str, "ARXIV_RSS_URL", "https://rss.arxiv.org").rstrip("/")
ARXIV_API_URL: str = read(env.str, "ARXIV_API_URL", "https://export.arxiv.org").rstrip("/")
ARXIV_OAI_URL: str = read(env.str, "ARXIV_OAI_URL", "https://oaipmh.arxiv.org").rstrip("/")
ARXIV_CATEGORIES: list[str] = read(env.list, "ARXIV_CATEGORIES", ["cs.AI", "cs.CL", "cs.CV", "cs.LG"])
FILL_IN: bool = read(env.bool, "FILL_IN", True)
FETCH_EVERY_MINUTES: int = read(env.int, "FETCH_EVERY_MINUTES", 60)
SOURCE_TIMEOUT: int = read(env.int, "SOURCE_TIMEOUT", 30)
SOURCE_CONTACT: str = read(env.str, "SOURCE_CONTACT", "")

# --- The guard: how many letters whoever may cause ------------------------------------------------------------------

LETTERS_PER_ADDRESS = read(windows, "LETTERS_PER_ADDRESS", parse_windows("1/10m,3/24h,5/30d"))
LETTERS_PER_DOMAIN = read(windows, "LETTERS_PER_DOMAIN", parse_windows("20/10m,40/1h,100/24h"))
LETTERS_PER_SITE = read(windows, "LETTERS_PER_SITE", parse_windows("300/1h"))
SIGNUPS_PER_NETWORK = read(windows, "SIGNUPS_PER_NETWORK", parse_windows("5/1h,20/24h"))
SIGNUPS_PER_WIDE_NETWORK = read(windows, "SIGNUPS_PER_WIDE_NETWORK", parse_windows("50/24h"))
# Name and network together are the narrowest: one guesser in an office locks neither its editors nor their name
# elsewhere. The other three are for those who change the name, the address, or both.
SIGN_INS_PER_NAME_AND_NETWORK = read(windows, "SIGN_INS_PER_NAME_AND_NETWORK", parse_windows("10/1h"))
SIGN_INS_PER_NAME = read(windows, "SIGN_INS_PER_NAME", parse_windows("30/1h"))
SIGN_INS_PER_NETWORK = read(windows, "SIGN_INS_PER_NETWORK", parse_windows("20/1h"))
SIGN_INS_PER_WIDE_NETWORK = read(windows, "SIGN_INS_PER_WIDE_NETWORK", parse_windows("60/1h"))
PREVIEWS_PER_NETWORK = read(windows, "PREVIEWS_PER_NETWORK", parse_windows("30/10m,200/24h"))
OWN_PAGES_PER_NETWORK = read(windows, "OWN_PAGES_PER_NETWORK", parse_windows("120/10m,1000/24h"))
BREAKER_AFTER: int = read(env.int, "BREAKER_AFTER", 30)
BREAKER_SHARE: float = read(env.float, "BREAKER_SHARE", 0.1)
BREAKER_HOURS: int = read(env.int, "BREAKER_HOURS", 6)
FORM_MIN_SECONDS: float = read(env.float, "FORM_MIN_SECONDS", 2.0)
SOFT_BOUNCES: Windows = read(windows, "SOFT_BOUNCES", parse_windows("3/14d"))

# --- The day ------------------------------------------------------------------------------------------------------

EDITION_SIZE: int = read(env.int, "EDITION_SIZE", 50)
EDITION_APPROVE_AT: time | None = (
    None if env.str("EDITION_APPROVE_AT", "06:00") == "never" else read(env.time, "EDITION_APPROVE_AT", time(6))
)
EDITION_WAIT_HOURS: int = read(env.int, "EDITION_WAIT_HOURS", 4)
LATE_AFTER_HOURS: int = read(env.int, "LATE_AFTER_HOURS", 12)
TICK_SECONDS: float = read(env.float, "TICK_SECONDS", 60.0)
PLAN_CHUNK: int = read(env.int, "PLAN_CHUNK", 1000)
SEND_CHUNK: int = read(env.int, "SEND_CHUNK", 200)
SEND_LEASE_SECONDS: int = read(env.int, "SEND_LEASE_SECONDS", 300)
SEND_THREADS: int = read(env.int, "SEND_THREADS", 16)
SPREAD_SECONDS: int = read(env.int, "SPREAD_SECONDS", 60)
MAIL_RATE: float = read(env.float, "MAIL_RATE", 0.0)
UNCERTAIN_MAILS: str = read(env.str, "UNCERTAIN_MAILS", "auto")
HOLD_AT_BOUNCES: float = read(env.float, "HOLD_AT_BOUNCES", 0.1)
HOLD_AT_COMPLAINTS: float = read(env.float, "HOLD_AT_COMPLAINTS", 0.005)
INSTANCE_ID: str = read(env.str, "INSTANCE_ID", "") or SITE_URL

# --- Django -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "axes",
    "csp",
    "subscriptions",
    "digest",
]
# The headers first: what a later one answers by itself (a wrong host, a redirect) passes those before it.
MIDDLEWARE = [
    "config.permissions_policy.PermissionsPolicyMiddleware",
    "subscriptions.parameters.KnownParametersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.encoding.read_as_utf8",
    "config.middleware.BadAddresses",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "subscriptions.damaged_links.mend_links",  # before anything reads the path
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "subscriptions.sign_ins.SignInLimits"  # the limits are the guard's: SIGN_INS_PER_...
AXES_LOCKOUT_CALLABLE = "subscriptions.sign_ins.locked_out"
AXES_CLIENT_IP_CALLABLE = "subscriptions.networks.client_network_address"
AXES_ENABLE_ADMIN = False  # its tables stay empty
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False  # its logs carry the login name
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT_PROCESSORS},
    },
    {
        # Plain text is not HTML: subjects and text parts are rendered by this engine, which escapes nothing.
        "NAME": "text",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"autoescape": False},
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
# A language is on offer as soon as its compiled catalogue is there: docs/translating.md.
LANGUAGES = [
    ("en", "English"),
    *(
        (code, LANG_INFO[code]["name_local"])
        for code in sorted(
            file.parts[-3].replace("_", "-").lower() for file in LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.mo")
        )
        if code != "en" and "name_local" in LANG_INFO.get(code, {})
    ),
]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Security -----------------------------------------------------------------------------------------------------

HTTPS = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# In steps (manage.py doctor names the next): browsers hold a site to https for so long, whatever breaks meanwhile.
HSTS_SECONDS: int = read(env.int, "HSTS_SECONDS", 3600)
HSTS_INCLUDE_SUBDOMAINS: bool = read(env.bool, "HSTS_INCLUDE_SUBDOMAINS", False)
HSTS_PRELOAD: bool = read(env.bool, "HSTS_PRELOAD", False)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS_INCLUDE_SUBDOMAINS
SECURE_HSTS_PRELOAD = HSTS_PRELOAD
# They ask for subdomains and preload, which are for those who own the whole domain and know it; W004 stays.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
BEHIND_PROXY: bool = read(env.bool, "BEHIND_PROXY", False)
PROXY_HOPS: int = read(env.int, "PROXY_HOPS", 1) if BEHIND_PROXY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# A provider's batch of reports is the largest body that is read whole; files (the import, 5 MB) go to disk.
# An edition's page has five fields for each of its papers, and EDITION_SIZE may be 500. nginx is stricter where readers
# send.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
# Not "no-referrer": with it Chromium sends "Origin: null" and Django refuses the Confirm button's POST.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # the demo's mailbox frames one page of its own, which says so
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- Celery: read by config.celery through the prefix CELERY_ -------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "visibility_timeout": 900,
    # A nudge while the broker is away: one try. Waiting 2 + 4 s, as kombu would, is a page that hangs.
    "max_retries": 0,
    "interval_start": 0,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {
    "subscriptions.tasks.handle_signup*": {"queue": "letters"},  # a reader waits for it
    "digest.tasks.send_digests": {"queue": "send"},
    "digest.tasks.plan_digests": {"queue": "plan"},
    "digest.tasks.fetch_sources": {"queue": "fetch"},
}
# By kind, so that a worker can be kept for some: celery worker --queues letters. One without --queues takes all.
QUEUES = ["celery", "letters", "send", "plan", "fetch"]
CELERY_TASK_QUEUES = {name: {"exchange": name, "routing_key": name} for name in QUEUES}
CELERY_TASK_TIME_LIMIT = 600  # the net only: a send task has its own deadline
# Intervals only. What is due is decided from rows, so a missed or doubled tick does no harm.
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": TICK_SECONDS, "options": {"expires": max(TICK_SECONDS * 5, 10)}}
    for name in (
        "subscriptions.tasks.handle_signups",
        "subscriptions.tasks.read_mailbox",
        "subscriptions.tasks.read_mail_events",
        "subscriptions.tasks.tidy",
        "digest.tasks.fetch_sources",
        "digest.tasks.draft_edition",
        "digest.tasks.approve_edition",
        "digest.tasks.plan_digests",
        "digest.tasks.send_digests",
        "digest.tasks.settle",
        "digest.tasks.close_days",
    )
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.Line"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": LOG_LEVEL if LOG_LEVEL in {"DEBUG", "INFO", "WARNING", "ERROR"} else "INFO",
    },
    "loggers": {
        "httpx": {"level": "WARNING"},  # logs every URL
        # Django's own handlers would mail every 500 to ALERT_EMAILS, with what was posted and the link's token.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
