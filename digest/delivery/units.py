"""What is handed over together: one digest, or many whose readers see the same but for their own links."""

from collections.abc import Hashable, Iterator, Sequence
from itertools import chain

from digest.delivery.crew import Unit
from digest.models import Digest
from digest.providers import Provider
from digest.rendering.press import Press


def units_of(digests: Sequence[Digest], press: Press, provider: Provider) -> list[Unit]:
    """The digests in units. A second attempt goes alone: a batch is refused for any one of its readers."""
    if not provider.uses_batches:
        return [(digest,) for digest in digests]
    alike: dict[Hashable, list[Digest]] = {}
    for digest in digests:
        likeness = press.likeness(digest, digest.subscriber) if digest.attempt == 1 and digest.subscriber else None
        alike.setdefault(digest.pk if likeness is None else ("alike", likeness), []).append(digest)
    return list(chain.from_iterable(_cut(some, press, provider.batch_limit) for some in alike.values()))


def _cut(alike: list[Digest], press: Press, size: int) -> Iterator[Unit]:
    """Of a provider's size. Whether they can share a batch is asked where there are several: it is a mail's work."""
    if len(alike) == 1 or not press.can_share(alike[0]):
        size = 1
    return (tuple(alike[at : at + size]) for at in range(0, len(alike), size))
