"""All URLs: the readers' pages, the papers' pages, the admin, the providers' webhooks."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("anymail/", include("anymail.urls")),
    path("", include("subscriptions.urls")),
    path("", include("digest.urls")),
]
