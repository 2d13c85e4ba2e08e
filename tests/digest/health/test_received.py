"""A digest of ours, signed here and changed on the way."""

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.health.names import How
from digest.health.received import received_copy
from digest.health.signed import verified
from digest.health.verdict import State
from digest.rendering import Shelf, digest_message
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader
from tests.digest.health.dns import SIGNER, signers_key, zone

ONCE = ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"]
TWICE = [*ONCE, "From", "List-Unsubscribe", "List-Unsubscribe-Post"]
KEYS = zone({"s1._domainkey.example.org TXT": [signers_key()]})
PASS = b"Authentication-Results: mx.example.net; spf=pass; dkim=pass (good) header.d=example.org; dmarc=pass\r\n"


@pytest.fixture
def digest(db, settings):
    """A digest as it leaves, unsigned."""
    settings.SITE_URL = "https://papers.example.org"
    settings.DEFAULT_FROM_EMAIL = "Daily Papers <papers@example.org>"
    papers = [make_paper(1), make_paper(2)]
    make_edition(papers)
    row = make_digest(make_reader("ana"), papers)
    return (
        digest_message(row, row.subscriber, Shelf.for_digests([row]), now=NOW)
        .message()
        .as_bytes()
        .replace(b"\n", b"\r\n")
    )


def sign(raw, headers=TWICE, domain=b"example.org"):
    names = [name.encode() for name in headers]
    signature = dkim.DKIM(raw).sign(b"s1", domain, SIGNER, canonicalize=(b"relaxed", b"relaxed"), include_headers=names)
    return signature + raw


def look(raw):
    return {v.name: v for v in received_copy(raw, from_domain="example.org", site_host="papers.example.org")}


def test_a_digest_that_arrives_as_it_should_is_well_in_every_point(digest):
    raw = PASS + sign(digest)
    found = look(raw)
    assert {name: v for name, v in found.items() if v.state != State.OK} == {}
    assert {"DKIM signature", "h= covers List-Unsubscribe", "Message-ID", "Date", "7-bit"} <= set(found)
    assert verified(raw, KEYS).state == State.OK


def test_a_second_unsubscribe_header_above_breaks_the_signature_only_where_both_were_oversigned(digest):
    """Why oversigning is asked for: mail programs show the upper header, verifiers begin with the lower one."""
    for header in ("List-Unsubscribe: <https://evil.example/>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"):
        second = header.encode() + b"\r\n"
        assert verified(second + sign(digest, ONCE), KEYS).state == State.OK
        assert verified(second + sign(digest, TWICE), KEYS).state == State.FAULT


def test_headers_that_are_signed_once_are_warned_of_and_unsigned_ones_are_a_fault(digest):
    once = look(sign(digest, ONCE))
    assert once["h= covers List-Unsubscribe"].state == State.WARNING
    assert once["h= covers List-Unsubscribe-Post"].state == State.WARNING
    without = look(sign(digest, [h for h in TWICE if h != "List-Unsubscribe-Post"]))
    assert without["h= covers List-Unsubscribe-Post"].state == State.FAULT
    assert without["h= covers List-Unsubscribe"].state == State.OK


@pytest.mark.parametrize(
    ("domain", "state"),
    [
        (b"example.org", State.OK),
        (b"mail.example.org", State.OK),
        (b"org", State.FAULT),
        (b"notexample.org", State.FAULT),
        (b"provider.example", State.FAULT),
    ],
)
def test_the_signature_must_be_of_the_from_domain(digest, domain, state):
    assert look(sign(digest, domain=domain))["DKIM signature"].state == state


def test_of_several_signatures_the_aligned_one_is_judged_and_verified(digest):
    raw = sign(sign(digest), ONCE, domain=b"provider.example")
    assert look(raw)["h= covers List-Unsubscribe"].state == State.OK
    assert verified(raw, KEYS).state == State.OK


