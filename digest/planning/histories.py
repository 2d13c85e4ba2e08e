"""What readers chose, said and got."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import BooleanField, Case, ExpressionWrapper, Max, Q, Value, When

from digest import feedback, ledger
from digest.models import Digest
from digest.models.digests import COUNTING_AS_SENT, PickedPapers
from subscriptions.interests import Interests
from subscriptions.models import Interest, Subscriber

# Their readers have not had what they were made of: stopped by the reader's own doing, or never handed over in time.
CALLED_OFF = (
    Q(state=Digest.State.CANCELLED)
    | Q(state=Digest.State.SKIPPED, reason="paused")
    | Q(state=Digest.State.SKIPPED, reason=ledger.TOO_LATE, perhaps_taken=False)
)
NOTHING_CHOSEN = Interests()


class History(NamedTuple):
    """What one reader chose, said and got."""

    interests: Interests = NOTHING_CHOSEN
    seen_to: date | None = None  # the newest edition that was looked at for this reader
    sent: Set[int] = frozenset()  # papers of days that were not folded when the run began
    said: feedback.Lessons | None = None

    @classmethod
    def of(cls, reader: Subscriber, before: date | None = None) -> "History":
        """A reader's; ``before`` leaves out what came of the edition of that day and of later ones."""
        return Histories.of([reader.pk], Digest.objects.oldest_open_day(), before=before).of_reader(reader.pk)


@dataclass(slots=True)
class Histories:
    """The same of a chunk of readers, in four queries however many they are."""

    interests: dict[int, Interests]
    said: dict[int, feedback.Lessons]
    days: set[tuple[int, date, str]] = field(default_factory=set)  # that have a digest already, and their zones
    seen_to: dict[int, date] = field(default_factory=dict)
    sent: dict[int, set[int]] = field(default_factory=dict)
    unsent: set[int] = field(default_factory=set)  # readers with a digest that is too late to be sent

    def of_reader(self, reader: int) -> History:
        """One reader's part."""
        return History(
            self.interests.get(reader, NOTHING_CHOSEN),
            self.seen_to.get(reader),
            self.sent.get(reader, frozenset()),
            self.said.get(reader),
        )

    @classmethod
    def of(
        cls,
        readers: Sequence[int],
        since: date | None,
        *,
        before: date | None = None,
        late_before: datetime | None = None,
    ) -> "Histories":
        """Those of these readers. ``since`` is the oldest day that is not folded: before it bitmaps know what was sent.

        ``before`` leaves out what came of editions of that day and later; of the others those are looked for that were
        due before ``late_before`` and have not left.
        """
        found = cls(interests_of(readers), feedback.lessons(readers))
        own = Digest.objects.filter(subscriber_id__any_of=dict.fromkeys(readers))
        if before:
            own = own.exclude(content_to__gte=before)
        if since:
            found._read_open_days(own.filter(day__gte=since), late_before)
        # Of the days before only the last digest matters, and only for those without a newer one. Who flew west over
        # the date line can have looked further on an earlier date: papers that were passed over are offered again.
        others = dict.fromkeys(reader for reader in readers if reader not in found.seen_to)
        if others:
            earlier = own.filter(subscriber_id__any_of=others).exclude(content_to=None).exclude(CALLED_OFF)
            found.seen_to |= dict(earlier.values_list("subscriber_id").annotate(to=Max("content_to")).order_by())
        return found

    def _read_open_days(self, own: Any, late_before: datetime | None) -> None:
        """One row a digest; the papers of those only that count, also of days that are folded while the run goes on."""
        counts = Case(When(COUNTING_AS_SENT, then=PickedPapers("picks")), default=None)
        rows = own.annotate(
            papers=counts,
            called_off=_whether(CALLED_OFF),
            late=_whether(Q(state__in=["planned", "claimed"], due_at__lt=late_before, perhaps_taken=False))
            if late_before
            else Value(False),
        )
        for reader, day, zone, to, papers, called_off, late in rows.values_list(
            "subscriber_id", "day", "zone", "content_to", "papers", "called_off", "late"
        ):
            self.days.add((reader, day, zone))
            if late:
                self.unsent.add(reader)
            if to and not called_off and (reader not in self.seen_to or to > self.seen_to[reader]):
                self.seen_to[reader] = to
            if papers:
                self.sent.setdefault(reader, set()).update(papers)


def interests_of(readers: Iterable[int]) -> dict[int, Interests]:
    """What these readers chose, in the order in which they chose it; those who chose nothing are left out."""
    rows = Interest.objects.filter(subscriber_id__any_of=dict.fromkeys(readers)).order_by("pk")
    found: dict[int, dict[str, list[Any]]] = {}
    for reader, kind, topic, text in rows.values_list("subscriber_id", "kind", "topic_id", "text"):
        own = found.get(reader)
        if own is None:
            own = found[reader] = {}
        if kind in own:
            own[kind].append(topic or text)
        else:
            own[kind] = [topic or text]
    return {
        reader: Interests(**{FIELDS[kind]: tuple(what) for kind, what in own.items()}) for reader, own in found.items()
    }


# The field of Interests that holds each kind, as ``Interests.of`` has them.
FIELDS = dict(zip(Interest.Kind.values, Interests.__dataclass_fields__, strict=True))


def _whether(condition: Q) -> Any:
    return ExpressionWrapper(condition, output_field=BooleanField())
