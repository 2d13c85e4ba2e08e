import pytest
from django.core.checks import Error, Warning  # noqa: A004 - Django's names

from config.mail_url import ESPS, PLAIN
from digest.health import configured, names, provider
from digest.health.verdict import State
from digest.providers import PROVIDERS, Reports, provider_of
from subscriptions.webhooks import tracking_view

SMTP = provider_of(PLAIN["smtp"])


def backend(esp):
    return f"anymail.backends.{esp}.EmailBackend"


def states(verdicts):
    return {v.name: v.state for v in verdicts}


@pytest.mark.parametrize(
    ("value", "reply_to", "state"),
    [
        ("Daily Papers <papers@example.org>", "", State.OK),
        ("papers@example.org", "", State.WARNING),
        ("Daily Papers <noreply@example.org>", "", State.WARNING),
        ("Daily Papers <do-not-reply@example.org>", "", State.WARNING),
        ("Daily Papers <No_Reply@example.org>", "editors@example.org", State.OK),
        ("Daily Papers <papers@localhost>", "", State.FAULT),
        ("Daily Papers", "", State.FAULT),
        ("", "", State.FAULT),
    ],
)
def test_a_sender_has_a_name_and_reads_replies(value, reply_to, state):
    assert configured.sender("FROM_EMAIL", value, reply_to).state == state


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("example.org", "EXAMPLE.org.", configured.SAME),
        ("example.org", "mail.example.org", configured.BELOW),
        ("a.mail.example.org", "example.org", configured.BELOW),
        ("news.example.org", "mail.example.org", configured.SIBLINGS),
        ("a.co.uk", "b.co.uk", configured.SIBLINGS),
        ("example.org", "notexample.org", configured.APART),
        ("example.org", "org", configured.APART),
        ("example.org", "", configured.APART),
    ],
)
def test_how_two_domains_stand_to_each_other_whichever_comes_first(one, other, relation):
    assert configured.related(one, other) == configured.related(other, one) == relation


def test_a_return_path_that_nobody_named_is_not_judged():
    others = {"message_id": "example.org", "list_id": "digest.example.org", "site_url": "https://papers.example.org"}
    named = configured.alignment("example.org", **others, provider=SMTP, envelope="example.org")
    assert set(states(named).values()) == {State.OK}
    for transport in (SMTP, provider_of(backend("postmark")), provider_of(PLAIN["file"])):
        found = {v.name: v for v in configured.alignment("example.org", **others, provider=transport)}
        assert found["From and Return-Path"].state == State.NOT_CHECKED
        assert "--envelope" in found["From and Return-Path"].remedy
    said = configured.alignment("example.org", **others, provider=SMTP, envelope="bounces.provider.example")
    assert states(said)["From and Return-Path"] == State.WARNING
    elsewhere = configured.alignment("example.org", **{**others, "site_url": "https://papers.example"}, provider=SMTP)
    assert states(elsewhere)["From and SITE_URL"] == State.WARNING


def test_letters_of_another_domain_are_warned_of():
    assert configured.same_sender("A <a@example.org>", "B <b@letters.example.org>").state == State.OK
    assert configured.same_sender("A <a@example.org>", "B <b@example.com>").state == State.WARNING


@pytest.mark.parametrize(
    ("address", "state", "words"),
    [
        ("", State.OK, ""),
        ("leave@example.org", State.WARNING, "Send a mail there"),
        ("leave@other.example", State.WARNING, "inbound route"),
        ("leave", State.FAULT, "Set an address"),
    ],
)
def test_an_address_to_unsubscribe_at_must_be_tested(address, state, words):
    verdict = configured.unsubscribe_by_mail(address, "example.org")
    assert (verdict.state, words in verdict.remedy) == (state, True)


