"""Who was sent a paper, for ever, by paper: one compressed bitmap of subscriber ids each."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from pyroaring import BitMap64

from digest.models import Paper, Sent


def readers_of(sent: Sent) -> BitMap64:
    """The ids of the readers whom the paper was sent to."""
    return BitMap64.deserialize(bytes(sent.readers))


def add(readers: Mapping[int, Iterable[int]]) -> None:
    """Add readers to papers: {paper id: subscriber ids}. Adding again changes nothing."""
    with transaction.atomic():
        known = Sent.objects.in_bulk(list(readers))
        existing = set(Paper.objects.filter(pk__in=readers).values_list("pk", flat=True))
        rows = []
        for paper, ids in ((paper, ids) for paper, ids in readers.items() if paper in existing):
            bitmap = readers_of(known[paper]) if paper in known else BitMap64()
            bitmap.update(ids)
            rows.append(Sent(paper_id=paper, readers=bitmap.serialize()))
        Sent.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["paper"], update_fields=["readers"], batch_size=200
        )
