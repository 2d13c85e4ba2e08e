from django.apps import AppConfig


class DigestConfig(AppConfig):
    """WHAT exists, WHAT fits, and the mail of it."""

    name = "digest"
