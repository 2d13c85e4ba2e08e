"""Is the demo day done? Read from rows, as everything else does."""

from dataclasses import dataclass
from datetime import date, datetime

from digest import fetching
from digest.models import Digest, Edition, Paper
from subscriptions.models import Subscriber


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the day stands."""

    papers: int
    to_read: int
    edition: str
    due: int
    planned: int
    accepted: int
    open: int

    @property
    def done(self) -> bool:
        """Everything is read, the edition is out, and nobody is due any more."""
        return not self.to_read and self.edition in {"approved", "closed"} and not self.due and not self.open

    def __str__(self) -> str:
        return (
            f"{self.papers} papers · edition {self.edition} · {self.due} readers due · "
            f"{self.planned} digests planned · {self.accepted} accepted"
        )


def progress(day: date, now: datetime) -> Progress:
    """A handful of small counts."""
    own = Digest.objects.all()
    edition = Edition.objects.filter(day=day).first()
    return Progress(
        papers=Paper.objects.count(),
        to_read=len(fetching.runs_due(now)),
        edition=edition.state if edition else "none yet",
        due=Subscriber.objects.due(now).count(),
        planned=own.count(),
        accepted=own.filter(state=Digest.State.ACCEPTED).count(),
        open=own.open().count(),
    )
