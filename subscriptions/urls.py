"""The readers' pages. A token is always a path part: it is redacted from logs by its shape."""

from django.urls import path

from subscriptions.views import leaving, own_data, settings, signup

urlpatterns = [
    path("subscribe/", signup.subscribe, name="subscribe"),
    path("subscribe/check-your-email/", signup.check_email, name="check-email"),
    path("link/", signup.lost_link, name="lost-link"),
    path("c/<str:token>/", signup.confirm, name="confirm"),
    path("c/<str:token>/not-me/", signup.not_me, name="not-me"),
    path("r/<str:token>/preferences/", settings.preferences, name="preferences"),
    path("r/<str:token>/pause/", settings.pause, name="pause"),
    path("r/<str:token>/mute/<int:topic>/", settings.adjust, {"verb": "mute"}, name="mute"),
    path("r/<str:token>/fewer/", settings.adjust, {"verb": "fewer"}, name="fewer"),
    path("r/<str:token>/weekly/", settings.adjust, {"verb": "weekly"}, name="weekly"),
    path("r/<str:token>/data/", settings.ask_for_fresh_link, name="fresh-link"),
    path("f/<str:token>/", own_data.own_data, name="own-data"),
    path("f/<str:token>/export/", own_data.export, name="export"),
    path("f/<str:token>/address/", own_data.change_address, name="change-address"),
    path("f/<str:token>/erase/", own_data.erase, name="erase"),
    path("m/<str:token>/", own_data.move, name="move"),
    path("u/<str:token>/", leaving.unsubscribe, name="unsubscribe"),
    path("left/<str:token>/", leaving.left, name="left"),
]
