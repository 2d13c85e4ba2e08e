"""One call for many readers: what the provider makes of it is each reader's own mail, and nothing of another's."""

import json
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import get_connection

from digest.rendering import Press, digest_message
from subscriptions.mailgun import EmailBackend as Mailgun
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.pseudo import pseudo

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")


@pytest.fixture
def papers(robotics):
    papers = [make_paper(n, f"Robots & <arms> of 100 %, part {n}") for n in range(1, 5)]
    make_edition(papers)
    return papers


def digests_of(papers, topic, count=4, **fields):
    """The same mail for readers who live elsewhere and joined on other days."""
    made = []
    for n in range(count):
        joined = NOW - timedelta(days=n + 1)
        reader = make_reader(f"reader{n}", zone=ZONES[n % 4], due=NOW + timedelta(hours=20 + n), **fields)
        reader.confirmed_at = joined
        reader.save()
        digest = make_digest(reader, papers)
        digest.picks[0]["why"] = [{"topic": topic.pk, "terms": ["robot"], "category": ""}]
        made.append(digest)
    return made


def pressed(digests):
    press = Press()
    press.lay_out(digests)
    return press


def posted(message):
    """What Anymail posts to Mailgun."""
    payload = Mailgun(api_key="x", sender_domain="example.org").build_message_payload(message, {})
    assert payload.is_batch()
    return payload.serialize_data()


def as_mailgun_mails(data):
    """What Mailgun makes of a call: each recipient's own fields, where %recipient.name% is that one's value."""
    variables = json.loads(data["recipient-variables"])
    assert [*variables] == data["to"], "whoever is not among them would see the others' addresses"
    for address, values in variables.items():

        def value(match, values=values):
            return values[match[1]]

        fields = {name: field for name, field in data.items() if name not in {"to", "recipient-variables"}}
        yield (
            address,
            {
                name: re.sub(r"%recipient\.([^%]+)%", value, field) if isinstance(field, str) else field
                for name, field in fields.items()
            },
        )


@pytest.mark.parametrize("text_only", [False, True])
@pytest.mark.parametrize("count", [1, 4])
def test_what_mailgun_makes_of_a_batch_is_each_readers_own_mail(papers, robotics, text_only, count):
    digests = digests_of(papers, robotics, count, text_only=text_only)
    press = pressed(digests)
    data = posted(press.batch(digests, now=NOW))
    mails = dict(as_mailgun_mails(data))
    assert len(mails) == count
    for digest in digests:
        reader = digest.subscriber
        made, merged = digest_message(digest, reader, press._shelf, now=NOW), mails[reader.email]
        assert merged["subject"] == made.subject
        assert merged["text"] == made.body
        assert merged.get("html") == (made.alternatives[0].content if made.alternatives else None)
        assert merged["v:mail"] == f"digest-{digest.pk}"
        headers = {name: value for name, value in made.extra_headers.items() if name != "Message-ID"}
        assert {name: merged[f"h:{name.title()}"] for name in headers} == headers
        assert not any(name.startswith("h:Message-Id") for name in merged)
        assert "%recipient" not in json.dumps(merged)


def test_no_batch_shows_one_readers_address_or_token_to_another(papers, robotics, settings):
    settings.UNSUBSCRIBE_MAILTO = "leave@example.org"
    digests = digests_of(papers, robotics)
    message = pressed(digests).batch(digests, now=NOW)
    get_connection("anymail.backends.test.EmailBackend").send_messages([message])
    [sent] = mail.outbox
    assert sent.anymail_test_params["is_batch_send"]
    addresses = [digest.subscriber.email for digest in digests]
    assert sent.to == addresses
    assert not sent.cc + sent.bcc
    common = [
        sent.subject,
        sent.body,
        str(sent.alternatives),
        str(sent.extra_headers),
        str(sent.metadata),
        sent.from_email,
    ]
    seen: set[str] = set()
    for address in addresses:
        own = {str(sent.merge_data[address])}
        tokens = set(re.findall(r"\b\w{33}\b", " ".join(own)))
        assert len(tokens) == 3
        assert tokens.isdisjoint(seen)
        seen |= tokens
        assert not any(other in text for other in addresses for text in own)
    assert not any(secret in text for secret in [*addresses, *seen] for text in common)
    for address, fields in as_mailgun_mails(posted(message)):
        text = json.dumps(fields)
        assert not any(other in text for other in addresses if other != address)


def test_a_batch_of_one_is_a_batch_too(papers, robotics):
    digests = digests_of(papers, robotics, 1)
    get_connection("anymail.backends.test.EmailBackend").send_messages([pressed(digests).batch(digests, now=NOW)])
    assert mail.outbox[0].anymail_test_params["is_batch_send"]


