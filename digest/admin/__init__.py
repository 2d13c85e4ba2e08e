"""The editors' screens. Each module registers its own; the readers' side is in ``subscriptions.admin``."""

from django.contrib import admin

from digest.admin import digests, editions, feedback, follow_ups, papers, runs, topics

__all__ = ["digests", "editions", "feedback", "follow_ups", "papers", "runs", "topics"]

admin.site.site_header = admin.site.site_title = "Daily Papers"
admin.site.index_title = "What runs today"
