"""The doctor as a command: what it prints, how it ends, and that it never breaks down itself."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from digest.health import examination, names
from digest.health.names import How
from digest.health.verdict import State
from tests.digest.health.dns import counted, rsa, zone

GOOD = {
    ". NS": ["a.root-servers.net."],
    "example.org TXT": ["v=spf1 include:_spf.example.net -all"],
    "_spf.example.net TXT": ["v=spf1 ip4:192.0.2.0/24 -all"],
    "dkim._domainkey.example.org TXT": [f"v=DKIM1; p={rsa(2048)}"],
    "_dmarc.example.org TXT": ["v=DMARC1; p=none; rua=mailto:d@example.org"],
    "example.org MX": ["10 mx.example.org."],
    "papers.example.org A": ["192.0.2.1"],
}


@pytest.fixture
def doctor(db, settings, monkeypatch):
    """Run the command with the answers of a zone; the exit code and what was printed."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = settings.LETTERS_FROM_EMAIL = "Daily Papers <papers@example.org>"
    monkeypatch.setattr("digest.health.processes.processes", lambda *_: [])

    def run(*arguments, records=GOOD):
        monkeypatch.setattr("digest.management.commands.doctor.asker", lambda: zone(records))
        out = io.StringIO()
        try:
            call_command("doctor", *arguments, stdout=out)
        except SystemExit as end:
            return end.code, out.getvalue()
        return 0, out.getvalue()

    return run


def verdicts(printed):
    return {entry["name"]: entry for entry in json.loads(printed)}


def test_a_good_installation_has_no_fault(doctor):
    code, printed = doctor("--dns", "--json")
    assert code == 0
    assert {e["name"] for e in json.loads(printed) if e["group"] == "DNS"} >= {"SPF", "DKIM dkim", "DMARC"}
    assert {e["state"] for e in json.loads(printed) if e["group"] == "DNS"} == {"ok"}


def test_a_fault_ends_it_with_1_and_says_what_to_do(doctor):
    code, printed = doctor("--dns", "--json", records={**GOOD, "_dmarc.example.org TXT": How.NO_NAME})
    assert code == 1
    assert "v=DMARC1" in verdicts(printed)["DMARC"]["remedy"]


def test_a_table_for_each_group_and_the_sum_below(doctor):
    code, printed = doctor("--dns")
    assert code == 0
    for group in ("Settings", "Mail", "DNS", "Provider", "Processes"):
        assert group in printed
    assert "0 fault" in printed.splitlines()[-1]


def test_without_dns_nothing_is_asked_and_it_says_so(doctor, monkeypatch):
    monkeypatch.setattr(names, "_ask", lambda *_: pytest.fail("the DNS was asked"))
    code, printed = doctor("--json")
    assert code == 0
    assert verdicts(printed)["DNS"]["said"] == "DNS is not asked: add --dns"
    assert verdicts(printed)["DNS"]["state"] == State.NOT_CHECKED


