"""Mails that come to us: leaving by mail, bounces and complaints, from a pipe, a Maildir and an IMAP server."""

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from io import BytesIO, TextIOWrapper
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import envelopes, letters, links, suppression
from subscriptions.emails import message_to
from subscriptions.inbound import MailboxError, Received, mailbox_of, read_mailbox, receive
from subscriptions.inbound.leaving import WORDS
from subscriptions.inbound.reading import LONGEST
from subscriptions.models import ConsentEvent, MailEvent, SignupRequest, Subscriber, Suppression
from subscriptions.smtp import EmailBackend
from subscriptions.tasks import read_mailbox as read_mailbox_task
from tests.conftest import NOW, make_reader
from tests.fakes.imap import Imap
from tests.fakes.smtp import Sink
from tests.linear import growth


def token_of(reader):
    return links.unsubscribe_path(reader, NOW).strip("/").split("/")[-1]


def mail_of(subject, body="Anything.", sender="a@example.org", **headers):
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, "leave@example.org", subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail.as_bytes()


def has_left(reader):
    return Subscriber.objects.get(pk=reader.pk).state == Subscriber.State.UNSUBSCRIBED


# --- leaving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "unsubscribe {}",
        "Fwd: unsubscribe {}",
        "unsubscribe%20{}",
        "unsubscribe+{}",
        "<{}>",
        "{}.",
    ],
)
def test_a_token_in_the_subject_lets_its_reader_leave_once(confirmed, subject):
    mail = mail_of(subject.format(token_of(confirmed)))
    assert receive(mail, NOW) is Received.LEFT
    assert receive(mail, NOW) is Received.LEFT
    assert has_left(confirmed)
    assert ConsentEvent.objects.filter(kind=ConsentEvent.Kind.WITHDRAWN).count() == 1


@pytest.mark.parametrize("body", ["{}", "unsubscribe {}", "unsubscribe%20{}", "\n\n  <{}>\n\nSent from my phone"])
def test_a_token_in_the_body_lets_its_reader_leave(confirmed, body):
    assert receive(mail_of("", body.format(token_of(confirmed))), NOW) is Received.LEFT
    assert has_left(confirmed)


def test_a_token_in_a_base64_body_of_a_nested_multipart_counts(confirmed):
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = "Abmelden, bitte"
    mail.set_content(f"unsubscribe {token_of(confirmed)}\n", cte="base64")
    mail.add_alternative("<p>unsubscribe</p>", subtype="html")
    mail.make_mixed()
    mail.add_attachment(b"x", maintype="application", subtype="octet-stream")
    assert receive(mail.as_bytes(), NOW) is Received.LEFT


def test_a_reply_that_quotes_a_whole_digest_lets_nobody_leave(confirmed):
    digest = message_to(
        confirmed, "already", {"preferences_url": "https://papers.example.org/"}, now=NOW, key="already-1"
    )
    text = str(digest.body)
    assert token_of(confirmed) in text
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    for body in (f"Great paper!\n\nOn Friday they wrote:\n{quoted}", text, f"Thanks\n-----\n{token_of(confirmed)}"):
        assert receive(mail_of("Re: Today's papers", body, confirmed.email), NOW) is Received.NOTHING
    assert not has_left(confirmed)


def test_other_tokens_and_cut_ones_let_nobody_leave(confirmed):
    other = links.manage_token(confirmed, NOW)
    for subject in (f"unsubscribe {other}", f"unsubscribe {token_of(confirmed)[:-1]}", "Re: Out of office"):
        assert receive(mail_of(subject), NOW) is Received.NOTHING
    assert not has_left(confirmed)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_wish_in_common_words_is_heard(confirmed, words):
    for word in words:
        for shape in ("{}", "Re: {}!", "AW: Fwd: „{}“"):
            mail = mail_of(shape.format(word.upper()), "", f"Somebody <{confirmed.email.upper()}>")
            assert receive(mail, NOW) is Received.ASKED, word


def test_a_plain_wish_is_answered_by_a_letter_and_not_done(db, nudges):
    reader = make_reader("plain")
    receive(mail_of("Unsubscribe", sender=reader.email), NOW)
    assert not has_left(reader)
    request, letter = letters.letter_for(SignupRequest.objects.get().pk, NOW)
    assert letter.to == [reader.email]
    assert f"/u/{token_of(reader)}/" in letter.body
    assert request.outcome == SignupRequest.Outcome.LEAVE_SENT


