from django.apps import AppConfig


class DigestConfig(AppConfig):
    """WHAT exists, WHAT fits, and the mail of it."""

    name = "digest"

    def ready(self) -> None:
        """Register the system checks, and what is held of a reader."""
        from digest import checks, privacy  # noqa: F401, PLC0415  (needs the app registry)
        from subscriptions.privacy import Part, register  # noqa: PLC0415

        register("digests", Part(export=privacy.export, erase=privacy.erase))
