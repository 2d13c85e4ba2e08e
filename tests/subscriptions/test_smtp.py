"""The SMTP backend against servers of good and of bad manners."""

import smtplib
import socket
import ssl
import threading
import time
from contextlib import contextmanager

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.smtp import EmailBackend, Unsent
from tests.fakes.hostile import Gone, Hostile, certificate, drop, hang, slowly, take_and_drop, to
from tests.fakes.smtp import Sink

READER = "reader@example.org"
MAIL = b"Message-ID: <digest-1@example.org>\r\nSubject: Papers\r\n\r\nA paper.\r\n"
REFUSED = b"550 5.1.1 no such user"


class Ready(EmailMultiAlternatives):
    """A message that brings its octets, and must not be built."""

    def __init__(self, octets=MAIL, to=(READER,)):
        super().__init__("Papers", "A paper.", "Daily Papers <papers@example.org>", list(to))
        self.ready = octets

    def octets(self):
        return self.ready

    def message(self, **options):
        raise AssertionError("a message that brings its octets was built")


def backend(server, **options):
    return EmailBackend(host="127.0.0.1", port=server.port, **{"timeout": 20, **options})


@contextmanager
def connected(server, **options):
    connection = backend(server, **options)
    connection.open()
    try:
        yield connection
    finally:
        connection.close()


def raised_by(work):
    """What ``work()`` raises."""
    with pytest.raises(OSError) as caught:  # noqa: PT011 - which of them is what the tests look at
        work()
    return caught.value


def timed_out(error):
    """Whether a time-out is behind it."""
    while error and not isinstance(error, TimeoutError):
        error = error.__cause__ or error.__context__
    return error is not None


@pytest.fixture
def reads_timed_out(monkeypatch):
    """The reads of connections that ended by a time-out."""
    seen: list[TimeoutError] = []
    read = socket.SocketIO.readinto

    def noting(self, buffer):
        try:
            return read(self, buffer)
        except TimeoutError as error:
            seen.append(error)
            raise

    monkeypatch.setattr(socket.SocketIO, "readinto", noting)
    return seen


@contextmanager
def aborted_while(server, connection):
    """Another thread ends the connection once the server hangs; the server would hang much longer."""
    thread = threading.Thread(target=lambda: server.hangs.wait(60) and connection.abort())
    thread.start()
    try:
        yield
    finally:
        thread.join()


def facts_of(error):
    """All that an exception of smtplib says; Unsent is a lost connection there."""
    kind = smtplib.SMTPServerDisconnected if isinstance(error, Unsent) else type(error)
    return kind, [getattr(error, name, None) for name in ("smtp_code", "smtp_error", "recipients")]


# What is sent


def test_a_mail_arrives_octet_by_octet_and_one_connection_serves_all():
    with Hostile() as server, connected(server) as connection:
        for _ in range(3):
            assert connection.send_messages([Ready()]) == 1
    assert server.mails == [MAIL] * 3
    assert server.accepted == [("<digest-1@example.org>", READER)] * 3
    assert server.connections == 1


def test_an_envelope_is_one_write_where_the_server_takes_commands_together():
    with Hostile() as server, connected(server) as connection:
        connection.send_messages([Ready()])
    assert server.heard[1:] == [
        b"MAIL FROM:<papers@example.org>\r\nRCPT TO:<reader@example.org>\r\nDATA\r\n",
        MAIL + b".\r\n",
        b"quit\r\n",
    ]


def test_commands_wait_for_each_answer_where_it_does_not():
    with Hostile(extensions=()) as server, connected(server) as connection:
        connection.send_messages([Ready()])
    assert [line.count(b"\r\n") for line in server.heard[1:4]] == [1, 1, 1]
    assert server.mails == [MAIL]


def test_the_size_is_told_to_a_server_that_asks_for_it():
    with Hostile(extensions=("SIZE 1000000",)) as server, connected(server) as connection:
        connection.send_messages([Ready()])
    assert server.heard[1] == b"MAIL FROM:<papers@example.org> SIZE=%d\r\n" % len(MAIL)


