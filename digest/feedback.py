"""What a reader says of a paper, kept and taken back: more like this, or less.

Several rows can be one work (``digest.merging``). A word is kept on the row that stands for the work when it is said,
and of all words on its rows the newest counts. A merge moves none: taking rows apart gives back what was said of each.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from digest.models import Feedback, Paper
from subscriptions.models import Subscriber


def work_of(pk: int) -> Paper:
    """The row that stands for the paper's work: itself, or the one it was merged into. Raises Paper.DoesNotExist."""
    paper = Paper.objects.select_related("merged_into").get(pk=pk)
    return paper.merged_into or paper


def word_on(subscriber_id: int, work: Paper) -> Feedback | None:
    """What counts of what the reader said of this work; None where nothing was said, or it was taken back."""
    return _words(subscriber_id, work).order_by("-said_at", "-pk").first()


def say(subscriber_id: int, work: Paper, verb: Feedback.Verb, now: datetime) -> None:
    """Keep the reader's word; an earlier one gives way. The same again is still one, said now.

    Raises Subscriber.DoesNotExist where the reader was erased meanwhile.
    """
    with transaction.atomic():
        # Under the lock that erasing takes: the word comes before, and goes too, or it finds nobody.
        Subscriber.objects.to_change(subscriber_id)
        Feedback.objects.update_or_create(
            subscriber_id=subscriber_id, paper=work, defaults={"verb": verb, "said_at": now}
        )


def undo(subscriber_id: int, work: Paper) -> None:
    """Forget all that the reader said of this work, older words on its other rows too: none may come back by this."""
    _words(subscriber_id, work).delete()


def _words(subscriber_id: int, work: Paper) -> QuerySet[Feedback]:
    return Feedback.objects.filter(Q(paper=work) | Q(paper__merged_into=work), subscriber=subscriber_id)


from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lessons:
    liked: tuple[int, ...] = ()
    disliked: tuple[int, ...] = ()


def lessons(readers):
    out = {}
    for r, p, v in (
        Feedback.objects.filter(subscriber_id__in=readers, teaches=True)
        .order_by("-said_at")
        .values_list("subscriber_id", "paper_id", "verb")
    ):
        a, b = out.setdefault(r, ([], []))
        (b if v == "less" else a).append(p)
    return {r: Lessons(tuple(a), tuple(b)) for r, (a, b) in out.items()}
