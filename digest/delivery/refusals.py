"""Equal refusals in a row: what nobody could explain of one answer, several of them say together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, NamedTuple

from digest.delivery.hand_over import Outcome
from digest.models import Digest

State = Digest.State
Pair = tuple[Digest, Outcome]
EQUAL = "several readers in a row were refused in equal words"
# Answers come in another order than mails are handed over, and a refusal sooner than a yes. So a row counts once
# nothing before its end is on the wire; or if it is so many times as long, since a connection may hang.
SURELY = 4


class Refused(NamedTuple):
    """One refusal."""

    place: int  # of the hand-over in this run, from 1 on; 0: of an earlier run
    digest: int


@dataclass
class EqualRefusals:
    """The refusals since a mail was accepted, as long as they are equal; kept over the runs of all workers.

    Once they are as many as ``answers.Meaning.equal_at`` of different readers, they and what equals them from then on
    are about us: those digests are planned again. A mail that is accepted ends the row. Those that were refused within
    ``threads`` hand-overs before it belong to it all the same, where the row goes on behind it: at the moment when a
    relay's limit is reached several mails are on the wire.
    """

    load: Callable[[], dict[str, Any]]  # what earlier runs left; asked at the first refusal of this one
    threads: int
    answer: str = ""
    refused: dict[str, Refused] = field(default_factory=dict)  # by reader: one who is refused twice is one
    ours: bool = False  # they are about us,
    since: int = 0  # and no mail that was handed over after this place was accepted
    accepted: int = 0  # the place of the newest mail that was
    known: bool = False  # what earlier runs left is known, or over
    equal_at: int = 0  # of the newest answer
    changed: bool = False

    def learn(self) -> None:
        """Read what earlier runs left, unless that is known or over."""
        if not self.known:
            left = self.load()
            self.answer, self.ours = left.get("answer", ""), left.get("ours", False)
            self.refused = {reader: Refused(0, digest) for reader, digest in left.get("digests", {}).items()}
            self.known = True

    def judge(self, pairs: Sequence[Pair], places: dict[int, int]) -> tuple[list[Pair], set[int]]:
        """The same pairs, with what is about us; and digests to be taken back. After ``learn``.

        ``places`` is that of each digest on the wire or in ``pairs``; the latter are taken out.
        """
        begun = [places.pop(digest.pk, 0) for digest, _ in pairs]
        on_the_wire, ours = min(places.values(), default=inf), set[int]()
        in_order = sorted(zip(begun, pairs, strict=True), key=lambda one: one[0])
        for (place, (digest, outcome)), following in zip(in_order, [*sorted(begun)[1:], inf], strict=False):
            if outcome.state == State.ACCEPTED:
                self._accepted(place)
            elif outcome.equal_at and outcome.state == State.REJECTED:
                self._add(digest, outcome, place)
                if self.ours:
                    ours.add(digest.pk)
            ours |= self._full_row(min(on_the_wire, following))
        here = {digest.pk for digest, _ in pairs}
        return [(d, _about_us(o) if d.pk in ours else o) for d, o in pairs], ours - here

    def row(self) -> dict[str, Any]:
        """As it is stored."""
        left = {reader: one.digest for reader, one in self.refused.items() if self._counts(one)}
        return {"answer": self.answer, "digests": left, "ours": self.ours} if left or self.ours else {}

    def _counts(self, one: Refused) -> bool:
        return one.place > self.accepted or not self.accepted

    def _add(self, digest: Digest, outcome: Outcome, place: int) -> None:
        if outcome.answer != self.answer:
            self.answer, self.refused, self.ours = outcome.answer, {}, False
        self.equal_at = outcome.equal_at
        if not self.ours:
            self.refused[str(digest.subscriber_id)] = Refused(place, digest.pk)
        self.changed = True

    def _full_row(self, unknown: float) -> set[int]:
        """The digests of the row, if it is long enough. ``unknown``: the first place of which no answer is known."""
        row = sorted(one.place for one in self.refused.values() if self._counts(one))
        if not row or not self.equal_at or len(row) < self.equal_at:
            return set()
        if len(row) < SURELY * self.equal_at and unknown < row[self.equal_at - 1]:
            return set()
        found, self.refused = {one.digest for one in self.refused.values()}, {}
        self.ours = self.changed = True
        self.since = row[-1]
        return found

    def _accepted(self, place: int) -> None:
        if not self.known:  # whatever earlier runs left is over
            self.known = self.changed = True
        self.accepted = max(self.accepted, place)
        if not self.answer:
            return
        self.changed = True
        if place > self.since:
            self.ours = False
        old = self.accepted - self.threads
        self.refused = {reader: one for reader, one in self.refused.items() if one.place > old}


def _about_us(outcome: Outcome) -> Outcome:
    if outcome.state != State.REJECTED:
        return outcome
    reason = f"{EQUAL}: {outcome.reason}"
    return replace(outcome, state=State.PLANNED, reason=reason, counts=False, about_us=True, refused=True, refusal=None)
