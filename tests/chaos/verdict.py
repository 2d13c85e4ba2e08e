"""What the rows say beside what the mail server's log says, and which promises hold."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from digest import outcomes
from digest.models import Digest
from subscriptions import clock
from subscriptions.models import Subscriber
from tests.chaos.copies import Causes
from tests.chaos.run import Run
from tests.chaos.staff import TERM_LIMIT

State = Digest.State
UNKNOWN = "outcome unknown"
NUMBER = re.compile(r"<digest-(\d+)\.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of the mail server's log."""

    at: float
    message_id: str
    recipient: str

    @property
    def digest(self) -> int:
        """The digest that the Message-ID names; 0 where it names none."""
        found = NUMBER.match(self.message_id)
        return int(found[1]) if found else 0


def receipts(log: Path) -> list[Receipt]:
    """Every mail that the server took, in order."""
    lines = (line.split() for line in log.read_text().splitlines())
    return [Receipt(float(at), message_id, recipient) for at, message_id, recipient in lines]


@dataclass
class Verdict:
    """The figures of a run, and the promises that were broken."""

    planned: int = 0
    accepted: int = 0
    received: int = 0
    lost: list[str] = field(default_factory=list)
    copies: Counter[str] = field(default_factory=Counter)  # {Message-ID: receipts after the first}
    uncertain: list[str] = field(default_factory=list)
    stopped_in_time: int = 0
    sums: dict[date, outcomes.Sum] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def twice(self) -> int:
        """Mails received beyond the first of their kind."""
        return self.copies.total()

    @property
    def sum_is_right(self) -> bool:
        """Whether every day adds up, and all days together hold every row."""
        whole = sum(total.planned for total in self.sums.values())
        return all(total.adds_up and not total.to_go for total in self.sums.values()) and whole == self.planned

    @property
    def last_line(self) -> str:
        """The one line that a script reads."""
        said = "ok" if self.sum_is_right else "wrong"
        return f"lost={len(self.lost)} twice={self.twice} uncertain={len(self.uncertain)} sum={said}"


def judge(run: Run) -> Verdict:
    """Read everything and compare. Nothing is running any more."""
    verdict = Verdict()
    came = receipts(run.mail.log)
    rows = {row.pk: row for row in Digest.objects.select_related("subscriber").order_by("pk")}
    verdict.planned, verdict.received = len(rows), len({receipt.message_id for receipt in came})
    verdict.accepted = sum(row.state == State.ACCEPTED for row in rows.values())
    verdict.lost = list(_lost(run, rows, {receipt.digest for receipt in came}))
    verdict.copies = Counter(receipt.message_id for receipt in came)
    verdict.copies.subtract(list(verdict.copies))
    verdict.copies = +verdict.copies
    verdict.uncertain = [_uncertain(run, row) for row in rows.values() if row.state == State.UNCERTAIN]
    verdict.sums = {day: outcomes.sum_of(day) for day in sorted({row.day for row in rows.values()})}
    unsent = Subscriber.objects.filter(pk__in=run.stopped).exclude(digests__state=State.ACCEPTED)
    verdict.stopped_in_time = unsent.count()
    verdict.broken += run.missed
    verdict.broken += _needless(run, rows)
    verdict.broken += _faults_of_copies(run, came)
    verdict.broken += _faults_of_receipts(run, rows, came)
    verdict.broken += _faults_after_a_stop(run, rows)
    verdict.broken += [f"{line}: its lease had lapsed" for line in run.staff.late.read_text().splitlines()]
    verdict.broken += [f"SIGTERM took {s:.1f} s" for s in run.staff.shutdowns if s > TERM_LIMIT * run.options.patience]
    if verdict.lost:
        verdict.broken.append(f"{len(verdict.lost)} digests are lost")
    if not verdict.sum_is_right:
        verdict.broken.append("the sum of the day does not add up")
    if run.options.policy == "resend" and verdict.uncertain:
        verdict.broken.append(f"{len(verdict.uncertain)} digests are still uncertain")
    return verdict