def test_a_wish_in_the_first_line_of_a_reply_is_heard(confirmed):
    body = "Please unsubscribe me.\n\nOn Friday they wrote:\n> A digest"
    assert receive(mail_of("Re: A title, and 9 more", body, confirmed.email), NOW) is Received.ASKED


def test_a_wish_is_asked_about_once_a_day_and_only_a_reader(confirmed):
    for _ in range(3):
        receive(mail_of("unsubscribe", sender=confirmed.email), NOW)
    for stranger in ("nobody@example.org", "", "@@", "a@b@c"):
        assert receive(mail_of("unsubscribe", sender=stranger or "x"), NOW) is Received.NOTHING
    assert SignupRequest.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List_Id": "<x.example.org>"}, {"Return_Path": "<>"}],
)
def test_an_automatic_mail_is_not_a_wish(confirmed, headers):
    assert receive(mail_of("unsubscribe", sender=confirmed.email, **headers), NOW) is Received.NOTHING
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize(
    "subject", ["Why I will not unsubscribe from your excellent list of papers", "Baja California", "Re: Question", ""]
)
def test_what_is_no_wish_is_left_to_a_person(confirmed, subject):
    assert receive(mail_of(subject, "Hello, I have a question.", confirmed.email), NOW) is Received.NOTHING


# --- reports --------------------------------------------------------------------------------------------------------


