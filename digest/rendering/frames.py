"""The digest of nobody, cut where readers' digests differ: by the ordinary builder, from the ordinary templates.

It is written to reader 0, with that reader's tokens, so that one which a mistake of ours left standing would open
nothing; and with marks where words would be, which are random, so that no paper can hold one.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from digest.models import Digest, Paper
from digest.rendering.items import FollowUp, Lengths, item
from digest.rendering.message import feedback_url, stream_of, surroundings
from digest.rendering.offers import MUTES, Offer
from digest.rendering.shelf import Shelf
from subscriptions import links
from subscriptions.emails import LINE, headers_of, language_context, reader_context, set_in_lines, site_context, write
from subscriptions.models import Subscriber
from subscriptions.stencils import SOFT_BREAK, Stencil, Unfit, stencil
from subscriptions.tokens import EPOCH, NOBODY

TOKENS = MANAGE, FEEDBACK, UNSUBSCRIBE = "manage", "feedback", "unsubscribe"
ITEMS, NEWS, WHY = "items", "follow_ups", "why"
# Places by the names that the templates have for them. These fill whole lines of the text part.
PHRASES = "subject_line", "preheader", "heading", "order", "pause_ended", "more", "because", "next_digest"
LINES = frozenset({*PHRASES[2:], ITEMS, NEWS, WHY})
OFFERS = [(f"words {number}", f"address {number}") for number in range(3 + MUTES)]


class Both(NamedTuple):
    """A stencil for each part."""

    text: Stencil
    html: Stencil


class Frame(NamedTuple):
    """All of a mail but its words, papers, news and tokens."""

    text: Stencil
    html: Stencil
    subject: Sequence[str]  # what stands before and after its words
    headers: Mapping[str, str]  # of nobody's mail
    room: int  # characters that the words of an offer can have before their line of the text would have to be broken


class Counts(NamedTuple):
    """How many of each a mail has."""

    papers: int
    news: int
    offers: int


class Marks:
    """What stands where something is filled in. All is made in the active language."""

    def __init__(self) -> None:
        self._nobody = Subscriber(pk=NOBODY)
        names = [*LINES, *(name for offer in OFFERS for name in offer), *PHRASES[:2]]
        self.of = {name: secrets.token_hex(16) for name in names}
        self.of[MANAGE] = links.manage_token(self._nobody, EPOCH)
        self.of[FEEDBACK] = links.feedback_token(self._nobody, EPOCH)
        self.of[UNSUBSCRIBE] = links.unsubscribe_path(self._nobody, EPOCH).rstrip("/").rpartition("/")[2]
        self._places = {mark: name for name, mark in self.of.items()}

    def paper(self, number: int, paper: Paper, blurb: str, lengths: Lengths) -> Both:
        """One paper, with places for its reasons and for the token. Raises Unfit."""
        shown = item(paper, number, blurb=blurb, why=self.of[WHY], lengths=lengths)
        return self._both(*self._shown("paper", item=shown))

    def news(self, news: FollowUp) -> Both:
        """News of one paper. Raises Unfit."""
        return self._both(*self._shown("news", news=news))

    def frame(self, digest: Digest, code: str, shelf: Shelf, empty: Collection[str], counts: "Counts") -> Frame:
        """The frame of mails like this digest's. Raises Unfit where the templates have no such thing.

        ``empty`` are the places of words that these mails have none for. The same paper twice stands for any number
        but one: what the templates had between two would be found out.
        """
        sample = Paper(pk=0, title="-")
        items = [item(sample, 1, why=self.of[WHY])] * min(counts.papers, 2)
        news = [FollowUp(sample, "-")] * min(counts.news, 2)
        own = reader_context(self._nobody, EPOCH)
        context = {
            **own,
            **{name: "" if name in empty else self.of[name] for name in PHRASES},
            **surroundings(digest, self._nobody, shelf, EPOCH),
            "items": items,
            "follow_ups": news,
            "changes": [(self.of[says], self.of[leads]) for says, leads in OFFERS[: counts.offers]],
        }
        mail = write("digest", context)
        text, html = mail.text, mail.html
        for name, shown in (
            (ITEMS, [self._shown("paper", item=one) for one in items]),
            (NEWS, [self._shown("news", news=one) for one in news]),
        ):
            if shown:
                text = _cut(text, "".join(words for words, _ in shown), f"\n{self.of[name]}\n\n")
                html = _cut(html, "".join(words for _, words in shown), self.of[name])
        text = set_in_lines(text)
        for name in (ITEMS, NEWS):
            if self.of[name] in text:  # the blank line before each paper is its own
                text = _cut(text, f"\n\n{self.of[name]}\n", f"\n{self.of[name]}\n")
        whole = self._html(html)
        return Frame(
            self._text(text),
            whole._replace(quoted=whole.quoted.removesuffix(SOFT_BREAK)),
            mail.subject.split(self.of["subject_line"]),
            headers_of(own["unsubscribe_url"], now=EPOCH, key="digest-0", listed=True, stream=stream_of(digest, code)),
            self._room(text),
        )

    def address(self, offer: Offer) -> Stencil:
        """The address of an offer, with a place for the token."""
        return self._html(offer.address(self.of[MANAGE]))

    def _shown(self, name: str, **what: Any) -> tuple[str, str]:
        """What a template that is shown once for each paper gives, as text and as HTML."""
        context = {**site_context(), **language_context(), "feedback_url": feedback_url(self.of[FEEDBACK]), **what}
        return (
            render_to_string(f"emails/digest/{name}.txt", context, using="text"),
            render_to_string(f"emails/digest/{name}.html", context),
        )

    def _both(self, text: str, html: str) -> Both:
        if not (text.startswith("\n") and text.endswith("\n\n")):
            raise Unfit("no blank lines around a paper")
        return Both(self._text(f"\n{set_in_lines(text)}"), self._html(html))

    def _text(self, text: str) -> Stencil:
        made = stencil(text, self._places, tokens=TOKENS, lines=LINES)
        if any(name.encode() in made.places for name in PHRASES[:2]):
            raise Unfit("the subject or the preheader in the text part")
        return made

    def _html(self, html: str) -> Stencil:
        return stencil(html, self._places, tokens=TOKENS)

    def _room(self, text: str) -> int:
        lines = [line for line in text.splitlines() if any(self.of[words] in line for words, _ in OFFERS)]
        return LINE + len(self.of[WHY]) - max(map(len, lines), default=0)


def _cut(text: str, shown: str, mark: str) -> str:
    if text.count(shown) != 1:
        raise Unfit("the templates of papers and news are not those that the digest's includes")
    return text.replace(shown, mark)
