import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.health.names import How
from digest.health.records import dkim_key, dkim_keys, dmarc, host, mailbox
from digest.health.verdict import State
from tests.digest.health.dns import rsa, zone

SILENCES = [
    (How.FAILED, State.WARNING, "SERVFAIL"),
    (How.TIMEOUT, State.NOT_CHECKED, "in time"),
    (How.UNREACHABLE, State.NOT_CHECKED, "from this machine"),
]
PLACE = "s1._domainkey.example.org TXT"
ED25519 = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        ([f"v=DKIM1; k=rsa; p={rsa(2048)}"], State.OK, "2048 bits"),
        ([f"p={rsa(4096)[:200]} {rsa(4096)[200:]}"], State.OK, "4096 bits"),
        ([f"v=DKIM1; p={rsa(1024)}"], State.WARNING, "1024 bits"),
        ([f"v=DKIM1; p={rsa(768)}"], State.FAULT, "768 bits"),
        ([f"v=DKIM1; k=ed25519; p={ED25519}"], State.WARNING, "ed25519"),
        ([f"v=DKIM1; k=ed25519; p={ED25519[:20]}"], State.FAULT, "15 bytes"),
        ([f"v=DKIM1; k=dsa; p={ED25519}"], State.FAULT, "unknown kind"),
        (["v=DKIM1; p="], State.FAULT, "revoked"),
        ([f"v=DKIM1; t=y:s; p={rsa(2048)}"], State.WARNING, "test"),
        ([f"v=DKIM1; h=sha1; p={rsa(2048)}"], State.FAULT, "SHA-256"),
        ([f"v=DKIM1; s=tlsrpt; p={rsa(2048)}"], State.FAULT, "SHA-256"),
        ([f"v=DKIM1; h=sha1:sha256; s=email; p={rsa(2048)}"], State.OK, "2048"),
        (["v=DKIM1; k=rsa; p=not base64!"], State.FAULT, "cannot be read"),
        (["v=DKIM1; k=rsa; p=AAAA"], State.FAULT, "cannot be read"),
        ([f"v=DKIM2; p={rsa(2048)}"], State.FAULT, "no DKIM key"),
        (["v=spf1 -all"], State.FAULT, "no DKIM key"),
        ([f"p={rsa(2048)}", "p="], State.FAULT, "2 records"),
        (How.NO_NAME, State.FAULT, "NXDOMAIN"),
        (How.NO_RECORD, State.FAULT, "no such record"),
        *SILENCES,
    ],
)
def test_a_key_is_judged(found, state, words):
    verdict = dkim_key("s1", "example.org", zone({PLACE: found}))
    assert (verdict.state, words in verdict.said) == (state, True), verdict


@given(st.text(max_size=60))
def test_any_text_at_a_selector_gets_a_verdict(text):
    assert dkim_key("s1", "example.org", zone({PLACE: [text]})).said


def test_without_a_named_selector_the_usual_ones_and_the_providers_are_tried():
    ask = zone({"pm._domainkey.example.org TXT": [f"p={rsa(2048)}"], PLACE: [f"p={rsa(2048)}"]})
    assert [v.name for v in dkim_keys("example.org", [], ask, guessed=["pm"])] == ["DKIM pm", "DKIM s1"]
    [none] = dkim_keys("example.org", [], zone({}))
    assert none.state == State.WARNING
    assert "--selector" in none.remedy


def test_silence_at_the_usual_selectors_is_not_their_absence():
    [verdict] = dkim_keys("example.org", [], lambda _name, _kind: zone({"x TXT": How.TIMEOUT})("x", "TXT"))
    assert verdict.state == State.NOT_CHECKED


@pytest.mark.parametrize(
    "text", ["v=DKIM1; p=", "v=spf1 p=x -all", "p=rubbish!", "v=DKIM1; k=dsa; p=AAAA", f"v=DKIM1; p={rsa(768)}"]
)
def test_a_key_that_was_only_guessed_is_no_fault(text):
    good = {"dkim._domainkey.example.org TXT": [f"p={rsa(2048)}"]}
    assert [v.name for v in dkim_keys("example.org", [], zone({PLACE: [text], **good}))] == ["DKIM dkim"]
    [none] = dkim_keys("example.org", [], zone({PLACE: [text]}), guessed=["s1"])
    assert (none.state, "--selector" in none.remedy) == (State.WARNING, True)
    assert [v.state for v in dkim_keys("example.org", ["s1"], zone({PLACE: [text], **good}))] == [State.FAULT]


