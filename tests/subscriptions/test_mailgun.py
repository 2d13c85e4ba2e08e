"""Calls to Mailgun are multipart forms, and say what Anymail's own would."""

from urllib.parse import parse_qsl

import requests
from anymail.backends.mailgun import EmailBackend as Anymails
from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.esps import backend_of, esp_of
from subscriptions.mailgun import EmailBackend
from tests.fakes.esp import fields_of

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=60)
one_line = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)


def called(backend, message):
    """The request, as it goes out."""
    payload = backend(api_key="a-key", sender_domain="example.org").build_message_payload(message, {})
    return requests.Session().prepare_request(requests.Request(**without_time(payload.get_request_params("http://x/"))))


def without_time(request):
    return {name: value for name, value in request.items() if name != "timeout"}


@given(one_line, words, words)
def test_a_call_says_what_anymails_own_says(subject, text, html):
    message = EmailMultiAlternatives(subject, text, "papers@example.org", ["one@example.org", "two@example.org"])
    message.attach_alternative(html, "text/html")
    message.merge_data = {"one@example.org": {"name": "Ö"}, "two@example.org": {"name": "<2>"}}
    ours, theirs = called(EmailBackend, message), called(Anymails, message)
    assert ours.headers["Content-Type"].startswith("multipart/form-data")
    assert theirs.headers["Content-Type"] == "application/x-www-form-urlencoded"
    own = fields_of(ours.headers["Content-Type"], ours.body)
    assert sorted(own) == sorted(parse_qsl(theirs.body, keep_blank_values=True))
    assert (ours.url, ours.headers["Authorization"]) == (theirs.url, theirs.headers["Authorization"])


def test_a_mail_is_sent_in_fewer_octets():
    html = "<p>" + "words, and “more” words; " * 1000 + "</p>"
    message = EmailMultiAlternatives("s", html, "papers@example.org", ["one@example.org"])
    message.attach_alternative(html, "text/html")
    assert len(called(EmailBackend, message).body) < 0.8 * len(called(Anymails, message).body)


def test_it_is_what_a_mail_url_of_mailgun_names_and_still_known_as_mailgun():
    assert backend_of("mailgun") == f"{EmailBackend.__module__}.{EmailBackend.__qualname__}"
    assert esp_of(backend_of("mailgun")) == esp_of("anymail.backends.mailgun.EmailBackend") == "mailgun"
    assert (backend_of("postmark"), esp_of("subscriptions.smtp.EmailBackend")) == (
        "anymail.backends.postmark.EmailBackend",
        "",
    )