def test_an_ordinary_message_is_sent_as_django_would():
    message = EmailMessage("Über Papiere", "Ein Aufsatz.\n.\n..zwei\n", "Papers <p@example.org>", ["a@b.example"])
    message.extra_headers = {"Message-ID": "<1@example.org>", "Date": "Fri, 20 Mar 2026 07:00:00 +0000"}
    with Hostile() as ours, Hostile() as theirs:
        assert backend(ours).send_messages([message]) == 1
        django = get_connection("django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=theirs.port)
        assert django.send_messages([message]) == 1
    assert ours.mails == theirs.mails
    assert ours.accepted == theirs.accepted


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@given(body=st.text(), lines=st.lists(st.sampled_from(["", ".", "..", ".x", "x", "\r", "\t"])))
def test_any_text_comes_back_as_it_was(extensions, body, lines):
    text = body.replace("\x00", "") + "\n" + "\n".join(lines)
    built = EmailMessage("s", text, "papers@example.org", [READER]).message()
    message = EmailMessage("s", text, "papers@example.org", [READER])
    message.message = lambda: built  # each call would say another Message-ID and Date
    octets = built.as_bytes().replace(b"\n", b"\r\n")
    with _standing(extensions) as (server, connection):
        connection.send_messages([message])
        assert server.mails.pop() == octets.removesuffix(b"\r\n") + b"\r\n"


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b""))))
def test_any_lines_come_back_with_their_dots(extensions, lines):
    dotted = [b"." + line if number % 2 else line for number, line in enumerate(lines)]
    octets = b"".join(line + b"\r\n" for line in dotted)
    with _standing(extensions) as (server, connection):
        connection.send_messages([Ready(octets)])
        assert server.mails.pop() == (octets or b"\r\n")


_standing_ones: dict = {}


@contextmanager
def _standing(extensions):
    """One server and connection for all examples."""
    if extensions not in _standing_ones:
        server = Hostile(extensions=extensions).__enter__()
        connection = backend(server)
        connection.open()
        _standing_ones[extensions] = server, connection
    yield _standing_ones[extensions]


@pytest.fixture(scope="module", autouse=True)
def _end_of_standing_ones():
    yield
    for server, connection in _standing_ones.values():
        connection.close()
        server.__exit__()


def test_a_dot_behind_a_lone_line_feed_cannot_end_the_mail():
    smuggled = MAIL + b"\n.\nMAIL FROM:<other@example.org>\r\n"
    with Hostile() as server, connected(server) as connection:
        connection.send_messages([Ready(smuggled)])
    assert b"\n.\n" not in b"".join(server.heard)


def test_an_address_that_is_not_ascii_needs_a_server_for_it():
    with Hostile(extensions=("PIPELINING", "8BITMIME")) as server, connected(server) as connection:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            connection.send_messages([Ready(to=["jörg@example.org"])])
        assert connection.send_messages([Ready()]) == 1
    assert server.accepted == [("<digest-1@example.org>", READER)]


def test_an_address_that_is_not_ascii_goes_as_it_is_to_a_server_for_it():
    with Hostile() as server, connected(server) as connection:
        connection.send_messages([Ready(to=["jörg@bücher.example"])])
    assert server.accepted == [("<digest-1@example.org>", "jörg@xn--bcher-kva.example")]
    assert b"MAIL FROM:<papers@example.org> SMTPUTF8 BODY=8BITMIME\r\n" in server.heard[1]


@pytest.mark.parametrize("address", ["a@example.org>\r\nRCPT TO:<b@example.org", "ä\r\n@example.org"])
def test_an_address_cannot_bring_commands(address):
    with Hostile() as server, connected(server) as connection:
        with pytest.raises(ValueError, match=r"[Ii]nvalid|control"):
            connection.send_messages([Ready(to=[address])])
        assert connection.send_messages([Ready()]) == 1
    assert [recipient for _, recipient in server.accepted] == [READER]


# Refusals


def other(session):
    """The recipient that nobody refuses."""
    return session.recipient != READER


