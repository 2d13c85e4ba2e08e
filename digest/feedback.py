"""What a reader says of a paper, kept and taken back: more like this, or less.

Several rows can be one work (``digest.merging``). A word is kept on the row that stands for the work when it is said,
and of all words on its rows the newest counts. A merge moves none: taking rows apart gives back what was said of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

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


MOST_LESSONS = 50  # of a kind and reader: interests change


@dataclass(frozen=True, slots=True)
class Lessons:
    """The papers that teach a reader's digests, the newest word first, at most 50 of each."""

    liked: tuple[int, ...] = ()
    disliked: tuple[int, ...] = ()


def lessons(readers: Iterable[int]) -> dict[int, Lessons]:
    """What these readers' words teach, in one query; readers without any are left out.

    Papers are named by the row that stands for their work. "More" and "save" like it, "less" dislikes it: of opinions
    on several rows of a work the newest counts, and an opinion counts more than that the paper is saved.
    """
    words = Feedback.objects.filter(subscriber_id__any_of=dict.fromkeys(readers), teaches=True)
    rows = words.annotate(work=Coalesce("paper__merged_into", "paper")).order_by("-said_at", "-pk")
    said: dict[int, dict[int, str]] = {}
    for reader, work, verb in rows.values_list("subscriber_id", "work", "verb"):
        own = said.setdefault(reader, {})
        if own.get(work, Feedback.Verb.SAVE) == Feedback.Verb.SAVE:
            own[work] = verb
    return {reader: _lessons(own) for reader, own in said.items()}


def _lessons(own: dict[int, str]) -> Lessons:
    liked = [work for work, verb in own.items() if verb != Feedback.Verb.LESS]
    disliked = [work for work, verb in own.items() if verb == Feedback.Verb.LESS]
    return Lessons(tuple(liked[:MOST_LESSONS]), tuple(disliked[:MOST_LESSONS]))
