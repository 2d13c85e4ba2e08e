"""Whom a report is about: the reader of the mail that it names, and the address second.

The address in a report need not be the reader's: a mail is forwarded, an address changes, a number comes again after a
restore. Where mail and address lead to two readers nobody is stopped. The tables below say it; nothing here writes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db.models import Q

from subscriptions import redaction
from subscriptions.addresses import keyed_hash
from subscriptions.models import ConsentEvent, MailEvent, SignupRequest, Subscriber

# A provider's clock may be behind ours: a mail that was made later than its report by more than this is another one.
CLOCKS_APART = timedelta(minutes=10)
LETTERS = ("confirm", "already", "link", "move", "moved")


class Whose(Enum):
    """The address in a report, seen from the reader of the mail that it names."""

    UNNAMED = "the report names no mail of ours"
    OWN = "the reader's"
    FORMER = "the reader's before a move"
    ANOTHERS = "another reader's"
    NOBODYS = "nobody's: a copy that was forwarded"
    UNSAID = "not in the report"
    UNSAID_MOVED = "not in the report, and the reader has moved since the mail left"


class Effect(Enum):
    """Whom what a report says counts against."""

    ADDRESS = "the address in the report"
    READER = "the reader of the mail"
    BOTH = "both"
    SOFTLY = "the reader of the mail, as a soft bounce at most"
    NOBODY = "nobody: it is kept"


ADDRESS, READER, BOTH, SOFTLY, NOBODY = Effect
# What bounces is a mailbox; who complains or leaves is a person.
BOUNCES: dict[Whose, Effect] = {
    Whose.UNNAMED: ADDRESS,
    Whose.OWN: ADDRESS,
    Whose.FORMER: ADDRESS,  # the old mailbox is gone, and the new one is not to suffer for it
    Whose.ANOTHERS: NOBODY,
    Whose.NOBODYS: SOFTLY,  # one forwarded copy says little; if it goes on, the reader gets nothing
    Whose.UNSAID: READER,
    Whose.UNSAID_MOVED: NOBODY,
}
COMPLAINTS: dict[Whose, Effect] = {
    Whose.UNNAMED: ADDRESS,
    Whose.OWN: ADDRESS,
    Whose.FORMER: BOTH,
    Whose.ANOTHERS: NOBODY,
    Whose.NOBODYS: READER,
    Whose.UNSAID: READER,
    Whose.UNSAID_MOVED: READER,
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of ours, by its number."""

    reader: int | None  # None: erased, or never a reader
    made_at: datetime
    left_at: datetime  # when it was handed over, or at the earliest
    sent_to: str = ""  # the keyed hash of its address, where it is known: letters
    provider_id: str = ""  # by which the provider took it


@dataclass(frozen=True, slots=True)
class Room:
    """How one kind of mail is found: by its numbers, and by an id of the provider's."""

    mails: Callable[[Collection[int]], Mapping[int, Mail]]
    # (ids, keyed hash of the recipient or "", when it happened) -> number, None where none or several have it.
    number_of: Callable[[Sequence[str], str, datetime], int | None] | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Whom one report is about."""

    whose: Whose
    reader: int | None = None  # of the mail, else of the address
    subject: str = ""  # the keyed hash of the address at which the mail's reader is stopped


_rooms: dict[str, Room] = {}


def register(name: str, room: Room) -> None:
    """Add a kind of mail by the first part of its name ("digest"). Called once, from ``apps.ready()``."""
    _rooms[name] = room


def known_by(provider_id: str) -> str:
    """A provider's id of a mail as reports keep it. What looks like an address, and is none of ours, is hashed."""
    bare = provider_id.strip().removeprefix("<").removesuffix(">")
    if "@" not in bare:
        return bare[:255]
    return f"<{bare}>"[:255] if redaction.mail_of_message_id(bare) else hidden(bare)


def hidden(provider_id: str) -> str:
    """What stands for an id that looks like an address: a hash, by which mails can be told apart."""
    return f"<{keyed_hash(provider_id.strip().removeprefix('<').removesuffix('>'))[:32]}>"


def is_known_by(provider_id: str, event: MailEvent) -> bool:
    """Whether a report is of the mail that the provider took under this id."""
    return bool(provider_id) and known_by(provider_id).strip("<>") == event.message_id.strip("<>")


def numbered(mail: str) -> tuple[str, int] | None:
    """Kind and number of a mail's name: "digest-17"."""
    kind, sign, number = mail.partition("-")
    fits = sign and kind in _rooms and number.isascii() and number.isdecimal() and len(number) <= 18
    return (kind, int(number)) if fits and number[0] != "0" else None


