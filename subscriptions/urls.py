"""The readers' pages. A token is always a path part: it is redacted from logs by its place."""

from django.urls import path

from subscriptions import views

urlpatterns = [
    path("subscribe/", views.subscribe, name="subscribe"),
    path("subscribe/check-your-email/", views.check_email, name="check-email"),
    path("c/<str:token>/", views.confirm, name="confirm"),
    path("r/<str:token>/preferences/", views.preferences, name="preferences"),
    path("u/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