def test_https_and_a_postal_address_are_musts():
    assert configured.site("https://papers.example.org").state == State.OK
    assert configured.site("http://papers.example.org").state == State.FAULT
    assert configured.postal_address("1 Example Street").state == State.OK
    assert configured.postal_address(" ").state == State.FAULT


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://papers.example.org", "https://papers.example.org"),
        ("https://papers.example.org:8443", "https://papers.example.org:8443"),
        ("https://user:topsecret@papers.example.org", "https://papers.example.org"),
        ("http://user:topsecret@papers.example.org/?key=topsecret", "http://papers.example.org"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://user:topsecret/x@papers.example.org", "(no web address)"),
        ("https://user:[topsecret@papers.example.org", "(no web address)"),
    ],
)
def test_of_the_sites_address_only_scheme_and_host_are_printed(url, shown):
    assert names.address_of(url) == shown
    said = configured.site(url).said if "[topsecret" not in url else ""
    hook = provider.webhook(provider_of(backend("postmark")), "/anymail/postmark/tracking/", url, []).said
    assert "topsecret" not in said + hook


def test_system_checks_are_shown_but_for_those_with_a_line_of_their_own():
    found = [
        Error("a", hint="b", id="daily_papers.E012"),
        Warning("c", id="security.W008"),
        Error("d", id="daily_papers.E015"),
    ]
    assert [(v.state, v.said, v.remedy) for v in configured.system_checks(found)] == [
        (State.FAULT, "a", "b"),
        (State.WARNING, "c", ""),
    ]
    assert [v.state for v in configured.system_checks([])] == [State.OK]


def test_every_transport_of_mail_url_is_in_the_table():
    assert {provider_of(b) for b in [*PLAIN.values(), *map(backend, ESPS)]} == set(PROVIDERS.values())


@pytest.mark.parametrize("esp", sorted(ESPS))
def test_the_table_knows_who_reports_as_anymail_does(esp):
    assert (provider_of(backend(esp)).reports is not Reports.NONE) == (tracking_view(backend(esp)) is not None)


@pytest.mark.parametrize("esp", sorted(ESPS - {"amazon_ses"}))
def test_only_a_batch_with_each_readers_own_header_and_link_is_used(esp):
    batches = {"mailgun", "mailjet", "sendgrid", "unisender_go"}
    known = provider_of(backend(esp))
    assert known.carries_batches == (esp in batches)
    said = {v.name: v.said for v in provider.abilities(known)}["Batches"]
    assert ("one message a reader" in said) == (esp != "mailgun")


def test_who_may_not_carry_one_click_is_warned_of():
    named = {esp for esp in ESPS if State.WARNING in states(provider.abilities(provider_of(backend(esp)))).values()}
    assert named == {"mailersend", "sparkpost"}


@pytest.mark.parametrize("scheme", ["file", "memory", "console", "dummy"])
def test_nothing_leaves_by_a_transport_for_trying_out(scheme):
    here = provider_of(PLAIN[scheme])
    assert configured.transport(here).state == State.WARNING
    assert [v.state for v in provider.abilities(here)] == [State.NOT_CHECKED]


def test_a_backend_that_nobody_described_gets_single_mails():
    assert not provider_of("somebody.elses.EmailBackend").carries_batches


def test_the_webhooks_address_is_told_without_the_password():
    postmark = provider_of(backend("postmark"))
    verdict = provider.webhook(postmark, "/anymail/postmark/tracking/", "https://papers.example.org", [])
    assert verdict.state == State.OK
    assert "https://NAME:PASSWORD@papers.example.org/anymail/postmark/tracking/" in verdict.said


def test_a_webhook_that_is_not_guarded_or_not_there():
    postmark = provider_of(backend("postmark"))
    found = [Error("MAIL_WEBHOOK_SECRET is empty", hint="Make one", id="daily_papers.E015")]
    assert provider.webhook(postmark, "", "https://papers.example.org", found).state == State.FAULT
    assert provider.webhook(postmark, "", "https://papers.example.org", []).state == State.NOT_CHECKED
    assert provider.webhook(SMTP, "", "https://papers.example.org", []).state == State.OK


@pytest.mark.parametrize(
    ("backend", "mailbox", "state"),
    [
        ("subscriptions.smtp.EmailBackend", "", State.WARNING),
        ("subscriptions.smtp.EmailBackend", "maildir:/var/mail/papers", State.OK),
        ("anymail.backends.postmark.EmailBackend", "", State.OK),
    ],
)
def test_a_relays_bounces_have_to_be_read(backend, mailbox, state):
    assert configured.bounces(provider_of(backend), "", mailbox).state is state