REFUSALS = {
    "the sender": {"MAIL": lambda s: REFUSED if s.envelopes == 1 else None},
    "the recipient": {"RCPT": to(READER, REFUSED)},
    "the recipient for now": {"RCPT": to(READER, b"452 4.2.2 mailbox full")},
    "the recipient, but goes on": {"RCPT": to(READER, REFUSED), "DATA": b"354 go on", ".": b"554 5.5.1 no recipients"},
    "DATA": {"DATA": lambda s: None if other(s) else b"451 4.3.0 disk full"},
    "the mail": {".": lambda s: None if other(s) else b"554 5.7.1 looks like spam"},
    "in several lines": {"RCPT": to(READER, b"550-5.7.1 we do not\r\n550-5.7.1 know you,\r\n550 5.7.1 go away")},
    "in UTF-8": {"RCPT": to(READER, "550 5.1.1 Empfänger unbekannt 不".encode())},
    "the sender for being too fast": {"MAIL": lambda s: b"454 4.7.0 slow down" if s.envelopes == 1 else None},
}


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["together", "one by one"])
@pytest.mark.parametrize("script", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_the_exception_of_smtplib(script, extensions):
    with Hostile(script, extensions=extensions) as server, connected(server) as connection:
        ours = raised_by(lambda: connection.send_messages([Ready()]))
    with Hostile(script, extensions=()) as server, smtplib.SMTP("127.0.0.1", server.port) as plain:
        theirs = raised_by(lambda: plain.sendmail("papers@example.org", [READER], MAIL))
    assert facts_of(ours) == facts_of(theirs)
    assert type(ours) is type(theirs)


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["together", "one by one"])
@pytest.mark.parametrize("script", REFUSALS.values(), ids=REFUSALS)
def test_after_a_refusal_the_same_connection_carries_the_next_mail(script, extensions):
    with Hostile(script, extensions=extensions) as server, connected(server) as connection:
        raised_by(lambda: connection.send_messages([Ready()]))
        server.script.pop("DATA", None)
        server.script.pop(".", None)
        assert connection.send_messages([Ready(to=["next@example.org"])]) == 1
    assert [recipient for _, recipient in server.accepted] == ["next@example.org"]
    assert server.connections == 1


def test_a_server_that_goes_on_without_a_recipient_gets_nothing_but_a_dot():
    with Hostile({"RCPT": to(READER, REFUSED), "DATA": b"354 go on"}) as server, connected(server) as connection:
        raised_by(lambda: connection.send_messages([Ready()]))
        server.script = {}
        connection.send_messages([Ready(to=["next@example.org"])])
    assert server.heard[2] == b".\r\n"
    assert server.mails == [b"", MAIL]
    assert server.accepted == [("<digest-1@example.org>", "next@example.org")]


def test_a_server_that_refused_the_sender_only_gets_no_empty_mail_for_the_recipient():
    first = {"MAIL": REFUSED, "RCPT": b"250 ok", "DATA": b"354 go on"}
    script = {step: lambda s, a=answer: a if s.server.connections == 1 else None for step, answer in first.items()}
    with Hostile(script) as server:
        connection = backend(server)
        connection.open()
        error = raised_by(lambda: connection.send_messages([Ready()]))
        assert isinstance(error, smtplib.SMTPSenderRefused)
        assert connection.send_messages([Ready()]) == 1
    assert server.mails == [MAIL]
    assert server.connections == 2


def test_one_refused_recipient_of_two_does_not_keep_the_mail_from_the_other():
    with Hostile({"RCPT": to(READER, REFUSED)}) as server, connected(server) as connection:
        assert connection.send_messages([Ready(to=[READER, "other@example.org"])]) == 1
    assert server.accepted == [("<digest-1@example.org>", "other@example.org")]


# Connections that end


BUSY = b"421 4.7.0 too many mails"


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["together", "one by one"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "body", "."])
def test_a_server_that_closes_says_so_wherever_it_does_and_the_next_mail_opens_another(step, extensions):
    script = {step: lambda s: BUSY if s.server.connections == 1 else None}
    with Hostile(script, extensions=extensions) as server:
        connection = backend(server)
        connection.open()
        error = raised_by(lambda: connection.send_messages([Ready()]))
        code = error.recipients[READER][0] if step == "RCPT" else error.smtp_code
        assert code == 421
        assert connection.send_messages([Ready()]) == 1
        assert connection.open()  # send_messages closed what it had opened, as Django's does
        assert connection.send_messages([Ready()]) == 1
        connection.close()
    assert len(server.mails) == 2
    assert server.connections == 3


def test_a_server_that_closes_at_the_first_of_two_recipients_is_heard():
    with Hostile({"RCPT": to(READER, BUSY)}) as server, connected(server) as connection:
        error = raised_by(lambda: connection.send_messages([Ready(to=[READER, "other@example.org"])]))
    assert error.recipients == {READER: (421, BUSY[4:])}