def _lost(run: Run, rows: dict[int, Digest], came: set[int]) -> Iterator[str]:
    for pk, row in rows.items():
        if row.state in Digest.OPEN:
            yield f"digest {pk} is still {row.state}"
        elif row.state == State.ACCEPTED and pk not in came:
            yield f"digest {pk} is accepted, but never came"
        elif row.state not in {State.ACCEPTED, State.UNCERTAIN} and not row.reason:
            yield f"digest {pk} is {row.state} without a reason"
    with_digest = {row.subscriber_id for row in rows.values()}
    for reader in run.readers[: run.next_reader]:
        if reader not in with_digest and reader not in run.stopped:
            yield f"reader {reader} was due and never planned"


def _needless(run: Run, rows: dict[int, Digest]) -> Iterator[str]:
    """Nothing is wrong with any mail or address: only who left, or was suppressed, goes without."""
    for pk, row in rows.items():
        if row.state in {State.CANCELLED, State.SUPPRESSED} and row.subscriber_id in run.stopped:
            continue
        if row.state not in {State.ACCEPTED, State.UNCERTAIN, *Digest.OPEN}:
            yield f"digest {pk} is {row.state} ({row.reason}), and its reader wanted it"


def _uncertain(run: Run, row: Digest) -> str:
    life = row.claimed_by.partition("@")[0]
    where = next((end.where for end in run.staff.ends if end.name == life), "") or "no kill of its worker"
    return f"digest {row.pk}: {row.reason}; {life}, {where}"


def _faults_of_copies(run: Run, came: list[Receipt]) -> Iterator[str]:
    """Under "hold" there are none; under "resend" each has its cause at its moment, and no cause has too many."""
    last: dict[str, float] = {}
    causes = Causes(run.events, patience=run.options.patience)
    for number, receipt in enumerate(came):
        name, taken = receipt.message_id, last.get(receipt.message_id)
        last[name] = receipt.at
        if taken is None:
            continue
        if run.options.policy == "hold":
            yield f"{name} came twice"
        elif not causes.explain(f"{name} {number}", taken):
            apart = f"{taken - run.began:.1f} s and {receipt.at - run.began:.1f} s after the start"
            yield f"{name} came {apart}: nothing at that time explains it"


def _faults_of_receipts(run: Run, rows: dict[int, Digest], came: list[Receipt]) -> Iterator[str]:
    """Each mail is the reader's own, the only one of its day, and its row says that it left, or may have left."""
    own: dict[tuple[str, date], set[int]] = defaultdict(set)
    for receipt in came:
        row = rows.get(receipt.digest)
        if row is None or row.subscriber is None or row.subscriber.email != receipt.recipient:
            yield f"{receipt.message_id} belongs to no digest of its recipient"
            continue
        own[receipt.recipient, row.day].add(row.pk)
        if not _may_have_left(run, row):
            yield f"digest {row.pk} came, but is {row.state} ({row.reason})"
    for digests in own.values():
        if len(digests) > 1:
            yield f"one reader got digests {sorted(digests)} for one day"


def _may_have_left(run: Run, row: Digest) -> bool:
    if row.state == State.ACCEPTED:
        return True
    if run.options.policy == "hold":
        return row.state == State.UNCERTAIN or (row.state == State.FAILED and row.reason == UNKNOWN)
    # Taken, not recorded, and to be sent again when its reader left: nobody was asked what became of the first try.
    return row.state in {State.CANCELLED, State.SUPPRESSED} and row.subscriber_id in run.stopped


def _faults_after_a_stop(run: Run, rows: dict[int, Digest]) -> Iterator[str]:
    """Who has left, or was suppressed, gets nothing that was marked after that was committed."""
    for row in rows.values():
        stopped = run.stopped.get(row.subscriber_id or 0)
        if stopped and row.handed_at and row.handed_at > stopped:
            yield f"digest {row.pk} was handed over {row.handed_at - stopped} after its reader had left"


def close_held() -> Iterator[str]:
    """Under "hold": a day later every one that nobody resolved has failed, with that reason and no other."""
    held = list(Digest.objects.filter(state=State.UNCERTAIN).values_list("pk", flat=True))
    outcomes.resolve_uncertain(clock.now() + timedelta(hours=25))
    wrong = Digest.objects.filter(pk__in=held).exclude(state=State.FAILED, reason=UNKNOWN)
    for pk, state, reason in wrong.values_list("pk", "state", "reason"):
        yield f"digest {pk} is {state} ({reason}) a day after it was held"