def name_by_ids(ids: Sequence[str], email_hash: str, happened_at: datetime) -> str:
    """The name of the mail that the provider knows by one of these ids; "" where none, or several are."""
    for kind, room in _rooms.items():
        number = room.number_of(ids, email_hash, happened_at) if room.number_of and ids else None
        if number:
            return f"{kind}-{number}"
    return ""


def about(events: Sequence[MailEvent]) -> list[About]:
    """Whom each of these is about, in a handful of queries for all."""
    mails = [_in_time(mail, event) for mail, event in zip(_mails(events), events, strict=True)]
    hashes = {event.email_hash for event in events if event.email_hash}
    numbers = {mail.reader for mail in mails if mail and mail.reader}
    letters = {mail.sent_to for mail in mails if mail and mail.sent_to}
    rows = Subscriber.objects.filter(Q(pk__in=numbers) | Q(email_hash__in=hashes | letters))
    readers = {row.pk: row for row in rows.only("pk", "email_hash", "moved_at")}
    at_hash = {reader.email_hash: reader.pk for reader in readers.values()}
    former = _former(events, mails, readers)
    return [_about(event, mail, readers, at_hash, former) for event, mail in zip(events, mails, strict=True)]


def _about(
    event: MailEvent,
    mail: Mail | None,
    readers: Mapping[int, Subscriber],
    at_hash: Mapping[str, int],
    former: Collection[tuple[int, str]],
) -> About:
    there = at_hash.get(event.email_hash) if event.email_hash else None
    if mail is None:
        return About(Whose.UNNAMED, there)
    # Of a letter the address is known, which need not be the asker's; of a digest the reader's at that time.
    reader = readers.get(mail.reader) if mail.reader and not mail.sent_to else None
    subject = mail.sent_to or (reader.email_hash if reader else "")
    if not subject:
        return About(Whose.UNNAMED, there)
    who = at_hash.get(subject)
    moved = reader is not None and reader.moved_at is not None and mail.left_at < reader.moved_at
    if not event.email_hash:
        return About(Whose.UNSAID_MOVED if moved else Whose.UNSAID, who, subject)
    if event.email_hash == subject:
        return About(Whose.OWN, who, subject)
    if there is not None and there != who:
        return About(Whose.ANOTHERS, who, subject)
    if moved or (reader and (reader.pk, event.email_hash) in former):
        return About(Whose.FORMER, who, subject)
    if mail.provider_id and event.message_id and not is_known_by(mail.provider_id, event):
        # The number is that of another installation's mail, which shares our account, or of one before a restore.
        return About(Whose.UNNAMED, there)
    return About(Whose.NOBODYS, who, subject)


def _mails(events: Sequence[MailEvent]) -> list[Mail | None]:
    names = [numbered(event.mail) for event in events]
    found = {
        kind: room.mails({name[1] for name in names if name and name[0] == kind})
        for kind, room in _rooms.items()
        if any(name and name[0] == kind for name in names)
    }
    return [found[name[0]].get(name[1]) if name else None for name in names]


def _in_time(mail: Mail | None, event: MailEvent) -> Mail | None:
    """A number that was given again after a restore names another mail than the report means."""
    return None if mail and mail.made_at > event.at + CLOCKS_APART else mail


def _former(
    events: Sequence[MailEvent], mails: Sequence[Mail | None], readers: Mapping[int, Subscriber]
) -> set[tuple[int, str]]:
    """Which of the readers had which of the addresses: the record of consent knows their hashes."""
    apart = {
        (mail.reader, event.email_hash)
        for event, mail in zip(events, mails, strict=True)
        if mail and mail.reader and mail.reader in readers
        if event.email_hash not in {"", readers[mail.reader].email_hash}
    }
    if not apart:
        return set()
    rows = ConsentEvent.objects.filter(
        subscriber__in={pk for pk, _ in apart}, email_hash__in={hashed for _, hashed in apart}
    )
    return {(pk, email_hash) for pk, email_hash in rows.values_list("subscriber_id", "email_hash").order_by() if pk}


def _letters(numbers: Collection[int]) -> dict[int, Mail]:
    rows = SignupRequest.objects.filter(pk__in=numbers)
    return {
        pk: Mail(reader, created_at, granted_at or created_at, email_hash)
        for pk, reader, created_at, granted_at, email_hash in rows.values_list(
            "pk", "subscriber_id", "created_at", "granted_at", "email_hash"
        )
    }


for _name in LETTERS:
    register(_name, Room(_letters))
