"""What digest would this reader get? By the same path as planning and sending, without storing anything."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from digest import punctuality
from digest.board import read_board
from digest.lint.mail import Mail
from digest.models import Digest, Edition
from digest.nobody import as_nobody, nobody
from digest.planning import History, propose
from digest.preflight import as_sent
from digest.rendering import Item, Shelf, digest_message, items_of
from subscriptions import schedule
from subscriptions.interests import Interests
from subscriptions.models import Subscriber

PAPERS: int = Subscriber._meta.get_field("paper_limit").default  # what a new reader gets


@dataclass(frozen=True, slots=True)
class Profile:
    """A reader who does not exist: what somebody could choose."""

    topics: tuple[int, ...] = ()
    phrases: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    muted_topics: tuple[int, ...] = ()
    muted_words: tuple[str, ...] = ()
    weekly: bool = False
    papers: int = PAPERS
    only_my_topics: bool = False
    text_only: bool = False
    language: str = "en"

    @property
    def interests(self) -> Interests:
        """As rows would say them."""
        return Interests(self.topics, self.phrases, self.authors, self.muted_topics, self.muted_words)

    def reader(self, now: datetime, day: date) -> Subscriber:
        """Somebody new with these settings whose digest comes on ``day``."""
        mask = 1 << day.weekday() if self.weekly else schedule.EVERY_DAY
        return nobody(
            now,
            weekdays=mask,
            paper_limit=self.papers,
            only_my_topics=self.only_my_topics,
            text_only=self.text_only,
            language=self.language,
        )


@dataclass(frozen=True)
class Preview:
    """A digest that is stored nowhere, and its mail. All links in it are reader 0's, who is nobody."""

    digest: Digest  # without picks it says the reason
    reader: Subscriber  # nobody, with the settings of the reader whose preview it is
    now: datetime
    edition: Edition | None = None
    note: str = ""  # why this reader gets no digest all the same

    @property
    def reason(self) -> str:
        """Why there is no mail; "" where there is one."""
        return "" if self.digest.picks else self.digest.reason

    @cached_property
    def shelf(self) -> Shelf:
        """What the mail is made of. A draft is on it as if it was approved."""
        shelf = Shelf.for_digests([self.digest])
        return replace(shelf, editions=_as_approved(shelf.editions, self.edition))

    @cached_property
    def items(self) -> list[Item]:
        """The papers, each with why it is there."""
        return items_of(self.digest, self.shelf)

    @cached_property
    def raw(self) -> bytes:
        """The mail as it would leave. Raises ValueError where there is none."""
        message = digest_message(self.digest, self.reader, self.shelf, now=self.now)
        return as_sent(message)

    @cached_property
    def mail(self) -> Mail:
        """The mail read back. Raises ValueError where there is none."""
        return Mail(self.raw)


def for_profile(profile: Profile, now: datetime, edition: Edition | None = None) -> Preview:
    """What a new reader of this profile would get of an edition, which may be a draft, or of today's board."""
    day = edition.day if edition else now.date()
    reader = profile.reader(now, day)
    return _preview(reader, History(profile.interests), now, edition)


def for_reader(reader: Subscriber, now: datetime, edition: Edition | None = None) -> Preview:
    """What a saved reader would get, by what the reader chose and had before that edition."""
    history = History.of(reader, before=edition.day if edition else None)
    return _preview(reader, history, now, edition, _note(reader, now, edition))


def archived(edition: Edition) -> Preview:
    """The mail of a day as a new reader without topics got it: the same at any time, and nothing personal in it."""
    preview = for_profile(Profile(), edition.counted_at, edition)
    preview.reader.next_due_at = preview.reader.confirmed_at = None
    return preview


def of_digest(digest: Digest, now: datetime) -> Preview:
    """The mail of a stored digest. Raises ValueError where its reader is erased."""
    if digest.subscriber is None:
        raise ValueError("its reader is erased")
    return Preview(digest, as_nobody(digest.subscriber), digest.accepted_at or now)


def _preview(reader: Subscriber, history: History, now: datetime, edition: Edition | None, note: str = "") -> Preview:
    own = history.interests
    board = read_board(now, edition, topics={*own.topics, *own.muted_topics})
    if edition and edition.state == Edition.State.CLOSED:
        board = replace(board, remembers=False)  # who had what is known of all closed days together, of this one too
    day = edition.day if edition else schedule.local_day(now, reader.zone)
    due_at = schedule.local_instant(day, reader.hour, reader.zone)
    digest = propose(reader, history, board, now, due_at=due_at)
    double = as_nobody(reader)
    digest.pk, digest.subscriber = double.pk, double
    # A mail says when the next one comes: planning has moved the reader on by then.
    double.next_due_at = schedule.next_due(due_at, at=reader.hour, zone=reader.zone, mask=reader.weekdays)
    return Preview(digest, double, now, edition, note)


def _note(reader: Subscriber, now: datetime, edition: Edition | None) -> str:
    if not Subscriber.objects.active(now).filter(pk=reader.pk).exists():
        stopped = "paused" if reader.is_paused(now) else reader.state
        return f"No digest is planned for this reader now: {stopped if stopped != 'active' else 'suppressed'}."
    if edition:
        of_day = Digest.objects.filter(subscriber=reader, day=edition.day).order_by("due_at")
    else:
        of_day = punctuality.todays(reader, now)
    existing = of_day.last()
    return f"This reader has a digest of that day already: {existing}, {existing.state}." if existing else ""


def _as_approved(found: Mapping[date, Edition], edition: Edition | None) -> dict[date, Edition]:
    editions = dict(found)
    if edition and edition.day in editions:
        editions[edition.day] = copy(editions[edition.day])
        editions[edition.day].state = Edition.State.APPROVED
    return editions
