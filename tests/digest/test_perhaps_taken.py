"""Whether a reader may have a mail is one fact, and whatever becomes of the digest later does not change it."""

import smtplib
from datetime import timedelta

import pytest
import requests
from anymail.exceptions import AnymailRequestsAPIError
from django.core.mail.backends.base import BaseEmailBackend

from digest import delivery, outcomes, providers
from digest.models import Digest
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
MINUTE = timedelta(minutes=1)


class Answers(BaseEmailBackend):
    """A transport that gives one answer after the other; None is a yes."""

    coming: list[Exception | None] = []

    def send_messages(self, messages):
        answer = Answers.coming.pop(0)
        if answer:
            raise answer
        return len(messages)


@pytest.fixture
def answers(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Answers"
    settings.SEND_THREADS = 1
    settings.UNCERTAIN_MAILS = "resend"
    return Answers.coming


def lost():
    return smtplib.SMTPServerDisconnected("after DATA")


def said(code):
    return smtplib.SMTPDataError(code, b"so it is")


def refused(status, words="{}"):
    response = requests.Response()
    response.status_code, response._content = status, words.encode()
    return AnymailRequestsAPIError("refused", response=response)


def run(*instants):
    """Sending and resolving, one after the other, at each of these instants."""
    for now in instants:
        outcomes.resolve_uncertain(now)
        delivery.send_digests(lambda now=now: now, "test")


def facts(digest):
    digest.refresh_from_db()
    return digest.state, Digest.objects.counting_as_sent().filter(pk=digest.pk).exists()


def test_papers_whose_first_mail_was_perhaps_taken_count_as_sent_although_the_second_is_refused(digest, answers):
    answers[:] = [lost(), said(554)]
    run(NOW, NOW + 15 * MINUTE)
    assert facts(digest) == ("rejected", True)


def test_so_they_do_where_the_second_mail_fails_five_times(digest, answers):
    answers[:] = [lost(), *[said(451)] * 4]
    run(*(NOW + n * 140 * MINUTE for n in range(5)))
    assert facts(digest) == ("failed", True)


def test_a_mail_that_was_only_put_off_and_is_too_late_then_was_surely_not_taken(digest, answers):
    answers[:] = [said(451), said(451)]
    run(NOW, NOW + 6 * MINUTE, NOW + timedelta(hours=13))
    assert not answers
    assert facts(digest) == ("skipped", False)


def test_a_person_who_says_that_it_did_not_arrive_is_believed(digest, answers):
    answers[:] = [lost(), said(554)]
    delivery.send_digests(lambda: NOW, "test")
    digest.refresh_from_db()
    outcomes.send_again(digest, NOW + MINUTE)
    delivery.send_digests(lambda: NOW + MINUTE, "test")
    assert facts(digest) == ("rejected", False)


@pytest.mark.parametrize(
    ("words", "state"), [('{"code": "duplicate_parameter"}', "accepted"), ('{"code": "invalid_parameter"}', "rejected")]
)
def test_a_provider_that_knows_the_key_of_a_second_call_has_the_mail(digest, answers, words, state, monkeypatch):
    monkeypatch.setitem(providers.PROVIDERS, f"{__name__}.Answers", providers.PROVIDERS["brevo"])
    answers[:] = [refused(502), refused(400, words)]
    run(NOW, NOW + 11 * MINUTE)
    assert facts(digest) == (state, True)


@pytest.mark.parametrize(("status", "state"), [(408, "uncertain"), (425, "planned"), (422, "rejected")])
def test_a_proxy_that_gives_up_waiting_says_nothing_of_the_mail(digest, answers, status, state):
    answers[:] = [refused(status)]
    delivery.send_digests(lambda: NOW, "test")
    assert facts(digest)[0] == state
