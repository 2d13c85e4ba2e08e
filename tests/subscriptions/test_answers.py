"""What answers of mail servers and providers mean: a table of shapes as they are met, and what holds for all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.answers import (
    EQUAL_ABOUT_READERS,
    EQUAL_UNEXPLAINED,
    READ,
    About,
    Answer,
    Stage,
    classify,
    likeness,
)
from tests.linear import growth

# Where the wording, or its kind, is described. Addresses, hosts and numbers are made up.
GOOGLE = "https://support.google.com/a/answer/3726730"
MICROSOFT = "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online"
CODES = "https://smtp.codes/550"
GERMAN = "http://www.sitepackage.de/service/dokumentation/auswertung/typische-fehlermeldungen-bei-unzustellbarkeit.html"
SES = "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html"
SES_SMTP = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html"
MIMECAST = "https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691-Policies-Mimecast-SMTP-Error-Codes"
EXIM = "https://github.com/hestiacp/hestiacp/issues/4192"
POSTFWD = "https://github.com/rubymonsters/speakerinnen_liste/issues/1357"
SENDGRID = "https://github.com/mautic/mautic/issues/8721"
SENDGRID_API = "https://github.com/sendgrid/sendgrid-nodejs/issues/1032"
MAILGUN = "https://github.com/mailgun/mailgun-java/issues/50"
MAILGUN_SMTP = "https://github.com/Monstarrrr/rebutify/issues/162"
POSTMARK = "https://postmarkapp.com/developer/api/overview#error-codes"
POSTMARK_422 = "https://postmarkapp.com/support/article/troubleshooting-422-unprocessable-entity-errors"
RESEND = "https://resend.com/docs/api-reference/errors"
MAILERSEND = "https://www.mailersend.com/help/rate-limits-how-to-reduce-403-422-429-errors"
OVH = "https://github.com/aschroder/Magento-SMTP-Pro-Email-Extension/issues/94"
EMAILIT = "https://emailit.com/docs/api-reference/errors.md"
RFC = "RFC 5321, RFC 3463, RFC 1870, RFC 4954 or RFC 7372"
SEEN = "as it is met; no page names it"

GONE, SOFT, US, AGAIN, MAIL, SIZE = "no such mailbox", "reader", "us", "new connection", "mail", "size"

SHAPES = [
    # Limits of the sender
    ("RCPT", "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", US,
     MICROSOFT),
    ("RCPT", "550 Domain example.org has exceeded the max emails per hour (41/40 (102%)) allowed. Message discarded.", US,
     SEEN),
    ("RCPT", "550 exceeded the max emails per hour", US, SEEN),
    ("RCPT", "550 Domain example.org has exceeded the max defers and failures per hour (5/5 (100%)) allowed.", US, SEEN),
    ("DATA", "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to x - gsmtp",
     US, GOOGLE),
    ("DATA", "550-5.4.5 Daily SMTP relay limit exceeded for customer.\n5.4.5 See the page - gsmtp", US, GOOGLE),
    ("MAIL", "550 5.4.5 Daily sending quota exceeded", US, GOOGLE),
    ("RCPT", "550 5.7.1 Daily SMTP relay sending limit exceeded for customer", US, GOOGLE),
    ("DATA", "450 4.2.1 Peak SMTP relay limit exceeded for customer", US, GOOGLE),
    ("DATA", "454 Throttling failure: Daily message quota exceeded", US, SES),
    ("DATA", "454 4.7.0 Throttling failure: Maximum sending rate exceeded", US, SES),
    ("DATA", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message", US,
     "https://github.com/MicrosoftDocs/OfficeDocs-Support/issues/1150"),
    ("RCPT", "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit", US, MICROSOFT),
    ("DATA", "450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: Number messages per hour exceeded. Error:RATE_MSG", US,
     POSTFWD),
    ("RCPT", "550 Web site of papers user is sending too much emails - rate overlimit = 41.2 / 1h", US, EXIM),
    ("RCPT", "550 rejected: exceeded hour limit", US, "https://github.com/gophish/gophish/issues/3231"),
    ("DATA", "550 User has exceeded outgoing email quota", US,
     "https://github.com/ChangemakerStudios/Papercut-SMTP/issues/199"),
    ("RCPT", "451 Requested action aborted: This mail account has sent too many messages in a short amount of time.", US,
     "https://teamdotnetnuke.kayako.com/en-us/article/220"),
    ("DATA", "554 5.7.1 sorry, too many emails (#5.7.1)", US, OVH),
    ("RCPT", "552 5.2.0 Sending quota exceeded for this account", US, SEEN),
    ("DATA", "552 Message quota exceeded", US, SEEN),
    ("DATA", "554 5.7.0 Your message quota is exhausted", US, SEEN),
    ("RCPT", "550 5.4.6 Unusual sending activity detected. Outgoing blocked for your account", US, SEEN),
    ("RCPT", "554 5.7.1 <papers@example.org>: Sender address rejected: too many recipients today", US, SEEN),
    ("RCPT", "452 4.5.3 Recipients limit exceeded for the hour", US, SEEN),
    ("DATA", "451 4.7.1 Received too many messages from a new or untrusted IP (G28)", US, "https://smtp.codes/rackspace"),
    ("RCPT", "451 4.7.652 The mail server has exceeded the maximum number of connections", US, MICROSOFT),
    ("RCPT", "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your IP", AGAIN, GOOGLE),
    ("MAIL", "452 4.3.1 Insufficient system storage", US, RFC),
    ("RCPT", "452 4.3.1 Insufficient system storage", US, RFC),
    # A limit of the connection
    ("RCPT", "451 Mails per session limit exceeded", AGAIN, SEEN),
    ("DATA", "451 4.7.1 Mails per session limit exceeded. Please reconnect", AGAIN, SEEN),
    ("MAIL", "421 4.7.0 Too many messages in this connection", AGAIN, RFC),
    ("MAIL", "452 4.5.3 Too many messages for this session", AGAIN, SEEN),
    ("RCPT", "421 too many recipients in one connection", AGAIN, SEEN),
    # Account, credits, approval
    ("CONNECT", "451 Authentication failed: Maximum credits exceeded", US, SENDGRID),
    ("CONNECT", "535 5.7.8 Username and Password not accepted", US, GOOGLE),
    ("CONNECT", "554 5.3.2 no service here", US, RFC),
    ("CONNECT", "550 5.7.1 Client host blocked using zen.spamhaus.org", US, SEEN),
    ("DATA", "421 Domain example.org is not allowed to send: Please activate your Mailgun account.", AGAIN, MAILGUN_SMTP),
    ("DATA", "550 5.7.1 Free accounts are for test purposes only. Please upgrade or add the address to your recipients", US,
     "https://github.com/mailgun/wordpress-plugin/issues/68"),
    ("DATA", "550 5.7.1 Your account is suspended", US, SEEN),
    ("DATA", "554 Message rejected: Email address is not verified. The following identities failed the check: x", US,
     SES_SMTP),
    ("DATA", "554 Message rejected: Sending paused for this account. For more information, see the console", US, SES_SMTP),
    ("RCPT", "550 Insufficient credits to send this email", US, EMAILIT),
    ("RCPT", "550 5.1.8 Access denied, bad outbound sender", US, MICROSOFT),
    ("RCPT", "554 5.7.708 Access denied, traffic not accepted from this IP", US, MICROSOFT),
    ("DATA", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", US, MICROSOFT),
    # Login and relaying
    ("RCPT", "550 relay not permitted", US, SEEN),
    ("RCPT", "554 5.7.1 <reader@example.org>: Relay access denied", US, SEEN),
    ("RCPT", "454 4.7.1 <reader@example.org>: Relay access denied", US, SEEN),
    ("RCPT", "550 5.7.1 Unable to relay", US, MICROSOFT),
    ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", US, MICROSOFT),
    ("RCPT", "551 5.7.1 we do not relay", US, SEEN),
    ("RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", US, SEEN),
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", US, RFC),
    ("MAIL", "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", US, MICROSOFT),
    ("RCPT", "530 5.7.1 Authentication required", US, RFC),
    ("MAIL", "550 Unauthenticated senders not allowed", US, "https://github.com/sendgrid/docs/issues/6473"),
    ("RCPT", "503 5.5.1 bad sequence", US, RFC),
    ("MAIL", "553 5.7.1 <papers@example.org>: Sender address rejected: not owned by user papers", US, SEEN),
    ("RCPT", "550 5.1.8 <papers@example.org>: Sender address rejected: Domain not found", US, SEEN),
    ("RCPT", "550 Sender verify failed", US, SEEN),
    # Reputation and signatures
    ("RCPT", "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", US, SEEN),
    ("RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using b.barracudacentral.org", US, SEEN),
    ("RCPT", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", US, MICROSOFT),
    ("MAIL", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: it is on our block list (S3150)", US,
     MICROSOFT),
    ("DATA", "550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level", US,
     MICROSOFT),
    ("DATA", "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n5.7.26 - gsmtp", US, GOOGLE),
    ("DATA", "550-5.7.25 The IP address sending this message does not have a PTR record setup", US, GOOGLE),
    ("DATA", "550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification", US, MICROSOFT),
    ("DATA", "550 5.7.23 The message was rejected because of Sender Policy Framework violation", US, RFC),
    ("MAIL", "554 5.7.1 The reverse DNS of 192.0.2.1 does not exist", US, SEEN),
    ("RCPT", "550 5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS for it", US,
     CODES),
    ("RCPT", "554 Reject due to policy restrictions: IP 192.0.2.1 is listed. See the page for GMX", US, SEEN),
    # No such mailbox
    ("RCPT", "550-5.1.1 The email account that you tried to reach does not exist.\n5.1.1 Please try - gsmtp", GONE, GOOGLE),
    ("RCPT", "550 5.2.1 The email account that you tried to reach is disabled", GONE, GOOGLE),
    ("RCPT", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", GONE, MICROSOFT),
    ("RCPT", "550 5.1.1 <reader@example.org>: Recipient address rejected: User unknown in relay recipient table", GONE, SEEN),
    ("RCPT", "550 5.1.1 <reader@example.org>... User unknown", GONE, SEEN),
    ("RCPT", "550 cuda_nsu 5.1.1 <reader@example.org> Recipient address rejected: User unknown", GONE, CODES),
    ("RCPT", "550 No such user (reader@example.org)", GONE, CODES),
    ("RCPT", "550 User unknown.", GONE, GERMAN),
    ("RCPT", "550 Benutzer nicht bekannt/User unknown", GONE, GERMAN),
    ("RCPT", "550 unrouteable address", GONE, GERMAN),
    ("RCPT", "554 delivery error: dd This user doesn't have a yahoo.example account", GONE, GERMAN),
    ("RCPT", "554 delivery error: dd Sorry, this account has been disabled or discontinued [#102].", GONE, GERMAN),
    ("RCPT", "550 5.1.1 User does not exist - psmtp", GONE, SEEN),
    ("RCPT", "550 Invalid Recipient - the address is unknown here", GONE, MIMECAST),
    ("RCPT", "551 user not local", GONE, RFC),
    ("RCPT", "553 5.1.2 We can't find the domain of this recipient", GONE, RFC),
    ("RCPT", "556 5.1.10 Recipient address has null MX", GONE, "RFC 7505"),
    ("DATA", "550 5.1.1 user unknown", GONE, RFC),
    ("DATA", "550 5.2.1 mailbox disabled", GONE, RFC),
    ("RCPT", "550 5.1.0 Address rejected", GONE, SEEN),
    # About the reader, and it may pass
    ("RCPT", "550 Mailbox full", SOFT, SEEN),
    ("RCPT", "552 5.2.2 mailbox full", SOFT, RFC),
    ("RCPT", "552-5.2.2 The email account that you tried to reach is over quota.\n5.2.2 - gsmtp", SOFT, GOOGLE),
    ("RCPT", "552 5.2.2 Over STORAGE quota", SOFT, GERMAN),
    ("RCPT", "550 User has exhausted allowed storage space.", SOFT, GERMAN),
    ("RCPT", "550 User has too many messages on the server.", SOFT, GERMAN),
    ("RCPT", "450 4.2.1 The user you are trying to contact is receiving mail too quickly", SOFT, GOOGLE),
    ("RCPT", "550 5.2.121 Recipient's per hour message receive limit has been exceeded", SOFT, MICROSOFT),
    ("RCPT", "450 4.2.1 <reader@example.org>: Mailbox received too much email in a short period of time (G30)", SOFT,
     "https://smtp.codes/rackspace"),
    ("RCPT", "452 4.2.2 mailbox full", SOFT, RFC),
    ("RCPT", "451 4.7.1 greylisted, try again in five minutes", SOFT, SEEN),
    ("RCPT", "451 Internal resource temporarily unavailable", SOFT, MIMECAST),
    ("RCPT", "550 5.4.1 Recipient address rejected: Access denied. [host.example 2026-03-20]", SOFT, MICROSOFT),
    ("RCPT", "550 5.7.1 spam", SOFT, SEEN),
    ("RCPT", "550 blocked as spam", SOFT, SEEN),
    ("RCPT", "550 5.7.124 RESOLVER.RST.SenderNotInAllowedList; not in the allowed-senders list", SOFT, MICROSOFT),
    ("RCPT", "550 Requested action not taken: mailbox unavailable", SOFT, GERMAN),
    ("RCPT", "550 5.0.0 no", SOFT, RFC),
    ("RCPT", "554 no", SOFT, RFC),
    ("RCPT", "550", SOFT, RFC),
    ("DATA", "552 5.2.2 mailbox full", SOFT, RFC),
    # About the mail
    ("DATA", "554 5.7.1 looks like spam", MAIL, SEEN),
    ("DATA", "550 5.7.1 This message violates example.com email policy. - gcdp", MAIL, GOOGLE),
    ("DATA", "552-5.7.0 This message was blocked because its content presents a potential security issue. - gsmtp", MAIL,
     GOOGLE),
    ("DATA", "554 5.6.0 Message contents invalid", MAIL, RFC),
    ("DATA", "554 5.7.0 Blocked - see the page", MAIL, SEEN),
    ("DATA", "554 Email rejected due to security policies - MCSpamSignature", MAIL, MIMECAST),
    ("DATA", "554", MAIL, RFC),
    ("DATA", "451 4.3.0 try later", MAIL, RFC),
    ("DATA", "552 5.3.4 Message size exceeds fixed maximum", SIZE, RFC),
    ("DATA", "552-5.2.3 Your message exceeded Google's message size limits. - gsmtp", SIZE, GOOGLE),
    ("MAIL", "552 5.3.4 Message size exceeds fixed limit", SIZE, RFC),
    ("MAIL", "552 Message size exceeds maximum permitted", SIZE, RFC),
    ("MAIL", "552", SIZE, RFC),
    ("DATA", "552 Error: message too large", SIZE, GERMAN),
    ("DATA", "523 the message is longer than we take", SIZE, SEEN),
    ("DATA", "554 message too big", SIZE, SEEN),
    ("MAIL", "552 5.2.3 Message length exceeds limit", SIZE, RFC),
    ("DATA", "554 5.7.9 Message not accepted for policy reasons.", MAIL, SEEN),
    ("DATA", "500 5.5.2 Line too long", MAIL, RFC),
    ("DATA", "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list", US,
     SEEN),
    # Providers
    ("API", '401 {"errors":[{"message":"Maximum credits exceeded"}]}', US, SENDGRID_API),
    ("API", '402 {"code":"not_enough_credits","message":"You do not have enough credits"}', US, SEEN),
    ("API", '400 {"code":"not_enough_credits","message":"insufficient credits"}', US, SEEN),
    ("API", '400 {"code":"account_under_validation","message":"Your account is under validation"}', US, SEEN),
    ("API", '420 {"message":"Domain x is not allowed to send: recipient limit exceeded, try again after 07:00 UTC"}', US,
     MAILGUN),
    ("API", '403 {"message":"Please activate your Mailgun account."}', US, MAILGUN),
    ("API", '400 {"message":"Sandbox subdomains are for test purposes only. Please add your own domain"}', US, SEEN),
    ("API", '422 {"ErrorCode":405,"Message":"Not allowed to send: you have run out of credits."}', US, POSTMARK),
    ("API", '422 {"ErrorCode":412,"Message":"While your account is pending approval, all recipients must share it."}', US,
     POSTMARK),
    ("API", '422 {"ErrorCode":413,"Message":"Account May Not Send"}', US, POSTMARK),
    ("API", '422 {"ErrorCode":400,"Message":"The Sender signature not found"}', US, POSTMARK),
    ("API", '422 {"ErrorCode":300,"Message":"Invalid \'From\' address: it is not a verified sender signature."}', US,
     POSTMARK_422),
    ("API", '422 {"ErrorCode":406,"Message":"You tried to send to a recipient that has been marked as inactive."}', SOFT,
     POSTMARK),
    ("API", '422 {"message":"This domain is not verified. #MS42207"}', US, MAILERSEND),
    ("API", '422 {"message":"You have reached trial account unique recipients limit. #MS42225"}', US, MAILERSEND),
    ("API", '429 {"name":"daily_quota_exceeded","message":"You have reached your daily email sending quota."}', US, RESEND),
    ("API", '403 {"name":"validation_error","message":"You can only send testing emails to your own address"}', US, RESEND),
    ("API", '422 {"name":"validation_error","message":"The domain is not verified."}', US, RESEND),
    ("API", "400 SendingPausedException: Email sending is disabled for your account", US, SES_SMTP),
    ("API", "400 MessageRejected: Email address is not verified. The following identities failed the check", US, SES_SMTP),
    ("API", "400 MessageRejected: Address blacklisted: on the suppression list", SOFT, SES_SMTP),
    ("API", '422 {"message":"Your account has been limited"}', US, SEEN),
    ("API", "400 account is awaiting approval", US, SEEN),
    ("API", '413 {"message":"Request entity too large"}', SIZE, "RFC 9110 section 15.5.14"),
    ("API", '400 {"code":"invalid_parameter"}', MAIL, SEEN),
    ("API", "422", MAIL, SEEN),
]  # fmt: skip


def of(stage, said):
    code, _, text = said.partition(" ") if said[3:4] != "-" else (said[:3], "", said[4:])
    return Answer(Stage(stage), int(code), text)


def end_of(meaning):
    if meaning.about is About.US:
        return AGAIN if meaning.new_connection else US
    if meaning.about is About.MAIL:
        return SIZE if meaning.too_large else MAIL
    return GONE if meaning.gone else SOFT


@pytest.mark.parametrize(("stage", "said", "end", "source"), SHAPES, ids=[f"{s[0]} {s[1][:60]}" for s in SHAPES])
def test_a_shape_of_answer_has_its_end(stage, said, end, source):
    meaning = classify(of(stage, said))
    assert end_of(meaning) == end
    temporary = said[0] == "4" if stage != "API" else said[:3] in {"420", "429"}
    assert meaning.for_ever is not temporary


def test_the_table_has_sixty_shapes_and_more():
    assert len({(stage, said) for stage, said, *_ in SHAPES}) > 120


@pytest.mark.parametrize("code", ["550", "551", "552", "553", "554", "571"])
@pytest.mark.parametrize("text", ["", "no", "5.0.0", "we are sorry", "5.7.1 refused", "transaction failed"])
def test_what_explains_nothing_is_never_for_ever_against_a_reader(code, text):
    meaning = classify(Answer(Stage.RCPT, int(code), text))
    assert not meaning.gone
    assert not meaning.sure
    assert meaning.equal_at == EQUAL_UNEXPLAINED


@given(
    stage=st.sampled_from([Stage.RCPT, Stage.DATA]),
    code=st.integers(500, 599),
    enhanced=st.sampled_from(["", "5.1.1 ", "5.1.90 ", "5.2.2 ", "5.4.5 ", "5.7.1 ", "5.7.708 ", "5.0.0 "]),
    before=st.sampled_from(["", "Sorry, ", "<r1@example.org>: Recipient address rejected: ", "mail from 192.0.2.1: "]),
    limit=st.sampled_from(
        [
            "daily limit of messages reached",
            "exceeded the max emails per hour",
            "hourly sending quota exceeded",
            "too many messages per day from your account",
            "you have reached your daily limit",
            "maximum sending rate exceeded",
            "sent too many emails this hour",
        ]
    ),
)
def test_a_sending_limit_is_about_us_under_any_code(stage, code, enhanced, before, limit):
    if enhanced == "5.2.2 " or code == 523:
        return  # it says outright that the mailbox is full, or the mail too large
    assert classify(Answer(stage, code, f"{enhanced}{before}{limit}")).about is About.US


@given(stage=st.sampled_from(list(Stage)), code=st.integers(400, 599), text=st.text())
def test_any_text_has_one_end_and_no_mailbox_is_gone_by_an_answer_of_4yz(stage, code, text):
    meaning = classify(Answer(stage, code, text))
    assert end_of(meaning)
    if stage in {Stage.MAIL, Stage.CONNECT}:
        assert meaning.about is not About.READER
    if code < 500:
        assert not meaning.gone
    assert str(code) in meaning.detail


HOSTILE = [
    piece * (60_000 // len(piece))
    for piece in [
        *("5.1", "1.1.", "a", " ", "user ", "sender address ", "sender ", "too many ", "message too ", "quota "),
        *("exceeded ", "relay ", "limit sending ", "mailbox receiving", "account your ", "not not ", "per hour "),
        *("unknown mailbox ", "'to' ", "address ", "no no ", "\u0130", "size exceed ", "5.7.1 ", "client host "),
    ]
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:12] for text in HOSTILE])
def test_a_long_answer_takes_no_longer_than_the_part_that_is_read(text):
    answers = [Answer(stage, 422 if stage is Stage.API else 550, text) for stage in (Stage.RCPT, Stage.DATA, Stage.API)]

    def read(text):
        for answer in answers:
            classify(replace(answer, text=text))
        likeness(replace(answers[0], text=text), "reader@example.org")

    assert growth(read, text[:READ], text, most=4) <= 4, "the same is 1, linear 30"
    for answer in answers:
        assert classify(answer) == classify(replace(answer, text=text[:READ]))


@given(
    number=st.integers(0, 10**12),
    name=st.from_regex(r"[a-z]{1,12}", fullmatch=True),
    host=st.sampled_from(["mx1.example.org", "mail.example.net", "192.0.2.17"]),
)
def test_equal_answers_are_alike_whomever_they_name(number, name, host):
    address = f"{name}@example.org"
    said = f"5.7.9 <{address}> ({name}), {host}: we do not want it, id {number} a1b{number}c"
    plain = "5.7.9 <x@example.com> (x), mx.example.com: we do not want it, id 1 q2q"
    one = likeness(Answer(Stage.RCPT, 550, said), address)
    assert one == likeness(Answer(Stage.RCPT, 550, plain), "x@example.com")
    assert one != likeness(Answer(Stage.RCPT, 550, said.replace("want", "trust")), address)
    assert one != likeness(Answer(Stage.RCPT, 554, said), address)
    assert name not in one or len(name) < 3


def test_equal_refusals_of_mailboxes_need_more_of_them_and_a_size_is_never_about_us():
    assert classify(of("RCPT", "550 5.1.1 unknown")).equal_at == EQUAL_ABOUT_READERS
    assert classify(of("DATA", "554 5.7.1 spam")).equal_at == EQUAL_UNEXPLAINED
    assert classify(of("DATA", "552 5.3.4 too big")).equal_at == 0
    assert classify(of("RCPT", "450 4.2.0 later")).equal_at == 0
    assert classify(of("RCPT", "550 relay not permitted")).equal_at == 0
