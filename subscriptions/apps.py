from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """WHO wants WHAT and WHEN. Imports nothing of digest."""

    name = "subscriptions"

    def ready(self) -> None:
        """Register the system checks."""
        from subscriptions import checks  # noqa: F401, PLC0415  (needs the app registry)