def report(
    reader, *, recipient=None, action="failed", status="5.1.1", to="bounces@example.org", token=True, code="550"
):
    mail = Message(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "MAILER-DAEMON@mx.example.net", to, "Undelivered Mail"
    mail["Content-Type"] = 'multipart/report; report-type=delivery-status; boundary="=_b"'
    way_out = f"List-Unsubscribe: <https://papers.example.org/u/\r\n {token_of(reader)}/>\r\n" if token else ""
    recipient = recipient or reader.email
    mail.set_payload(
        "--=_b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--=_b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {code} {status}\r\n <{recipient}>: User unknown\r\n"
        f"--=_b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Papers\r\n{way_out}\r\n--=_b--\r\n"
    )
    return mail.as_bytes()


def complaint(reader, kind="abuse", rcpt=""):
    mail = Message(policy=policy.SMTP)
    mail["From"], mail["To"] = "fbl@provider.example", "bounces@example.org"
    mail["Content-Type"] = "multipart/report; report-type=feedback-report; boundary=b"
    mail.set_payload(
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\nUser-Agent: x/1\r\n{rcpt}"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"List-Unsubscribe: <https://papers.example.org/u/{token_of(reader)}/>\r\nSubject: Papers\r\n\r\nText.\r\n--b--\r\n"
    )
    return mail.as_bytes()


def reasons():
    return set(Suppression.objects.values_list("email_hash", "reason"))


def test_a_bounce_that_returns_our_headers_stops_its_reader(confirmed):
    raw = report(confirmed)
    assert receive(raw, NOW) is Received.REPORT
    receive(raw, NOW)
    assert MailEvent.objects.count() == 1
    suppression.apply(NOW)
    assert reasons() == {(confirmed.email_hash, "bounce")}
    assert not has_left(confirmed)
    assert confirmed.email not in str(MailEvent.objects.values())


@pytest.mark.parametrize(
    ("action", "status", "kind"), [("delayed", "4.4.7", "deferred"), ("delivered", "2.0.0", "delivered")]
)
def test_a_delay_and_a_delivery_are_no_bounce(confirmed, action, status, kind):
    receive(report(confirmed, action=action, status=status, code="451"), NOW)
    assert MailEvent.objects.get().kind == kind
    suppression.apply(NOW)
    assert not reasons()


def test_nobody_can_report_another_reader_with_a_token_of_their_own(confirmed):
    victim = make_reader("victim")
    assert receive(report(confirmed, recipient=victim.email), NOW) is Received.REPORT  # or a forwarded copy
    assert receive(report(victim, token=False), NOW) is Received.REPORT
    suppression.apply(NOW)
    assert not reasons()
    assert set(MailEvent.objects.values_list("kind", flat=True)) == {"unknown"}


def test_a_complaint_stops_its_reader_and_a_not_spam_does_not(confirmed):
    other = make_reader("other")
    assert receive(complaint(confirmed), NOW) is Received.REPORT
    receive(complaint(other, "not-spam"), NOW)
    suppression.apply(NOW)
    assert reasons() == {(confirmed.email_hash, "complaint")}


def test_an_envelope_sender_of_our_own_names_the_mail_whatever_the_case(confirmed, settings):
    settings.BOUNCE_ADDRESS, settings.VERP = "bounces@example.org", True
    sender = envelopes.envelope_sender("digest-17", "papers@example.org")
    assert sender.startswith("bounces+digest-17-")
    for written in (sender, sender.upper(), f"<{sender}>"):
        assert envelopes.mail_of(written) == "digest-17"
    receive(report(confirmed, token=False, to=sender), NOW)
    assert MailEvent.objects.get().mail == "digest-17"


def test_a_forged_envelope_sender_names_nothing(settings):
    settings.BOUNCE_ADDRESS, settings.VERP = "bounces@example.org", True
    sender = envelopes.envelope_sender("digest-17", "papers@example.org")
    for forged in (sender.replace("17", "18"), sender.replace("digest", "confirm"), sender[:-13] + "0@example.org", ""):
        assert envelopes.mail_of(forged) == ""


@pytest.mark.parametrize(("verp", "wanted"), [(True, "bounces+already-1-"), (False, "bounces@"), (None, "papers@")])
def test_the_mail_server_is_told_where_bounces_go(confirmed, settings, verp, wanted):
    settings.DEFAULT_FROM_EMAIL = settings.LETTERS_FROM_EMAIL = "papers@example.org"
    settings.BOUNCE_ADDRESS, settings.VERP = ("" if verp is None else "bounces@example.org"), bool(verp)
    sink = Sink(keep=True)
    sink.start()
    try:
        backend = EmailBackend(host="127.0.0.1", port=sink.port, username="", password="", use_tls=False)
        message = message_to(confirmed, "already", {"preferences_url": "https://x.example/"}, now=NOW, key="already-1")
        assert backend.send_messages([message]) == 1
        backend.close()
    finally:
        sink.stop()
    assert message_from_bytes(sink.mails[0])["From"] == "papers@example.org"
    assert sink.senders[0].startswith(wanted)


# --- whatever comes ---------------------------------------------------------------------------------------------------


@given(raw=st.binary(max_size=2_000))
def test_whatever_comes_is_taken(raw):
    for begin in (
        b"",
        b"Subject: ",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n",
        b"From: a@b.example\r\n",
    ):
        receive(begin + raw, NOW)


def nested(depth):
    parts = [f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth)]
    return "".join(parts).encode()


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (b"Subject: " + b"=?utf-8?q?" * 4_000, b"Subject: " + b"=?utf-8?q?" * 40_000),
        (b"Subject: " + b"a@" * 20_000, b"Subject: " + b"a@" * 200_000),
        (b"From: " + b"(" * 40_000, b"From: " + b"(" * 400_000),
        (b"Content-Type: multipart/mixed; " + b'";' * 20_000, b"Content-Type: multipart/mixed; " + b'";' * 200_000),
        (nested(300), nested(3_000)),
        (
            b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 5_000,
            b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 50_000,
        ),
        (b"X: 1\r\n" * 6_000, b"X: 1\r\n" * 60_000),
        (b"\r\n" + b"A" * 40_000, b"\r\n" + b"A" * 400_000),
    ],
    ids=["encoded words", "ats", "comments", "quotes", "nested", "parts", "headers", "run"],
)
def test_ten_times_the_mail_costs_no_more_than_thirty_times_the_work(db, short, long):
    assert growth(lambda raw: receive(raw, NOW), short, long, most=30) <= 30, "linear is 10, quadratic 100"


# --- where they come from ---------------------------------------------------------------------------------------------


def pipe(raw, monkeypatch, command="receive_mail"):
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(raw)))
    out = TextIOWrapper(BytesIO())
    call_command(command, stdout=out)


@pytest.mark.parametrize("command", ["receive_mail", "receive_unsubscribe"])
def test_the_pipe_takes_everything_and_asks_for_another_try_when_the_database_is_away(confirmed, monkeypatch, command):
    def away(*_):
        raise OperationalError

    leaving = mail_of(f"unsubscribe {token_of(confirmed)}")
    with monkeypatch.context() as patch:
        patch.setattr("subscriptions.lifecycle.unsubscribe", away)
        with pytest.raises(CommandError) as refused:
            pipe(leaving, monkeypatch, command)
    assert refused.value.returncode == 75
    for raw in (b"", b"\x00" * 1_000, nested(2_000), b"Subject: " + b"x" * 437_000, leaving):
        pipe(raw, monkeypatch, command)
    assert has_left(confirmed)


