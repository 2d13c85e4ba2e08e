"""What one reader wants to read about, as one value: read from rows, written to rows."""

from dataclasses import dataclass
from typing import Any

from subscriptions.models import Interest, Subscriber


@dataclass(frozen=True, slots=True)
class Interests:
    """Everything that a reader wants to read about, or not to."""

    topics: tuple[int, ...] = ()
    phrases: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    muted_topics: tuple[int, ...] = ()
    muted_words: tuple[str, ...] = ()

    @classmethod
    def of(cls, subscriber: Subscriber) -> "Interests":
        """Those of a reader."""
        found: dict[str, list[Any]] = {kind: [] for kind in Interest.Kind.values}
        for kind, topic, text in subscriber.interests.order_by("pk").values_list("kind", "topic_id", "text"):
            found[kind].append(topic or text)
        return cls(*(tuple(found[kind]) for kind in Interest.Kind.values))

    def rows(self, subscriber: Subscriber) -> list[Interest]:
        """As rows, each once; a topic that is wanted and muted is wanted."""
        kinds = Interest.Kind
        topics = dict.fromkeys(self.muted_topics, kinds.MUTED_TOPIC) | dict.fromkeys(self.topics, kinds.TOPIC)
        texts = ((kinds.PHRASE, self.phrases), (kinds.AUTHOR, self.authors), (kinds.MUTED_WORD, self.muted_words))
        return [
            *(Interest(subscriber=subscriber, kind=kind, topic_id=topic) for topic, kind in topics.items()),
            *(
                Interest(subscriber=subscriber, kind=kind, text=text)
                for kind, own in texts
                for text in dict.fromkeys(own)
            ),
        ]