LONG = MAIL + (b"y" * 70 + b"\r\n") * 200_000  # more than the kernel takes at once


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (b"421 4.3.0 out of space", smtplib.SMTPDataError),
        (b"552 5.3.4 too big", smtplib.SMTPDataError),
        (b"250 2.0.0 enough of it", Unsent),
    ],
)
def test_what_a_server_says_in_the_middle_of_a_mail_is_heard_though_the_rest_cannot_be_written(words, error):
    def interrupt(session):
        session.say(words)
        raise Gone

    with Hostile({"body": interrupt}) as server:
        connection = backend(server)
        connection.open()
        found = raised_by(lambda: connection.send_messages([Ready(LONG)]))
        assert type(found) is error
        assert getattr(found, "smtp_code", 250) == int(words[:3])
        assert connection.connection is None
        server.script = {}
        assert connection.send_messages([Ready()]) == 1
    assert server.mails == [MAIL]


def test_a_connection_that_the_server_closed_meanwhile_is_a_mail_unsent():
    with Hostile() as server:
        connection = backend(server)
        connection.open()
        server._sessions[0].line.shutdown(socket.SHUT_RDWR)
        error = raised_by(lambda: connection.send_messages([Ready()]))
        assert isinstance(error, Unsent)
        assert connection.open()
        assert connection.send_messages([Ready()]) == 1
        connection.close()


def test_an_answer_whose_code_came_is_an_answer():
    def half(session):
        session.take()
        session.line.sendall(b"250 2.0")
        raise Gone

    with Hostile({".": half}) as server:
        assert backend(server).send_messages([Ready()]) == 1
    assert server.mails == [MAIL]


NONSENSE = b"\xff\xfe what\x00 is this"
LOST = {  # the step, what happens, whether the server may have taken the mail
    "drops at MAIL": ("MAIL", drop, False),
    "drops at RCPT": ("RCPT", drop, False),
    "drops at DATA": ("DATA", drop, False),
    "drops in the body": ("body", drop, False),
    "drops after the dot": (".", drop, True),
    "drops after the dot with the mail": (".", take_and_drop, True),
    "talks nonsense at MAIL": ("MAIL", NONSENSE, False),
    "talks nonsense at DATA": ("DATA", NONSENSE, False),
    "talks nonsense after the dot": (".", NONSENSE, True),
    "says go on instead of thanks": (".", b"354 go on", True),
    "says thanks instead of go on": ("DATA", b"250 ok", False),
    "has a line without an end": ("RCPT", b"550 " + b"x" * 10_000, False),
    "has a line without an end after the dot": (".", b"250 " + b"x" * 10_000, True),
}


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["together", "one by one"])
@pytest.mark.parametrize(("step", "action", "maybe_taken"), LOST.values(), ids=LOST)
def test_a_lost_connection_says_whether_the_mail_may_be_there(step, action, maybe_taken, extensions):
    with Hostile({step: action}, extensions=extensions) as server:
        connection = backend(server)
        connection.open()
        error = raised_by(lambda: connection.send_messages([Ready(LONG if step == "body" else MAIL)]))
        assert isinstance(error, smtplib.SMTPServerDisconnected)
        assert isinstance(error, Unsent) is not maybe_taken
        assert not timed_out(error)
        server.script = {}
        assert connection.send_messages([Ready()]) == 1
    assert server.mails.count(MAIL) == (2 if action is take_and_drop else 1)


@pytest.mark.parametrize("step", ["MAIL", "DATA", "body", "."])
def test_a_server_that_hangs_costs_one_time_out(step, reads_timed_out):
    with Hostile({step: hang}) as server:
        connection = backend(server, timeout=0.3)
        connection.open()
        error = raised_by(lambda: connection.send_messages([Ready()]))
        assert isinstance(error, smtplib.SMTPServerDisconnected)
        assert isinstance(error, Unsent) == (step in {"MAIL", "DATA"})
        assert len(reads_timed_out) == 1
        server.script = {}
        assert connection.send_messages([Ready()]) == 1


def test_a_server_that_stops_reading_leaves_the_mail_unsent(reads_timed_out):
    with Hostile({"body": hang}) as server:
        connection = backend(server, timeout=0.3)
        connection.open()
        error = raised_by(lambda: connection.send_messages([Ready(LONG)]))
    assert isinstance(error, Unsent)
    assert timed_out(error)
    assert not reads_timed_out, "the write did, and no answer was waited for"


