"""L12x: who it is from, and for whom."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING
LOCAL, DOMAIN, ADDRESS = 64, 255, 254  # RFC 5321 section 4.5.3.1; 254 is what a path of 256 leaves (errata 1690)
HEADER = 320
FIELDS = ("From", "To", "Reply-To")
NO_REPLY = re.compile(r"^(no|do|dont|donot)[-_.]?(not)?[-_.]?reply", re.IGNORECASE)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


@rule("L120", ERROR, "To holds exactly one address", "Send one message to each reader.", "RFC 5322 section 3.6.3")
def one_recipient(mail: Mail) -> Iterator[Fault]:
    """Two readers in one To know of each other."""
    number = len(mail.addresses("To"))
    if mail.all("To") and number != 1:
        yield Fault(f"{number} addresses", "To")


@rule(
    "L121", ERROR, "there is no Cc and no Bcc", "Take them out: each reader gets a message.", "RFC 5322 section 3.6.3"
)
def no_copies(mail: Mail) -> Iterator[Fault]:
    """Addresses that leak."""
    for name in ("Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"):
        if mail.all(name):
            yield Fault(f"there is a {name}", name)


@rule(
    "L122",
    ERROR,
    "From is one address",
    "Set FROM_EMAIL to one sender.",
    "RFC 5322 section 3.6.2",
)
def sender(mail: Mail) -> Iterator[Fault]:
    """Several would need a Sender field, and a mail of ours has one author."""
    senders = mail.addresses("From")
    if mail.all("From") and len(senders) != 1:
        yield Fault(f"{len(senders)} addresses", "From")
    if any(not address.rpartition("@")[0] for _, address in senders[:1]):
        yield Fault("there is no address", "From")


@rule(
    "L127",
    WARNING,
    "From has a name",
    'Set the sender like "Daily Papers <papers@example.org>".',
    "RFC 5322 section 3.4",
)
def named_sender(mail: Mail) -> Iterator[Fault]:
    """It is legal without; the list of mails then shows a bare address."""
    if any(not name.strip() for name, _ in mail.addresses("From")[:1]):
        yield Fault("there is no name", "From")


@rule(
    "L123",
    WARNING,
    "answers are read: Reply-To, or else From, is no noreply address",
    "Set Reply-To to a mailbox that somebody reads.",
    "https://support.google.com/a/answer/81126",
)
def replies(mail: Mail) -> Iterator[Fault]:
    """People answer mails to ask, to complain, and to leave."""
    name = "Reply-To" if mail.all("Reply-To") else "From"
    for _, address in mail.addresses(name):
        if NO_REPLY.match(address):
            yield Fault(f"{name} is a noreply address", name)


@rule(
    "L124",
    ERROR,
    f"From and To are at most {HEADER} octets each",
    "Leave the reader's name out; shorten the sender's.",
    "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html",
)
def short_fields(mail: Mail) -> Iterator[Fault]:
    """Amazon SES refuses longer ones."""
    for name in ("From", "To"):
        for header in mail.all(name):
            if len(header.raw) > HEADER:
                yield Fault(f"{len(header.raw)} octets", name)


@rule(
    "L125",
    ERROR,
    f"addresses keep to {LOCAL} octets before the @, {DOMAIN} after it, {ADDRESS} in all",
    "Refuse such an address where it is typed: no server can deliver to it.",
    "RFC 5321 section 4.5.3.1",
)
def short_addresses(mail: Mail) -> Iterator[Fault]:
    """Lengths in octets."""
    for name in FIELDS:
        for _, address in mail.addresses(name):
            local, _, domain = address.rpartition("@")
            if len(local) > LOCAL or len(domain) > DOMAIN or len(address) > ADDRESS:
                yield Fault(f"{len(local)} octets before the @, {len(domain)} after it", name)


@rule(
    "L126",
    ERROR,
    "addresses are ASCII, and their domains well-formed A-labels",
    "Encode the domain with IDNA 2008 (idna.encode); refuse a mailbox that is not ASCII at sign-up.",
    "RFC 5890 section 2.3.2.1, RFC 6531",
)
def domains(mail: Mail) -> Iterator[Fault]:
    """Most relays do not offer SMTPUTF8."""
    for name in FIELDS:
        for _, address in mail.addresses(name):
            domain = address.rpartition("@")[2]
            if not address.isascii() or not all(LABEL.fullmatch(label) for label in domain.split(".")):
                yield Fault("the domain is not written in A-labels, or the address is not ASCII", name)
