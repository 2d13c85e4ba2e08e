"""Delivery through a provider's API, and what its reports make of it: the real backend, HTTP, and the real webhook."""

import base64
import importlib
import re
import threading
from datetime import timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from anymail.exceptions import AnymailNotSupportedWarning
from django.test import Client
from django.urls import clear_url_caches

from config import urls as config_urls
from digest import delivery, outcomes
from digest.models import Digest
from subscriptions import links, suppression
from subscriptions.models import MailEvent, Suppression
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader
from tests.fakes.esp import DROPS_AFTER_ACCEPTING, FAILS_AFTER_ACCEPTING, FakeEsp, slow_down
from tests.fakes.reports import SIGNING_KEY, Reports, over_http

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.django_db,
    pytest.mark.filterwarnings(f"ignore::{AnymailNotSupportedWarning.__module__}.AnymailNotSupportedWarning"),
]
SECRET = "papers:a-long-random-password"
State = Digest.State


@pytest.fixture
def esp(settings):
    """A provider that MAIL_URL names, and its webhook among our URLs."""
    with FakeEsp() as server:
        settings.EMAIL_BACKEND = "subscriptions.mailgun.EmailBackend"
        settings.MAIL_WEBHOOK_SECRET = [SECRET]
        settings.ANYMAIL = {
            "MAILGUN_API_KEY": "a-key",
            "MAILGUN_API_URL": server.url,
            "MAILGUN_SENDER_DOMAIN": "example.org",
            "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY,
            "REQUESTS_TIMEOUT": 5,
            "WEBHOOK_SECRET": [SECRET],
        }
        importlib.reload(config_urls)
        clear_url_caches()
        yield server
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAIL_WEBHOOK_SECRET = []
    importlib.reload(config_urls)
    clear_url_caches()


@pytest.fixture
def papers(db):
    papers = [make_paper(number) for number in (1, 2)]
    make_edition(papers)
    return papers


def digests_for(*names, papers):
    return [make_digest(make_reader(name), papers, zone="UTC") for name in names]


def send(now=NOW):
    return delivery.send_digests(lambda: now, "test")


