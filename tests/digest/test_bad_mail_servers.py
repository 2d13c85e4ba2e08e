"""Mail servers of bad manners: each mail ends in the right state and reason, the others go out, no thread hangs."""

import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from digest import delivery
from digest.models import Digest
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader
from tests.fakes.hostile import Hostile, at_first, certificate, drop, from_mail, hang, slowly, take_and_drop, to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.long]

READERS, ODD = 5, "r1@example.org"
OTHERS = {f"r{number}@example.org" for number in range(READERS)} - {ODD}


@pytest.fixture
def smtp(settings):
    """Point the product at a server; time-outs are short."""

    def use(port, **options):
        settings.EMAIL_BACKEND = "subscriptions.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_TIMEOUT, settings.SEND_THREADS = 0.4, 2
        for name, value in options.items():
            setattr(settings, name, value)

    return use


@pytest.fixture(autouse=True)
def no_thread_hangs():
    """Threads that a test leaves behind would hang for ever in a worker."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert not set(threading.enumerate()) - before


@pytest.fixture
def planned(db):
    paper = make_paper(1)
    make_edition([paper])
    return [make_digest(make_reader(f"r{number}"), [paper]) for number in range(READERS)]


def send(now=NOW):
    """One run. It must end by itself whatever the server does: Hostile tells where it did not."""
    return dict(delivery.send_digests(lambda: now, "test"))


def facts(email=ODD):
    digest = Digest.objects.get(subscriber__email=email)
    return digest.state, digest.reason, digest.attempt


def received(server):
    return Counter(recipient for _, recipient in server.accepted)


def tried(server):
    return sum(chunk.startswith(b"MAIL") for chunk in server.heard)


def odd(action):
    """Do it in the exchange of the odd reader only."""

    def only(session):
        if session.recipient != ODD:
            return None
        return action(session) if callable(action) else action

    return only


@dataclass(frozen=True)
class Case:
    """What a server does to one of five readers, and how that digest ends."""

    script: dict
    state: str
    reason: str
    attempt: int = 1
    taken: int = 0  # how often the server has the mail
    extensions: tuple[str, ...] = field(default=("PIPELINING",))


LOST, UNSENT = "connection lost: SMTPServerDisconnected", "connection lost before the mail was sent"
ONE_READER = {
    "550 for one of many": Case(
        {"RCPT": odd(b"550 5.1.1 no such user r1@example.org")}, "rejected", "the recipient was refused (550 5.1.1)"
    ),
    "550 in UTF-8": Case(
        {"RCPT": odd("550 5.1.1 Empfänger r1@example.org unbekannt 不".encode())},
        "rejected",
        "the recipient was refused (550 5.1.1)",
    ),
    "550 in several lines": Case(
        {"RCPT": odd(b"550-5.1.1 The mailbox that you tried\r\n550-5.1.1\r\n550 5.1.1 does not exist.")},
        "rejected",
        "the recipient was refused (550 5.1.1)",
    ),
    "550, without pipelining": Case(
        {"RCPT": odd(b"550 5.1.1 no such user")},
        "rejected",
        "the recipient was refused (550 5.1.1)",
        extensions=(),
    ),
    "452": Case({"RCPT": odd(b"452 4.2.2 mailbox full")}, "planned", "the recipient was refused for now (452 4.2.2)"),
    "451 at DATA": Case({"DATA": odd(b"451 4.3.0 try later")}, "planned", "SMTPDataError for now (451 4.3.0)"),
    "554 after the dot": Case({".": odd(b"554 5.7.1 looks like spam")}, "rejected", "SMTPDataError (554 5.7.1)"),
    "hangs in DATA": Case({"DATA": odd(hang)}, "planned", UNSENT),
    "hangs in DATA after 354": Case({"body": odd(hang)}, "uncertain", LOST),
    "hangs after the dot": Case({".": odd(hang)}, "uncertain", LOST),
    "drops in the envelope": Case({"RCPT": odd(drop)}, "planned", UNSENT),
    "drops after the dot": Case({".": odd(drop)}, "uncertain", LOST),
    "drops after the dot with the mail": Case({".": odd(take_and_drop)}, "uncertain", LOST, taken=1),
    "one byte a second after the dot": Case(
        {".": odd(slowly(b"250-taken\r\n250-as soon as\r\n250 this server can", 0.2))}, "uncertain", LOST
    ),
    "a line without an end after the dot": Case({".": odd(b"250 " + b"x" * 10_000)}, "uncertain", LOST),
    "a line without an end at RCPT": Case({"RCPT": odd(b"550 " + b"x" * 10_000)}, "planned", UNSENT),
    "garbage after the dot": Case({".": odd(b"\xff\xfe\x00 what?")}, "uncertain", LOST),
    "garbage at RCPT": Case({"RCPT": odd(b"\xff\xfe\x00 what?")}, "planned", UNSENT),
}


@pytest.mark.parametrize("case", ONE_READER.values(), ids=ONE_READER)
def test_what_a_server_does_to_one_reader_is_that_reader_s_alone(case, planned, smtp):
    with Hostile(case.script, extensions=case.extensions) as server:
        smtp(server.port)
        send()
        assert facts() == (case.state, case.reason, case.attempt)
        assert {facts(email) for email in OTHERS} == {("accepted", "", 1)}
        assert send() == {}  # nothing is tried again at once
    assert received(server) == Counter({**dict.fromkeys(OTHERS, 1), **({ODD: case.taken} if case.taken else {})})


def test_one_refusal_among_a_hundred_costs_no_other_mail_and_no_connection(smtp):
    paper = make_paper(1)
    make_edition([paper])
    for number in range(100):
        make_digest(make_reader(f"r{number}"), [paper])
    with Hostile({"RCPT": odd(b"550 5.1.1 no such user")}) as server:
        smtp(server.port)
        assert send() == {"accepted": 99, "rejected": 1}
    assert server.connections == 2


def test_a_greylist_gets_the_mail_at_the_second_try(planned, smtp):
    with Hostile({"RCPT": at_first(b"450 4.7.1 greylisted, try again in five minutes")}) as server:
        smtp(server.port)
        assert send() == {"planned": READERS}
        assert send(NOW + timedelta(minutes=1)) == {}
        assert send(NOW + timedelta(minutes=6)) == {"accepted": READERS}
    assert set(received(server).values()) == {1}


def test_a_full_mailbox_is_tried_five_times_and_no_more(planned, smtp):
    with Hostile({"RCPT": to(ODD, b"452 4.2.2 mailbox full")}) as server:
        smtp(server.port)
        for hours in range(0, 30, 3):
            send(NOW + timedelta(hours=hours))
        assert server.tries[ODD] == 5
    assert facts() == ("failed", "the recipient was refused for now (452 4.2.2)", 5)


def test_421_after_two_mails_on_each_connection_costs_nothing(planned, smtp):
    with Hostile({"MAIL": from_mail(3, b"421 4.7.0 too many mails on this connection")}) as server:
        smtp(server.port)
        now = NOW
        while Digest.objects.exclude(state="accepted").exists() and now < NOW + timedelta(hours=1):
            send(now)
            now += timedelta(minutes=1)
    assert {facts(email) for email in [*OTHERS, ODD]} == {("accepted", "", 1)}
    assert set(received(server).values()) == {1}


def test_a_server_that_closes_whenever_it_hears_of_one_reader_still_takes_the_others(planned, smtp):
    with Hostile({"RCPT": to(ODD, b"421 4.3.2 closing")}) as server:
        smtp(server.port)
        for minutes in range(0, 40, 2):
            send(NOW + timedelta(minutes=minutes))
        assert server.tries[ODD] < 40
    assert {facts(email)[0] for email in OTHERS} == {"accepted"}
    assert received(server) == Counter(dict.fromkeys(OTHERS, 1))


ABOUT_US = {  # said to every mail: keeps it planned, at no cost, and everybody waits
    "421 at RCPT": ({"RCPT": b"421 4.3.2 shutting down"}, "the recipient was refused for now (421 4.3.2)"),
    "421 at DATA": ({"DATA": b"421 4.3.2 shutting down"}, "SMTPDataError for now (421 4.3.2)"),
    "421 after the dot": ({".": b"421 4.3.2 shutting down"}, "SMTPDataError for now (421 4.3.2)"),
    "454, too fast": (
        {"DATA": b"454 4.7.0 throttling failure: maximum sending rate"},
        "the mail server refused us: a sending limit (454 4.7.0)",
    ),
    "5yz at MAIL": ({"MAIL": b"550 5.7.1 we do not know you"}, "SMTPSenderRefused (550 5.7.1)"),
    "4yz at MAIL": ({"MAIL": b"451 4.3.0 try later"}, "SMTPSenderRefused (451 4.3.0)"),
}


@pytest.mark.parametrize(("script", "reason"), ABOUT_US.values(), ids=ABOUT_US)
def test_what_a_server_says_about_us_keeps_every_mail_and_makes_all_wait(script, reason, planned, smtp):
    with Hostile(script) as server:
        smtp(server.port)
        send()
        envelopes = tried(server)
        assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}
        assert set(Digest.objects.values_list("reason", flat=True)) <= {reason, ""}
        assert send(NOW + timedelta(seconds=5)) == {}
        assert tried(server) == envelopes
        server.script = {}
        assert send(NOW + timedelta(hours=1)) == {"accepted": READERS}
    assert set(received(server).values()) == {1}


NOBODY_HOME = {
    "hangs up at once": {"connect": drop},
    "says nothing": {"connect": hang},
    "one byte a second": {"connect": slowly(b"220 a server that has all the time in the world is here", 0.2)},
    "does not serve": {"connect": b"554 5.3.2 no service here"},
    "closes": {"connect": b"421 4.3.2 not now"},
    "talks nonsense": {"connect": b"\xff\xfe\x00 what?"},
}


@pytest.mark.parametrize("script", NOBODY_HOME.values(), ids=NOBODY_HOME)
def test_a_server_that_lets_nobody_in_loses_and_costs_nothing(script, planned, smtp):
    with Hostile(script) as server:
        smtp(server.port)
        with pytest.raises(delivery.TransportDown):
            send()
        assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}
        server.script = {}
        assert send(NOW + timedelta(hours=1)) == {"accepted": READERS}
    assert set(received(server).values()) == {1}


def test_a_server_that_greets_with_421_is_left_alone_by_all_workers_for_a_while(planned, smtp):
    with Hostile({"connect": b"421 4.7.0 too many connections"}) as server:
        smtp(server.port)
        with pytest.raises(delivery.TransportDown):
            send()
        server.script = {}
        assert send(NOW + timedelta(seconds=14)) == {}
        assert send(NOW + timedelta(seconds=15)) == {"accepted": READERS}


def test_a_server_that_is_not_there_loses_and_costs_nothing(planned, smtp):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        smtp(listener.getsockname()[1])
    with pytest.raises(delivery.TransportDown):
        send()
    assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}


@pytest.mark.parametrize("way", ["EMAIL_USE_TLS", "EMAIL_USE_SSL"])
def test_a_wrong_certificate_gets_no_mail_and_no_password(way, planned, smtp, tmp_path):
    try:
        context, _ = certificate(tmp_path, "localhost")
    except FileNotFoundError:
        pytest.skip("TLS: needs openssl, to make a certificate")
    with Hostile(tls=context, implicit=way == "EMAIL_USE_SSL", extensions=("AUTH PLAIN",)) as server:
        smtp(server.port, EMAIL_HOST_USER="papers", EMAIL_HOST_PASSWORD="secret", **{way: True})
        with pytest.raises(delivery.TransportDown, match="certificate"):
            send()
    assert set(Digest.objects.values_list("state", "attempt")) == {("planned", 0)}
    assert not any(b"MAIL" in chunk or b"AUTH" in chunk for chunk in server.heard)


def test_a_server_that_hangs_for_everybody_costs_one_uncertain_mail_a_thread(planned, smtp):
    with Hostile({".": slowly(b"250-taken\r\n250-as soon as\r\n250 this server can", 0.2)}) as server:
        smtp(server.port, SEND_THREADS=READERS)
        send()
        assert Counter(Digest.objects.values_list("state", flat=True)) == {"uncertain": READERS}
    assert not server.accepted


def test_reasons_and_logs_never_carry_an_address(planned, smtp, caplog):
    caplog.set_level("DEBUG")
    with Hostile({"RCPT": b"550 5.1.1 no such user r1@example.org, see mail to r2@example.org"}) as server:
        smtp(server.port)
        send()
    assert not any("@" in reason for reason in Digest.objects.values_list("reason", flat=True))
    assert "@example.org" not in caplog.text
