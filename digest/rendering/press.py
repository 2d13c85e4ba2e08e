"""Prints many digests: each paper and each phrase is made ready once, and joined for each reader.

What comes out is the mail of ``digest_message``, which stays the definition: the same templates and the same functions
are used, and where they cannot be (see ``Marks``) the mail is made there, forty times slower.
"""

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from email.charset import Charset
from email.utils import format_datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import translation

from digest.kept import Kept
from digest.models import Digest
from digest.rendering import sentences
from digest.rendering.batches import (
    OWN_WORDS,
    PLAIN_ADDRESS,
    TOKEN_PLACES,
    Own,
    batch_message,
    could_be_misread,
    values_of,
)
from digest.rendering.frames import UNSUBSCRIBE, Both, Counts
from digest.rendering.items import follow_ups_of, shown_picks
from digest.rendering.message import FEWER_WORDS, digest_message, fits, most_that_fit, own_phrases_of, phrases_of
from digest.rendering.offers import offers_of, own_offers
from digest.rendering.sheets import HTML, TEXT, Part, Said, Sheet
from digest.rendering.shelf import Shelf
from digest.rendering.stock import Stock
from subscriptions import languages
from subscriptions.emails import encoding_for, name_of, senders
from subscriptions.models import Subscriber
from subscriptions.ready import ReadyMessage
from subscriptions.stencils import SOFT_BREAK, Piece, Unfit
from subscriptions.tokens import Purpose, make

log = logging.getLogger(__name__)
PURPOSES = {b"manage": Purpose.MANAGE, b"feedback": Purpose.FEEDBACK, b"unsubscribe": Purpose.UNSUBSCRIBE}
Picks = Sequence[Mapping[str, Any]]


class SharedPicks(list[Any]):
    """Picks that several digests have, and their text in the database. Nobody changes them."""

    def __init__(self, picks: Iterable[Any], text: str) -> None:
        super().__init__(picks)
        self.text = text