def post(report):
    """A report through the real webhook."""
    credentials = base64.b64encode(SECRET.encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    answer = Client().post("/anymail/mailgun/tracking/", report, content_type="application/json", headers=headers)
    assert answer.status_code == 200


def tell(seed, *reports):
    """Post (mail, kind, seconds after NOW) in an order of chance, twice each, and read them."""
    told = Reports()
    for mail, kind, seconds in reports:
        told.add(mail, kind, NOW.timestamp() + seconds)
    told.post(post, seed=seed)
    outcomes.resolve_uncertain(NOW + timedelta(minutes=1))
    suppression.apply(NOW + timedelta(minutes=1))


def test_an_accepted_digest_carries_its_id_and_its_readers_own_link(esp, papers):
    (digest,) = digests_for("one", papers=papers)
    assert send() == {State.ACCEPTED: 1}
    (mail,) = esp.mails
    digest.refresh_from_db()
    assert (digest.state, digest.provider_id) == (State.ACCEPTED, mail.message_id)
    assert mail.recipient == "one@example.org"
    assert mail.variables == {"mail": f"digest-{digest.pk}"}
    assert links.unsubscribe_path(digest.subscriber, NOW) in mail.headers["List-Unsubscribe"]


def test_a_provider_that_asks_for_patience_gets_it_and_no_mail_is_lost_or_doubled(esp, papers):
    (digest,) = digests_for("one", papers=papers)
    esp.answers.append(slow_down(1200))
    send()
    digest.refresh_from_db()
    assert (digest.state, esp.accepted) == (State.PLANNED, 0)
    send(NOW + timedelta(minutes=19))
    assert esp.accepted == 0, "it asked for twenty minutes"
    later = NOW + timedelta(minutes=30)
    send(later)
    send(later)
    digest.refresh_from_db()
    assert (digest.state, esp.accepted) == (State.ACCEPTED, 1)


@pytest.mark.parametrize("answer", [FAILS_AFTER_ACCEPTING, DROPS_AFTER_ACCEPTING])
def test_a_call_that_was_accepted_without_a_word_is_uncertain_until_its_report_comes(esp, papers, nudges, answer):
    (digest,) = digests_for("one", papers=papers)
    esp.answers.append(answer)
    send()
    digest.refresh_from_db()
    assert (digest.state, esp.accepted) == (State.UNCERTAIN, 1)
    tell(1, (esp.mails[0], "delivered", 30))
    digest.refresh_from_db()
    assert (digest.state, digest.delivered_at) == (State.ACCEPTED, NOW + timedelta(seconds=30))
    send(NOW + timedelta(minutes=30))
    assert esp.accepted == 1


def test_an_address_that_is_refused_costs_nobody_else_a_mail(esp, papers):
    refused, other = digests_for("refused", "other", papers=papers)
    esp.refused.add("refused@example.org")
    send()
    send(NOW + timedelta(minutes=30))
    refused.refresh_from_db()
    other.refresh_from_db()
    assert (refused.state, other.state) == (State.REJECTED, State.ACCEPTED)
    assert [mail.recipient for mail in esp.mails] == ["other@example.org"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reports_in_any_order_and_twice_lead_to_the_same_facts(esp, papers, nudges, seed):
    names = ("fine", "cross", "gone", "full", "leaving")
    digests_for(*names, papers=papers)
    send()
    mails = {mail.recipient.partition("@")[0]: mail for mail in esp.mails}
    delivered = [(mails[name], "delivered", 10) for name in ("fine", "cross", "leaving")]
    tell(
        seed,
        *delivered,
        (mails["cross"], "complained", 20),
        (mails["gone"], "deferred", 10),
        (mails["gone"], "bounced", 20),
        (mails["full"], "deferred", 10),
        (mails["leaving"], "unsubscribed", 20),
    )
    rows = Digest.objects.values_list("subscriber__email", "delivered_at", "bounced_at", "complained_at")
    found = {email.partition("@")[0]: tuple(at and (at - NOW).seconds for at in facts) for email, *facts in rows}
    assert found == {
        "fine": (10, None, None),
        "cross": (10, None, 20),
        "gone": (None, 20, None),
        "full": (None, None, None),
        "leaving": (10, None, None),
    }
    stopped = set(Suppression.objects.values_list("email_hash", flat=True))
    readers = {digest.subscriber for digest in Digest.objects.select_related("subscriber")}
    stops = {reader.email.partition("@")[0] for reader in readers if reader.email_hash in stopped}
    assert {"cross", "gone"} <= stops <= {"cross", "gone", "leaving"}
    assert MailEvent.objects.filter(told_at=None).count() == 0


def test_reports_reach_a_running_site_by_its_address(esp, papers, nudges):
    digests_for("one", papers=papers)
    send()
    told, came = Reports(), []
    told.add(esp.mails[0], "delivered", NOW.timestamp())

    def site(environ, start_response):
        report = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        came.append((environ["PATH_INFO"], environ["HTTP_AUTHORIZATION"], environ["CONTENT_TYPE"], report))
        start_response("200 OK", [])
        return []

    with make_server("127.0.0.1", 0, site, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        told.post(over_http(f"http://{SECRET}@127.0.0.1:{server.server_port}/anymail/mailgun/tracking/"), seed=1)
        server.shutdown()
    assert len(came) == 2
    for path, credentials, kind, report in came:
        assert (path, kind) == ("/anymail/mailgun/tracking/", "application/json")
        assert credentials == f"Basic {base64.b64encode(SECRET.encode()).decode()}"
        post(report)
    assert set(MailEvent.objects.values_list("kind", flat=True)) == {"delivered"}


class Quiet(WSGIRequestHandler):
    def log_message(self, *args) -> None:
        pass


def tokens_of(reader):
    """What only this reader may see."""
    return {
        links.manage_token(reader, NOW),
        links.feedback_token(reader, NOW),
        links.unsubscribe_path(reader, NOW).strip("/").rpartition("/")[2],
    }


def test_readers_of_one_batch_see_their_own_address_and_links_and_nobody_elses(esp, papers):
    names = ("one", "two", "three", "four")
    digests = digests_for(*names, papers=papers)
    send()
    assert len(esp.calls) == 1, "readers with the same picks share a call"
    assert {mail.recipient.partition("@")[0] for mail in esp.mails} == set(names)
    readers = {digest.subscriber.email: digest for digest in digests}
    for mail in esp.mails:
        digest = readers[mail.recipient]
        assert mail.variables == {"mail": f"digest-{digest.pk}"}
        assert "%recipient" not in mail.seen
        assert set(re.findall(r"[\w.-]+@example\.org", mail.to)) == {mail.recipient}
        for other in readers.values():
            seen = [token for token in tokens_of(other.subscriber) if token in mail.seen]
            assert len(seen) == (len(tokens_of(other.subscriber)) if other == digest else 0)
            assert other == digest or other.subscriber.email not in mail.seen


def test_a_batch_in_which_one_address_is_refused_goes_out_one_by_one(esp, papers):
    names = ("one", "refused", "three")
    digests_for(*names, papers=papers)
    esp.refused.add("refused@example.org")
    send()
    send(NOW + timedelta(minutes=30))
    states = dict(Digest.objects.values_list("subscriber__email", "state"))
    assert states == {
        "one@example.org": State.ACCEPTED,
        "refused@example.org": State.REJECTED,
        "three@example.org": State.ACCEPTED,
    }
    assert sorted(mail.recipient for mail in esp.mails) == ["one@example.org", "three@example.org"]


def test_a_batch_that_was_accepted_without_a_word_is_settled_reader_by_reader(esp, papers, nudges):
    digests_for("one", "two", papers=papers)
    esp.answers.append(DROPS_AFTER_ACCEPTING)
    send()
    assert set(Digest.objects.values_list("state", flat=True)) == {State.UNCERTAIN}
    one = next(mail for mail in esp.mails if mail.recipient == "one@example.org")
    tell(1, (one, "delivered", 30))
    states = dict(Digest.objects.values_list("subscriber__email", "state"))
    assert states == {"one@example.org": State.ACCEPTED, "two@example.org": State.UNCERTAIN}
    send(NOW + timedelta(minutes=30))
    assert esp.accepted == 2, "a batch is not sent again without a key"


def test_the_fake_shows_all_addresses_to_all_where_a_call_forgets_to_keep_them_apart(esp):
    fields = {"to": ["one@example.org", "two@example.org"], "subject": ["s"], "text": ["t"], "html": [""]}
    call = [(name, (None, value)) for name, values in fields.items() for value in values]
    assert requests.post(f"{esp.url}/example.org/messages", files=call, timeout=5).ok
    assert all("two@example.org" in mail.seen and "one@example.org" in mail.seen for mail in esp.mails)
