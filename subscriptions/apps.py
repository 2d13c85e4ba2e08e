from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """WHO wants WHAT and WHEN. Imports nothing of digest."""

    name = "subscriptions"

    def ready(self) -> None:
        """Register the system checks, and listen to what providers report."""
        from anymail.signals import tracking  # noqa: PLC0415

        from subscriptions import checks, receivers  # noqa: F401, PLC0415  (needs the app registry)

        tracking.connect(receivers.store_event, dispatch_uid="subscriptions.store_event")