class Press:
    """For one thread and one run of sending: what it has read once stays as it was then."""

    def __init__(self) -> None:
        self._shelf = Shelf({}, {}, {}, {})
        self._stock = Stock()
        self._offered: dict[str, str] = {}
        self._can_share = Kept[bool](1024)

    def lay_out(self, digests: Iterable[Digest]) -> None:
        """Read what these digests are made of: five queries at most, and none for what is here already.

        One of them is for the readers who had a pause, and for those who are not loaded.
        """
        self._shelf = Shelf.for_digests(digests, self._shelf)

    def message(
        self, digest: Digest, subscriber: Subscriber, *, now: datetime, without: Iterable[int] = frozenset()
    ) -> EmailMultiAlternatives:
        """The mail of a digest that was laid out, equal to that of ``digest_message``."""
        try:
            sheet, html, encoding = self._sheet(digest, subscriber, _tokens(subscriber, now), without)
        except Unfit as why:
            log.warning("digest %s is made the slow way: %s", digest.pk, why)
            return digest_message(digest, subscriber, self._shelf, now=now, without=without)
        return ReadyMessage(
            sheet.part(TEXT),
            html,
            encoding,
            metadata={"mail": f"digest-{digest.pk}"},
            subject=sheet.subject,
            to=[subscriber.email],
            headers=self._headers(sheet, digest, now),
            **senders(listed=True),
        )

    def likeness(self, digest: Digest, subscriber: Subscriber) -> Hashable | None:
        """Digests of equal likeness, laid out, are the same mail but for links and dates; those of None go alone."""
        odd = digest.follow_ups or digest.pk in self._shelf.after_pause or not digest.picks
        if odd or not PLAIN_ADDRESS.fullmatch(subscriber.email):
            return None
        picks = digest.picks.text if isinstance(digest.picks, SharedPicks) else repr(digest.picks)
        return (
            (digest.day, digest.cadence, digest.content_from, digest.content_to, picks),
            (subscriber.language, subscriber.text_only, subscriber.next_due_at is None),
            own_offers(subscriber),
        )

    def can_share(self, digest: Digest) -> bool:
        """Whether digests of this one's likeness fit into a batch: no word of them looks like a placeholder."""
        assert digest.subscriber
        likeness = self.likeness(digest, digest.subscriber)
        if likeness is None:
            return False
        found = self._can_share.get(likeness)
        if found is None:
            found = self._can_share.keep(likeness, self._has_no_placeholder(digest, digest.subscriber))
        return found

    def batch(
        self, digests: Sequence[Digest], *, now: datetime, without: Iterable[int] = frozenset()
    ) -> EmailMultiAlternatives:
        """One message for the readers of digests of equal likeness, whose ``subscriber`` is loaded.

        Raises ValueError where they are not alike, and where a reader would get two.
        """
        readers = [digest.subscriber for digest in digests if digest.subscriber]
        alike = {self.likeness(digest, reader) for digest, reader in zip(digests, readers, strict=False)}
        if (
            len({reader.email for reader in readers}) < len(digests)
            or len(alike) != 1
            or not self.can_share(digests[0])
        ):
            raise ValueError("a batch is for different readers whose digests are alike")
        sheet, html, _encoding = self._sheet(digests[0], readers[0], TOKEN_PLACES, without)
        owns = []
        for digest, reader in zip(digests, readers, strict=True):
            words = self._own_words(digest, reader)
            owns.append(Own(reader.email, values_of(f"digest-{digest.pk}", _tokens(reader, now), words)))
        return batch_message(sheet, owns, text_only=html is None, mark=self._stock.marks.of[UNSUBSCRIBE], now=now)

    def _has_no_placeholder(self, digest: Digest, subscriber: Subscriber) -> bool:
        try:
            sheet, _html, _encoding = self._sheet(digest, subscriber, TOKEN_PLACES)
        except Unfit:
            return False
        return not could_be_misread(sheet)

    def _own_words(self, digest: Digest, subscriber: Subscriber) -> dict[str, Said]:
        language, phrases = self._language(subscriber.language), own_phrases_of(digest, subscriber, self._shelf)
        return {name: self._stock.said(language, phrases[name]) for name in OWN_WORDS}

    def _sheet(
        self, digest: Digest, subscriber: Subscriber, tokens: Mapping[bytes, Piece], without: Iterable[int] = ()
    ) -> tuple[Sheet, Part | None, Charset]:
        """What the mail is joined from, its HTML and its encoding. Raises Unfit where it cannot be joined."""
        shelf, stock = self._shelf, self._stock
        picks = shown_picks(digest, shelf, without)
        if not picks:
            raise Unfit("it has no papers")
        language = self._language(subscriber.language)
        offers = [stock.offer(language, offer) for offer in offers_of(subscriber, shelf, picks)]
        news, why = self._news(language, digest), self._why(language, digest, picks)
        everything = [shelf.papers[p["paper"]] for p in picks]

        def sheet_of(shown: int, papers: Sequence[Both]) -> Sheet:
            phrases = phrases_of(digest, subscriber, shelf, everything, shown)
            said = {name: stock.said(language, phrase) for name, phrase in phrases.items()}
            counts = Counts(min(shown, 2), min(len(news), 2), len(offers))
            frame = stock.frame(digest, subscriber.language, shelf, said, counts)
            if any(len(words.words) > frame.room for words, _ in offers):
                raise Unfit("the words of an offer need two lines")
            return Sheet(frame, said, offers, papers[:shown], why[:shown], news, tokens)

        part = TEXT if subscriber.text_only else HTML
        whole = sheet_of(len(picks), ())
        for wordiness in range(len(FEWER_WORDS)):
            papers = [stock.paper(language, number, p["paper"], shelf, wordiness) for number, p in enumerate(picks, 1)]
            sheet = whole._replace(papers=papers)
            if fits(sheet.part(part).extent()):
                break
        else:
            fewer = partial(sheet_of, papers=papers)
            sheet = most_that_fit(len(picks), fewer, lambda made: fits(made.part(part).extent()))
        html = None if subscriber.text_only else sheet.part(HTML)
        return sheet, html, encoding_for(sheet.part(part).extent())

    def _headers(self, sheet: Sheet, digest: Digest, now: datetime) -> dict[str, str]:
        headers = dict(sheet.frame.headers)
        own = sheet.tokens[UNSUBSCRIBE.encode()].plain.decode()
        domain = headers["Message-ID"].rpartition("@")[2]
        headers["Message-ID"] = f"<{name_of(f'digest-{digest.pk}', digest.planned_at)}@{domain}"
        headers["Date"] = format_datetime(now)
        headers["List-Unsubscribe"] = headers["List-Unsubscribe"].replace(self._stock.marks.of[UNSUBSCRIBE], own)
        return headers

    def _language(self, code: str) -> str:
        return self._offered.get(code) or self._offered.setdefault(code, languages.offered(code))

    def _why(self, language: str, digest: Digest, picks: Picks) -> list[Said]:
        shelf, stock = self._shelf, self._stock
        why = [stock.why(language, p.get("why", []), shelf) for p in picks]
        if all(own.words for own in why):
            return why
        others, covers = any(own.words for own in why), len(shelf.days_of(digest)) > 1
        popular = stock.said(language, (sentences.why_line, (), others, covers))
        return [own if own.words else popular for own in why]

    def _news(self, language: str, digest: Digest) -> list[Both]:
        if not digest.follow_ups:
            return []
        with translation.override(language):
            return [self._stock.news(language, news) for news in follow_ups_of(digest, self._shelf)]


def _tokens(subscriber: Subscriber, now: datetime) -> dict[bytes, Piece]:
    tokens = {}
    for place, purpose in PURPOSES.items():
        token = make(purpose, subscriber.pk, now, settings.LINK_KEYS).encode()
        tokens[place] = Piece(token, token + SOFT_BREAK, len(token), 0)
    return tokens
