from django.apps import AppConfig


class DigestConfig(AppConfig):
    """WHAT exists, WHAT fits, and the mail of it."""

    name = "digest"

    def ready(self) -> None:
        """Register the system checks."""
        from digest import checks  # noqa: F401, PLC0415  (needs the app registry)