def test_a_mail_without_a_signature_is_a_fault_and_nothing_is_verified(digest):
    assert look(digest)["DKIM signature"].state == State.FAULT
    assert verified(digest, KEYS).state == State.NOT_CHECKED


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda raw: raw.replace(b"\r\nMessage-ID: <", b"\r\nMessage-ID: <0100."), "Message-ID"),
        (lambda raw: raw.replace(b"\r\nDate: ", b"\r\nX-Date: "), "Date"),
        (lambda raw: raw.replace(b"\r\nDate: ", b"\r\nDate: never, "), "Date"),
        (lambda raw: b"List-Unsubscribe: <mailto:u@provider.example>\r\n" + raw, "List-Unsubscribe"),
        (lambda raw: raw.replace(b"\r\nList-Unsubscribe: ", b"\r\nX-Gone: "), "List-Unsubscribe"),
        (lambda raw: raw.replace(b"<https://papers.example.org/", b"<https://track.example/"), "List-Unsubscribe"),
        (lambda raw: raw.replace(b"<https://papers.example.org/", b"<http://papers.example.org/"), "List-Unsubscribe"),
        (lambda raw: raw.replace(b"=One-Click", b"=One"), "List-Unsubscribe-Post"),
        (lambda raw: raw.replace(b"papers@example.org", b"papers@other.example"), "From"),
        (lambda raw: raw.replace(b"quoted-printable", b"8bit"), "7-bit"),
        (lambda raw: raw + "naïve\r\n".encode(), "7-bit"),
        (lambda raw: PASS.replace(b"dkim=pass", b"dkim=fail") + raw, "Authentication-Results"),
        (lambda raw: PASS.replace(b"dmarc=pass", b"dmarc=none") + raw, "Authentication-Results"),
        (lambda raw: PASS.replace(b"spf=pass", b"spf=softfail") + raw, "Authentication-Results"),
    ],
)
def test_what_a_hop_changed_is_seen(digest, change, name):
    changed = change(PASS + sign(digest))
    assert changed != PASS + sign(digest)
    assert look(changed)[name].state in {State.WARNING, State.FAULT}


def test_only_the_uppermost_results_count_and_a_comment_is_none(digest):
    forged = PASS + b"X: y\r\n"
    honest = b"Authentication-Results: mx.example.net; dkim=fail (it said; dkim=pass); dmarc=pass; spf=pass\r\n"
    assert look(honest + forged + sign(digest))["Authentication-Results"].state == State.FAULT
    assert look(sign(digest))["Authentication-Results"].state == State.NOT_CHECKED


def results(*said):
    return b"".join(b"Authentication-Results: " + line + b"\r\n" for line in said)


@pytest.mark.parametrize(
    ("above", "state"),
    [
        (
            [b"mx.example.net; dmarc=pass", b"mx.example.net; spf/1=pass", b"MX.example.net 1; dkim / 1 = pass"],
            State.OK,
        ),
        ([b"mx.example.net (a comment); dmarc=pass", b"mx.example.net; spf=pass; dkim=pass"], State.OK),
        ([b"mx.example.net; dmarc=pass; spf=pass", b"other.example; dkim=pass"], State.FAULT),
        ([b"mx.example.net; dmarc=pass; spf=pass", b"other.example; x=y", b"mx.example.net; dkim=pass"], State.FAULT),
        ([b"mx.example.net; dkim=fail; spf=pass; dmarc=pass", b"mx.example.net; dkim=pass"], State.FAULT),
        ([b"mx.example.net; dkim=fail; dkim=pass; spf=pass", b"mx.example.net; dmarc=pass"], State.OK),
        ([b"mx.example.net; none", b"mx.example.net; dkim=pass; spf=pass; dmarc=pass"], State.OK),
    ],
)
def test_results_that_one_server_wrote_into_several_headers_are_read_together(digest, above, state):
    assert look(results(*above) + sign(digest))["Authentication-Results"].state == state


def test_a_changed_body_a_wrong_key_and_a_silent_dns_are_three_things(digest):
    raw = sign(digest)
    assert "body hash" in verified(raw + b"Sponsored.\r\n", KEYS).said
    assert verified(raw, zone({})).state == State.FAULT
    silent = verified(raw, zone({"s1._domainkey.example.org TXT": How.TIMEOUT}))
    assert (silent.state, "in time" in silent.said) == (State.NOT_CHECKED, True)


def test_a_copy_that_lost_its_line_ends_or_begins_with_an_mbox_line_verifies_all_the_same(digest):
    raw = b"From papers@example.org Fri Mar 20 07:00:00 2026\n" + sign(digest).replace(b"\r\n", b"\n")
    assert verified(raw, KEYS).state == State.OK
    assert look(raw)["List-Unsubscribe"].state == State.OK


def test_a_file_that_is_no_mail_is_said_to_be_none():
    assert look(b"%PDF-1.7 \x00\xff")["Copy"].state == State.FAULT
    assert look(b"")["Copy"].state == State.FAULT


def test_the_reader_is_in_no_verdict(digest):
    raw = PASS + sign(digest)
    said = " ".join(v.said + v.remedy for v in [*look(raw).values(), verified(raw + b"x", KEYS)])
    assert b"ana@example.org" in raw
    assert "ana@" not in said


SIGNED = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s1; h=from:; "
LINES = st.sampled_from(
    [
        b"From: a@example.org",
        SIGNED + b"bh=x; b=!",
        SIGNED + b"bh=AA==; b=AA==",
        b"Date:",
        b"Authentication-Results: ;=",
        b"",
    ]
)


@given(st.lists(LINES | st.binary(max_size=30)))
def test_any_file_gets_verdicts(lines):
    raw = b"\r\n".join(lines)
    assert look(raw)
    assert verified(raw, KEYS).state != State.OK