def test_a_named_selector_must_be_there():
    [verdict] = dkim_keys("example.org", ["mine"], zone({PLACE: [f"p={rsa(2048)}"]}))
    assert (verdict.name, verdict.state) == ("DKIM mine", State.FAULT)


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (["v=DMARC1; p=none; rua=mailto:d@example.org"], State.OK, "p=none"),
        (["v=DMARC1;p=reject;rua=mailto:d@example.org"], State.OK, "p=reject"),
        (["v=DMARC1; p=quarantine"], State.WARNING, "no rua"),
        (["v=DMARC1; p=quarantine; rua=d@example.org"], State.WARNING, "no rua"),
        (["v=DMARC1; p=none; rua=https://x.example, mailto:d@example.org!10m"], State.OK, "p=none"),
        (["v=DMARC1; rua=mailto:d@example.org"], State.WARNING, "p=(missing): treated as p=none"),
        (["v=DMARC1; p=maybe; rua=mailto:d@example.org"], State.WARNING, "p=maybe: treated as p=none"),
        (["v=DMARC1; p=reject; sp=x; rua=mailto:d@example.org"], State.WARNING, "sp=x: treated as p=none"),
        (["v=DMARC1; rua=d@example.org"], State.FAULT, "(missing)"),
        (["v=DMARC1"], State.FAULT, "(missing)"),
        (["v=DMARC1; p=maybe"], State.FAULT, "p=maybe"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], State.FAULT, "2 DMARC records"),
        (["v=DMARC10; p=none"], State.FAULT, "no DMARC record"),
        (["p=none; v=DMARC1"], State.FAULT, "no DMARC record"),
        (How.NO_RECORD, State.FAULT, "no DMARC record"),
        (How.NO_NAME, State.FAULT, "no DMARC record"),
        *SILENCES,
    ],
)
def test_a_dmarc_record_is_judged(found, state, words):
    verdict = dmarc("example.org", zone({"_dmarc.example.org TXT": found}))
    assert (verdict.state, words in verdict.said) == (state, True), verdict


def test_a_subdomain_inherits_the_record_above_it_with_its_policy_for_subdomains():
    above = {"_dmarc.example.org TXT": ["v=DMARC1; p=none; sp=reject; rua=mailto:d@example.org"]}
    verdict = dmarc("news.papers.example.org", zone(above))
    assert (verdict.state, "_dmarc.example.org: p=reject" in verdict.said) == (State.OK, True)
    own = {"_dmarc.news.papers.example.org TXT": ["v=DMARC1; p=quarantine; rua=mailto:d@example.org"], **above}
    assert "p=quarantine" in dmarc("news.papers.example.org", zone(own)).said


@pytest.mark.parametrize(
    ("place", "state"),
    [
        ("news.papers.example.org", State.OK),
        ("papers.example.org", State.WARNING),
        ("example.org", State.OK),
    ],
)
def test_a_record_between_the_from_domain_and_the_organisations_may_not_count(place, state):
    found = {f"_dmarc.{place} TXT": ["v=DMARC1; p=none; rua=mailto:d@example.org"]}
    verdict = dmarc("news.papers.example.org", zone(found))
    assert (verdict.state, "may not count" in verdict.said) == (state, state == State.WARNING)
    assert f"_dmarc.{place}:" in verdict.said


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ({}, State.WARNING),
        ({"news.example.org MX": ["0 ."]}, State.WARNING),
        ({"news.example.org A": ["192.0.2.1"]}, State.WARNING),
        ({"news.example.org MX": ["10 mx.example.org."]}, State.OK),
        ({"news.example.org MX": How.TIMEOUT}, State.NOT_CHECKED),
    ],
)
def test_a_from_that_takes_no_mail_costs_bounces_at_most_where_replies_go_elsewhere(records, state):
    assert mailbox("Replies", "papers@news.example.org", zone(records), answered_elsewhere=True).state == state


@pytest.mark.parametrize(
    ("records", "state", "words"),
    [
        ({"example.org MX": ["10 mx.example.org."]}, State.OK, "mx.example.org"),
        ({"example.org MX": ["0 ."]}, State.FAULT, "RFC 7505"),
        ({"example.org A": ["192.0.2.1"]}, State.WARNING, "no MX"),
        ({"example.org AAAA": ["2001:db8::1"]}, State.WARNING, "no MX"),
        ({"example.org TXT": ["x"]}, State.FAULT, "no MX and no address"),
        ({}, State.FAULT, "no MX and no address"),
        *(({"example.org MX": how}, state, words) for how, state, words in SILENCES),
        ({"example.org MX": How.NO_RECORD, "example.org A": How.TIMEOUT}, State.NOT_CHECKED, "in time"),
    ],
)
def test_whether_replies_arrive(records, state, words):
    verdict = mailbox("Replies", "Daily Papers <papers@Example.org>", zone(records))
    assert (verdict.state, words in verdict.said) == (state, True), verdict


@pytest.mark.parametrize(
    ("hostname", "records", "state"),
    [
        ("papers.example.org", {"papers.example.org A": ["192.0.2.1"]}, State.OK),
        ("papers.example.org", {"papers.example.org AAAA": ["2001:db8::1"]}, State.OK),
        ("papers.example.org", {}, State.FAULT),
        ("papers.example.org", {"papers.example.org A": How.FAILED}, State.WARNING),
        ("papers.example.org", {"papers.example.org A": How.TIMEOUT}, State.NOT_CHECKED),
        ("127.0.0.1", {}, State.NOT_CHECKED),
        ("::1", {}, State.NOT_CHECKED),
        ("localhost", {}, State.NOT_CHECKED),
        ("", {}, State.NOT_CHECKED),
    ],
)
def test_whether_the_sites_host_is_found(hostname, records, state):
    assert host("Host", hostname, zone(records)).state == state