def test_without_a_network_it_asks_once_and_says_why(db, settings, monkeypatch, tmp_path):
    """The real resolver and the real broker's address, where nobody answers."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    silent, asked = counted(names.asker(["127.0.0.1"], 1, seconds=0.3))
    monkeypatch.setattr("digest.management.commands.doctor.asker", lambda: silent)
    copy = tmp_path / "copy.eml"
    copy.write_bytes(b"From: Daily Papers <papers@example.org>\r\n\r\nHi\r\n")
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--dns", "--json", "--received", str(copy), stdout=out)
    assert asked == [(".", "NS")]
    found = verdicts(out.getvalue())
    assert found["DNS"]["said"] == found["DKIM verified"]["said"] == "no DNS answer from this machine"
    assert found["Broker"]["state"] == "fault"
    assert found["Workers"]["state"] == "not checked"


@pytest.mark.parametrize("how", [How.NO_NAME, How.NO_RECORD, How.FAILED, How.TIMEOUT, How.UNREACHABLE])
def test_whatever_the_dns_does_every_line_has_a_state_and_a_reason(doctor, how):
    answers = {". NS": GOOD[". NS"]}
    kinds = {f"{name} {kind}": how for name in ("example.org", "papers.example.org") for kind in ("TXT", "MX", "A")}
    _, printed = doctor("--dns", "--json", "--selector", "s1", records={**answers, **kinds})
    for entry in json.loads(printed):
        assert entry["said"], entry
        assert entry["state"] != "fault" or entry["remedy"], entry


def test_the_return_path_of_a_provider_is_checked_where_it_is_named(doctor, settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.MAIL_WEBHOOK_SECRET = ["papers:a-long-random-password"]
    _, printed = doctor("--dns", "--json")
    found = verdicts(printed)
    assert found["SPF"]["state"] == "not checked"
    assert "NAME:PASSWORD@papers.example.org/anymail/postmark/tracking/" in found["Webhook"]["said"]
    assert "a-long-random-password" not in printed
    _, printed = doctor("--dns", "--json", "--envelope", "bounces.example.org")
    assert verdicts(printed)["SPF"]["said"].startswith("bounces.example.org")


def test_the_return_path_of_a_relay_is_judged_only_where_it_is_named(doctor):
    records = {**GOOD, "example.org TXT": ["other"]}
    code, printed = doctor("--dns", "--json", records=records)
    spf = verdicts(printed)["SPF"]
    assert (code, spf["state"], "--envelope" in spf["remedy"]) == (0, "warning", True)
    assert verdicts(printed)["From and Return-Path"]["state"] == "not checked"
    code, printed = doctor("--dns", "--json", "--envelope", "example.org", records=records)
    assert (code, verdicts(printed)["SPF"]["state"]) == (1, "fault")


@pytest.mark.parametrize(("reply_to", "code", "state"), [("", 1, "fault"), ("editors@example.com", 0, "warning")])
def test_a_from_that_only_sends_needs_no_mailbox_where_replies_go_elsewhere(doctor, settings, reply_to, code, state):
    settings.REPLY_TO = reply_to
    records = {name: found for name, found in GOOD.items() if name != "example.org MX"}
    ended, printed = doctor("--dns", "--json", records={**records, "example.com MX": ["10 mx.example.com."]})
    assert (ended, verdicts(printed)["Replies to FROM_EMAIL"]["state"]) == (code, state)


def test_a_reply_to_without_a_mailbox_is_a_fault(doctor, settings):
    settings.REPLY_TO = "editors@example.com"
    code, printed = doctor("--dns", "--json")
    assert (code, verdicts(printed)["REPLY_TO"]["state"]) == (1, "fault")


def test_a_webhook_without_a_secret_is_a_fault(doctor, settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.MAIL_WEBHOOK_SECRET = []
    code, printed = doctor("--json")
    assert code == 1
    assert verdicts(printed)["Webhook"]["state"] == "fault"


def test_wrong_settings_are_shown_instead_of_ending_it(doctor, settings):
    settings.POSTAL_ADDRESS, settings.EDITION_SIZE = "", 0
    settings.SITE_URL = "http://papers.example.org"
    code, printed = doctor("--json")
    found = verdicts(printed)
    assert code == 1
    assert found["POSTAL_ADDRESS"]["state"] == found["SITE_URL"]["state"] == "fault"
    assert found["Django's system checks: daily_papers.E008"]["state"] == "fault"


def test_a_from_of_this_machine_is_not_asked_of_the_dns(doctor, settings):
    settings.DEFAULT_FROM_EMAIL = "Daily Papers <papers@localhost>"
    code, printed = doctor("--dns", "--json")
    assert code == 1
    assert verdicts(printed)["DNS"]["state"] == "not checked"


def test_a_database_that_is_away_is_one_fault_and_the_rest_goes_on(doctor, monkeypatch):
    def away(_):
        raise OperationalError("no such table")

    monkeypatch.setattr(examination.waiting, "waiting", away)
    code, printed = doctor("--json")
    assert code == 1
    assert verdicts(printed)["Database"]["state"] == "fault"
    assert verdicts(printed)["FROM_EMAIL"]["state"] == "ok"


def test_a_file_that_is_not_there_is_an_argument_that_is_wrong(doctor, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        doctor("--received", str(tmp_path / "nothing.eml"))