def test_a_maildir_is_read_once_and_leaves_persons_mails_to_persons(confirmed, tmp_path, settings):
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.leave").write_bytes(mail_of(f"unsubscribe {token_of(confirmed)}"))
    (tmp_path / "new" / "2.hello").write_bytes(mail_of("Hello", "A question."))
    (tmp_path / "new" / "3.long").write_bytes(b"Subject: x\r\n\r\n" + b"x" * (2 * LONGEST))
    settings.INBOUND_MAILBOX = f"maildir:{quote(str(tmp_path))}"
    read_mailbox_task()
    assert has_left(confirmed)
    assert sorted(path.name for path in (tmp_path / "cur").iterdir()) == ["1.leave:2,S", "2.hello:2,F", "3.long:2,F"]
    assert not read_mailbox(settings.INBOUND_MAILBOX, NOW)


def test_an_imap_folder_is_read_once_and_leaves_persons_mails_to_persons(confirmed):
    other = make_reader("other")
    mails = [mail_of(f"unsubscribe {token_of(confirmed)}"), mail_of("Hello"), report(other)]
    with Imap(mails) as server:
        received = read_mailbox(server.url, NOW)
        assert received == {Received.LEFT: 1, Received.NOTHING: 1, Received.REPORT: 1}
        assert server.flags == {1: {"\\Seen"}, 2: {"\\Flagged"}, 3: {"\\Seen"}}
        assert not read_mailbox(server.url, NOW)
    assert has_left(confirmed)


def test_a_mail_that_the_database_could_not_take_is_met_again(confirmed, monkeypatch):
    def away(*_):
        raise OperationalError

    with Imap([mail_of(f"unsubscribe {token_of(confirmed)}")]) as server:
        with monkeypatch.context() as patch:
            patch.setattr("subscriptions.lifecycle.unsubscribe", away)
            with pytest.raises(OperationalError):
                read_mailbox(server.url, NOW)
        assert server.flags == {1: set()}
        read_mailbox(server.url, NOW)
    assert has_left(confirmed)


def test_a_mailbox_that_cannot_be_read_says_why_without_its_password(db, settings, caplog, tmp_path):
    with Imap([], password="wrong") as server, pytest.raises(MailboxError, match="MailboxLoginError"):
        read_mailbox(server.url, NOW)
    settings.INBOUND_MAILBOX = server.url
    read_mailbox_task()
    assert "cannot be read" in caplog.text
    assert "wrong" not in caplog.text
    with pytest.raises(MailboxError, match="no Maildir"):
        read_mailbox(f"maildir:{tmp_path}", NOW)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("read_mailbox")
    for wrong in ("pop3://a:b@example.org", "imap.example.org", "maildir:relative", "imaps:///INBOX"):
        with pytest.raises(ValueError, match="write it like"):
            mailbox_of(wrong)


# --- with whom a report is about, which subscriptions.attribution decides -----------------------------------------------


@pytest.fixture
def verp(settings):
    settings.BOUNCE_ADDRESS, settings.VERP = "bounces@example.org", True


def test_a_bounce_to_an_envelope_sender_of_ours_stops_the_reader_of_the_mail(verp, digest):
    reader = digest.subscriber
    sender = envelopes.envelope_sender(f"digest-{digest.pk}", "")
    receive(report(reader, token=False, to=sender), NOW)
    suppression.apply(NOW)
    assert reasons() == {(reader.email_hash, "bounce")}


def test_a_bounce_of_a_forwarded_copy_stops_neither_its_address_nor_at_once_the_reader(verp, digest):
    stranger = make_reader("stranger")
    sender = envelopes.envelope_sender(f"digest-{digest.pk}", "")
    receive(report(digest.subscriber, recipient=stranger.email, token=False, to=sender), NOW)
    suppression.apply(NOW)
    assert not reasons()


def test_a_report_that_proves_nothing_is_kept_and_is_about_nobody(confirmed):
    receive(report(confirmed, token=False), NOW)
    event = MailEvent.objects.get()
    assert (event.kind, event.email_hash, event.reader, event.known) == ("unknown", "", None, True)
