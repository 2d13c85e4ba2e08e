"""All URLs: the readers' pages, the papers' pages, the admin, the providers' webhooks."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from subscriptions import webhooks

urlpatterns = [
    path("admin/", admin.site.urls),
    path("anymail/", include((webhooks.urls(settings.EMAIL_BACKEND, settings.MAIL_WEBHOOK_SECRET), "anymail"))),
    path("", include("subscriptions.urls")),
    path("", include("digest.urls")),
]
