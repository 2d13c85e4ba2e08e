"""django-newsletter links to its own pages."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [path("", include("newsletter.urls"))] if "newsletter" in settings.INSTALLED_APPS else []