def other(digest, **fields):
    for name, value in fields.items():
        setattr(digest, name, value)


def settings_of(digest, **fields):
    other(digest.subscriber, **fields)


UNLIKE = {
    "papers": lambda digest: digest.picks.pop(),
    "order": lambda digest: digest.picks.reverse(),
    "reasons": lambda digest: digest.picks[1].update(why=[{"phrase": "mine"}]),
    "day": lambda digest: other(digest, day=TODAY - timedelta(days=1)),
    "cadence": lambda digest: other(digest, cadence="weekly"),
    "range": lambda digest: other(digest, content_from=TODAY - timedelta(days=3)),
    "language": lambda digest: settings_of(digest, language="fr"),
    "text only": lambda digest: settings_of(digest, text_only=True),
    "fewer papers": lambda digest: settings_of(digest, paper_limit=5),
    "weekly instead": lambda digest: settings_of(digest, weekdays=1),
    "no next digest": lambda digest: settings_of(digest, next_due_at=None),
}
ALONE = {
    "news": lambda digest, papers: other(digest, follow_ups=[{"paper": papers[0].pk, "what": "code"}]),
    "a pause": lambda digest, _: settings_of(digest, paused_until=NOW - timedelta(hours=9)),
    "no papers": lambda digest, _: other(digest, picks=[]),
    "a quoted address": lambda digest, _: settings_of(digest, email='"a,b"@example.org'),
    "capitals": lambda digest, _: settings_of(digest, email="Reader@example.org"),
    "a placeholder for an address": lambda digest, _: settings_of(digest, email="%recipient.manage%@example.org"),
    "a placeholder in a title": lambda _, papers: (
        papers[1].__class__.objects.filter(pk=papers[1].pk).update(title="Robots with %Recipient.unsubscribe% in them")
    ),
    "a placeholder in a reason": lambda digest, _: digest.picks[2].update(why=[{"phrase": "%recipient_email%"}]),
}


@pytest.mark.parametrize("change", UNLIKE.values(), ids=UNLIKE)
def test_digests_that_differ_are_not_alike(papers, robotics, change):
    one, *others = digests_of(papers, robotics, paper_limit=10)
    press = pressed([one, *others])
    alike = {press.likeness(digest, digest.subscriber) for digest in [one, *others]}
    assert len(alike) == 1
    assert None not in alike
    change(one)
    assert press.likeness(one, one.subscriber) not in {*alike, None}
    with pytest.raises(ValueError, match="alike"):
        press.batch([*others, one], now=NOW)


@pytest.mark.parametrize("change", ALONE.values(), ids=ALONE)
def test_an_odd_digest_goes_alone(papers, robotics, change):
    one, two, *_ = digests_of(papers, robotics)
    change(one, papers)
    for digest in (one, two):
        digest.save()
        digest.subscriber.save()
    press = pressed([one, two])
    assert not press.can_share(one)
    for batch in ([one], [one, two]):
        with pytest.raises(ValueError, match="alike"):
            press.batch(batch, now=NOW)


def test_nobody_is_twice_in_a_batch_and_no_erased_reader(papers, robotics):
    digests = digests_of(papers, robotics)
    press = pressed(digests)
    with pytest.raises(ValueError, match="different readers"):
        press.batch([digests[0], digests[0]], now=NOW)
    digests[1].subscriber = None
    with pytest.raises(ValueError, match="different readers"):
        press.batch(digests, now=NOW)


def test_papers_that_are_left_out_are_left_out_for_all(papers, robotics):
    digests = digests_of(papers, robotics)
    press = pressed(digests)
    gone = frozenset([papers[0].pk])
    mails = dict(as_mailgun_mails(posted(press.batch(digests, now=NOW, without=gone))))
    for digest in digests:
        made = digest_message(digest, digest.subscriber, press._shelf, now=NOW, without=gone)
        assert mails[digest.subscriber.email]["text"] == made.body
        assert mails[digest.subscriber.email]["html"] == made.alternatives[0].content


def test_words_of_a_translator_are_escaped_in_one_part_only(papers, robotics, monkeypatch):
    with pseudo("fr") as code:
        digests = digests_of(papers, robotics, language=code)
        monkeypatch.setattr("tests.pseudo._FILLING", " l'<envoi> & plus")
        press = pressed(digests)
        mails = dict(as_mailgun_mails(posted(press.batch(digests, now=NOW))))
        made = digest_message(digests[0], digests[0].subscriber, press._shelf, now=NOW)
    assert mails[digests[0].subscriber.email]["text"] == made.body
    assert mails[digests[0].subscriber.email]["html"] == made.alternatives[0].content
    assert "l&#x27;&lt;envoi&gt;" in made.alternatives[0].content