# Opening, closing, aborting


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ({"connect": b"554 5.3.2 no service here"}, smtplib.SMTPConnectError),
        ({"connect": BUSY}, smtplib.SMTPConnectError),
        ({"connect": drop}, smtplib.SMTPServerDisconnected),
        ({"connect": hang}, smtplib.SMTPServerDisconnected),
        ({"connect": NONSENSE}, smtplib.SMTPConnectError),
        ({"connect": b"220 " + b"x" * 10_000}, smtplib.SMTPServerDisconnected),
        ({"AUTH": b"535 5.7.8 wrong password"}, smtplib.SMTPAuthenticationError),
        ({"AUTH": b"454 4.7.0 not now"}, smtplib.SMTPAuthenticationError),
        ({"AUTH": drop}, smtplib.SMTPServerDisconnected),
    ],
)
def test_a_server_that_lets_nobody_in_leaves_nothing_open(script, error):
    with Hostile(script, extensions=("PIPELINING", "AUTH PLAIN")) as server:
        connection = backend(server, username="papers", password="secret", timeout=0.3)
        found = raised_by(connection.open)
        assert type(found) is error
        server.script = {}
        assert connection.open() is True
        assert connection.open() is False
        assert connection.send_messages([Ready()]) == 1
        connection.close()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ({"EHLO": drop, "HELO": drop}, smtplib.SMTPServerDisconnected),
        ({"EHLO": hang}, smtplib.SMTPServerDisconnected),
        ({"EHLO": b"550 5.7.1 no", "HELO": b"550 5.7.1 no"}, smtplib.SMTPHeloError),
    ],
)
def test_a_connection_is_open_once_the_server_has_answered(script, error):
    with Hostile(script) as server:
        connection = backend(server, timeout=0.3)
        found = raised_by(connection.open)
        assert type(found) is error
        assert connection.connection is None
        server.script = {}
        assert connection.send_messages([Ready()]) == 1


def test_a_server_without_extensions_is_served_all_the_same():
    with Hostile({"EHLO": b"502 5.5.1 what is that?"}) as server:
        assert backend(server).send_messages([Ready()]) == 1
    assert server.mails == [MAIL]


def test_nobody_there_is_an_os_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = raised_by(EmailBackend(host="127.0.0.1", port=port, timeout=1).open)
    assert isinstance(found, ConnectionRefusedError)


def test_a_password_is_told_before_the_first_mail():
    with Hostile(extensions=("PIPELINING", "AUTH PLAIN")) as server:
        assert backend(server, username="papers", password="secret").send_messages([Ready()]) == 1
    assert b"AUTH PLAIN AHBhcGVycwBzZWNyZXQ=\r\n" in server.heard


def test_silent_failures_are_counted_and_the_next_mail_is_still_sent():
    with Hostile({"RCPT": to("lost@example.org", drop)}) as server:
        connection = backend(server, fail_silently=True)
        assert connection.send_messages([Ready(to=["lost@example.org"]), Ready()]) == 1
    assert connection.connection is None
    assert server.mails == [MAIL]
    assert not backend(server, fail_silently=True, timeout=0.2).send_messages([Ready()])


HANGING = {
    "before the greeting": {"connect": hang},
    "one byte a second": {"connect": slowly(b"220 this server has all the time in the world", 0.5)},
    "at EHLO": {"EHLO": hang},
    "at STARTTLS": {"STARTTLS": hang},
    "in the handshake": {"STARTTLS": lambda s: s.line.sendall(b"220 go on\r\n") or hang(s)},
}


@pytest.mark.parametrize("script", HANGING.values(), ids=HANGING)
def test_another_thread_can_end_an_opening_that_hangs(script, tls):
    context, _ = tls
    with Hostile(script, tls=context) as server:
        connection = backend(server, timeout=None, use_tls=True)
        with aborted_while(server, connection):
            raised_by(connection.open)
        assert connection.connection is None


def test_another_thread_can_end_a_connection_that_is_never_made():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        crowd = [socket.socket() for _ in range(4)]  # with a full queue the kernel answers nobody
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        connection = EmailBackend(host="127.0.0.1", port=port, timeout=60)
        threading.Timer(0.3, connection.abort).start()
        error = raised_by(connection.open)
        for one in crowd:
            one.close()
    assert not timed_out(error)


