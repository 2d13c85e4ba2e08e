from django.apps import AppConfig


class DigestConfig(AppConfig):
    """WHAT exists, WHAT fits, and the mail of it."""

    name = "digest"

    def ready(self) -> None:
        """Register the system checks, what is held of a reader, and how the mail of a report is found."""
        from digest import checks, privacy  # noqa: F401, PLC0415  (needs the app registry)
        from digest.outcomes import matching  # noqa: PLC0415
        from subscriptions import attribution  # noqa: PLC0415
        from subscriptions.privacy import Part, register  # noqa: PLC0415

        register("digests", Part(export=privacy.export, erase=privacy.erase))
        attribution.register(matching.KIND, matching.ROOM)
