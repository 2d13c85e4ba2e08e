"""What this room holds of a reader: to take along, or to forget. Registered in apps.ready()."""

from datetime import datetime
from typing import Any

from django.db import connection

from digest import follow_ups, ledger
from digest.models import Digest, Feedback, Paper, Sent
from digest.sent import readers_of
from subscriptions.models import Subscriber, Topic
from subscriptions.privacy import NotYet

State = Digest.State
BITMAPS_AT_ONCE = 100  # one can be some hundred kilobytes


def export(subscriber: Subscriber) -> dict[str, Any]:
    """A reader's digests with papers and reasons, all papers that were sent, opinions and the saved list, as JSON."""
    digests = list(Digest.objects.filter(subscriber=subscriber).order_by("day"))
    sent = _papers_sent_to(subscriber.pk)
    words = list(Feedback.objects.filter(subscriber=subscriber).order_by("said_at", "pk"))
    wanted = (
        {p["paper"] for digest in digests for p in [*digest.picks, *digest.follow_ups]}
        | set(sent)
        | {word.paper_id for word in words}
    )
    rows = Paper.objects.filter(pk__in=wanted).values_list("pk", "title", "key")
    papers = {pk: {"title": title, "key": key} for pk, title, key in rows}
    topics = dict(Topic.objects.values_list("pk", "name"))
    return {
        "mails": [_exported(digest, papers, topics) for digest in digests],
        "papers_sent_on_closed_days": [papers[pk] for pk in sent],
        "said_of_papers": [
            {**papers[word.paper_id], "said": word.verb, "at": word.said_at.isoformat()}
            for word in words
            if word.verb in Feedback.OPINIONS
        ],
        "saved_papers": [
            {**papers[word.paper_id], "at": word.said_at.isoformat(), "digests_learn_from_it": word.teaches}
            for word in words
            if word.verb == Feedback.Verb.SAVE
        ],
    }


def erase(subscriber: Subscriber, now: datetime) -> None:
    """Cancel what is open and take the reader out of every digest and bitmap, within the caller's transaction.

    Raises NotYet while a mail is being handed over. The rows stay, without anything of the reader: the sums add up.
    What was said of papers goes with the reader's own row, which the caller deletes.
    """
    own = Digest.objects.filter(subscriber=subscriber)
    # As ledger.recover does for everybody; here for this reader alone, since each row stays locked until the end.
    lapsed = own.filter(free_at__lte=now)
    ledger.move(lapsed, State.SENDING, State.UNCERTAIN, "the worker ended during the hand-over")
    for state in (State.PLANNED, State.CLAIMED):
        ledger.move(own, state, State.CANCELLED, "erased")
    # After the moves, not before: a worker may have been faster, and then it is seen here.
    if own.open().exists():
        raise NotYet
    own.update(subscriber=None, picks=[], follow_ups=[], provider_id="", claimed_by="", free_at=None)
    for paper in _papers_sent_to(subscriber.pk):
        row = _to_change(paper)
        readers = readers_of(row)
        readers.discard(subscriber.pk)
        row.readers = readers.serialize()
        row.save(update_fields=["readers"])
    follow_ups.forget(subscriber.pk)


def _papers_sent_to(reader: int) -> list[int]:
    """Of closed days. All bitmaps have to be read: 10,000 of 20 KB take a fifth of a second."""
    return [row.pk for row in Sent.objects.order_by("pk").iterator(BITMAPS_AT_ONCE) if reader in readers_of(row)]


def _to_change(paper: int) -> Sent:
    """The bitmap as it is now. Locked: closing a day adds to it meanwhile, and what it adds must not get lost."""
    rows = Sent.objects.select_for_update() if connection.vendor == "postgresql" else Sent.objects
    return rows.get(pk=paper)


def _exported(digest: Digest, papers: dict[int, dict[str, str]], topics: dict[int, str]) -> dict[str, Any]:
    return {
        "day": digest.day.isoformat(),
        "cadence": digest.cadence,
        "state": digest.state,
        "reason": digest.reason,
        "due_at": digest.due_at.isoformat(),
        "accepted_at": digest.accepted_at and digest.accepted_at.isoformat(),
        "papers": [
            {**papers.get(p["paper"], {}), "why": [_named(reason, topics) for reason in p.get("why", [])]}
            for p in digest.picks
        ],
        "news_of_earlier_papers": [
            {**papers.get(news["paper"], {}), "what": news["what"]} for news in digest.follow_ups
        ],
    }


def _named(reason: dict[str, Any], topics: dict[int, str]) -> dict[str, Any]:
    """A reason with its topic's name in place of its number."""
    return {**reason, "topic": topics.get(reason["topic"], "")} if "topic" in reason else reason