def test_an_abort_while_the_name_is_looked_up_keeps_it_from_connecting(monkeypatch):
    looking, aborted = threading.Event(), threading.Event()
    found = socket.getaddrinfo

    def slow(*args, **options):
        looking.set()
        assert aborted.wait(60)
        return found(*args, **options)

    def abort():
        looking.wait(60)
        connection.abort()
        aborted.set()

    with Hostile() as server:
        connection = backend(server)
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        threading.Thread(target=abort).start()
        error = raised_by(connection.open)
    assert isinstance(error, ConnectionAbortedError)
    assert server.connections == 0


@pytest.mark.parametrize("step", ["MAIL", "DATA", "body", "."])
def test_another_thread_can_end_a_hand_over_that_hangs(step):
    with Hostile({step: hang}) as server:
        connection = backend(server, timeout=None)
        connection.open()
        with aborted_while(server, connection):
            error = raised_by(lambda: connection.send_messages([Ready(LONG if step == "body" else MAIL)]))
        assert isinstance(error, Unsent) == (step != ".")
        server.script = {}
        assert connection.open()  # it is of use again
        assert connection.send_messages([Ready()]) == 1
        connection.close()


def test_another_thread_can_end_a_goodbye_that_hangs():
    with Hostile({"QUIT": hang}) as server:
        connection = backend(server, timeout=None)
        connection.open()
        with aborted_while(server, connection):
            connection.close()
        assert connection.connection is None


def test_an_abort_of_a_connection_at_rest_leaves_the_next_mail_unsent():
    with Hostile() as server:
        connection = backend(server)
        connection.abort()  # there is none yet
        connection.open()
        connection.abort()
        error = raised_by(lambda: connection.send_messages([Ready()]))
        assert isinstance(error, Unsent)
        assert connection.send_messages([Ready()]) == 1
    assert len(server.mails) == 1


# TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server's context for "localhost", and the certificate to trust."""
    try:
        return certificate(tmp_path_factory.mktemp("tls"), "localhost")
    except FileNotFoundError:
        pytest.skip("TLS: needs openssl, to make a certificate")


WAYS = {"STARTTLS": {"use_tls": True}, "TLS from the first byte": {"use_ssl": True}}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_server_that_proves_its_name_gets_the_mail(tls, monkeypatch, way):
    context, trusted = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Hostile(tls=context, implicit="use_ssl" in way) as server:
        connection = backend(server, **way)
        connection.host = "localhost"
        assert connection.send_messages([Ready()] * 2) == 2
    assert server.mails == [MAIL] * 2
    assert server.connections == 1


@pytest.mark.parametrize("trust", [True, False], ids=["another name", "nobody vouches"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_wrong_certificate_gets_nothing(tls, monkeypatch, way, trust):
    context, trusted = tls
    if trust:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Hostile(tls=context, implicit="use_ssl" in way, extensions=("AUTH PLAIN",)) as server:
        connection = backend(server, username="papers", password="secret", **way)
        connection.host = "127.0.0.1" if trust else "localhost"
        error = raised_by(connection.open)
        assert isinstance(error, ssl.SSLCertVerificationError)
        assert connection.connection is None
    assert not server.mails
    assert not any(b"MAIL" in chunk or b"AUTH" in chunk for chunk in server.heard)


def test_a_server_without_tls_gets_nothing_where_it_was_asked_for():
    with Hostile(extensions=("AUTH PLAIN",)) as server:
        connection = backend(server, use_tls=True, username="papers", password="secret")
        error = raised_by(connection.open)
    assert isinstance(error, smtplib.SMTPNotSupportedError)
    assert not any(b"AUTH" in chunk for chunk in server.heard)


# The fast receiver that other tests and the benchmark count with


def test_the_sink_counts_logs_and_keeps_what_it_takes(tmp_path):
    log = tmp_path / "taken"
    sink = Sink(log=log, keep=True)
    sink.start()
    try:
        connection = backend(sink)
        connection.open()
        for number in range(50):
            connection.send_messages([Ready(MAIL + b".\r\n" * number)])
            assert len(log.read_text().splitlines()) == number + 1
        connection.close()
    finally:
        sink.stop()
    assert sink.accepted == [("<digest-1@example.org>", READER)] * 50
    assert sink.mails == [MAIL + b".\r\n" * number for number in range(50)]


def test_the_sink_answers_only_after_its_latency():
    sink = Sink(latency=0.05)
    sink.start()
    try:
        connection = backend(sink)
        connection.open()
        begun = time.monotonic()
        connection.send_messages([Ready()])
        assert time.monotonic() - begun >= 0.1  # two round trips; a busy machine takes longer
        connection.close()
    finally:
        sink.stop()
