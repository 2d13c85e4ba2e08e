"""A minimal Django project around one package that sends mail. libpq finds the server by PGHOST and the like."""

import os

SECRET_KEY = "a-key-of-the-benchmark-which-nobody-else-uses-anywhere"
USE_TZ = True
SITE_ID = 1
ROOT_URLCONF = "urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PEER_DATABASE"]}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sites",
    *os.environ["PEER_APPS"].split(),
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [os.environ["PEER_TEMPLATES"]],
        "APP_DIRS": True,
    },
]
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["PEER_MAIL_PORT"])
DEFAULT_FROM_EMAIL = "Daily Papers <papers@example.org>"
NEWSLETTER_THUMBNAIL = "sorl-thumbnail"  # it wants to know one; no mail has a picture
LOGGING = {"version": 1, "disable_existing_loggers": True}  # a line a mail would be measured too
