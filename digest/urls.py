"""The papers' pages, and the pages that need both sides."""

from datetime import date

from django.urls import path, register_converter

from digest.views import feedback, health, learned, mail, mailbox, own_digest, public, reader, saved, tryout


class IsoDate:
    """2026-03-20 in a path; another text is no such page."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        """Raises ValueError, which Django turns into 404."""
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        """The date as it stands in the path."""
        return value.isoformat()


register_converter(IsoDate, "date")

urlpatterns = [
    path("", public.today, name="today"),
    path("days/<date:day>/", public.day, name="day"),
    path("days/<date:day>/mail/", mail.archive, name="day-mail"),
    path("days/<date:day>/mail/html/", mail.archive_html, name="day-mail-html"),
    path("papers/<int:pk>/", public.paper, name="paper"),
    path("preview/", tryout.try_out, name="try-out"),
    path("r/<str:token>/preview/", tryout.try_settings, name="try-settings"),
    path("r/<str:token>/", reader.reader, name="reader"),
    path("r/<str:token>/days/<date:day>/", own_digest.own_digest, name="own-digest"),
    path("r/<str:token>/now/", reader.send_now, name="send-now"),
    path("r/<str:token>/saved/", saved.saved_list, name="saved"),
    path("r/<str:token>/saved.bib", saved.download, {"kind": "bib"}, name="saved-bib"),
    path("r/<str:token>/saved.ris", saved.download, {"kind": "ris"}, name="saved-ris"),
    path("r/<str:token>/saved.json", saved.download, {"kind": "json"}, name="saved-json"),
    path("r/<str:token>/learned/", learned.learned, name="learned"),
    path("r/<str:token>/learned/anew/", learned.begin_anew, name="begin-anew"),
    path("say/<str:token>/<int:paper>/<str:verb>/", feedback.feedback, name="feedback"),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<str:name>/", mailbox.letter, name="letter"),
    path("mailbox/<str:name>/html/", mailbox.letter_html, name="letter-html"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
