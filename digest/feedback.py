"""What a reader says of a paper, kept and taken back: an opinion, more like this or less, and beside it a saving.

Several rows can be one work (``digest.merging``). A word is kept on the row that stands for the work when it is said,
and of all opinions on its rows the newest counts. A merge moves none: taking rows apart gives back what was said of
each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from digest.models import Feedback, Paper
from subscriptions.models import Subscriber

Verb = Feedback.Verb


def work_of(pk: int) -> Paper:
    """The row that stands for the paper's work: itself, or the one it was merged into. Raises Paper.DoesNotExist."""
    paper = Paper.objects.select_related("merged_into").get(pk=pk)
    return paper.merged_into or paper


def opinion_on(subscriber_id: int, work: Paper) -> Feedback | None:
    """What counts of what the reader thinks of this work; None where nothing was said, or it was taken back."""
    return _newest(subscriber_id, work, Verb.MORE)


def saving_of(subscriber_id: int, work: Paper) -> Feedback | None:
    """The word that put this work on the reader's saved list; None where it is not there."""
    return _newest(subscriber_id, work, Verb.SAVE)


def say(subscriber_id: int, work: Paper, verb: Verb, now: datetime, *, teaches: bool = True) -> None:
    """Keep the reader's word; an earlier one of its kind gives way. The same again is still one, said now.

    Raises Subscriber.DoesNotExist where the reader was erased meanwhile.
    """
    with transaction.atomic():
        # Under the lock that erasing takes: the word comes before, and goes too, or it finds nobody.
        Subscriber.objects.to_change(subscriber_id)
        Feedback.objects.update_or_create(
            subscriber_id=subscriber_id,
            paper=work,
            verb__in=_of_its_kind(verb),
            defaults={"verb": verb, "said_at": now, "teaches": teaches},
        )


def undo(subscriber_id: int, work: Paper, verb: Verb) -> None:
    """Forget the reader's opinions of this work, or that it is saved; on its other rows too, or one would come back."""
    _words(subscriber_id, work, verb).delete()


def let_teach(subscriber_id: int, work: Paper, teaches: bool) -> None:
    """Whether digests learn from it that this paper is on the reader's list; there it stays."""
    _words(subscriber_id, work, Verb.SAVE).update(teaches=teaches)


def begin_anew(subscriber_id: int) -> None:
    """Forget all opinions of the reader. The saved list stays and teaches nothing any more.

    Raises Subscriber.DoesNotExist where the reader was erased meanwhile.
    """
    with transaction.atomic():
        Subscriber.objects.to_change(subscriber_id)  # a word that is said at this moment comes before, or counts anew
        own = Feedback.objects.filter(subscriber=subscriber_id)
        own.filter(verb__in=Feedback.OPINIONS).delete()
        own.filter(teaches=True).update(teaches=False)


def _of_its_kind(verb: Verb) -> tuple[Verb, ...]:
    return Feedback.OPINIONS if verb in Feedback.OPINIONS else (Verb.SAVE,)


def _newest(subscriber_id: int, work: Paper, verb: Verb) -> Feedback | None:
    return _words(subscriber_id, work, verb).order_by("-said_at", "-pk").first()


def _words(subscriber_id: int, work: Paper, verb: Verb) -> QuerySet[Feedback]:
    own = Feedback.objects.filter(subscriber=subscriber_id, verb__in=_of_its_kind(verb))
    return own.filter(Q(paper=work) | Q(paper__merged_into=work))


MOST_LESSONS = 50  # of a kind and reader: interests change


@dataclass(frozen=True, slots=True)
class Lessons:
    """The papers that teach a reader's digests, the newest word first, at most 50 of each."""

    liked: tuple[int, ...] = ()
    disliked: tuple[int, ...] = ()


def lessons(readers: Iterable[int]) -> dict[int, Lessons]:
    """What these readers' words teach, in one query; readers without any are left out.

    Papers are named by the row that stands for their work. "More" and "save" like it, "less" dislikes it.
    """
    return {reader: lessons_of(own) for reader, own in words_that_teach(readers).items()}


def words_that_teach(readers: Iterable[int]) -> dict[int, dict[int, str]]:
    """By reader and work the word that counts, the newest first, in one query; readers without any are left out.

    Of opinions on several rows of a work the newest counts, and an opinion counts more than that the paper is saved.
    """
    words = Feedback.objects.filter(subscriber_id__any_of=dict.fromkeys(readers), teaches=True)
    rows = words.annotate(work=Coalesce("paper__merged_into", "paper")).order_by("-said_at", "-pk")
    said: dict[int, dict[int, str]] = {}
    for reader, work, verb in rows.values_list("subscriber_id", "work", "verb"):
        own = said.setdefault(reader, {})
        if own.get(work, Verb.SAVE) == Verb.SAVE:
            own[work] = verb
    return said


def lessons_of(own: Mapping[int, str]) -> Lessons:
    """What one reader's words teach."""
    liked = [work for work, verb in own.items() if verb != Verb.LESS]
    disliked = [work for work, verb in own.items() if verb == Verb.LESS]
    return Lessons(tuple(liked[:MOST_LESSONS]), tuple(disliked[:MOST_LESSONS]))
